"""Three replicas behind nginx: one is killed, and limits hold over all of them."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPConnection

import psutil
import pytest

from tests.deploy.nginx import nginx
from tests.redis_server import RedisServer
from tests.running import TOKEN, Service, running

pytestmark = pytest.mark.alone

REPLICAS = 3
READERS = WRITERS = 4
SECONDS = 2.0  # before the kill, and after it
LIMIT = 40
HEADERS = {
    "Authorization": f"Bearer {TOKEN.decode()}",
    "Content-Type": "application/json",
}


@pytest.fixture
def start(settings, folder):
    """Starts the replicas with some settings, and nginx in front of them."""
    with ExitStack() as stack:

        def start(**more: str) -> tuple[list[Service], Service]:
            place = folder / f"replicas-{len(list(folder.iterdir()))}"
            place.mkdir()
            usual = settings | {"GUNICORN_THREADS": "64"}
            replicas = [
                stack.enter_context(running(usual | more, place / f"gunicorn-{n}"))
                for n in range(REPLICAS)
            ]
            ports = [each.port for each in replicas]
            return replicas, stack.enter_context(nginx(ports, place))

        yield start


class Load:
    """Clients that read and create through nginx, each on a kept connection."""

    def __init__(self, proxied: Service):
        self._proxied = proxied
        self._stop = threading.Event()
        self.read: Counter[int] = Counter()  # statuses
        self.written: Counter[int] = Counter()
        self.created: list[str] = []

    def __enter__(self):
        self._pool = ThreadPoolExecutor(READERS + WRITERS)
        clients = [self._read] * READERS + [self._write] * WRITERS
        self._clients = [self._pool.submit(each) for each in clients]
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._pool.shutdown()
        for each in self._clients:
            each.result()

    def answers_in(self, seconds: float) -> int:
        """How many requests succeed from now on, in so many seconds."""
        before = self.read[200] + self.written[201]
        time.sleep(seconds)
        return self.read[200] + self.written[201] - before

    def _read(self) -> None:
        connection = self._proxied.connect()
        while not self._stop.is_set():
            connection.request("GET", "/api/tasks?limit=1", headers=HEADERS)
            status, _ = self._answer(connection)
            self.read[status] += 1
        connection.close()

    def _write(self) -> None:
        connection = self._proxied.connect()
        while not self._stop.is_set():
            connection.request("POST", "/api/tasks", '{"title": "x"}', HEADERS)
            status, body = self._answer(connection)
            self.written[status] += 1
            if status == 201:
                self.created.append(json.loads(body)["id"])
        connection.close()

    def _answer(self, connection: HTTPConnection) -> tuple[int, bytes]:
        """The status and the whole body."""
        answer = connection.getresponse()
        return answer.status, answer.read()


def kill(replica: Service) -> None:
    """Kill every process of a replica at once (`kill -9`)."""
    master = psutil.Process(replica.process.pid)
    for each in [master, *master.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def test_a_replica_that_is_killed_fails_no_request_that_may_be_repeated(start, alice):
    replicas, proxied = start()
    with Load(proxied) as load:
        usual = load.answers_in(SECONDS)
        kill(replicas[0])
        after = load.answers_in(SECONDS)

    assert load.read.keys() == {200}
    # nginx does not repeat a POST that it has sent: one for each writer at most.
    assert load.written.keys() <= {201, 503}
    assert load.written[503] <= WRITERS
    assert after > usual / 2
    stored = alice.get("?limit=1").json["total"]
    assert 0 <= stored - len(set(load.created)) <= load.written[503]


def test_one_limit_holds_over_all_replicas(start, tmp_path):
    redis = RedisServer(tmp_path)
    limits = {"RATE_LIMIT": f"{LIMIT} per hour", "RATE_LIMIT_STORAGE_URL": redis.url}
    try:
        _, proxied = start(**limits)
        with ThreadPoolExecutor(8) as pool:
            seen = Counter(pool.map(proxied.get, ["/nowhere"] * 2 * LIMIT))
    finally:
        redis.kill()

    assert seen == {404: LIMIT, 429: LIMIT}
