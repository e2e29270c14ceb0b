"""The service behind PgBouncer in transaction mode, as behind Neon's pooler."""

import os
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.client import Client
from tests.proxy import CountingProxy
from tests.waiting import until
from todo_service import create_app

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def open_folder():
    """A folder that other users of the machine can read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def pooled(server, app, open_folder):
    """The URL of the application's database through PgBouncer, two connections wide."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("PgBouncer is not installed")
    url = app.extensions["database"].url
    proxy = CountingProxy(server)
    direct = proxy.url(url)
    own_port = free_port()
    file = open_folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(
            host=direct.host, port=direct.port, user=direct.username, own_port=own_port
        )
    )
    command = [program, str(file)]
    if os.getuid() == 0:  # PgBouncer does not run as root
        command = ["runuser", "-u", "nobody", "--", *command]
    pooler = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: answers(own_port))
    yield direct.set(host="127.0.0.1", port=own_port)
    pooler.terminate()
    pooler.wait()
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
