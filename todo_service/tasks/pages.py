"""One page of the list: what a client asks for, and what it is answered."""

from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from flask import request
from marshmallow import ValidationError, validate
from marshmallow.fields import Integer
from sqlalchemy import Row

from todo_service import fields
from todo_service.tasks import tokens
from todo_service.tasks.columns import PUBLIC, WITH_TRASH, as_json
from todo_service.tasks.criteria import CHOICES, FILTERS

# What a cursor may carry of the task at its place, for each sort.
KEYS = {
    "created_at": fields.Timestamp(),
    "updated_at": fields.Timestamp(),
    "due_at": fields.Timestamp(allow_none=True),
    "priority": Integer(strict=True, validate=validate.Range(1, 3)),
    "title": fields.Text(),
}


class Page:
    """A page of a user's list, as the query's parameters ask for it."""

    def __init__(self, user_id: str, query: dict[str, Any]):
        self.limit = query["limit"]
        self.sort = query["sort"]
        known = CHOICES.keys() | FILTERS.keys()
        self.filters = {name: query[name] for name in sorted(known & query.keys())}
        if not self.filters.get("q", "").strip(fields.WHITE_SPACE):
            self.filters.pop("q", None)
        # What a cursor is good for: this user's list, in this order, of these tasks.
        self._context = (user_id, self.sort, self.filters)
        self.after = self._place(query["cursor"]) if "cursor" in query else None
        self.offset = None if self.after else query["offset"]
        self.fingerprint = tokens.fingerprint(
            *self._context, self.limit, self.offset, query.get("cursor"), PUBLIC
        )

    def answer(self, rows: list[Row]) -> dict:
        """The page's body. Of the rows one too many says that there is more."""
        names = WITH_TRASH if self.filters["deleted"] else PUBLIC
        tasks = [row for row in rows if row.id]
        more = len(tasks) > self.limit
        return {
            "tasks": [as_json(row, names) for row in tasks[: self.limit]],
            "total": rows[0].total,
            "limit": self.limit,
            "offset": self.offset,
            "next_cursor": self._cursor(tasks[self.limit - 1]) if more else None,
        }

    def _cursor(self, last: Row) -> str:
        return tokens.seal([last.key, last.id], *self._context)

    def _place(self, cursor: str) -> tuple[Any, str]:
        """Where the page before ended; checked like anything else that comes in."""
        try:
            key, task_id = tokens.unseal(cursor, *self._context)
            return KEYS[self.sort.lstrip("-")].deserialize(key), str(UUID(task_id))
        except (ValueError, TypeError, AttributeError):
            raise ValidationError({"cursor": ["Not one of this list."]}) from None


def link_to_next(cursor: str) -> str:
    """The `Link` header's value: the same query, from the cursor on (RFC 8288)."""
    asked = request.args.items(multi=True)
    kept = [pair for pair in asked if pair[0] not in ("cursor", "offset")]
    return f'<{_here()}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'


def path_below(task_id: str) -> str:
    """Where a task of the list is that the request was sent to."""
    return f"{_here()}/{task_id}"


def _here() -> str:
    return quote(f"{request.root_path}{request.path.removesuffix('/')}")
