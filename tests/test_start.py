"""The start of the service, and what its first requests cost."""

import runpy
import socket

import pytest

from tests.proxy import CountingProxy
from tests.running import ROOT, TOKEN, running
from tests.test_conventions import STATEMENTS
from todo_service import accounts, tasks
from todo_service.database.driver import for_driver

pytestmark = pytest.mark.once

COMPILED = (*tasks.STATEMENTS, *accounts.STATEMENTS)
BODY = '{"title": "first"}'
HEADERS = {
    "Authorization": f"Bearer {TOKEN.decode()}",
    "Content-Type": "application/json",
}
# Each is the first of its kind; the very first is the first since the start.
FIRST = [
    ("POST", "", BODY, 201),
    ("GET", "", None, 200),
    ("GET", "?status=pending", None, 200),
    ("GET", "?q=first", None, 200),
    ("GET", "/changes", None, 200),
    ("GET", "/{}", None, 200),
    ("PUT", "/{}", BODY, 200),
    ("PATCH", "/{}", BODY, 200),
    ("PATCH", "/{}/complete", None, 200),
    ("DELETE", "/{}", None, 200),
    ("POST", "/{}/restore", None, 200),
]


def test_the_first_request_of_each_operation_costs_one_round_trip(
    environ, server, app, alice, tmp_path
):
    proxy = CountingProxy(server)
    url = proxy.url(app.extensions["database"].url)
    through = url.render_as_string(hide_password=False)
    settings = environ | {"DATABASE_URL": through, "WEB_CONCURRENCY": "1"}
    with running(settings, tmp_path / "log") as service:
        connection = service.connect()
        costs = {}
        task = ""
        for method, path, body, status in FIRST:
            before = proxy.trips
            path = f"/api/tasks{path}".format(task)
            connection.request(method, path, body, HEADERS)
            answer = connection.getresponse()
            task = task or answer.getheader("Location", "").rpartition("/")[2]
            answer.read()
            assert answer.status == status
            costs[method, path] = proxy.trips - before
        connection.close()
    proxy.close()

    assert set(costs.values()) == {1}


def test_every_statement_of_a_request_is_compiled_before_the_first_one():
    of_commands = {"NEXT_OWNER", "DELETE_BATCH", "SET_ACTIVE"}
    needed = {id(s) for name, s in STATEMENTS.items() if name not in of_commands}

    assert {id(statement) for statement in COMPILED} == needed


def test_statements_are_compiled_before_the_fork(environ, monkeypatch):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for_driver.cache_clear()
    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["on_starting"](None)
    compiled = for_driver.cache_info().misses

    for statement in COMPILED:
        for_driver(statement)

    assert for_driver.cache_info().misses == compiled == len(COMPILED)


def test_a_database_that_never_answers_does_not_hold_up_the_start(environ, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/x"
        slow = {"DATABASE_URL": url, "DB_CONNECT_TIMEOUT": "60"}
        with running(environ | slow, tmp_path / "log") as service:
            assert service.get("/health") == 200
