"""Better Auth servers as they are configured, rotate their keys, go and return."""

import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.e2e.client import Client
from tests.e2e.person import Person

FETCHES_APART = 5  # seconds at least, whatever clients send: the contract, 2
PATIENCE = FETCHES_APART + 1


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "ES512", "RS256", "PS256"])
def test_tokens_of_each_algorithm_work(better_auth, service, alg):
    issuer = better_auth(ALG=alg)
    tasks = Person(issuer).tasks(service(BETTER_AUTH_URL=issuer.url))

    assert jwt.get_unverified_header(tasks.token)["alg"] == alg
    assert_works(tasks)


def test_an_issuer_may_live_below_a_path_of_its_own(better_auth, service):
    issuer = better_auth(BASE_PATH="/custom/auth")

    assert_works(Person(issuer).tasks(service(BETTER_AUTH_URL=issuer.url)))


def test_tokens_need_no_more_than_the_registered_claims(better_auth, service):
    issuer = better_auth(TRIM_PAYLOAD="1")
    tasks = Person(issuer).tasks(service(BETTER_AUTH_URL=issuer.url))

    claims = jwt.decode(tasks.token, options={"verify_signature": False})
    assert claims.keys() == {"sub", "iat", "exp", "iss", "aud"}
    assert_works(tasks)


@pytest.mark.parametrize("how", [{}, {"alg": "ES256"}], ids=["same-alg", "other-alg"])
def test_a_rotation_delays_new_tokens_for_seconds_and_old_ones_never(
    better_auth, service, how
):
    issuer = better_auth()
    url = service(BETTER_AUTH_URL=issuer.url)
    people = [Person(issuer) for _ in range(4)]
    holders = [person.tasks(url) for person in people]
    assert {holder.get().status for holder in holders} == {200}

    with ThreadPoolExecutor(8) as pool:
        allowed = time.monotonic() + FETCHES_APART
        old = [pool.submit(ask_until, allowed, holder.get) for holder in holders]
        issuer.rotate(**how)
        asks = [lambda person=person: person.tasks(url).get() for person in people]
        new = [pool.submit(ask_until, allowed, ask) for ask in asks]

    assert {status for each in old for _, status in each.result()} == {200}
    answers = [answer for each in new for answer in each.result()]
    assert {status for began, status in answers if began < allowed} <= {200, 401}
    assert {status for began, status in answers if began >= allowed} == {200}


def test_a_key_that_was_dropped_dies_with_the_fetch_that_misses_it(
    better_auth, service
):
    issuer = better_auth()
    url = service(BETTER_AUTH_URL=issuer.url, WEB_CONCURRENCY="1")
    alice, bob = Person(issuer), Person(issuer)
    old = bob.tasks(url)
    assert alice.tasks(url).get().status == 200

    issuer.rotate(alg="ES256", drop="1")
    new = alice.tasks(url)

    assert set(statuses_until(200, new)) <= {401}
    assert old.get().status == 401


def test_an_issuer_may_go_and_return(better_auth, service, tmp_path):
    state = str(tmp_path / "state")
    issuer = better_auth(STATE_FILE=state)
    url = service(BETTER_AUTH_URL=issuer.url, WEB_CONCURRENCY="1")
    alice, bob = Person(issuer), Person(issuer)
    known, new_of_known_key = alice.tasks(url), bob.tasks(url)
    assert known.get().status == 200
    issuer.rotate()
    of_unknown_key = alice.tasks(url)

    issuer.stop()

    assert set(statuses_until(503, of_unknown_key)) <= {401}
    assert int(of_unknown_key.get().headers["Retry-After"]) > 0
    assert known.get().status == 200
    assert new_of_known_key.get().status == 200
    assert Client(url).get("/health").status == 200

    better_auth(STATE_FILE=state, PORT=str(issuer.port))

    assert set(statuses_until(200, of_unknown_key)) <= {503}


def assert_works(tasks):
    created = tasks.post(body={"title": "Buy milk"})

    assert created.status == 201
    assert tasks.get().json["tasks"] == [created.json]


def ask_until(moment, ask):
    """When each request began, and its status; the last one began after the moment."""
    answers = []
    began = time.monotonic()
    while began < moment:
        answers.append((began, ask().status))
        time.sleep(0.1)
        began = time.monotonic()
    return [*answers, (began, ask().status)]


def statuses_until(wanted, client):
    """What the client gets before it gets the status that is wanted."""
    seen: list[int] = []
    deadline = time.monotonic() + PATIENCE
    while (status := client.get().status) != wanted:
        assert time.monotonic() < deadline, seen
        seen.append(status)
        time.sleep(0.1)
    return seen
