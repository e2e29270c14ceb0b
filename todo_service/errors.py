"""Every failure becomes one shape, here and nowhere else.

`{"error": message}`, or problem+json (RFC 9457) for a client that asks for it.
`docs/contract.md` lists the statuses.
"""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any

from flask import Flask, Response, g, json, request
from marshmallow import ValidationError
from werkzeug.exceptions import (
    HTTPException,
    PreconditionFailed,
    ServiceUnavailable,
    Unauthorized,
)

PROBLEM = "application/problem+json"
RETRY_SECONDS = 2
# One body can have thousands of bad fields.
MESSAGES_AT_MOST = 20
# A client makes names of unknown fields as long as it likes.
NAME_CHARACTERS = 200
# Shorter than Werkzeug's own messages, and true of an API.
MESSAGES = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path does not support this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal server error",
}


def init_app(app: Flask) -> None:
    """Answer every failure of this application."""
    # Debug mode would show a stack trace where an error is promised.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(ValidationError, _answer_invalid)


class _WithHeader:
    """An HTTP error whose answer has one header more."""

    header: tuple[str, str]

    def get_headers(self, *args: Any, **options: Any) -> list[tuple[str, str]]:
        """The error's own headers, and the one more."""
        return [*super().get_headers(*args, **options), self.header]  # type: ignore[misc]


class UnauthenticatedError(_WithHeader, Unauthorized):
    """401, with the challenge that says what is wanted (RFC 6750, 3)."""

    def __init__(self, message: str, challenge: str = 'Bearer error="invalid_token"'):
        super().__init__(message)
        self.header = ("WWW-Authenticate", challenge)


class OtherVersionError(_WithHeader, PreconditionFailed):
    """412: the client demands another version, or none. `ETag` has the present one."""

    def __init__(self, etag: str, message: str):
        super().__init__(f"{message}: see ETag.")
        self.header = ("ETag", etag)


def because(reason: str, error: HTTPException) -> HTTPException:
    """The error with a word for the log and the metrics, never one of a client's."""
    error.reason = reason  # type: ignore[attr-defined]
    return error


def no_token() -> HTTPException:
    """401: the request has no token."""
    error = UnauthenticatedError("A bearer token is required.", "Bearer")
    return because("no_token", error)


def bad_token(message: str, reason: str) -> HTTPException:
    """401: the request has a token, and it does not verify."""
    return because(reason, UnauthenticatedError(message))


def unavailable(message: str, reason: str) -> HTTPException:
    """503: the service cannot reach something that it needs. A retry may help."""
    return because(reason, ServiceUnavailable(message, retry_after=RETRY_SECONDS))


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    g.reason = getattr(error, "reason", None)
    response = _answer(status, _message(status, error))
    headers = error.get_headers(request.environ)
    response.headers.extend(h for h in headers if h[0].lower() != "content-type")
    return response


def _message(status: int, error: HTTPException) -> str:
    """The message that the code gave to `abort`; never one about a bug."""
    ours = error.description != type(error).description
    if ours and error.description and status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return error.description
    return MESSAGES.get(HTTPStatus(status), HTTPStatus(status).phrase)


def _answer_invalid(error: ValidationError) -> Response:
    found = list(islice(_field_errors(error.normalized_messages()), MESSAGES_AT_MOST))
    return _answer(
        HTTPStatus.BAD_REQUEST,
        "; ".join(f"{name}: {text}" if name else text for name, text in found),
        errors=[{"field": name, "message": text} for name, text in found],
    )


def _field_errors(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """marshmallow's tree of messages as pairs: (`tags.0`, `Not a valid string.`)."""
    if isinstance(messages, list):
        yield from ((path[:NAME_CHARACTERS], text) for text in messages)
        return
    for key, below in messages.items():
        name = "" if key == "_schema" else str(key)
        yield from _field_errors(below, ".".join(filter(None, (path, name))))


def _answer(status: int, message: str, **more: Any) -> Response:
    if not _asks_for_problem():
        plain = json.dumps({"error": message})
        return Response(plain, status, mimetype="application/json")
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": message,
        "instance": g.request_id,
    }
    return Response(json.dumps(problem | more), status, mimetype=PROBLEM)


def _asks_for_problem() -> bool:
    """True if `Accept` names problem+json and prefers plain JSON no more than it."""
    accepted = request.accept_mimetypes
    kinds = [(kind.partition(";")[0].strip().lower(), q) for kind, q in accepted]
    named = [quality for kind, quality in kinds if kind == PROBLEM]
    return max(named, default=0) >= max(accepted["application/json"], 0.001)
