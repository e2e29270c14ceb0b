"""What happens when PostgreSQL goes away, and comes back."""

import os
import socket
import time

import pytest
from sqlalchemy import text

from tests.proxy import CountingProxy

KILL_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def silent_server():
    """A port where everything is accepted and nothing ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://u:p@127.0.0.1:{listener.getsockname()[1]}/x"


def assert_unavailable(answer):
    assert answer.status_code == 503
    assert list(answer.json) == ["error"]
    assert int(answer.headers["Retry-After"]) > 0


def test_a_killed_idle_connection_is_replaced_and_nobody_notices(
    make_client, database, milk
):
    alice = make_client()
    for _ in range(20):
        assert alice.get("").json["total"] == 1
        with database.connect() as connection:
            connection.execute(KILL_OTHERS)


def test_a_database_that_is_away_is_a_503_and_its_return_needs_no_restart(
    make_client, app, server, database, milk
):
    proxy = CountingProxy(server)
    through = proxy.url(app.extensions["database"].url)
    alice = make_client(DATABASE_URL=through.render_as_string(hide_password=False))
    assert alice.get("").status_code == 200

    proxy.close()
    assert_unavailable(alice.get(""))
    assert_unavailable(alice.get("/health/ready"))
    assert alice.get("/health").status_code == 200

    proxy = CountingProxy(server, through.port)
    assert alice.get("").status_code == 200
    assert alice.patch(f"{milk.json['id']}/complete").status_code == 200
    proxy.close()


def test_a_server_that_never_answers_is_a_503_in_time(make_client, silent_server):
    alice = make_client(DATABASE_URL=silent_server, DB_CONNECT_TIMEOUT="0.3")

    began = time.monotonic()
    assert_unavailable(alice.get(""))

    assert time.monotonic() - began < 5


def test_readiness_gives_up_after_two_seconds(make_client, silent_server):
    alice = make_client(DATABASE_URL=silent_server)

    began = time.monotonic()
    assert_unavailable(alice.get("/health/ready"))

    assert time.monotonic() - began < 4


def test_a_statement_that_takes_too_long_is_a_503_and_the_next_one_works(
    make_client, database, milk
):
    alice = make_client(DB_STATEMENT_TIMEOUT="1")
    with database.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")

        assert_unavailable(alice.patch(f"{milk.json['id']}/complete"))

        connection.exec_driver_sql("ROLLBACK")
    assert alice.get("").status_code == 200


def test_a_statement_that_takes_too_long_ends_in_postgresql_too(
    make_client, database, milk
):
    alice = make_client(DB_STATEMENT_TIMEOUT="1")
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    )
    with database.connect() as connection, database.connect() as observer:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")

        assert_unavailable(alice.patch(f"{milk.json['id']}/complete"))

        assert observer.scalar(blocked) == 0
        connection.exec_driver_sql("ROLLBACK")


def test_a_pool_that_stays_busy_is_a_503_and_health_still_answers(make_client):
    alice = make_client(DB_POOL_SIZE="2", DB_POOL_TIMEOUT="0.2")
    pool = alice.application.extensions["database"].engine

    with pool.connect(), pool.connect():
        assert_unavailable(alice.get(""))
        assert alice.get("/health").status_code == 200

    assert alice.get("").status_code == 200


def test_a_read_only_server_is_a_503(make_client, app, database, milk):
    alice = make_client()
    name = database.url.database
    with database.connect() as connection:
        read_only = f"ALTER DATABASE {name} SET default_transaction_read_only"
        connection.exec_driver_sql(f"{read_only} = on")
        try:
            assert_unavailable(alice.post("", json={"title": "x"}))
            assert alice.get("").status_code == 200
        finally:
            connection.exec_driver_sql("SET default_transaction_read_only = off")
            connection.exec_driver_sql(f"{read_only} = off")


def test_a_peer_that_has_vanished_is_found(make_client, app, server):
    proxy = CountingProxy(server)
    url = proxy.url(app.extensions["database"].url)
    own = url.update_query_dict({"keepalives_idle": "7"})
    client = make_client(DATABASE_URL=own.render_as_string(hide_password=False))
    connection = client.application.extensions["database"].engine.raw_connection()

    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    connection.close()
    proxy.close()


FULL = (
    """CREATE FUNCTION fill_the_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN COPY (SELECT 1) TO '/dev/full'; END $$""",
    """CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON tasks
    EXECUTE FUNCTION fill_the_disk()""",
)


@pytest.fixture
def full_disk(database, milk):
    """Every write of a task meets the kernel's own "No space left on device"."""
    with database.connect() as connection:
        for statement in FULL:
            connection.exec_driver_sql(statement)
        yield
        connection.exec_driver_sql("DROP FUNCTION fill_the_disk CASCADE")


def test_a_full_disk_is_a_503_and_reads_go_on(full_disk, make_client, milk):
    alice = make_client()

    for answer in (
        alice.post("", json={"title": "x"}),
        alice.patch(milk.location, json={"title": "x"}),
    ):
        assert_unavailable(answer)
        assert answer.json["error"] == "The database takes no changes at the moment."
    assert alice.get("").json["tasks"] == [milk.json]
