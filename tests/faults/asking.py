"""What clients ask of the service, all at once, and how long it takes."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import jwt

from tests.conftest import SECRET
from tests.e2e.client import Answer, Client
from tests.waiting import until

MANY = 12
PULSES = 10  # at least
HEALTH_SECONDS = 0.2

Ask = Callable[[], Answer]


@dataclass
class Seen:
    """An answer, and the seconds that it took."""

    answer: Answer
    seconds: float


def requests_of_alice(url: str) -> list[Ask]:
    """What she does with a task that is made for it: two reads, two writes."""
    token = jwt.encode({"sub": "alice", "exp": 4102444800}, SECRET, "HS256")
    alice = Client(f"{url}/api/tasks", token=token)
    task = alice.post(body={"title": "Buy milk"}).json["id"]
    return [
        lambda: alice.get(),
        lambda: alice.get(f"/{task}"),
        lambda: alice.post(body={"title": "Tea"}),
        lambda: alice.patch(f"/{task}/complete"),
    ]


def timed(ask: Ask) -> Seen:
    """The answer to a request, with its time."""
    began = time.monotonic()
    answer = ask()
    return Seen(answer, time.monotonic() - began)


def all_at_once(requests: list[Ask], url: str) -> tuple[list[Seen], list[float]]:
    """What many requests get, and the seconds that `/health` took meanwhile."""
    health = Client(f"{url}/health")
    with ThreadPoolExecutor(MANY) as clients:
        running = [
            clients.submit(timed, requests[n % len(requests)]) for n in range(MANY)
        ]
        pulse: list[Seen] = []
        while len(pulse) < PULSES or not all(each.done() for each in running):
            pulse.append(timed(health.get))
            time.sleep(0.02)
    assert {each.answer.status for each in pulse} == {200}
    return [each.result() for each in running], [each.seconds for each in pulse]


def all_but_slowest(seconds: Iterable[float]) -> float:
    """The greatest but one: a busy machine makes somebody wait once."""
    return sorted(seconds)[-2]


def assert_unavailable(answer: Answer) -> None:
    """A 503 as the contract has it: what is wrong, or that one user waits too much."""
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert list(answer.json) == ["error"]
    assert answer.json["error"].startswith(("The database ", "You have too many "))


def assert_well_within(seconds: float, requests: list[Ask]) -> None:
    """The first request succeeds before so many seconds have passed, the others too."""
    first, *others = requests
    began = time.monotonic()
    until(lambda: first().status == 200)
    assert time.monotonic() - began <= seconds
    for ask in others:
        until(lambda ask=ask: ask().status in (200, 201))
