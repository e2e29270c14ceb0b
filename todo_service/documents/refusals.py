"""The errors of the service, as OpenAPI describes them: two forms, one for a status."""

from http import HTTPStatus

from todo_service import errors
from todo_service.documents import headers
from todo_service.documents.operations import Json, ref

WHEN = {
    400: "The request is not valid: its body, its query, a header or its path.",
    401: "There is no token, or it is not valid.",
    403: "The path names another user than the token.",
    404: "There is nothing at this path.",
    405: "The path does not have this method.",
    409: "The request conflicts with an earlier one.",
    410: "The sync token is too old: start over without one.",
    412: "The task has another version. `ETag` has the present one.",
    413: "The body has more than 128 KiB.",
    415: "The body is not `application/json`, or has a `Content-Encoding`.",
    429: "Too many requests: try again after `Retry-After` seconds.",
    500: "A bug of the service. Its log has the cause, under the `X-Request-ID`.",
    503: (
        "The database or the issuer's keys cannot be reached or are too slow, or one"
        " user sends too much at once: try again after `Retry-After` seconds."
    ),
}
# Besides the headers of every answer.
HEADERS = {
    401: ("WWW-Authenticate",),
    412: ("ETag",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
SCHEMAS: dict[str, Json] = {
    "Error": {
        "type": "object",
        "description": "Every error, unless the client asks for problem+json.",
        "properties": {
            "error": {
                "type": "string",
                "description": "A sentence for a human. It names each wrong field.",
            }
        },
        "required": ["error"],
        "additionalProperties": False,
    },
    "FieldError": {
        "type": "object",
        "description": "What is wrong with one field.",
        "properties": {
            "field": {
                "type": "string",
                "description": "Its path, like `tags.0`. Empty: the body as a whole.",
            },
            "message": {"type": "string", "description": "A sentence for a human."},
        },
        "required": ["field", "message"],
        "additionalProperties": False,
    },
    "Problem": {
        "type": "object",
        "description": "Every error as RFC 9457 has it, if `Accept` asks for that.",
        "properties": {
            "type": {"type": "string", "description": "Always `about:blank`."},
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer", "description": "The status."},
            "detail": {"type": "string", "description": "A sentence for a human."},
            "instance": {"type": "string", "description": "The request's id."},
            "errors": {
                "type": "array",
                "items": ref("FieldError"),
                "maxItems": errors.MESSAGES_AT_MOST,
                "description": "Only for wrong fields: one entry for each of them.",
            },
        },
        "required": ["type", "title", "status", "detail", "instance"],
        "additionalProperties": False,
    },
}
EXAMPLE = {400: "title: Missing data for required field."}


def responses() -> dict[str, Json]:
    """The components of the errors, by their status."""
    return {str(status): response(status, WHEN[status]) for status in WHEN}


def response(status: int, when: str) -> Json:
    """An error of this status."""
    message = EXAMPLE.get(status, when.replace("`", ""))
    return {
        "description": when,
        "headers": headers.received(
            "X-Request-ID", *HEADERS.get(status, ()), *headers.RATE_LIMITS
        ),
        "content": {
            "application/json": {"schema": ref("Error"), "example": {"error": message}},
            errors.PROBLEM: {
                "schema": ref("Problem"),
                "example": _problem(status, message),
            },
        },
    }


def _problem(status: int, message: str) -> Json:
    """An error as RFC 9457 has it, with the field that the message names."""
    problem: Json = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "instance": "0b5e0a0c5f1d4c6e9a7b8c9d0e1f2a3b",
    }
    if status in EXAMPLE:
        field, _, text = message.partition(": ")
        problem["errors"] = [{"field": field, "message": text}]
    return problem


def refused(status: int, when: str | None) -> Json:
    """An error of an operation: the usual one, or one that comes for more reasons."""
    if when is None:
        return {"$ref": f"#/components/responses/{status}"}
    return response(status, when)
