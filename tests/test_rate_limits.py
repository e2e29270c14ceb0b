"""Rate limits in one process: who is counted, as whom, and what the answers say."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from benchmarks.operations import calls
from tests.client import Client
from todo_service.web.rate_limits import addresses, memory_windows
from todo_service.web.rate_limits.memory_windows import KEYS_AT_MOST, MemoryWindows

pytestmark = pytest.mark.once

HOUR = 3600
PREFLIGHT = {
    "Origin": "http://localhost:3000",
    "Access-Control-Request-Method": "POST",
}
FORGED = {"Authorization": "Bearer a.b.c"}


@pytest.fixture
def carol(make_client, database):
    """A client with Alice's token, with three requests an hour."""
    return make_client(RATE_LIMIT="3 per hour")


def numbers(answer) -> tuple[int, ...]:
    """What an answer says of its limit: its size, what remains, until when."""
    names = ("Limit", "Remaining", "Reset")
    return tuple(int(answer.headers[f"RateLimit-{name}"]) for name in names)


def is_counted(answer) -> bool:
    """True if the answer speaks of a limit."""
    return any(name.startswith("RateLimit") for name, _ in answer.headers)


def use_up(client, **request):
    """Send the three requests of an hour; the last answer."""
    for _ in range(3):
        answer = client.get("", **request)
        assert answer.status_code != 429
    return answer


def test_every_answer_says_what_the_limit_leaves(carol):
    said = [numbers(carol.get("")) for _ in range(3)]

    assert [(limit, remaining) for limit, remaining, _ in said] == [
        (3, 2),
        (3, 1),
        (3, 0),
    ]
    assert all(HOUR - 60 <= reset <= HOUR for _, _, reset in said)


def test_a_request_beyond_the_limit_is_a_429_that_says_when_to_try_again(carol):
    use_up(carol)

    refused = carol.get("")

    limit, remaining, reset = numbers(refused)
    assert (refused.status_code, limit, remaining) == (429, 3, 0)
    assert refused.headers["Retry-After"] == str(reset)
    assert refused.json == {
        "error": f"Too many requests: try again in {reset} seconds."
    }


@pytest.mark.parametrize(("items", "counted"), [(1, 1), (10, 1), (11, 2), (30, 3)])
def test_a_batch_counts_as_a_request_for_each_ten_items_begun(carol, items, counted):
    created = carol.post("batch", json={"create": [{"title": "Milk"}] * items})

    assert created.status_code == 200
    assert numbers(created)[:2] == (3, 3 - counted)


def test_a_batch_beyond_the_limit_is_a_429_and_nothing_happens(carol, alice):
    refused = carol.post("batch", json={"create": [{"title": "Milk"}] * 31})

    assert refused.status_code == 429
    assert alice.get("summary").json["pending"] == 0


def test_a_429_can_be_problem_json(carol):
    use_up(carol)

    refused = carol.get("", headers={"Accept": "application/problem+json"})

    assert refused.mimetype == "application/problem+json"
    assert (refused.json["status"], refused.json["title"]) == (429, "Too Many Requests")


def test_pages_may_read_the_limit_of_a_429(carol):
    use_up(carol)

    refused = carol.get("", headers={"Origin": "http://localhost:3000"})

    exposed = refused.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "RateLimit-Limit", "RateLimit-Remaining"} <= {*exposed}
    assert "RateLimit-Reset" in exposed


def test_each_user_has_a_limit_of_their_own(carol, token_of):
    use_up(carol)

    bob = Client(carol.application, user_id="bob", token=token_of("bob"))

    assert carol.get("").status_code == 429
    assert numbers(bob.get(""))[:2] == (3, 2)


@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        pytest.param("GET", "/api/bob/tasks", {}, id="403"),
        pytest.param("GET", "/nowhere", {}, id="404"),
        pytest.param("PUT", "", {}, id="405"),
        pytest.param("GET", "/api/alice/tasks/%00", {}, id="400-of-the-path"),
        pytest.param("POST", "", {"data": b"{"}, id="415"),
        pytest.param("POST", "", {"json": {"color": 1}}, id="400-of-the-body"),
        pytest.param("HEAD", "", {}, id="head"),
    ],
)
def test_whatever_a_user_asks_counts_and_beyond_the_limit_is_a_429(
    carol, method, path, request_
):
    answers = [carol.open(path, method=method, **request_) for _ in range(4)]

    assert [numbers(each)[1] for each in answers] == [2, 1, 0, 0]
    assert [each.status_code == 429 for each in answers] == [False] * 3 + [True]


