"""One page of sync: every change after a token, in the order of the changes.

A token is a place in the numbers of the user's counter, with the number at which the
client began (the floor). What was deleted before the floor, the client never saw.

The lock on the counter's row makes the order of the numbers the order of the commits.
The counter, the purge mark and the tasks are read in one snapshot. So no change with a
number that a client has passed can appear later.
"""

from typing import Any

from flask import abort
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import Row

from todo_service.tasks.columns import WITH_TRASH, as_json
from todo_service.web import sealed_tokens
from todo_service.web.fields import QueryInteger, Text

COUNTER = fields.Integer(strict=True, validate=validate.Range(0, 2**63 - 1))


class ChangesQuery(Schema):
    """The parameters of sync."""

    since = Text(
        metadata={
            "description": (
                "The `next` of the answer before. Without it, from the beginning."
            )
        }
    )
    limit = QueryInteger(
        load_default=50,
        validate=validate.Range(1, 500),
        metadata={"description": "The size of a page: 1 to 500 tasks."},
    )


class Changes:
    """The changes that a user's client has not seen yet."""

    def __init__(self, owner: str, query: dict[str, Any]):
        self._owner = owner
        self._limit = query["limit"]
        self._position = 0
        self._floor: int | None = None
        if "since" in query:
            self._position, self._floor = self._unsealed(query["since"])

    def parameters(self) -> dict[str, Any]:
        """The parameters of `SELECT_CHANGES`: one row more than the page holds."""
        return {
            "owner": self._owner,
            "position": self._position,
            "floor": self._floor,
            "page_size": self._limit + 1,
        }

    def answer(self, rows: list[Row]) -> dict[str, Any]:
        """The changes and the token behind them. 410 if some of them can be missing."""
        counter, purged = rows[0].counter, rows[0].purged
        floor = counter if self._floor is None else self._floor
        known = max(self._position, floor)
        if known > counter or known < purged:
            abort(410, "The sync token is too old: start over without one.")
        changed = [row for row in rows if row.id]
        more = len(changed) > self._limit
        reached = changed[self._limit - 1].version if more else counter
        return {
            "changes": [as_json(row, WITH_TRASH) for row in changed[: self._limit]],
            "next": sealed_tokens.seal([reached, floor], "sync", self._owner),
            "more": more,
        }

    def _unsealed(self, since: str) -> tuple[int, int]:
        """The token's two numbers, checked like anything else that comes in."""
        try:
            position, floor = sealed_tokens.unseal(since, "sync", self._owner)
            return COUNTER.deserialize(position), COUNTER.deserialize(floor)
        except (ValueError, TypeError):
            raise ValidationError({"since": ["Not one of your tokens."]}) from None
