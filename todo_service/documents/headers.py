"""The headers that requests and answers may have, as OpenAPI describes them."""

from todo_service.documents.operations import Json
from todo_service.web import entity_tags

TAG = {"type": "string", "examples": ['"7"']}
ONE_TAG = '(W/)?"[!#-~]*"'
TAGS = TAG | {
    "pattern": rf"^(\*|{ONE_TAG}( *, *{ONE_TAG}){{0,{entity_tags.TAGS_AT_MOST - 1}}})$"
}
WHOLE = {"type": "integer", "minimum": 0}

SENT: dict[str, Json] = {
    "If-Match": {
        "description": (
            "The `ETag` of the version that the change is about. If the task has"
            " another version by now, the answer is a 412 and nothing changes. `*`: any"
            " version. At most 20 tags, separated by commas."
        ),
        "schema": TAGS,
    },
    "If-None-Match": {
        "description": (
            "The `ETag` of an earlier answer. If nothing has changed since, the answer"
            " is a 304 without a body. The first 20 tags count."
        ),
        "schema": TAG,
    },
    "If-None-Match: *": {
        "description": (
            "`*` creates the task under the id of the path, instead of changing it."
        ),
        "schema": {"type": "string", "enum": ["*"]},
    },
    "Idempotency-Key": {
        "description": (
            "A key that the client makes for each task, such as a UUID. A request that"
            " is repeated with the same key creates nothing more: it is answered with"
            " the task that the first one has created. A key belongs to its user, and"
            " lives as long as its task: until the task is purged from the trash."
        ),
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[\\x21-\\x7e]+$",
        },
    },
}

RECEIVED: dict[str, Json] = {
    "X-Request-ID": {
        "description": (
            "Names this request in the service's log. It is the request's own"
            " `X-Request-ID`, if that has 1 to 128 characters of `A-Z a-z 0-9 . _ -`."
        ),
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    },
    "ETag": {
        "description": "The version, for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": TAG,
    },
    "Location": {
        "description": "The path of the new task; from `/` that of the page.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'The next page, as `<path>; rel="next"`, if there is one.',
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if an earlier request with this key created the task.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": WHOLE,
    },
    "WWW-Authenticate": {
        "description": (
            '`Bearer`; with `error="invalid_token"` if there was a token (RFC 6750).'
        ),
        "required": True,
        "schema": {"type": "string", "pattern": "^Bearer"},
    },
    "RateLimit-Limit": {
        "description": (
            "How many requests a window allows. Counted answers have the three"
            " `RateLimit-` headers, unless the limit is switched off."
        ),
        "schema": WHOLE,
    },
    "RateLimit-Remaining": {
        "description": "How many requests of the window are left.",
        "schema": WHOLE,
    },
    "RateLimit-Reset": {
        "description": "After how many seconds the window ends.",
        "schema": WHOLE,
    },
}
RATE_LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def parameters() -> dict[str, Json]:
    """The components of the headers that requests may have, by their key."""
    return {
        key(name): {"name": name.partition(":")[0], "in": "header", **described}
        for name, described in SENT.items()
    }


def sent(name: str) -> Json:
    """A reference to a header that a request may have."""
    return {"$ref": f"#/components/parameters/{key(name)}"}


def received(*names: str) -> Json:
    """References to the headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def key(name: str) -> str:
    """The name of a header's component."""
    return name.replace(": *", "-Any")
