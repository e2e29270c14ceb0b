"""The issuer's keys: when they are fetched, who waits, what they may do."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import jwt
import pytest
from werkzeug.exceptions import ServiceUnavailable

from tests.identity import issuer as issuers
from tests.identity.conftest import (
    OPEN,
    PATIENCE_SECONDS,
    SECRET,
    THREADS,
)
from tests.waiting import until
from todo_service.identity import keys as rules
from todo_service.identity.fetching import fetch
from todo_service.identity.keys import KeySet

HOUR_SECONDS = 60 * 60


def has(keys, kid):
    return keys.find(kid, "EdDSA") is not None


def is_unavailable(keys, kid):
    try:
        keys.find(kid, "EdDSA")
    except ServiceUnavailable:
        return True
    return False


@pytest.fixture
def short_deadline(monkeypatch):
    monkeypatch.setattr(rules, "FETCH_SECONDS", 1)


@pytest.fixture
def at_once(monkeypatch):
    """How many fetches ran at once, a number for each fetch."""
    running = set()
    counts = []

    def counted(url, *, seconds):
        running.add(threading.get_ident())
        counts.append(len(running))
        try:
            return fetch(url, seconds=seconds)
        finally:
            running.discard(threading.get_ident())

    monkeypatch.setattr(rules, "fetch", counted)
    return counts


# When the set is fetched


def test_nothing_is_fetched_before_the_first_need(issuer, door):
    assert door.get("/health").status_code == 200
    assert door.get("/nothing").status_code == 401
    assert door.knock("not a token") == 401
    assert issuer.asked == []


def test_a_malformed_token_causes_no_fetch(issuer, door):
    head, body, signature = issuer.token("unknown").split(".")
    for malformed in (
        f"{head}.{body}",
        f"{head}.{body}.{signature}.",
        f"{head}.{body}?.{signature}",
        f"{head}.{body}.{signature}=",
    ):
        assert door.knock(malformed) == 401
    assert issuer.asked == []


def test_a_set_is_fetched_once_and_kept(issuer, keys):
    assert all(has(keys, "first") for _ in range(100))
    assert len(issuer.asked) == 1


def test_threads_with_the_same_need_share_one_fetch(issuer, clock):
    keys = KeySet(issuer.url, waiting_threads=32, clock=clock)
    with ThreadPoolExecutor(32) as threads:
        assert all(threads.map(lambda _: has(keys, "first"), range(64)))
    assert len(issuer.asked) == 1


@pytest.mark.usefixtures("long_deadline")
def test_a_set_older_than_five_minutes_is_refreshed_while_it_is_used(
    issuer, keys, clock
):
    assert has(keys, "first")
    issuer.rotate("second")
    issuer.behave = issuers.hang
    clock.advance(5 * 60 + 1)

    began = time.monotonic()
    assert all(has(keys, "first") for _ in range(100))
    assert time.monotonic() - began < PATIENCE_SECONDS  # nobody waited for the issuer

    issuer.let_go.set()
    until(lambda: not has(keys, "first"))
    assert has(keys, "second")
    assert len(issuer.asked) == 2


def test_a_set_younger_than_five_minutes_is_not_refreshed(issuer, keys, clock):
    assert has(keys, "first")
    clock.advance(5 * 60 - 1)

    assert has(keys, "first")
    assert len(issuer.asked) == 1


def test_a_remembered_token_also_refreshes_an_old_set(issuer, door):
    token = issuer.token()
    assert door.knock(token) == OPEN
    door.clock.advance(5 * 60 + 1)

    assert door.knock(token) == OPEN
    until(lambda: len(issuer.asked) == 2)


def test_a_token_without_kid_refreshes_an_old_set_even_if_no_key_fits(
    issuer, keys, clock
):
    assert keys.find(None, "EdDSA")
    issuer.jwks = [issuers.public_jwk("ES256")]
    clock.advance(5 * 60 + 1)

    assert keys.find(None, "ES256") is None
    until(lambda: keys.find(None, "ES256"))


def test_tokens_of_the_secret_need_no_keys(issuer, double_door):
    token = jwt.encode({"sub": "alice", "exp": issuers.FOR_EVER}, SECRET, "HS256")
    issuer.behave = issuers.hang
    threads = set(threading.enumerate())
    for _ in range(3):
        assert double_door.knock(token) == OPEN
    assert set(threading.enumerate()) <= threads  # no fetch was begun
    assert issuer.asked == []


# Unknown keys


@pytest.mark.parametrize("fails", [False, True])
def test_random_kids_cause_one_fetch_per_interval(issuer, keys, clock, at_once, fails):
    assert has(keys, "first")
    if fails:
        issuer.behave = issuers.answer(500)
    for round_ in range(3):
        clock.advance(5)
        with ThreadPoolExecutor(32) as threads:
            asks = [
                threads.submit(keys.find, str(uuid4()), "EdDSA") for _ in range(999)
            ]
        refused = [ask.exception() for ask in asks if ask.exception()]

        assert all(isinstance(each, ServiceUnavailable) for each in refused)
        assert (
            len(refused) == 999
            if fails
            else not any(ask.result() for ask in asks if not ask.exception())
        )
        assert len(issuer.asked) == 2 + round_
    assert set(at_once) == {1}
    assert has(keys, "first")


@pytest.mark.parametrize("fails", [False, True])
def test_random_kids_cause_one_fetch_per_interval_of_real_time(issuer, fails):
    keys = KeySet(issuer.url, waiting_threads=8)
    issuer.behave = issuers.answer(429) if fails else issuers.publish
    began = time.monotonic()

    def ask(_):
        with suppress(ServiceUnavailable):
            keys.find(str(uuid4()), "EdDSA")

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(ask, range(1000)))

    assert len(issuer.asked) <= 1 + (time.monotonic() - began) // 5


@pytest.mark.usefixtures("long_deadline")
def test_two_fetches_never_overlap_however_long_one_takes(issuer, keys, clock):
    issuer.behave = issuers.hang
    with ThreadPoolExecutor(8) as threads:
        asks = []
        for _ in range(8):
            asks.append(threads.submit(has, keys, "first"))
            clock.advance(60)
        until(lambda: issuer.asked)
        issuer.let_go.set()
        assert all(ask.result() for ask in asks)
    assert len(issuer.asked) == 1


def test_an_unknown_key_after_a_good_fetch_is_refused(issuer, door):
    assert door.knock(issuer.token()) == OPEN

    answer = door.get("/nothing", issuer.token("never published"))

    assert answer.status_code == 401
    assert answer.www_authenticate.error == "invalid_token"


def test_a_new_key_is_unknown_until_the_next_fetch_may_begin(issuer, door):
    assert door.knock(issuer.token()) == OPEN
    issuer.rotate("first", "second")
    assert door.knock(issuer.token("second")) == 401  # just fetched
    door.clock.advance(4.9)
    assert door.knock(issuer.token("second")) == 401
    door.clock.advance(0.1)

    assert door.knock(issuer.token("second")) == OPEN


def test_an_algorithm_that_no_key_has_causes_no_fetch(issuer, keys):
    for algorithm in ("HS256", "none", "RS512", "ES384", "EDDSA"):
        assert keys.find("first", algorithm) is None
    assert issuer.asked == []


# Keys that leave


def test_a_key_that_left_dies_with_the_next_good_fetch(issuer, keys, clock):
    assert has(keys, "first")
    issuer.rotate("second")
    clock.advance(5)

    assert has(keys, "second")
    assert not has(keys, "first")


def test_a_remembered_token_of_a_key_that_left_dies_within_a_minute(issuer, door):
    old = issuer.token()
    assert door.knock(old) == OPEN
    issuer.rotate("second")
    door.clock.advance(5)
    door.wall.advance(5)
    assert door.knock(issuer.token("second")) == OPEN

    assert door.knock(old) == OPEN  # remembered
    door.wall.advance(55)
    assert door.knock(old) == 401


# The issuer is away, or answers nonsense

NONSENSE = [
    pytest.param(issuers.answer(500), id="500"),
    pytest.param(issuers.answer(429), id="429"),
    pytest.param(issuers.answer(204), id="204"),
    pytest.param(issuers.reset, id="reset"),
    pytest.param(issuers.answer(body=b""), id="empty-body"),
    pytest.param(issuers.answer(body=b"<!doctype html><p>Sorry"), id="html"),
    pytest.param(issuers.answer(body=b'{"keys":[]}'), id="empty-set"),
    pytest.param(issuers.answer(body=b'{"keys":{}}'), id="keys-is-no-list"),
    pytest.param(issuers.answer(body=b'{"keys":null}'), id="keys-is-null"),
    pytest.param(issuers.answer(body=b"{}"), id="no-keys"),
    pytest.param(issuers.answer(body=b"[]"), id="a-list"),
    pytest.param(issuers.answer(body=b'{"keys":[1,null,"x",[]]}'), id="no-jwk"),
    pytest.param(issuers.answer(body=b'{"keys":[{"kty":"oct"}]}'), id="useless-key"),
    pytest.param(issuers.answer(body=b'{"keys":[NaN]}'), id="nan"),
    pytest.param(issuers.answer(body=b"[" * 100_000), id="deep"),
    pytest.param(issuers.answer(body=b"\xff\xfe{}"), id="not-utf-8"),
]


@pytest.mark.parametrize("behave", NONSENSE)
def test_known_keys_stay_in_use_for_a_day_while_fetches_fail(
    issuer, keys, clock, behave
):
    assert has(keys, "first")
    issuer.behave = behave
    for hour in range(1, 24):
        clock.advance(HOUR_SECONDS)
        assert has(keys, "first"), hour
        assert is_unavailable(keys, "second"), hour

    clock.advance(HOUR_SECONDS)
    assert is_unavailable(keys, "first")

    issuer.behave = issuers.publish
    clock.advance(5)
    assert has(keys, "first")


@pytest.mark.parametrize("behave", NONSENSE)
def test_without_keys_a_token_gets_a_503_and_not_a_401(issuer, door, behave):
    issuer.behave = behave

    for _ in range(2):  # the second while no fetch may begin
        answer = door.get("/nothing", issuer.token())
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json == {"error": "The issuer's keys cannot be had."}

    issuer.behave = issuers.publish
    door.clock.advance(5)
    assert door.knock(issuer.token()) == OPEN


def test_without_an_answer_from_the_issuer_a_key_is_a_503(clock):
    keys = KeySet("http://127.0.0.1:1/jwks", clock=clock)

    assert is_unavailable(keys, "first")


def test_an_issuer_that_failed_is_asked_again(issuer, keys, clock):
    assert has(keys, "first")
    issuer.behave = issuers.reset
    clock.advance(5)
    assert is_unavailable(keys, "second")

    issuer.rotate("second")
    issuer.behave = issuers.publish
    assert is_unavailable(keys, "second")  # no fetch may begin yet
    clock.advance(5)
    assert has(keys, "second")


# Who waits


@pytest.mark.usefixtures("long_deadline")
def test_while_the_issuer_hangs_requests_with_known_keys_are_served(issuer, door):
    """As gunicorn does it: 16 threads, more requests than threads."""
    known = issuer.token()
    assert door.knock(known) == OPEN
    issuer.behave = issuers.hang
    door.clock.advance(5)
    with ThreadPoolExecutor(THREADS) as threads:
        asks = [
            threads.submit(door.knock, issuer.token(header={"kid": str(uuid4())}))
            for _ in range(3 * THREADS)
        ]
        until(lambda: sum(ask.done() for ask in asks) == 3 * THREADS - 12)
        for _ in range(20):
            for path, token, status in [
                ("/nothing", known, OPEN),
                ("/nothing", issuer.token(sub=str(uuid4())), OPEN),
                ("/health", None, 200),
            ]:
                answered = threads.submit(door.get, path, token)
                assert answered.result(PATIENCE_SECONDS).status_code == status
        issuer.let_go.set()

    assert sorted(ask.result() for ask in asks) == [401] * 12 + [503] * 36
    assert len(issuer.asked) == 2


@pytest.mark.usefixtures("short_deadline")
def test_nobody_waits_longer_than_the_deadline_for_an_answer(issuer, keys):
    issuer.behave = issuers.drip(b"HTTP/1.1 200 OK\r\n\r\n")  # for ever
    began = time.monotonic()

    assert is_unavailable(keys, "first")

    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.usefixtures("short_deadline")
def test_nobody_waits_longer_than_the_deadline_for_a_resolver(clock, monkeypatch):
    keys = KeySet("http://issuer.invalid/jwks", clock=clock)
    let_go = threading.Event()

    def getaddrinfo(*args, **options):
        let_go.wait(2 * PATIENCE_SECONDS)
        raise OSError("there is no such name")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    threads = set(threading.enumerate())
    began = time.monotonic()

    assert is_unavailable(keys, "first")

    assert time.monotonic() - began < PATIENCE_SECONDS
    let_go.set()
    until(lambda: set(threading.enumerate()) <= threads)


def test_known_keys_stay_in_use_when_no_thread_can_be_started(
    issuer, keys, clock, monkeypatch
):
    assert has(keys, "first")
    clock.advance(5 * 60 + 1)

    def start(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert has(keys, "first")
        assert is_unavailable(keys, "second")
    clock.advance(5)
    issuer.rotate("second")
    assert has(keys, "second")


FORK = """
import os, sys, threading
from todo_service.identity.keys import KeySet

make_lock, locks = threading.Lock, []
threading.Lock = lambda: locks.append(make_lock()) or locks[-1]
keys = KeySet(sys.argv[1], waiting_threads=2)
threading.Lock = make_lock
threading.Thread(target=lambda: keys.find("first", "EdDSA"), daemon=True).start()
sys.stdin.readline()  # It comes when the issuer has been asked.
for lock in locks:  # There is no worse moment to fork.
    lock.acquire()
child = os.fork()
if child == 0:
    os._exit(0 if keys.find("first", "EdDSA") else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if locks else 2)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_amid_a_fetch_leaves_a_child_that_can_fetch(issuer):
    issuer.behave = lambda handler: (
        issuers.publish if len(issuer.asked) > 1 else issuers.hang
    )(handler)
    command = [sys.executable, "-c", FORK, issuer.url]

    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            until(lambda: issuer.asked)
            process.communicate(b"\n", timeout=PATIENCE_SECONDS)
        finally:
            process.kill()

    assert process.returncode == 0
    assert len(issuer.asked) == 2


def test_a_key_set_that_is_gone_does_not_live_on_in_the_fork_hook(issuer):
    gone = weakref.ref(KeySet(issuer.url))
    gc.collect()
    assert gone() is None
