"""`GET /openapi.json`: valid, complete, and true of every answer of every test."""

import gzip
import json
import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests import announced
from tests.announced import Document
from tests.client import Client
from tests.test_contract import CONTRACT, real_routes
from todo_service import create_app
from todo_service.tasks.list_page import TASK_QUERY
from todo_service.tasks.list_sorts import SORTS
from todo_service.tasks.schemas import READ_ONLY
from todo_service.web import cors

PATH = "/openapi.json"
KEY = {"Idempotency-Key": "k"}


@pytest.fixture(scope="module", params=["true", "false"], ids=["accounts", "without"])
def app(request, environ, app):
    """The application, with accounts and without."""
    app = create_app(environ | {"LOCAL_ACCOUNTS": request.param})
    yield app
    app.extensions["database"].engine.dispose()


@pytest.fixture(scope="module")
def document(app) -> Document:
    return Document.of(app.extensions["document"]().raw)


@pytest.fixture
def described(document) -> dict[str, Any]:
    """The document itself."""
    return document.document


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict]]:
    """Every method and path, with what is said of it."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_it_is_valid_openapi_3_1(described):
    assert described["openapi"].startswith("3.1")
    validate(described)


def test_its_version_is_the_contracts_and_not_the_releases(described):
    [said] = re.findall(r"`info\.version` is `(\w+)`", CONTRACT)

    assert described["info"]["version"] == said != metadata.version("todo-service")


def test_it_has_every_route_and_none_besides(app, described):
    assert {f"{method} {path}" for method, path, _ in operations(described)} == (
        real_routes(app)
    )


def test_a_route_that_nothing_describes_is_found(environ):
    app = create_app(environ)
    app.add_url_rule("/api/forgotten", view_func=lambda: "")
    described = json.loads(app.extensions["document"]().raw)

    names = {f"{method} {path}" for method, path, _ in operations(described)}
    assert real_routes(app) - names == {"GET /api/forgotten"}


def test_exactly_the_public_paths_need_no_token(app, described):
    without = {p for _, p, each in operations(described) if each.get("security") == []}

    assert without == app.extensions["public_paths"]
    assert described["security"] == [{"token": []}]


def test_no_query_parameter_is_null(described):
    """A query has text, or nothing."""
    parameters = described["paths"]["/api/tasks"]["get"]["parameters"]
    kinds = {each["name"]: each["schema"]["type"] for each in parameters[:-1]}

    assert len(kinds) > 10
    assert {name for name, kind in kinds.items() if "null" in kind} == set()


def test_operations_have_names_of_their_own(described):
    names = [each["operationId"] for _, _, each in operations(described)]

    assert len(set(names)) == len(names)


def test_it_needs_no_token_and_counts_for_no_limit(anyone):
    answer = anyone.get(PATH)

    assert answer.status_code == 200
    assert answer.json["info"]["title"] == "Todo service"
    assert "RateLimit-Limit" not in answer.headers


def test_a_copy_is_kept_and_asked_about(anyone):
    tag = anyone.get(PATH).headers["ETag"]
    again = anyone.get(PATH, headers={"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "no-cache"


def test_it_is_compressed_for_who_accepts_that(anyone):
    plain = anyone.get(PATH)
    packed = anyone.get(PATH, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_pages_of_allowed_origins_may_read_it(anyone):
    origin = "http://localhost:3000"
    answer = anyone.get(PATH, headers={"Origin": origin})

    assert answer.headers["Access-Control-Allow-Origin"] == origin


# What a front-end developer looks for


def parameter(document: Document, path: str, name: str) -> dict[str, Any]:
    """A parameter of `GET` on a path."""
    found = map(
        document.resolved, document.document["paths"][path]["get"]["parameters"]
    )
    return next(each for each in found if each["name"] == name)


@pytest.mark.parametrize("path", ["/api/tasks", "/api/{user_id}/tasks"])
def test_the_list_has_the_parameters_that_are_checked(document, path):
    parameters = document.document["paths"][path]["get"]["parameters"]
    found = map(document.resolved, parameters)

    assert {each["name"] for each in found if each["in"] == "query"} == (
        TASK_QUERY.fields.keys()
    )


def test_the_values_of_sort_are_listed(document):
    sort = parameter(document, "/api/tasks", "sort")["schema"]

    assert set(sort["enum"]) == SORTS.keys()
    assert sort["default"] == "-created_at"


SAID = [
    ("/api/tasks", "limit", {"minimum": 1, "maximum": 100, "default": 50}),
    ("/api/tasks", "offset", {"minimum": 0, "maximum": 1_000_000_000, "default": 0}),
    ("/api/tasks", "q", {"type": "string", "maxLength": 200}),
    ("/api/tasks", "status", {"enum": ["all", "pending", "completed"]}),
    ("/api/tasks", "status", {"default": "all"}),
    ("/api/tasks", "deleted", {"enum": ["false", "true"], "default": "false"}),
    ("/api/tasks", "priority", {"type": "array", "maxItems": 20}),
    ("/api/tasks", "due_before", {"type": "string", "format": "date-time"}),
    ("/api/tasks/changes", "limit", {"minimum": 1, "maximum": 500, "default": 50}),
]


@pytest.mark.parametrize(("path", "name", "said"), SAID)
def test_a_parameter_says_its_limits_and_defaults(document, path, name, said):
    schema = parameter(document, path, name)["schema"]

    assert schema | said == schema


FIELDS = [
    ("title", {"minLength": 1, "maxLength": 200}),
    ("description", {"type": ["string", "null"], "maxLength": 5000, "default": None}),
    ("completed", {"type": "boolean", "default": False}),
    ("priority", {"enum": ["low", "medium", "high"], "default": "medium"}),
    ("due_at", {"type": ["string", "null"], "format": "date-time"}),
    ("tags", {"maxItems": 20, "default": []}),
]


@pytest.mark.parametrize(("name", "said"), FIELDS)
def test_a_field_says_its_limits_and_defaults(described, name, said):
    field = described["components"]["schemas"]["NewTask"]["properties"][name]

    assert field | said == field


def test_what_only_the_service_writes_is_marked_in_answers(described):
    fields = described["components"]["schemas"]["TaskOrDeleted"]["properties"]

    assert {name for name, each in fields.items() if each.get("readOnly")} == READ_ONLY


def test_the_fields_of_a_change_have_no_defaults(described):
    schemas = described["components"]["schemas"]
    changed = schemas["Batch"]["properties"]["change"]["items"]

    for body in (schemas["TaskChange"], changed):
        assert not [name for name, f in body["properties"].items() if "default" in f]


def test_a_position_without_a_default_has_none(described):
    fields = described["components"]["schemas"]["NewTask"]["properties"]

    assert "default" not in fields["position"]


SEVENTH = '"7"'


@pytest.mark.parametrize(
    "header",
    ["*", SEVENTH, f"W/{SEVENTH}", f"{SEVENTH}, {SEVENTH}", ",".join([SEVENTH] * 20)],
)
def test_an_if_match_as_described_is_understood(alice, document, header):
    described = document.document["components"]["parameters"]["If-Match"]["schema"]
    milk = alice.post("", json={"title": "x"}).json
    answer = alice.delete(milk["id"], headers={"If-Match": header})

    assert re.search(described["pattern"], header)
    assert answer.status_code in (200, 412)


@pytest.mark.parametrize(
    "header", ["", "7", "**", f"{SEVENTH} {SEVENTH}", ",".join([SEVENTH] * 21)]
)
def test_an_if_match_that_is_not_as_described_is_refused(alice, document, header):
    described = document.document["components"]["parameters"]["If-Match"]["schema"]
    milk = alice.post("", json={"title": "x"}).json
    answer = alice.delete(milk["id"], headers={"If-Match": header})

    assert not re.search(described["pattern"], header)
    assert answer.status_code == 400


def test_it_says_how_long_tokens_and_deleted_tasks_live(environ):
    settings = {"LOCAL_ACCOUNTS": "true", "ACCESS_TOKEN_TTL": "61", "TRASH_DAYS": "62"}
    app = create_app(environ | settings | {"RATE_LIMIT": "63 per hour"})
    text = json.loads(app.extensions["document"]().raw)["info"]["description"]

    assert all(said in text for said in ("61 seconds", "62 days", "63 per hour"))


def without_words(described: Any, where: str = "") -> Iterator[str]:
    """Parameters, headers, answers and fields of which nothing is said."""
    if isinstance(described, list):
        for number, each in enumerate(described):
            yield from without_words(each, f"{where}/{number}")
    if isinstance(described, dict) and not where.endswith(("example", "value")):
        told = "description" in described or "$ref" in described
        if not told and ("in" in described or "/properties/" in where[-40:]):
            kind = where.rpartition("/")[0]
            if kind.endswith("properties") or "in" in described:
                yield where
        for name, each in described.items():
            yield from without_words(each, f"{where}/{name}")


def test_every_field_and_every_parameter_has_a_sentence(described):
    assert list(without_words(described)) == []


def test_every_header_that_pages_may_read_is_described(described):
    # They belong to answers; `X-Request-ID` to every one.
    assert described["components"]["headers"].keys() == {*cors.MAY_BE_READ}


# Examples


def examples(document: Document) -> Iterator[tuple[str, dict, Any]]:
    """Every example of a body, with its schema."""
    for method, path, operation in operations(document.document):
        bodies = [operation.get("requestBody", {})]
        bodies += map(document.resolved, operation["responses"].values())
        for body in bodies:
            for content in body.get("content", {}).values():
                shown = [each["value"] for each in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                yield from ((f"{method} {path}", content["schema"], e) for e in shown)


def test_every_example_is_valid(document):
    wrong = [
        (where, error.message)
        for where, schema, example in examples(document)
        for error in document.validator(json.dumps(schema)).iter_errors(example)
    ]

    assert wrong == []
    assert sum(1 for _ in examples(document)) > 100


def requests_of(described: dict[str, Any], tag: str) -> Iterator[Any]:
    """The example bodies of a section's requests."""
    for method, path, operation in operations(described):
        if operation["tags"] == [tag] and "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            for name, example in content["examples"].items():
                yield method, path, name, example["value"]


