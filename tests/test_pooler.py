"""The service behind PgBouncer in transaction mode, as behind Neon's pooler."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.client import Client
from tests.pooler import pooler
from tests.proxy import CountingProxy
from todo_service import create_app


@pytest.fixture
def pooled(server, app):
    """The URL of the application's database through PgBouncer, two connections wide."""
    proxy = CountingProxy(server)
    with pooler(proxy.url(app.extensions["database"].url)) as running:
        yield running.url
    proxy.close()


@pytest.fixture
def crowd(pooled, environ, token_of, alice):
    """Alice behind PgBouncer, from many threads."""
    shown = pooled.render_as_string(hide_password=False)
    app = create_app(environ | {"DATABASE_URL": shown, "DB_POOL_SIZE": "8"})
    yield Client(app, user_id="alice", token=token_of("alice"))
    app.extensions["database"].engine.dispose()


def test_many_requests_share_two_connections_and_all_succeed(crowd, milk):
    task = milk.json["id"]

    def work(number):
        return [
            crowd.get(task).status_code,
            crowd.patch(task, json={"title": f"{number}"}).status_code,
            crowd.patch(f"{task}/complete").status_code,
            crowd.post("", json={"title": f"{number}"}).status_code,
            crowd.get("?status=pending&limit=5").status_code,
            crowd.get("?sort=title").status_code,
            crowd.get("changes").status_code,
        ]

    with ThreadPoolExecutor(8) as pool:
        found = [each for some in pool.map(work, range(24)) for each in some]

    assert set(found) == {200, 201}
    assert crowd.get("").json["total"] == 25
    assert crowd.post("", json={"title": "last"}).json["version"] == 1 + 24 * 3 + 1


def test_a_migration_under_running_workers_fails_no_request(crowd, milk, database):
    task = milk.json["id"]
    assert crowd.get(task).status_code == 200
    with database.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE tasks ALTER description TYPE varchar")
        try:
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda _: crowd.get(task).status_code, range(64)))
        finally:
            connection.exec_driver_sql("ALTER TABLE tasks ALTER description TYPE text")

    assert set(found) == {200}
