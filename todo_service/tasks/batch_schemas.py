"""The body of a batch: what clients may say of many tasks at once."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validate, validates_schema
from marshmallow import fields as lenient

from todo_service.tasks.schemas import WRITABLE, Body, Task
from todo_service.web import fields

ITEMS_AT_MOST = 100
HIGHEST_VERSION = 2**63 - 1


class _NewItem(Task):
    """A task to create, perhaps under an id of the client's own."""

    id = fields.Uuid(
        metadata={"description": "An id of the client's own, instead of a new one."}
    )


class _Named(Body):
    """A task that is there, perhaps in the version that it must have."""

    id = fields.Uuid(required=True, metadata={"description": "The task's id."})
    version = lenient.Integer(
        strict=True,
        validate=validate.Range(0, HIGHEST_VERSION),
        metadata={"description": "The version that the task must have, else 412."},
    )


class _Change(Task, _Named):
    """The fields of a task to change."""


class _Items(lenient.List):
    """1 to 100 objects, none with the `id` of another."""

    def __init__(self, schema: Schema, description: str):
        metadata = {
            "description": description,
            "minItems": 1,
            "maxItems": ITEMS_AT_MOST,
        }
        super().__init__(lenient.Nested(schema), metadata=metadata)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= ITEMS_AT_MOST:
            raise ValidationError(f"Must be a list of 1 to {ITEMS_AT_MOST} items.")
        for number, each in enumerate(value):
            if not isinstance(each, dict):
                raise ValidationError({number: ["Must be an object."]})
        items = super()._deserialize(value, attr, data, **kwargs)
        _refuse_repeated_ids(items)
        return items


def _refuse_repeated_ids(items: list[Any]) -> None:
    met: set[str] = set()
    for number, each in enumerate(items):
        own = each.get("id")
        if own and own in met:
            raise ValidationError({number: {"id": ["Given twice."]}})
        met.add(own)


class Batch(Schema):
    """One kind of write, and its items."""

    create = _Items(_NewItem(), "New tasks, perhaps under ids of the client's own.")
    change = _Items(_Change(partial=WRITABLE), "Tasks, with the fields to change.")
    delete = _Items(_Named(), "Tasks to move to the trash.")
    restore = _Items(_Named(), "Tasks to take back from the trash.")

    @validates_schema
    def _require_one_kind(self, sent: dict[str, Any], **kwargs: Any) -> None:
        if len(sent) != 1:
            kinds = ", ".join(self.fields)
            raise ValidationError(f"The body must have exactly one of {kinds}.")
