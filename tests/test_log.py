"""The log: reasons without what clients send, slow statements, lines of others."""

import ast
import json
import logging
import re
from itertools import chain

import pytest

from tests.client import Client
from tests.running import running
from tests.test_conventions import DESIGN, SOURCES
from todo_service import database
from todo_service.database import faults
from todo_service.identity import decoding
from todo_service.settings import load
from todo_service.web import log_lines

SECRET_TITLE = "Secret title"


def reasons(log) -> list[str]:
    return [line["reason"] for line in log() if "reason" in line]


# Where a reason stands among the arguments of what makes a failure.
PLACES = {"because": 0, "bad_token": 1, "unavailable": 1, "RefusedError": 1}


def reasons_in_the_code(app) -> set[str]:
    limits = {f"limit of {name}" for name in app.extensions["rate_limits"]}
    found = {each.replace(" ", "_") for each in limits}
    found |= {*faults.REASONS.values(), "malformed"}
    found |= {reason for _, reason in decoding.REFUSALS.values()}
    for node in chain.from_iterable(ast.walk(ast.parse(s)) for s in SOURCES.values()):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = node.args[PLACES.get(name, len(node.args)) :][:1]
            found |= {str(e.value) for e in given if isinstance(e, ast.Constant)}
    return found


def test_the_operations_page_lists_every_reason(app):
    page = (DESIGN.parent / "operations.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:401|429|503) \| (`.*) \|$", page, re.M)
    said = [word for row in rows for word in re.findall(r"`(\w+)`", row)]

    assert len(rows) == 3
    assert sorted(said) == sorted(reasons_in_the_code(app))


NOW = 1_700_000_000
REFUSED = {
    "no_token": "",
    "malformed": "Bearer word-of-a-client",
    "unknown_key": "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
}


@pytest.mark.parametrize(("reason", "header"), REFUSED.items(), ids=REFUSED)
def test_a_request_without_a_good_token_is_logged_by_its_reason(
    anyone, log, reason, header
):
    anyone.get("/api/tasks", headers={"Authorization": header})

    assert reasons(log) == [reason]
    assert "word-of-a-client" not in json.dumps(log())


CLAIMS = {
    "expired": {"exp": NOW},
    "not_yet_valid": {"nbf": 4102444700},
    "malformed": {"sub": ""},
}


@pytest.mark.parametrize(("reason", "claims"), CLAIMS.items(), ids=CLAIMS)
def test_a_token_that_does_not_hold_is_logged_by_its_reason(
    anyone, log, token_of, reason, claims
):
    token = token_of("alice", **claims)
    anyone.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})

    assert reasons(log) == [reason]


def test_a_forged_token_is_logged_by_its_reason(anyone, log, token_of):
    head, _, _ = token_of("alice").rpartition(".")
    token = f"{head}.{'A' * 43}"
    anyone.get("/api/tasks", headers={"Authorization": f"Bearer {token}"})

    assert reasons(log) == ["bad_signature"]
    assert token not in json.dumps(log())


def test_a_wrong_password_is_logged_by_that_reason(make_client, log):
    client = Client(make_client(LOCAL_ACCOUNTS="true").application)

    client.post("/auth/login", json={"email": "a@example.com", "password": "x" * 9})

    assert reasons(log) == ["wrong_password"]
    assert "example.com" not in json.dumps(log())


def test_a_request_that_is_limited_is_logged_by_the_limit(make_client, log):
    client = make_client(RATE_LIMIT="1 per hour")

    client.get("")
    client.get("")

    assert reasons(log) == ["limit_of_user"]


def test_an_answer_that_refuses_nothing_has_no_reason(alice, log):
    alice.get("")
    alice.get("nowhere")

    assert reasons(log) == []


def test_a_slow_statement_is_logged_by_its_name_without_parameters(
    alice, log, monkeypatch
):
    monkeypatch.setattr(database, "SLOW_SECONDS", 0)

    answer = alice.post("", json={"title": SECRET_TITLE})

    [slow] = [line for line in log() if line["level"] == "WARNING"]
    assert slow == {
        "time": slow["time"],
        "level": "WARNING",
        "message": "A statement was slow.",
        "statement": "INSERT_NEW_TASK",
        "statement_ms": slow["statement_ms"],
        "request_id": answer.headers["X-Request-ID"],
    }
    assert SECRET_TITLE not in json.dumps(log())


def test_a_quick_statement_is_not_logged(alice, log):
    alice.post("", json={"title": SECRET_TITLE})

    assert {line["message"] for line in log()} == {"request"}


def test_a_line_of_a_library_has_the_requests_id(app, caplog):
    formatter = logging.getLogger("todo_service").handlers[0].formatter
    assert formatter is not None
    with app.test_request_context("/health", headers={"X-Request-ID": "the-one"}):
        app.preprocess_request()
        logging.getLogger("redis").warning("Something %s", "odd")
        line = json.loads(formatter.format(caplog.records[-1]))

    assert (line["message"], line["request_id"]) == ("Something odd", "the-one")


def test_a_line_of_a_full_second_has_microseconds_too(app):
    formatter = logging.getLogger("todo_service").handlers[0].formatter
    assert formatter is not None
    line = json.loads(formatter.format(logging.makeLogRecord({"created": NOW})))

    assert line["time"] == "2023-11-14T22:13:20.000000+00:00"


def test_the_servers_logging_has_every_logger_in_one_format(environ):
    configured = log_lines.server_configuration(load(environ))

    everyone = {"root": configured["root"], **configured["loggers"]}
    assert everyone.keys() == {"root", "todo_service", "werkzeug", "gunicorn.error"}
    assert {each["handlers"][0] for each in everyone.values()} == {"stderr"}


def test_every_line_under_gunicorn_is_json(environ, app, tmp_path):
    with running(environ, tmp_path / "log") as service:
        service.get("/api/tasks")

    said = [json.loads(line) for line in service.log.read_text().splitlines()]
    messages = {line["message"] for line in said}
    assert {"request", "APP_ENV is production."} <= messages
    assert all({"time", "level", "message"} <= line.keys() for line in said)
    assert sum(line["message"] == "request" for line in said) == 2


def test_text_is_readable_under_gunicorn_too(environ, app, tmp_path):
    with running(environ | {"LOG_FORMAT": "text"}, tmp_path / "log") as service:
        service.get("/api/tasks")

    said = service.log.read_text()
    assert re.search(r"^20\S+ INFO APP_ENV is production\.$", said, re.M)
    assert re.search(r'^20\S+ INFO request method="GET" route="/api/tasks"', said, re.M)
