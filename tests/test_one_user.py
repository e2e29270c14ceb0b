"""One user's worst searches, over 100 connections, against all others' reads."""

import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from sqlalchemy import create_engine, text

from tests.running import ROOT, running
from tests.waiting import until
from todo_service import create_app
from todo_service.database import migrations
from todo_service.settings import urls

pytestmark = [pytest.mark.once, pytest.mark.alone]

CONNECTIONS = 100
QUIET_SECONDS, FLOOD_SECONDS = 2, 6

# A text in which each place begins like what is searched, and none goes on like it.
SEARCHED = "a" * 199 + "b"
LOAD_USER = text(
    "INSERT INTO users (id, last_change, pending) VALUES (:owner, :number, :number)"
)
LOAD_TASKS = text("""
    INSERT INTO tasks (user_id, id, title, description, completed, priority, tags,
                       version, created_at, updated_at)
    SELECT :owner, gen_random_uuid(), 'Task', repeat('a', :length), false, 'medium',
           '{}', number, now(), now()
    FROM generate_series(1, :number) AS number
""")
BUSY = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND state <> 'idle' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def loaded(environ, make_database):
    """Settings with a database of its own: Mallory's 7,200 long tasks, Bob's 50."""
    url = make_database().render_as_string(hide_password=False)
    settings = environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    migrations.upgrade(create_app(settings).extensions["database"])
    engine = create_engine(urls.postgres(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for owner, number, length in (("mallory", 7200, 5000), ("bob", 50, 100)):
            connection.execute(LOAD_USER, {"owner": owner, "number": number})
            connection.execute(
                LOAD_TASKS, {"owner": owner, "number": number, "length": length}
            )
        connection.exec_driver_sql("VACUUM ANALYZE tasks")
        yield settings, connection
    engine.dispose()


@contextmanager
def flood(service, token):
    """Mallory's search on many connections, from a process of its own."""
    request = (
        f"GET /api/tasks?q={SEARCHED} HTTP/1.1",
        "Host: x",
        f"Authorization: {token}",
    )
    sender = subprocess.Popen(
        [sys.executable, "-m", "tests.flood", str(service.port), str(CONNECTIONS)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sender.stdin
    assert sender.stdout
    sender.stdin.write("\\r\\n".join([*request, "\\r\\n"]) + "\n")
    sender.stdin.flush()
    assert sender.stdout.readline() == "begun\n"
    try:
        yield sender
    finally:
        sender.communicate()


def reads(service, token, seconds):
    """How long Bob's reads take, one after the other; each of them has to succeed."""
    connection = HTTPConnection("127.0.0.1", service.port, timeout=10)
    took = []
    late = time.monotonic() + seconds
    while (began := time.monotonic()) < late:
        connection.request("GET", "/api/tasks", headers={"Authorization": token})
        answer = connection.getresponse()
        answer.read()
        took.append(time.monotonic() - began)
        assert answer.status == 200
    connection.close()
    return took


def p99(took):
    return statistics.quantiles(took, n=100)[98]


def test_one_users_worst_searches_leave_others_reads_quick(loaded, token_of, tmp_path):
    settings, connection = loaded
    mallory, bob = (f"Bearer {token_of(each)}" for each in ("mallory", "bob"))

    with running(settings, tmp_path / "log") as service:
        reads(service, bob, 0.5)
        quiet = p99(reads(service, bob, QUIET_SECONDS))
        with flood(service, mallory):
            until(lambda: connection.scalar(BUSY) >= 2)
            flooded = p99(reads(service, bob, FLOOD_SECONDS))
        time.sleep(2)

        assert connection.scalar(BUSY) == 0
        assert flooded <= max(5 * quiet, 0.25)
