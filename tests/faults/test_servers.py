"""PostgreSQL goes away in every way, and comes back: what clients get, how soon."""

import os
import shutil
import socket
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg2
import pytest
from sqlalchemy import text

from tests.faults.asking import (
    HEALTH_SECONDS,
    all_at_once,
    all_but_slowest,
    assert_unavailable,
    assert_well_within,
)
from tests.faults.conftest import REFUSED_SECONDS, SILENT_SECONDS
from tests.faults.postgres import Postgres
from tests.waiting import until

pytestmark = pytest.mark.alone

RECOVERY_SECONDS = 1


@contextmanager
def shut_down(postgres: Postgres) -> Iterator[None]:
    postgres.stop()
    yield
    postgres.start()
    postgres.wait()


@contextmanager
def killed(postgres: Postgres) -> Iterator[None]:
    postgres.kill()
    yield
    postgres.start()
    postgres.wait()


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    postgres.freeze()
    yield
    postgres.thaw()


@contextmanager
def mute(postgres: Postgres) -> Iterator[None]:
    """In the place of the server something accepts everything and never answers."""
    postgres.stop()
    with socket.create_server(("127.0.0.1", postgres.port)):
        yield
    postgres.start()
    postgres.wait()


@contextmanager
def recovering(postgres: Postgres) -> Iterator[None]:
    """A standby that lets nobody in, as after a failover that has not ended."""
    with standby(postgres, hot_standby="off"):
        until(lambda: is_closed(postgres))
        yield


@contextmanager
def standby(postgres: Postgres, **settings: str) -> Iterator[None]:
    """The server as a standby; afterwards it is the first server again."""
    signal = postgres.data / "standby.signal"
    usual = postgres.settings
    postgres.stop()
    signal.touch(0o644)
    postgres.settings = usual | {"restore_command": "false"} | settings
    postgres.start()
    yield
    postgres.stop()
    signal.unlink()
    postgres.settings = usual
    postgres.start()
    postgres.wait()


@contextmanager
def crowded(postgres: Postgres) -> Iterator[None]:
    """Others hold every connection that the server allows."""
    with postgres.connect() as last, ExitStack() as others:
        last.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        with suppress(psycopg2.OperationalError):
            while True:
                others.callback(postgres.driver_connection().close)
        yield


def is_closed(postgres: Postgres) -> bool:
    """True if the server runs and lets nobody in (57P03)."""
    try:
        postgres.driver_connection().close()
    except psycopg2.OperationalError as error:
        return "accepting connections" in str(error)
    return False


@pytest.mark.parametrize(
    ("fault", "bar"),
    [
        pytest.param(shut_down, REFUSED_SECONDS, id="shut_down"),
        pytest.param(killed, REFUSED_SECONDS, id="killed"),
        pytest.param(recovering, REFUSED_SECONDS, id="recovering"),
        pytest.param(crowded, REFUSED_SECONDS, id="too_many_connections"),
        pytest.param(frozen, SILENT_SECONDS, id="frozen"),
        pytest.param(mute, SILENT_SECONDS, id="never_answers"),
    ],
)
def test_while_it_is_away_clients_get_503_and_soon_after_all_is_well(
    postgres, service, requests, fault, bar
):
    with fault(postgres):
        for _ in range(2):  # on the connections that there were, and on new ones
            seen, pulse = all_at_once(requests, service)
            for each in seen:
                assert_unavailable(each.answer)
            assert statistics.median(each.seconds for each in seen) <= bar
            assert all_but_slowest(pulse) <= HEALTH_SECONDS
    assert_well_within(RECOVERY_SECONDS, requests)


def test_a_backend_that_is_killed_ends_all_connections_and_all_is_soon_well(
    postgres, requests
):
    postgres.kill_a_backend()
    postgres.wait()

    assert_well_within(RECOVERY_SECONDS, requests)


def test_a_standby_is_read_from_and_its_writes_are_503(postgres, requests):
    read_list, read_task, *writes = requests
    with standby(postgres):
        postgres.wait()
        assert (read_list().status, read_task().status) == (200, 200)
        for write in writes:
            assert_unavailable(write())
    assert {ask().status for ask in requests} == {200, 201}


@pytest.fixture
def small_disk(folder):
    """A disk of 4 MiB. test_faults.py does without, where none may be mounted."""
    disk = folder / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
def ballast(postgres, small_disk, requests):
    """What fills the disk that the tasks are on; it can be thrown away."""
    place = small_disk / "tasks"
    place.mkdir()
    shutil.chown(place, "pgserver")
    with postgres.connect() as connection:
        connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{place}'")
        connection.exec_driver_sql("ALTER TABLE tasks SET TABLESPACE small")
        file = small_disk / "ballast"
        with suppress(OSError), file.open("wb", buffering=0) as written:
            while True:
                written.write(bytes(4096))
        yield file
        connection.exec_driver_sql("ALTER TABLE tasks SET TABLESPACE pg_default")
        connection.exec_driver_sql("DROP TABLESPACE small")


def test_on_a_full_disk_writes_are_503_until_there_is_room(ballast, requests):
    read_list, read_task, create, _ = requests
    until(lambda: create().status == 503)  # the last page had room for some

    assert_unavailable(create())
    assert (read_list().status, read_task().status) == (200, 200)

    ballast.unlink()
    assert_well_within(RECOVERY_SECONDS, requests)


def test_slow_statements_that_hold_every_connection_are_503_and_health_answers(
    postgres, service, requests
):
    with postgres.connect() as connection:
        connection.execute(text("BEGIN"))
        connection.execute(text("LOCK TABLE users, tasks"))

        seen, pulse = all_at_once(requests, service)

        for each in seen:
            assert_unavailable(each.answer)
            assert each.seconds <= SILENT_SECONDS
        assert all_but_slowest(pulse) <= HEALTH_SECONDS
        connection.execute(text("ROLLBACK"))
    assert {ask().status for ask in requests} == {200, 201}
