"""Compares each answer that a test gets with what the OpenAPI document announces."""

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from flask import Flask
from jsonschema_rs import validator_for
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

# Headers of HTTP itself, of CORS, of caching, and for browsers that show the page.
USUAL = re.compile(
    r"content-(type|length|encoding|security-policy)|vary|cache-control|allow"
    r"|access-control-.*|referrer-policy|x-content-type-options"
)
PLACES = {"id": "[0-9A-Fa-f-]{36}", "user_id": "(?!tasks/)[^/]+"}
# What any request may meet, also where the document has no such path or method.
ANYWHERE = {"400", "401", "403", "404", "405", "413", "429", "500", "503"}


def differences(app: Flask, answer: TestResponse) -> list[str]:
    """What the document of the application does not announce of an answer."""
    method, path = answer.request.method, answer.request.environ["PATH_INFO"]
    if method == "OPTIONS" or _is_planted(app, method, path):
        return []
    document = Document.of(app.extensions["document"]().raw)
    return [
        f"{method} {path} → {answer.status_code}: {difference}"
        for difference in document.differences(method, path, answer)
    ]


def _is_planted(app: Flask, method: str, path: str) -> bool:
    """True if a test has added this route to the application."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(path, method)
    except HTTPException:
        return False
    return app.view_functions[endpoint].__module__.startswith("tests")


class Document:
    """An OpenAPI document whose schemas are compiled when they are first needed."""

    @staticmethod
    @cache
    def of(raw: bytes) -> "Document":
        """The document in these bytes; applications with equal documents share it."""
        return Document(json.loads(raw))

    def __init__(self, document: dict[str, Any]):
        self.document = document
        self.validator = cache(self._validator)
        # Paths without variables come first: `/api/tasks/batch` is no task's.
        self._paths = [
            (re.compile(re.sub(r"{(\w+)}", lambda m: PLACES[m[1]], path)), operations)
            for path, operations in sorted(
                document["paths"].items(), key=lambda item: item[0].count("{")
            )
        ]

    def differences(
        self, method: str, path: str, answer: TestResponse
    ) -> Iterator[str]:
        """What an answer has that is not announced, and what it lacks."""
        announced = self._announced(method, path, str(answer.status_code))
        if announced is None:
            yield "the status is not announced"
            return
        yield from self._wrong_headers(announced.get("headers", {}), answer)
        if method != "HEAD":
            yield from self._wrong_body(announced.get("content", {}), answer)

    def _announced(self, method: str, path: str, status: str) -> dict | None:
        responses = self._operation(method, path).get("responses")
        if responses is None:
            known = self.document["components"]["responses"]
            return known[status] if status in ANYWHERE else None
        return self.resolved(responses[status]) if status in responses else None

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        sought = "get" if method == "HEAD" else method.lower()
        for pattern, operations in self._paths:
            if sought in operations and pattern.fullmatch(
                path.removesuffix("/") or "/"
            ):
                return operations[sought]
        return {}

    def _wrong_headers(self, headers: dict, answer: TestResponse) -> Iterator[str]:
        lower = {name.lower(): self.resolved(each) for name, each in headers.items()}
        for name, value in answer.headers.items():
            described = lower.pop(name.lower(), None)
            if described:
                schema = described["schema"]
                whole = schema.get("type") == "integer"
                yield from self._wrong(schema, int(value) if whole else value, name)
            elif not USUAL.fullmatch(name.lower()):
                yield f"the header {name} is not announced"
        missing = [name for name, each in lower.items() if each.get("required")]
        yield from (f"the header {name} is missing" for name in missing)

    def _wrong_body(self, content: dict, answer: TestResponse) -> Iterator[str]:
        body = answer.get_data()
        if not content:
            yield from ["there is a body"] if body else []
            return
        if "*/*" in content:
            return
        if answer.mimetype not in content:
            yield f"{answer.mimetype} is not announced"
            return
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if "schema" in content[answer.mimetype]:
            schema = content[answer.mimetype]["schema"]
            yield from self._wrong(schema, json.loads(body), "")

    def _wrong(self, schema: dict, value: Any, where: str) -> Iterator[str]:
        for error in self.validator(json.dumps(schema)).iter_errors(value):
            yield f"{where}{error.instance_path} {error.message}"

    def _validator(self, schema: str) -> Any:
        whole = {**json.loads(schema), "components": self.document["components"]}
        return validator_for(whole, validate_formats=True)

    def resolved(self, described: dict) -> dict:
        """What a reference leads to; anything else is itself."""
        if "$ref" not in described:
            return described
        found: Any = self.document
        for name in described["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found
