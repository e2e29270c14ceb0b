"""Sync: every change after a token, none lost, whatever readers and writers do.

A token is a place in the numbers of the user's counter, with the number at which the
client began (the floor): what was deleted before that, it never saw. The counter's row
lock makes the order of the numbers the order of the commits, and the counter, the purge
mark and the tasks are read in one snapshot; so a number once passed cannot come late.
"""

from functools import cache

from flask import abort
from marshmallow import ValidationError, fields, validate
from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    Select,
    bindparam,
    func,
    or_,
    select,
    true,
)

from todo_service.tables import tasks, users
from todo_service.tasks import tokens
from todo_service.tasks.change import LIVE, OWNER
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
        known = max(self.position, floor)
        if known > counter or known < purged:
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


def select_changes(
    user_id: str, *, position: int, floor: int | None, limit: int
) -> Select:
    """The tasks changed after a position, oldest change first, one more if there is.

    Each row with the user's `counter` and purge mark; one whose `id` is null where
    nothing changed. Without a floor, no deleted tasks.
    """
    floors = {} if floor is None else {"floor": floor}
    return _select_changes(floor is None).params(
        owner=user_id, position=position, rows=limit + 1, **floors
    )


@cache
def _select_changes(first: bool) -> Select:
    mark = (
        select(
            func.coalesce(func.max(users.c.last_change), 0).label("counter"),
            func.coalesce(func.max(users.c.purged_through), 0).label("purged"),
        )
        .where(users.c.id == OWNER)
        .subquery("mark")
    )
    later = tasks.c.version > bindparam("floor", type_=BigInteger)
    changed = (
        select(tasks)
        .where(
            tasks.c.user_id == OWNER,
            tasks.c.version > bindparam("position", type_=BigInteger),
            LIVE if first else or_(LIVE, later),
        )
        .order_by(tasks.c.version)
        .limit(bindparam("rows", type_=Integer))
        .subquery("changed")
    )
    return (
        select(*shown(changed, WITH_TRASH), mark.c.counter, mark.c.purged)
        .select_from(mark.outerjoin(changed, true()))
        .order_by(changed.c.version)
    )
