"""Every failure becomes one shape, here and nowhere else.

`{"error": message}`, or RFC 9457's problem+json for a client that asks for it.
"""

from http import HTTPStatus

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


def init_app(app: Flask) -> None:
    """Answer every failure of this application."""
    # Debug mode would show a stack trace where the contract promises an error.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(ValidationError, _invalid)


class _WithHeader:
    """An HTTP error that tells one thing more in a header."""

    header: tuple[str, str]

    def get_headers(self, *args, **options):
        """The error's headers, and the one more."""
        return [*super().get_headers(*args, **options), self.header]  # type: ignore[misc]


class UnauthenticatedError(_WithHeader, Unauthorized):
    """401, with the challenge that says what is wanted (RFC 6750, 3)."""

    def __init__(self, message: str, challenge: str):
        super().__init__(message)
        self.header = ("WWW-Authenticate", challenge)


class OtherVersionError(_WithHeader, PreconditionFailed):
    """412: the client speaks of another version; the present one's tag goes along."""

    def __init__(self, etag: str):
        super().__init__("The task has another version by now.")
        self.header = ("ETag", etag)


def no_token() -> UnauthenticatedError:
    """401: no token came."""
    return UnauthenticatedError("A bearer token is required.", "Bearer")


def bad_token(message: str) -> UnauthenticatedError:
    """401: a token came, and it does not verify."""
    return UnauthenticatedError(message, 'Bearer error="invalid_token"')


def unavailable(message: str) -> ServiceUnavailable:
    """503: something that the service needs is away; trying again may help."""
    return ServiceUnavailable(message, retry_after=RETRY_SECONDS)


def _refused(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    message = (
        "Internal server error"
        if status == HTTPStatus.INTERNAL_SERVER_ERROR
        else error.description or HTTPStatus(status).phrase
    )
    response = _answer(status, message)
    headers = error.get_headers(request.environ)
    response.headers.extend(h for h in headers if h[0].lower() != "content-type")
    return response


def _invalid(error: ValidationError) -> Response:
    found = list(_field_errors(error.normalized_messages()))
    return _answer(
        HTTPStatus.BAD_REQUEST,
        "; ".join(f"{name}: {text}" if name else text for name, text in found),
        errors=[{"field": name, "message": text} for name, text in found],
    )


def _field_errors(messages, path=""):
    """marshmallow's tree of messages as pairs: (`tags.0`, `Not a valid string.`)."""
    if isinstance(messages, list):
        yield from ((path, text) for text in messages)
        return
    for key, below in messages.items():
        name = "" if key == "_schema" else str(key)
        yield from _field_errors(below, ".".join(filter(None, (path, name))))


def _answer(status: int, message: str, **more) -> Response:
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
    """Whether problem+json is asked for by name, and liked no less than plain JSON."""
    accepted = request.accept_mimetypes
    named = [
        quality
        for kind, quality in accepted
        if kind.partition(";")[0].strip().lower() == PROBLEM
    ]
    return max(named, default=0) >= max(accepted["application/json"], 0.001)
