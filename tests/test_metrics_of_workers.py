"""`/metrics` under gunicorn: all workers in one scrape, whatever happens to them."""

import os
import re
import signal
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.running import Service, running
from tests.waiting import until
from todo_service.metrics import sharing

pytestmark = pytest.mark.once

WORKERS = 3
COUNT = 'todo_http_requests_total{method="GET",route="/api/tasks",status="200"}'
LIMIT = "todo_pool_connections_limit"
CONNECTIONS = 4
SETTINGS = {
    "METRICS_ENABLED": "true",
    "WEB_CONCURRENCY": str(WORKERS),
    "DB_POOL_SIZE": str(CONNECTIONS),
}
LISTENING = re.compile(r"Listening at: \S+ \((\d+)\)")


@contextmanager
def serving(environ, folder: Path):
    """The service with all of its workers."""
    with running(environ | SETTINGS, folder / "log") as service:
        until(lambda: scrape(service)[LIMIT] == CONNECTIONS * WORKERS)
        yield service


@pytest.fixture(scope="module")
def service(environ, app, tmp_path_factory):
    with serving(environ, tmp_path_factory.mktemp("workers")) as service:
        yield service


def scrape(service: Service) -> Counter:
    """Every series, as one of the workers tells it."""
    connection = service.connect()
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    series = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return Counter({name: float(value) for name, value in series})


def workers(service: Service) -> set[int]:
    return {each.pid for each in psutil.Process(service.process.pid).children()}


def folder_of(pid: int) -> Path:
    """The folder of a process's metrics, from what it is run with."""
    service = psutil.Process(pid)
    [mapped] = {
        Path(each.path).parent
        for child in service.children()
        for each in child.memory_maps()
        if sharing.PREFIX in each.path
    }
    return mapped


def load(service: Service, requests: int = 60) -> None:
    for _ in range(requests):
        assert service.get("/api/tasks") == 200


def all_serve(service: Service) -> None:
    """Wait until no worker is missing."""
    until(lambda: scrape(service)[LIMIT] == CONNECTIONS * WORKERS)


def test_every_worker_tells_what_all_have_done(service):
    before = scrape(service)[COUNT]

    load(service)

    assert {scrape(service)[COUNT] for _ in range(20)} == {before + 60}
    assert scrape(service)["todo_pool_connections_in_use"] == 0


def test_a_file_that_a_worker_has_only_begun_breaks_no_scrape(service):
    begun = folder_of(service.process.pid) / "counter_99.db"
    begun.touch()
    try:
        assert service.get("/metrics") == 200
    finally:
        begun.unlink()


def test_counters_do_not_go_back_when_a_worker_is_killed(service):
    before = scrape(service)[COUNT]
    load(service)

    for _ in range(3):
        alive = workers(service)
        os.kill(min(alive), signal.SIGKILL)
        until(lambda old=alive: len(workers(service) - old) == 1)
        all_serve(service)

    assert scrape(service)[COUNT] == before + 60


def test_a_worker_that_is_killed_is_not_counted_among_the_living(service):
    master = psutil.Process(service.process.pid)
    master.suspend()  # nobody replaces the worker meanwhile
    try:
        os.kill(min(workers(service)), signal.SIGKILL)
        until(lambda: scrape(service)[LIMIT] == CONNECTIONS * (WORKERS - 1))
    finally:
        master.resume()
    all_serve(service)


def test_workers_that_are_replaced_leave_no_files_and_no_gap(service):
    before = scrape(service)[COUNT]
    for _ in range(3):
        alive = workers(service)
        service.process.send_signal(signal.SIGHUP)
        until(lambda old=alive: not workers(service) & old)
        all_serve(service)
        load(service, 10)

    assert scrape(service)[COUNT] == before + 30
    # While old workers end, new ones take places beside them.
    places = list(folder_of(service.process.pid).glob("*.lock"))
    assert len(places) <= 2 * WORKERS


def test_a_new_master_counts_on_and_the_last_one_removes_the_folder(
    environ, app, tmp_path
):
    with serving(environ, tmp_path) as service:
        load(service)
        folder = folder_of(service.process.pid)
        service.process.send_signal(signal.SIGUSR2)
        until(lambda: scrape(service)[LIMIT] == 2 * CONNECTIONS * WORKERS)
        masters = {int(pid) for pid in LISTENING.findall(service.log.read_text())}
        [successor] = masters - {service.process.pid}
        try:
            load(service)
            assert {scrape(service)[COUNT] for _ in range(20)} == {120}
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(15) == 0
            all_serve(service)
            assert scrape(service)[COUNT] == 120
            assert folder.stat().st_mode & 0o777 == 0o700
        finally:
            os.kill(successor, signal.SIGTERM)
        until(lambda: not folder.exists())


def test_a_folder_of_ones_own_is_used_and_kept(monkeypatch, tmp_path):
    monkeypatch.setenv(sharing.VARIABLE, str(tmp_path))

    sharing.provide(None)
    sharing.remove()

    assert os.environ[sharing.VARIABLE] == str(tmp_path)
    assert tmp_path.is_dir()
