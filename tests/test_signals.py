"""Signals under load: no request that the service has taken is lost."""

import json
import os
import re
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from tests.running import ROOT, TOKEN, Service, running
from tests.waiting import until

pytestmark = [pytest.mark.once, pytest.mark.alone]

CLIENTS = 8  # half of them keep their connections
REQUESTS = 1000
WORKERS = 2
GONE = "Worker exiting"
LISTENING = re.compile(r"Listening at: \S+ \((\d+)\)")
HEADERS = {
    "Authorization": f"Bearer {TOKEN.decode()}",
    "Content-Type": "application/json",
}


class Load:
    """Clients that create tasks until they are stopped, or the service is."""

    def __init__(self, service: Service):
        self._service = service
        self._stop = threading.Event()
        self.answers: Counter[object] = Counter()
        self.created: list[str] = []

    def __enter__(self):
        self._pool = ThreadPoolExecutor(CLIENTS)
        for number in range(CLIENTS):
            self._pool.submit(self._run, keeps=number % 2 == 0)
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._pool.shutdown()

    def answered(self, number: int) -> None:
        """Wait until so many more requests have been answered."""
        wanted = self.answers[201] + number
        until(lambda: self.answers[201] >= wanted or len(self.answers) > 1)

    def _run(self, *, keeps: bool) -> None:
        connection = self._service.connect()
        while not self._stop.is_set():
            try:
                connection.connect() if connection.sock is None else None
            except ConnectionRefusedError:
                return  # it has stopped to listen: nothing was taken
            self.answers[self._create(connection)] += 1
            if not keeps:
                connection.close()
        connection.close()

    def _create(self, connection: HTTPConnection) -> object:
        """The status, or what happened instead."""
        try:
            connection.request("POST", "/api/tasks", '{"title": "x"}', HEADERS)
            answer = connection.getresponse()
            self.created.append(json.loads(answer.read())["id"])
            return answer.status
        except Exception as error:
            connection.close()
            return repr(error)


@pytest.fixture
def service(environ, app, tmp_path):
    two = {"WEB_CONCURRENCY": str(WORKERS)}
    with running(environ | two, tmp_path / "log") as service:
        yield service


def stored(alice) -> int:
    return alice.get("?limit=1").json["total"]


def reload(service: Service) -> None:
    """Have all workers replaced, and wait until the old ones have gone."""
    before = service.log.read_text().count(GONE)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: service.log.read_text().count(GONE) == before + WORKERS)


def test_a_reload_under_load_fails_no_request(service, alice):
    with Load(service) as load:
        for _ in range(3):
            reload(service)
            load.answered(REQUESTS // 3 + 1)

    assert load.answers.keys() == {201}
    assert load.answers[201] >= REQUESTS
    assert stored(alice) == len(set(load.created)) == load.answers[201]


def test_a_new_release_takes_over_under_load(service, alice):
    with Load(service) as load:
        service.process.send_signal(signal.SIGUSR2)
        until(lambda: service.log.read_text().count("Booting worker") == 2 * WORKERS)
        [successor] = set(masters(service)) - {service.process.pid}
        try:
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(15) == 0
            load.answered(REQUESTS)
        finally:
            os.kill(successor, signal.SIGTERM)

    assert load.answers.keys() == {201}
    assert stored(alice) == len(set(load.created)) == load.answers[201]


def masters(service: Service) -> list[int]:
    """The processes that have listened on the port."""
    return [int(pid) for pid in LISTENING.findall(service.log.read_text())]


def test_a_stop_under_load_loses_no_request(service, alice):
    with Load(service) as load:
        load.answered(REQUESTS)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(15) == 0

    # Who connects in the microseconds between the last accept and the close is reset.
    assert load.answers.total() - load.answers[201] <= 1
    assert stored(alice) == len(set(load.created)) == load.answers[201]


SLOW_TO_BEGIN = """
import time
exec(open({path!r}).read())
quick = post_fork
def post_fork(server, worker):
    quick(server, worker)
    if worker.age == 2:
        time.sleep(20)
"""


def test_a_stop_while_a_worker_begins_does_not_wait_for_it(environ, app, tmp_path):
    configuration = tmp_path / "gunicorn.conf.py"
    path = str(ROOT / configuration.name)
    configuration.write_text(SLOW_TO_BEGIN.format(path=path))
    slow = {"WEB_CONCURRENCY": "2", "GUNICORN_CMD_ARGS": f"-c {configuration}"}

    with running(environ | slow, tmp_path / "log") as service:
        assert service.get("/health") == 200

    # `running` has sent SIGTERM and waited for less than `graceful_timeout`.
    assert "was sent SIGTERM" in service.log.read_text()
