"""Sync: every change after a token, none lost, whatever readers and writers do.

A token is a place in the numbers of the user's counter, with the number at which the
client began (the floor): what was deleted before that, it never saw. The counter's row
lock makes the order of the numbers the order of the commits, and the counter, the purge
mark and the tasks are read in one snapshot; so a number once passed cannot come late.
"""

from typing import Any

from flask import abort
from marshmallow import ValidationError, fields, validate
from sqlalchemy import Row, Select, and_, func, or_, select, true

from todo_service.tables import tasks, users
from todo_service.tasks import tokens
from todo_service.tasks.columns import WITH_TRASH, as_json, shown

NUMBER = fields.Integer(strict=True, validate=validate.Range(0, 2**63 - 1))


class Place:
    """How far a client has come, from its token; the beginning without one."""

    def __init__(self, user_id: str, since: str | None):
        self._user_id = user_id
        self.position = 0
        self.floor: int | None = None
        if since is not None:
            self.position, self.floor = self._unsealed(since)

    def answer(self, rows: list[Row], limit: int) -> dict:
        """The changes and the token behind them. 410 where some can be missing."""
        counter, purged = rows[0].counter, rows[0].purged
        floor = counter if self.floor is None else self.floor
        ahead = max(self.position, floor) > counter
        if self.floor is not None and (
            ahead or purged > max(self.position, self.floor)
        ):
            abort(410, "The sync token is too old: start over without one.")
        changed = [row for row in rows if row.id]
        more = len(changed) > limit
        reached = changed[limit - 1].version if more else counter
        return {
            "changes": [as_json(row, WITH_TRASH) for row in changed[:limit]],
            "next": tokens.seal([reached, floor], "sync", self._user_id),
            "more": more,
        }

    def _unsealed(self, since: str) -> tuple[int, int]:
        """Its two numbers, checked like anything else that comes in."""
        try:
            position, floor = tokens.unseal(since, "sync", self._user_id)
            return NUMBER.deserialize(position), NUMBER.deserialize(floor)
        except (ValueError, TypeError):
            raise ValidationError({"since": ["Not one of your tokens."]}) from None


def select_changes(user_id: str, *, position: int, floor: Any, limit: int) -> Select:
    """The tasks changed after a position, oldest change first, one more if there is.

    Each row with the user's `counter` and purge mark; one whose `id` is null where
    nothing changed.
    """
    mark = (
        select(
            func.coalesce(func.max(users.c.last_change), 0).label("counter"),
            func.coalesce(func.max(users.c.purged_through), 0).label("purged"),
        )
        .where(users.c.id == user_id)
        .subquery("mark")
    )
    live = tasks.c.deleted_at.is_(None)
    changed = (
        select(tasks)
        .where(
            and_(tasks.c.user_id == user_id, tasks.c.version > position),
            live if floor is None else or_(live, tasks.c.version > floor),
        )
        .order_by(tasks.c.version)
        .limit(limit + 1)
        .subquery("changed")
    )
    return (
        select(*shown(changed, WITH_TRASH), mark.c.counter, mark.c.purged)
        .select_from(mark.outerjoin(changed, true()))
        .order_by(changed.c.version)
    )
