"""Rate limits in a real Redis: exact across workers, and harmless while it is away."""

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import jwt
import pytest
from redis import Redis

from tests.conftest import SECRET
from tests.e2e.servers import service
from tests.redis_server import RedisServer
from tests.waiting import until
from todo_service.web.rate_limits.redis_windows import RETRY_SECONDS, RedisWindows

pytestmark = pytest.mark.once

TOKEN = jwt.encode({"sub": "alice", "exp": 4102444800}, SECRET, "HS256")
FORGED = "a.b.c"
LIMIT = 40
# Redis is asked for a quarter of a second. The rest is for a busy machine.
AT_ONCE_SECONDS = 2.0


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def client(make_client, database, redis):
    """Alice, with many requests an hour, counted in Redis."""
    return make_client(RATE_LIMIT="1000 per hour", RATE_LIMIT_STORAGE_URL=redis.url)


def remaining(client) -> int | None:
    """How many requests one more request leaves; None if it was not counted."""
    answer = client.get("")
    assert answer.status_code == 200
    return answer.headers.get("RateLimit-Remaining", type=int)


def test_two_workers_share_one_limit_exactly(environ, app, redis):
    settings = {"RATE_LIMIT": f"{LIMIT} per hour", "RATE_LIMIT_STORAGE_URL": redis.url}
    with service(environ, **settings, WEB_CONCURRENCY="2") as url:

        def ask(token):
            connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", "/nowhere", headers=headers)
            answer = connection.getresponse()
            connection.close()
            return answer.status, answer.getheader("RateLimit-Remaining")

        with ThreadPoolExecutor(8) as pool:
            good = list(pool.map(ask, [TOKEN] * 2 * LIMIT))
            forged = list(pool.map(ask, [FORGED] * 2 * LIMIT))

    passed = {404: good, 401: forged}
    for status, answers in passed.items():
        left = [int(left) for found, left in answers if found == status]
        assert sorted(left) == [*range(LIMIT)]
        assert [each[0] for each in answers].count(429) == LIMIT


def test_redis_gives_the_same_numbers_as_memory(make_client, database, redis):
    client = make_client(RATE_LIMIT="2 per hour", RATE_LIMIT_STORAGE_URL=redis.url)

    answers = [client.get("") for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    for left, each in zip(["1", "0", "0"], answers, strict=True):
        assert each.headers["RateLimit-Limit"] == "2"
        assert each.headers["RateLimit-Remaining"] == left
        assert 3540 <= int(each.headers["RateLimit-Reset"]) <= 3600


def test_a_window_in_redis_ends_with_its_time(redis):
    windows = RedisWindows(redis.url)
    found = [windows.count("alice", 1) for _ in range(2)]
    assert [each and each[0] for each in found] == [1, 2]

    def begins_anew():
        requests, left = windows.count("alice", 1) or (0, 0)
        assert 0 <= left <= 1
        return requests == 1

    until(begins_anew)


def test_requests_pass_while_redis_is_gone_and_count_again_when_it_is_back(
    client, redis, caplog
):
    assert remaining(client) == 999
    redis.kill()

    began = time.monotonic()
    uncounted = [remaining(client) for _ in range(20)]
    assert uncounted == [None] * 20
    assert time.monotonic() - began < AT_ONCE_SECONDS

    redis.start()
    until(lambda: remaining(client) is not None)
    told = [r.getMessage() for r in caplog.records if "Redis is" in r.getMessage()]
    assert len(told) == 2
    assert told[0].startswith("Redis is away, so rate limits do not hold: ")
    assert told[1] == "Redis is back: rate limits hold again."


def test_requests_pass_while_redis_accepts_and_never_answers(client, redis, caplog):
    assert remaining(client) == 999
    redis.freeze()

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.get("").status_code, range(40)))
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert caplog.text.count("Redis is away") == 1

    redis.thaw()
    until(lambda: remaining(client) is not None)


def test_at_most_one_request_waits_for_a_redis_that_is_away(redis):
    windows = RedisWindows(redis.url)
    redis.freeze()
    windows.count("alice", 60)
    time.sleep(RETRY_SECONDS)  # from now on one request may try

    def seconds(_):
        began = time.monotonic()
        assert windows.count("alice", 60) is None
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        waited = [each for each in pool.map(seconds, range(8)) if each > 0.2]
    assert len(waited) == 1


def test_an_idle_connection_that_redis_has_closed_costs_no_count(client, redis):
    assert remaining(client) == 999
    redis.kill()
    redis.start()

    assert remaining(client) == 999


def test_redis_that_refuses_the_password_lets_requests_pass(
    make_client, database, redis, caplog
):
    url = redis.url.replace("//", "//nobody:open-sesame@")
    client = make_client(RATE_LIMIT_STORAGE_URL=url)

    assert remaining(client) is None
    assert "Redis is away" in caplog.text
    assert "open-sesame" not in caplog.text


def test_redis_keeps_nothing_longer_than_a_window(client, redis):
    remaining(client)

    with Redis.from_url(redis.url) as inside:
        [key] = inside.keys("*")
        assert b"alice" in key
        assert 0 < inside.ttl(key) <= 3600
