"""Probes: whether the process answers, whether it can do its work."""

import pytest
from sqlalchemy import event

from todo_service.database import migrations


def test_health_answers_without_a_token(anyone):
    answer = anyone.get("/health")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readiness_names_the_schemas_version(anyone):
    answer = anyone.get("/health/ready")
    newest = migrations.released()[-1].version

    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "schema": newest}


@pytest.fixture
def looks(make_client):
    """A client of a new application, and the statements that its probe has sent."""
    client = make_client()
    sent: list[str] = []

    def note(connection, cursor, statement, *rest):
        sent.append(statement)

    event.listen(
        client.application.extensions["database"].probe, "before_cursor_execute", note
    )
    return client, sent


def test_readiness_is_remembered_so_that_many_probes_are_one_statement(looks):
    client, sent = looks

    for _ in range(5):
        assert client.get("/health/ready").status_code == 200

    assert len(sent) == 1


def test_readiness_looks_again_when_two_seconds_are_over(looks, monkeypatch):
    client, sent = looks
    monkeypatch.setattr("todo_service.health.REMEMBERED_SECONDS", -1)

    for _ in range(2):
        client.get("/health/ready")

    assert len(sent) == 2


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
@pytest.mark.parametrize("slashes", ["/", "//"])
def test_a_path_that_begins_with_two_slashes_is_no_health_check(
    anyone, alice, path, slashes
):
    answers = [
        client.get("/", environ_overrides={"PATH_INFO": slashes + path})
        for client in (anyone, alice)
    ]

    assert [answer.status_code for answer in answers] == [401, 404]