def test_a_limited_request_needs_no_database(make_client):
    cut_off = make_client(
        RATE_LIMIT="1 per hour", DATABASE_URL="postgresql://joe@127.0.0.1:1/todo"
    )

    assert [cut_off.get("").status_code for _ in range(2)] == [503, 429]


def test_failed_authentication_counts_per_address_and_locks_nobody_out(carol):
    failed = [carol.get("", headers=FORGED) for _ in range(5)]

    assert [each.status_code for each in failed] == [401, 401, 401, 429, 429]
    assert numbers(failed[0])[:2] == (3, 2)
    assert "WWW-Authenticate" not in failed[3].headers
    assert numbers(carol.get(""))[:2] == (3, 2)


def test_a_missing_token_counts_as_a_forged_one_does(carol):
    use_up(carol, headers=FORGED)

    assert carol.get("", headers={"Authorization": ""}).status_code == 429


def test_addresses_are_counted_apart(carol):
    use_up(carol, headers=FORGED)

    other = carol.get("", headers=FORGED, environ_base={"REMOTE_ADDR": "192.0.2.1"})

    assert other.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        pytest.param("GET", "/health", {}, id="health"),
        pytest.param("GET", "/health/ready", {}, id="ready"),
        pytest.param("OPTIONS", "/api/tasks", PREFLIGHT, id="preflight"),
        pytest.param(
            "OPTIONS",
            "/api/tasks",
            PREFLIGHT | {"Origin": "https://other.example"},
            id="preflight-of-an-unknown-origin",
        ),
    ],
)
def test_health_checks_and_preflights_are_not_counted(carol, method, path, headers):
    anyone = Client(carol.application)

    answers = [anyone.open(path, method=method, headers=headers) for _ in range(5)]

    assert {each.status_code for each in answers} & {429} == set()
    assert not any(is_counted(each) for each in answers)


def test_an_issuer_that_is_away_is_not_counted_as_failed_authentication(
    make_client, token_of
):
    client = make_client(
        RATE_LIMIT="1 per hour",
        BETTER_AUTH_SECRET="",
        JWKS_URL="http://127.0.0.1:1/keys",
        JWT_ISSUER="http://127.0.0.1:1",
        JWT_AUDIENCE="todo",
    )
    # The header of a token of the issuer's, whose key nobody can fetch.
    headers = {"Authorization": "Bearer eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.e30.AA"}

    answers = [client.get("", headers=headers) for _ in range(3)]

    assert [each.status_code for each in answers] == [503] * 3
    assert not any(is_counted(each) for each in answers)


@pytest.mark.parametrize("blank", ["", " "], ids=repr)
def test_an_empty_limit_is_no_limit(make_client, database, blank):
    client = make_client(RATE_LIMIT=blank)

    answers = [client.get("") for _ in range(3)]
    answers += [client.get("", headers=FORGED) for _ in range(3)]

    assert [each.status_code for each in answers] == [200] * 3 + [401] * 3
    assert not any(is_counted(each) for each in answers)


@pytest.mark.parametrize(
    ("limit", "said"),
    [("2/second", 2), ("10 per 2 hours", 10), ("600 per minute", 600)],
)
def test_a_limit_is_in_the_notation_of_the_limits_package(make_client, limit, said):
    assert numbers(make_client(RATE_LIMIT=limit).get("/nowhere"))[0] == said


# Addresses

