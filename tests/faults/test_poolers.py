"""PgBouncer loses its server, or is restarted: what clients get, how soon."""

import statistics
import time

import pytest

from tests.client import Client
from tests.e2e import servers
from tests.faults.asking import (
    HEALTH_SECONDS,
    all_at_once,
    all_but_slowest,
    assert_unavailable,
    assert_well_within,
)
from tests.faults.conftest import (
    DEADLINES,
    REFUSED_SECONDS,
    SILENT_SECONDS,
    settings_for,
)
from tests.pooler import pooler
from tests.ports import free_port
from todo_service import create_app

pytestmark = pytest.mark.alone

# PgBouncer looks for a server that was away this often. Its default is 15 s.
RETRY_SECONDS = 2


@pytest.fixture(scope="module")
def bouncer(postgres):
    """PgBouncer in front of the server."""
    with pooler(postgres.url, server_login_retry=str(RETRY_SECONDS)) as bouncer:
        yield bouncer


@pytest.fixture(scope="module")
def service(bouncer):
    """The service behind PgBouncer, in place of the one at the server itself."""
    with servers.service(settings_for(bouncer.url), **DEADLINES) as url:
        yield url


def assert_away(requests, service, bar) -> None:
    seen, pulse = all_at_once(requests, service)
    for each in seen:
        assert_unavailable(each.answer)
    assert statistics.median(each.seconds for each in seen) <= bar
    assert all_but_slowest(pulse) <= HEALTH_SECONDS


def test_its_server_is_killed_and_comes_back(postgres, service, requests):
    postgres.kill()

    assert_away(requests, service, SILENT_SECONDS)  # PgBouncer lets them wait
    assert_away(requests, service, REFUSED_SECONDS)  # by now it knows

    postgres.start()
    postgres.wait()
    assert_well_within(RETRY_SECONDS + 1, requests)


def test_its_server_is_frozen_and_goes_on(postgres, service, requests):
    postgres.freeze()

    assert_away(requests, service, SILENT_SECONDS)

    postgres.thaw()
    assert_well_within(RETRY_SECONDS + 1, requests)


def test_it_is_restarted_itself(bouncer, service, requests):
    bouncer.stop()

    assert_away(requests, service, REFUSED_SECONDS)

    bouncer.start()
    assert_well_within(1, requests)


def test_the_first_request_of_all_finds_a_pooler_without_a_server(postgres, token_of):
    with pooler(postgres.url.set(port=free_port())) as bouncer:
        app = create_app(settings_for(bouncer.url) | DEADLINES)
        alice = Client(app, user_id="alice", token=token_of("alice"))

        began = time.monotonic()
        answer = alice.get("")

        assert time.monotonic() - began <= SILENT_SECONDS
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
