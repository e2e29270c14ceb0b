"""What gunicorn refuses before it is a request, in the shape of all other errors."""

import uuid
from http import HTTPStatus

import orjson
from gunicorn.http import errors as gunicorn

BAD_REQUEST = (HTTPStatus.BAD_REQUEST, "The request is not valid HTTP.")
CRASH = (HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")
REFUSALS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    gunicorn.LimitRequestLine: (
        HTTPStatus.REQUEST_URI_TOO_LONG,
        "The request line is too long.",
    ),
    gunicorn.LimitRequestHeaders: (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The header fields are too large, or too many.",
    ),
    gunicorn.ExpectationFailed: (
        HTTPStatus.EXPECTATION_FAILED,
        "Expect may only be 100-continue.",
    ),
    gunicorn.UnsupportedTransferCoding: (
        HTTPStatus.NOT_IMPLEMENTED,
        "Transfer-Encoding may only be chunked.",
    ),
}


def refusal(error: Exception) -> tuple[HTTPStatus, str]:
    """The status and the message for an error of gunicorn's; a 500 for any other.

    The message never repeats what the client sent.
    """
    if isinstance(error, gunicorn.ConfigurationProblem):
        return CRASH
    known = BAD_REQUEST if isinstance(error, gunicorn.ParseException) else CRASH
    return REFUSALS.get(type(error), known)


def answer(status: HTTPStatus, message: str) -> bytes:
    """The answer as it goes over the wire; the connection ends after it."""
    body = orjson.dumps({"error": message})
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-ID: {uuid.uuid4()}\r\n\r\n"
    )
    return head.encode() + body