PEER = "198.51.100.7"


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        pytest.param(0, PEER, "203.0.113.1", PEER, id="nobody-is-trusted"),
        pytest.param(1, PEER, "203.0.113.1", "203.0.113.1", id="one-proxy"),
        pytest.param(1, PEER, "6.6.6.6, 203.0.113.1", "203.0.113.1", id="spoofed"),
        pytest.param(1, PEER, '"6.6.6.6, 203.0.113.1', "203.0.113.1", id="a-quote"),
        pytest.param(1, PEER, ",,,203.0.113.1", "203.0.113.1", id="empty-entries"),
        pytest.param(2, PEER, "6.6.6.6,203.0.113.1, 10.0.0.1", "203.0.113.1", id="2"),
        pytest.param(2, PEER, "10.0.0.1", PEER, id="fewer-entries-than-proxies"),
        pytest.param(1, PEER, "", PEER, id="an-empty-header"),
        pytest.param(1, PEER, "unknown", PEER, id="no-address"),
        pytest.param(1, PEER, "1" * 5000, PEER, id="very-long"),
        pytest.param(0, "", "", "unknown", id="a-unix-socket"),
        pytest.param(1, "", "203.0.113.1", "203.0.113.1", id="a-proxy-on-a-socket"),
        pytest.param(0, "2001:db8::1", "", "2001:db8::/64", id="ipv6"),
        pytest.param(0, "2001:db8::f:2", "", "2001:db8::/64", id="same-network"),
        pytest.param(0, "fe80::1%eth0", "", "fe80::/64", id="ipv6-with-a-zone"),
        pytest.param(0, "::ffff:192.0.2.9", "", "192.0.2.9", id="ipv4-in-ipv6"),
    ],
)
def test_a_request_counts_for_the_clients_address(
    app, monkeypatch, trusted, peer, forwarded, address
):
    monkeypatch.setitem(app.extensions, "trusted_proxies", trusted)

    with app.test_request_context(
        environ_base={"REMOTE_ADDR": peer}, headers={"X-Forwarded-For": forwarded}
    ):
        assert addresses.of_request() == address


@pytest.mark.parametrize("trusted", ["0", "1"])
def test_a_spoofed_address_does_not_evade_the_limit(make_client, trusted):
    client = make_client(RATE_LIMIT="3 per hour", TRUSTED_PROXIES=trusted)

    answers = [
        client.get(
            "", headers=FORGED | {"X-Forwarded-For": f"192.0.2.{n}, 203.0.113.1"}
        )
        for n in range(4)
    ]

    assert [each.status_code for each in answers] == [401, 401, 401, 429]


def warnings_of(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]


def test_a_proxy_that_the_settings_do_not_know_is_logged_once(make_client, caplog):
    client = make_client()
    for _ in range(3):
        client.get("/health", headers={"X-Forwarded-For": "203.0.113.1"})

    [warning] = warnings_of(caplog)
    assert "X-Forwarded-For has arrived, and TRUSTED_PROXIES is 0" in warning
    assert "203.0.113.1" not in warning


def test_a_proxy_that_the_settings_know_is_not_logged(make_client, caplog):
    client = make_client(TRUSTED_PROXIES="1")
    client.get("/health", headers={"X-Forwarded-For": "203.0.113.1"})

    assert warnings_of(caplog) == []


# The windows in memory


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def windows(clock):
    return MemoryWindows(clock=clock)


def test_a_window_begins_with_a_request_and_ends_with_its_time(windows, clock):
    found = [windows.count("alice", 60)]
    clock.now += 59
    found.append(windows.count("alice", 60))
    clock.now += 1
    found.append(windows.count("alice", 60))

    assert found == [(1, 60), (2, 1), (1, 60)]


def test_the_number_of_windows_is_bounded_and_the_oldest_goes_first(windows, clock):
    windows.count("oldest", 60)
    clock.now += 30
    windows.count("older", 60)
    clock.now += 31
    windows.count("oldest", 60)  # a new window
    for number in range(KEYS_AT_MOST - 1):
        windows.count(f"{number}", 60)

    assert len(windows) == KEYS_AT_MOST
    assert windows.count("oldest", 60)[0] == 2
    assert windows.count("older", 60)[0] == 1


def test_no_request_of_many_threads_is_lost(windows, monkeypatch):
    monkeypatch.setattr(memory_windows, "KEYS_AT_MOST", 4)
    start = threading.Barrier(8)

    def work(_):
        start.wait()
        return [windows.count(f"{n % 4}", 60)[0] for n in range(1000)]

    with ThreadPoolExecutor(8) as pool:
        found = [each for some in pool.map(work, range(8)) for each in some]

    assert sorted(found) == sorted([*range(1, 2001)] * 4)


def test_counting_a_request_takes_less_than_a_hundred_calls(make_client):
    limited, free = (make_client(RATE_LIMIT=each) for each in ("9 per day", ""))

    def costs(client):
        # The client of the tests has work of its own with each answer.
        plain = client.application.test_client()
        headers = {"Authorization": f"Bearer {client.token}"}
        return calls(lambda: plain.get("/nowhere", headers=headers).status_code)

    assert costs(limited) - costs(free) < 100
