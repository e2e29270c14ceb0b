"""The document's first page: what holds for every request, with these settings."""

from todo_service.documents.operations import Json
from todo_service.settings import Settings

TOKEN: Json = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": (
        "The token that your front end gets from its issuer (Better Auth's"
        " `authClient.token()`), or from `POST /auth/login` where this service has"
        " accounts. In development, `flask token alice` prints one."
    ),
}
TEXT = """\
Each user's tasks, in PostgreSQL.

**Who asks.** Every request but the public ones carries `Authorization: Bearer <token>`.
The token's `sub` is the user. A token is good until its `exp`: Better Auth's for 15
minutes{ttl}. When it has ended, the answer is a 401: get a new token and send the
request again.

**Paths.** The same tasks are below `/api/tasks` and below `/api/{{user_id}}/tasks`,
where the user has to be the token's. A trailing slash changes nothing. `HEAD` works
wherever `GET` does. An unknown path is a 404, and a method that a path does not have is
a 405 with `Allow`; without a token both are a 401.

**Errors.** Every error is `{{"error": "a sentence"}}`. A client that sends `Accept:
application/problem+json` gets RFC 9457 instead, with `errors` (a list of `field` and
`message`) if fields are wrong.

**Times** are RFC 3339. Answers have them in UTC with six digits:
`2026-11-20T10:00:00.123456Z`. Requests may have any offset, but must have one.

**Text** is counted in Unicode code points (JavaScript's `length` counts some of them
twice), and must not contain NUL. An unknown field is a 400. Fields that only the
service writes are ignored in a request, so a client may send back what it got.

**Versions.** Each change of a user's tasks has a number, which is the `version` of the
task and its `ETag`. `If-Match` on a change: 412 if the task has another version by now.
`If-None-Match` on a read: 304 if nothing has changed.

**Trash.** A deleted task can be restored for at least {trash_days} days. `deleted_at`
is there only in the trash, in changes, and in the answer to a repeated create, and only
if the task is deleted.

**Retries.** A create with an `Idempotency-Key` may be sent again: it creates one task.
The key lives as long as its task, until that is purged from the trash. A change with
`If-Match`, and `PUT` with `If-None-Match: *`, may be sent again too.

**Limits.** {rate_limit}. A body has at most 128 KiB.

**Headers.** Every answer has `X-Request-ID`; send one to choose it. Answers of 1 KiB or
more are compressed with gzip if `Accept-Encoding` allows it.
"""


def written_for(settings: Settings) -> str:
    """The text, with the numbers of these settings."""
    accounts = f", an account's for {settings.access_token_ttl} seconds"
    limit = f"A user's requests are limited to {settings.rate_limit}; then, 429"
    return TEXT.format(
        ttl=accounts if settings.local_accounts else "",
        trash_days=settings.trash_days,
        rate_limit=limit if settings.rate_limit else "Any number of requests",
    )
