"""A primary fails and its synchronous standby takes over; the service has both hosts.

It finds the one that takes writes by libpq's `target_session_attrs=read-write`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from tests.e2e import servers
from tests.faults.asking import requests_of_alice
from tests.faults.conftest import DEADLINES, settings_for
from tests.faults.load import Book, Writer
from tests.faults.postgres import Postgres, Standby
from tests.waiting import until
from todo_service import create_app
from todo_service.database import migrations
from todo_service.database.tables import tasks
from todo_service.settings import urls

pytestmark = pytest.mark.alone

WRITES = 10_000
USERS = 4
AWAY_SECONDS = 0.5  # before somebody promotes the standby
RECOVERY_SECONDS = 2
SYNCHRONOUS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


@contextmanager
def pair(programs, folder) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary with the service's schema, and a standby that has every commit."""
    places = [folder / name for name in ("first", "second")]
    for place in places:
        place.mkdir()
    primary = Postgres(programs, places[0], user="pgserver")
    made = [primary]
    try:
        primary.start()
        primary.wait()
        migrations.upgrade(create_app(settings_for(primary.url)).extensions["database"])
        standby = Standby(primary, programs, places[1], user="pgserver")
        made.append(standby)
        standby.start()
        standby.wait()
        with primary.connect() as connection:
            connection.exec_driver_sql(
                "ALTER SYSTEM SET synchronous_standby_names = '*'"
            )
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            until(lambda: connection.exec_driver_sql(SYNCHRONOUS).scalar() == 1)
        yield primary, standby
    finally:
        for each in made:
            each.end()


@contextmanager
def service(primary: Postgres, standby: Postgres, **settings: str) -> Iterator[str]:
    """The service, given both hosts as libpq spells them."""
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"
    environ = settings_for(urls.postgres(url)) | {"DATABASE_URL": url}
    with servers.service(environ, LOG_LEVEL="ERROR", **settings) as running:
        yield running


def promote(standby: Postgres) -> None:
    """Make the standby a primary that waits for no other standby."""
    with standby.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM RESET synchronous_standby_names")
        assert connection.exec_driver_sql("SELECT pg_promote()").scalar()


@pytest.fixture(scope="module")
def failover(programs, folder):
    """What the writers know after a failover under load, and the new primary."""
    with pair(programs, folder) as (primary, standby), service(primary, standby) as url:
        books = {f"user-{number}": Book() for number in range(USERS)}

        def acknowledged() -> int:
            return sum(book.acknowledged for book in books.values())

        writers = [
            Writer(url, user, book, lambda: acknowledged() >= WRITES, careful=True)
            for user, book in books.items()
        ]
        for each in writers:
            each.start()
        until(lambda: acknowledged() >= WRITES // 2)
        primary.kill()
        time.sleep(AWAY_SECONDS)
        before = acknowledged()
        promote(standby)
        began = time.monotonic()
        until(lambda: acknowledged() > before)
        seconds = time.monotonic() - began
        for each in writers:
            each.join()
        yield books, seconds, url, (primary, standby)


def test_writes_go_on_soon_after_the_promotion_without_a_restart(failover):
    books, seconds, _, _ = failover

    assert seconds <= RECOVERY_SECONDS
    assert [book.wrong for book in books.values()] == [[]] * USERS


def test_no_acknowledged_write_is_lost(failover):
    books, _, _, (_, new) = failover
    with new.connect() as connection:
        for user, book in books.items():
            own = select(tasks.c.title, tasks.c.id, tasks.c.completed).where(
                tasks.c.user_id == user
            )
            found = list(connection.execute(own))

            assert book.created.items() <= {(title, task) for title, task, _ in found}
            assert book.toggled.items() <= {(task, done) for _, task, done in found}


def test_the_old_primary_that_comes_back_as_a_standby_gets_no_writes(failover):
    _, _, url, (old, new) = failover
    (old.data / "standby.signal").touch(0o644)
    old.start()
    old.wait()
    with new.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    asks = requests_of_alice(url)

    for _ in range(20):  # each worker process connects anew
        assert {ask().status for ask in asks} <= {200, 201}


def test_connections_to_a_server_that_became_read_only_are_left(programs, folder):
    place = folder / "switch"
    place.mkdir()
    with (
        pair(programs, place) as (primary, standby),
        service(primary, standby, WEB_CONCURRENCY="1", **DEADLINES) as url,
    ):
        asks = requests_of_alice(url)
        with primary.connect() as connection:
            connection.exec_driver_sql("ALTER SYSTEM RESET synchronous_standby_names")
            connection.exec_driver_sql(
                "ALTER SYSTEM SET default_transaction_read_only = on"
            )
            connection.exec_driver_sql("SELECT pg_reload_conf()")
            until(lambda: is_read_only(primary))
        promote(standby)

        began = time.monotonic()
        until(lambda: {ask().status for ask in asks} <= {200, 201})
        assert time.monotonic() - began <= RECOVERY_SECONDS
        create = asks[2]
        here = select(tasks.c.title).where(tasks.c.id == create().json["id"])
        with standby.connect() as connection:
            assert connection.scalar(here) == "Tea"


def test_a_primary_that_is_silent_does_not_keep_writes_from_the_new_one(
    programs, folder
):
    place = folder / "silent"
    place.mkdir()
    with (
        pair(programs, place) as (primary, standby),
        service(primary, standby, WEB_CONCURRENCY="1", **DEADLINES) as url,
    ):
        create = requests_of_alice(url)[2]
        primary.freeze()  # as if its machine had lost the network
        promote(standby)

        until(lambda: create().status == 201)


def is_read_only(server: Postgres) -> bool:
    with server.connect() as connection:
        return connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
