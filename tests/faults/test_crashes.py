"""Many writers while PostgreSQL crashes, over and over: nothing lost, nothing twice."""

import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from threading import Thread

import pytest
from sqlalchemy import Connection, select

from tests.e2e import servers
from tests.e2e.client import Client
from tests.faults.asking import HEALTH_SECONDS, Ask, Seen, all_but_slowest, timed
from tests.faults.conftest import settings_for
from tests.faults.load import Book, Writer
from tests.faults.postgres import Postgres
from tests.waiting import until
from todo_service.database.recount import recount
from todo_service.database.tables import tasks, users

pytestmark = pytest.mark.alone

WRITES = 20_000
USERS = 4
WRITERS_PER_USER = 2
SECONDS_BETWEEN_CRASHES = 0.7
FROZEN_SECONDS = 0.3


def terminate(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def restart(postgres: Postgres) -> None:
    postgres.stop()
    postgres.start()


def kill(postgres: Postgres) -> None:
    postgres.kill()
    postgres.start()


def freeze(postgres: Postgres) -> None:
    postgres.freeze()
    time.sleep(FROZEN_SECONDS)
    postgres.thaw()


CRASHES = [terminate, Postgres.kill_a_backend, terminate, restart, freeze, kill]


@pytest.fixture(scope="module")
def production(postgres):
    """The URL of the service under gunicorn with all its defaults."""
    with servers.service(settings_for(postgres.url), LOG_LEVEL="ERROR") as url:
        yield url


@dataclass
class Campaign:
    """What was seen from outside while the server crashed over and over."""

    books: dict[str, Book] = field(default_factory=dict)  # by user
    recoveries: list[float] = field(default_factory=list)  # seconds
    health: list[Seen] = field(default_factory=list)
    readiness: list[Seen] = field(default_factory=list)

    def acknowledged(self) -> int:
        return sum(book.acknowledged for book in self.books.values())

    def is_over(self) -> bool:
        return self.acknowledged() >= WRITES


@pytest.fixture(scope="module")
def campaign(postgres, production) -> Campaign:
    """Writers write until they have written enough; the server crashes meanwhile."""
    campaign = Campaign({f"user-{number}": Book() for number in range(USERS)})
    clients: list[Thread] = [
        Writer(production, user, book, campaign.is_over, careful=number % 2 == 0)
        for number, (user, book) in enumerate(campaign.books.items())
        for _ in range(WRITERS_PER_USER)
    ]
    for path, noted in (
        ("/health", campaign.health),
        ("/health/ready", campaign.readiness),
    ):
        asking = (Client(f"{production}{path}").get, noted, campaign)
        clients.append(Thread(target=watch, args=asking))
    for each in clients:
        each.start()
    for crash in cycle(CRASHES):
        if campaign.is_over():
            break
        time.sleep(SECONDS_BETWEEN_CRASHES)
        crash(postgres)
        postgres.wait()
        campaign.recoveries.append(seconds_until_an_answer(campaign))
    for each in clients:
        each.join()
    return campaign


def watch(ask: Ask, noted: list[Seen], campaign: Campaign) -> None:
    """Ask the same again and again."""
    while not campaign.is_over():
        noted.append(timed(ask))
        time.sleep(0.05)


def seconds_until_an_answer(campaign: Campaign) -> float:
    """How long the writers have to wait for the next success."""
    began, before = time.monotonic(), campaign.acknowledged()
    until(lambda: campaign.acknowledged() > before or campaign.is_over())
    return time.monotonic() - began


@pytest.fixture
def stored(postgres):
    """A look into the database."""
    with postgres.connect() as connection:
        yield connection


def titles_of(connection: Connection, user: str) -> dict[str, str]:
    """The ids of a user's tasks by their titles, none of which stands twice."""
    own = select(tasks.c.title, tasks.c.id).where(tasks.c.user_id == user)
    rows = list(map(tuple, connection.execute(own)))
    assert max(Counter(title for title, _ in rows).values()) == 1
    return dict(rows)


def test_writers_are_told_nothing_but_success_or_503(campaign):
    assert [book.wrong for book in campaign.books.values()] == [[]] * USERS
    assert campaign.acknowledged() >= WRITES
    assert len(campaign.recoveries) > len(CRASHES)


def test_every_acknowledged_create_is_there_and_none_is_there_twice(campaign, stored):
    for user, book in campaign.books.items():
        found = titles_of(stored, user)

        assert book.created.items() <= found.items()
        assert found.keys() <= book.tried


def test_every_guarded_toggle_happened_once(campaign, stored):
    for user, book in campaign.books.items():
        found = select(tasks.c.id, tasks.c.completed).where(
            tasks.c.user_id == user, tasks.c.id.in_(book.toggled)
        )

        assert dict(map(tuple, stored.execute(found))) == book.toggled


def test_the_counter_counts_every_change_once(campaign, stored):
    for user, book in campaign.books.items():
        counter = stored.scalar(select(users.c.last_change).where(users.c.id == user))
        happened = len(titles_of(stored, user)) + book.changes

        assert happened <= counter <= happened + book.unknown
        assert set(book.tags.values()) == {1}


def test_the_numbers_of_every_user_are_right(campaign, stored):
    assert recount(stored) == 0


def test_the_writers_go_on_within_a_second_of_the_servers_return(campaign):
    assert all_but_slowest(campaign.recoveries) <= 1


def test_the_probes_answer_meanwhile(campaign):
    assert {each.answer.status for each in campaign.health} == {200}
    assert {each.answer.status for each in campaign.readiness} <= {200, 503}
    # The writers keep every core busy: one probe in a hundred may have to wait.
    assert slowest_but_one_percent(campaign.health) <= HEALTH_SECONDS
    assert slowest_but_one_percent(campaign.readiness) <= 2


def slowest_but_one_percent(seen: list[Seen]) -> float:
    return statistics.quantiles((each.seconds for each in seen), n=100)[98]
