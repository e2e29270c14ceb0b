"""What gunicorn refuses before it is a request, in the shape of all other errors."""

import logging
import socket
import uuid
from contextlib import suppress
from http import HTTPStatus

import orjson
from gunicorn.http import errors as gunicorn

log = logging.getLogger(__name__)

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
# gunicorn counts these as parse errors too.
OURS = (
    gunicorn.ConfigurationProblem,
    gunicorn.InvalidResponseHeader,
    gunicorn.InvalidResponseHeaderName,
)


def refusal(error: Exception) -> tuple[HTTPStatus, str]:
    """The status and the message for an error of gunicorn's; a 500 for any other.

    The message never repeats what the client sent.
    """
    if isinstance(error, OURS) or not isinstance(error, gunicorn.ParseException):
        return CRASH
    return REFUSALS.get(type(error), BAD_REQUEST)


def refuse(client: socket.socket, error: Exception) -> None:
    """Answer, and log a line that has nothing of what the client sent."""
    status, message = refusal(error)
    request_id = str(uuid.uuid4())
    fields = {"status": int(status), "reason": type(error).__name__}
    log.warning(
        "refused",
        exc_info=error if status == HTTPStatus.INTERNAL_SERVER_ERROR else None,
        extra=fields | {"request_id": request_id},
    )
    with suppress(OSError):  # it may have gone
        client.sendall(_answer(status, message, request_id))


def _answer(status: HTTPStatus, message: str, request_id: str) -> bytes:
    """The answer as it goes over the wire; the connection ends after it."""
    body = orjson.dumps({"error": message})
    head = (
        f"HTTP/1.1 {status:d} {status.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-ID: {request_id}\r\n\r\n"
    )
    return head.encode() + body
