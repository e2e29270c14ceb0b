"""One route, as OpenAPI describes it: what it takes, and each of its answers."""

import re
from collections.abc import Iterator

from werkzeug.routing import Rule

from todo_service.documents import headers, json_schemas, refusals
from todo_service.documents.operations import Answer, Body, Json, Operation
from todo_service.web.paths import NAMES_USER

VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
# How the document names the variables of paths.
NAMES = {"task_id": "id", "user_id": "user_id"}


def path(rule: Rule) -> str:
    """The path of a route as OpenAPI writes it."""
    return VARIABLE.sub(lambda found: f"{{{NAMES[found[1]]}}}", rule.rule)


def describe(operation: Operation, rule: Rule, *, closed: bool) -> Json:
    """What is said of a route, with what holds for every route of its kind.

    `closed`: it needs a token.
    """
    said = {
        "summary": operation.summary,
        "description": operation.description,
        "parameters": list(_parameters(operation, rule)),
        "requestBody": operation.body and _request_body(operation.body),
    }
    described: Json = {name: value for name, value in said.items() if value}
    if not closed:
        described["security"] = []
    refused = {
        str(status): refusals.refused(status, operation.refusals.get(status))
        for status in sorted(_refusals(operation, rule, closed=closed))
    }
    return described | {"responses": _answers(operation, closed=closed) | refused}


def _answers(operation: Operation, *, closed: bool) -> Json:
    """The good answers, and the 304."""
    answers = dict(operation.answers)
    if operation.conditional:
        when = f"`If-None-Match` names the present `ETag` of {operation.conditional}."
        answers[304] = Answer(when, headers=("ETag",))
    return {
        str(status): _answer(answer, closed=closed)
        for status, answer in answers.items()
    }


def _parameters(operation: Operation, rule: Rule) -> Iterator[Json]:
    for name in VARIABLE.findall(rule.rule):
        yield {"$ref": f"#/components/parameters/{NAMES[name]}"}
    if operation.query:
        yield from json_schemas.of_query(operation.query)
    conditional = ["If-None-Match"] if operation.conditional else []
    yield from map(headers.sent, [*operation.headers, *conditional])


def _request_body(body: Body) -> Json:
    examples = {
        re.sub(r"\W+", "-", shows.lower()): {"summary": shows, "value": value}
        for shows, value in body.examples.items()
    }
    content = {"application/json": {"schema": body.schema, "examples": examples}}
    return {"required": body.required, "content": content}


def _answer(answer: Answer, *, closed: bool) -> Json:
    counted = headers.RATE_LIMITS if closed else ()
    names = ("X-Request-ID", *answer.headers, *counted)
    described: Json = {
        "description": answer.when,
        "headers": headers.received(*names),
    }
    if answer.schema:
        content = {"schema": answer.schema}
        if answer.example is not None:
            content["example"] = answer.example
        described["content"] = {"application/json": content}
    if answer.kind:
        described["content"] = {answer.kind: {}}
    return described


def _refusals(operation: Operation, rule: Rule, *, closed: bool) -> set[int]:
    """The statuses of the errors that the operation may answer."""
    found = {500, *operation.refusals}
    if closed:
        found |= {400, 401, 429, 503}
    if rule.rule.startswith(NAMES_USER):
        found.add(403)
    if operation.body:
        found |= {400, 413, 415}
    return found