def test_every_example_of_a_request_works(alice, described):
    milk = alice.post("", json={"title": "x"}).json
    statuses = {
        (path, name): alice.open(
            path.replace("{id}", milk["id"]), method=method, json=body
        ).status_code
        for method, path, name, body in requests_of(described, "Tasks")
    }

    assert {*statuses.values()} == {200, 201}


def test_every_example_of_an_account_works_and_the_deletion_last(
    app, anyone, described
):
    carol = anyone
    found = requests_of(described, "Accounts")
    for method, path, _, body in sorted(found, key=lambda each: each[0] == "DELETE"):
        answer = carol.open(path, method=method, json=body)
        assert answer.status_code in (200, 201), path
        carol = Client(app, token=answer.json.get("access_token"))


# The check of every answer


def planted(app: Flask, **changed: Any) -> list[str]:
    """The differences that a changed answer to `GET /health` has."""
    client = app.test_client()
    answer = client.get("/health")
    for name, value in changed.items():
        setattr(answer, name, value)
    return announced.differences(app, answer)


def test_an_answer_as_announced_has_no_differences(app):
    assert planted(app) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"status_code": 418},
        {"data": b'{"status": 1}'},
        {"data": b'{"status": "ok", "more": 1}'},
        {"mimetype": "text/html"},
        {"headers": {}},
        {"content_language": ["en"]},
    ],
    ids=lambda changed: f"{changed}",
)
def test_an_answer_that_is_not_announced_is_found(app, changed):
    assert planted(app, **changed) != []


def test_a_test_client_meets_the_check(alice, monkeypatch):
    monkeypatch.setattr(announced, "differences", lambda *_: ["a difference"])

    with pytest.raises(AssertionError, match="a difference"):
        alice.get("")
