"""One page of the list: what a query asks for, and what it is answered."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, validate, validates_schema
from sqlalchemy import Row, Select

from todo_service.tasks.columns import PUBLIC, WITH_TRASH, as_json
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.list_sorts import SORTS
from todo_service.web import fields, sealed_tokens


class _Paging(Schema):
    """The order and the part of a list."""

    sort = fields.Text(
        load_default="-created_at",
        validate=validate.OneOf(SORTS),
        metadata={
            "description": (
                "The order; `-` in front reverses it. Priorities are low, medium, high."
                " Tasks without `due_at` come last either way. Ties fall to the id."
            )
        },
    )
    limit = fields.QueryInteger(
        load_default=50,
        validate=validate.Range(1, 100),
        metadata={"description": "The size of a page: 1 to 100 tasks."},
    )
    offset = fields.QueryInteger(
        load_default=0,
        validate=validate.Range(0, 1_000_000_000),
        metadata={"description": "How many tasks to skip. Not together with `cursor`."},
    )
    cursor = fields.Text(
        metadata={
            "description": (
                "The `next_cursor` of the page before: pages then neither repeat nor"
                " skip a task while others come and go. It is good only with the same"
                " sort and filters, and not together with `offset`."
            )
        }
    )

    @validates_schema(pass_original=True)
    def _refuse_two_ways(
        self, wanted: dict[str, Any], sent: dict[str, Any], **kwargs: Any
    ) -> None:
        if "cursor" in sent and "offset" in sent:
            raise ValidationError("Not together with offset.", "cursor")


TASK_QUERY = _Paging.from_dict({name: each.field for name, each in FILTERS.items()})()


class Page:
    """A page of a user's list, as the parameters of `TASK_QUERY` ask for it."""

    def __init__(self, owner: str, query: dict[str, Any]):
        self._owner = owner
        self._limit = query["limit"]
        self._sort = query["sort"]
        self._filters = {name: query.get(name) for name in FILTERS}
        # Then the user's row has the total: by status, or of the whole trash.
        given = {name for name, value in self._filters.items() if value is not None}
        trash = self._filters["deleted"]
        self._only_state = given <= ({"deleted"} if trash else {"deleted", "status"})
        # A cursor is good for this user's list, in this order, of these tasks.
        self._context = (owner, self._sort, self._filters)
        self._place = self._unsealed(query["cursor"]) if "cursor" in query else None
        self._offset = None if self._place else query["offset"]
        self.fingerprint = sealed_tokens.fingerprint(
            *self._context, self._limit, self._offset, query.get("cursor"), PUBLIC
        )

    def statement(self) -> Select:
        """The statement in this order, from the beginning or after a cursor."""
        after = bool(self._place)
        statement = SELECT_PAGE[self._sort, after]
        if self._filters["deleted"] or not self._only_state:
            return statement
        usual = (self._filters["status"], self._sort, after)
        return SELECT_USUAL_PAGE.get(usual, statement)

    def parameters(self, seen: list[str]) -> dict[str, Any]:
        """The statement's parameters; `seen` are the states that the client knows.

        The statement asks for one row more than the page holds. If that row comes,
        there is a next page.
        """
        return {
            "owner": self._owner,
            "seen": seen,
            "page_size": self._limit + 1,
            "skipped": self._offset,
            "only_state": self._only_state,
            **self._filters,
            **(self._place or {}),
        }

    def answer(self, rows: list[Row]) -> dict[str, Any]:
        """The page's body."""
        tasks = [row for row in rows if row.id]
        more = len(tasks) > self._limit
        return {
            "tasks": [as_json(row, WITH_TRASH) for row in tasks[: self._limit]],
            "total": rows[0].total,
            "limit": self._limit,
            "offset": self._offset,
            "next_cursor": self._cursor(tasks[self._limit - 1]) if more else None,
        }

    def _cursor(self, last: Row) -> str:
        return sealed_tokens.seal([last.key, last.id], *self._context)

    def _unsealed(self, cursor: str) -> dict[str, Any]:
        """Where the page before ended; checked like anything else that comes in."""
        sort = SORTS[self._sort]
        try:
            key, task_id = sealed_tokens.unseal(cursor, *self._context)
            place_key = sort.place.deserialize(key)
            place_id = str(UUID(task_id))
        except (ValueError, TypeError, AttributeError):
            raise ValidationError({"cursor": ["Not one of this list."]}) from None
        return {
            "place_key": sort.end if place_key is None else place_key,
            "place_id": place_id,
        }
