"""Bodies: what clients may say of a task."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, pre_load, validate, validates_schema
from marshmallow import fields as lenient

from todo_service.tasks import order_keys
from todo_service.web import fields

# In their order: low < medium < high.
PRIORITIES = ("low", "medium", "high")
TAGS_AT_MOST = 20
# For those who read the document. What counts is white space by Unicode.
NOT_BLANK = r"\S"
READ_ONLY = {
    "id",
    "user_id",
    "version",
    "completed_at",
    "created_at",
    "updated_at",
    "deleted_at",
}


class Body(Schema):
    """A client may send back what it got: read-only fields are ignored."""

    @pre_load
    def _drop_read_only(self, sent: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        ignored = READ_ONLY - self.fields.keys()
        return {name: value for name, value in sent.items() if name not in ignored}


class _Tags(lenient.List):
    """A list without exact duplicates, in the order in which they came."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> list[Any]:
        if isinstance(value, list) and len(value) > TAGS_AT_MOST:
            raise ValidationError(f"Longer than maximum length {TAGS_AT_MOST}.")
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


def _check_order_key(key: str) -> None:
    if not order_keys.is_valid(key):
        raise ValidationError(
            "Must be a key of fractional-indexing, like a0,"
            f" of at most {order_keys.LENGTH} characters."
        )


class Task(Body):
    """The writable fields. A new task gets the defaults; a change has any of them."""

    title = fields.Text(
        required=True,
        trimmed=True,
        validate=validate.Length(min=1, max=200),
        metadata={
            "description": "1 to 200 characters, without white space around it.",
            "pattern": NOT_BLANK,
        },
    )
    description = fields.Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=5000),
        metadata={"description": "At most 5,000 characters, kept as they are."},
    )
    completed = fields.Flag(
        load_default=False, metadata={"description": "Whether the task is done."}
    )
    priority = fields.Text(
        load_default="medium",
        validate=validate.OneOf(PRIORITIES),
        metadata={"description": "How urgent the task is."},
    )
    due_at = fields.Timestamp(
        load_default=None,
        allow_none=True,
        metadata={"description": "When the task is due; null for no date."},
    )
    # Left out, it comes from the clock, but later: equal bodies load alike.
    position = fields.Text(
        load_default=None,
        allow_none=False,
        validate=_check_order_key,
        metadata=order_keys.DESCRIBED,
    )
    tags = _Tags(
        fields.Text(
            trimmed=True,
            validate=validate.Length(min=1, max=50),
            metadata={"pattern": NOT_BLANK},
        ),
        load_default=list,
        metadata={
            "description": (
                f"At most {TAGS_AT_MOST}, each of 1 to 50 characters after white space"
                " around it is removed. Repeated ones are dropped, the order is kept."
            ),
            "maxItems": TAGS_AT_MOST,
            "default": [],
        },
    )

    @pre_load
    def _read_null_tags_as_empty(
        self, sent: dict[str, Any], **kwargs: Any
    ) -> dict[str, Any]:
        return sent | {"tags": []} if sent.get("tags", []) is None else sent

    @validates_schema
    def _require_a_field(self, sent: dict[str, Any], **kwargs: Any) -> None:
        if sent.keys() <= READ_ONLY:
            raise ValidationError("There is no field to change.")


WRITABLE = tuple(Task().fields)


class Completion(Body):
    """What `complete` may be told: nothing, which toggles, or the value to set."""

    completed = fields.Flag(
        metadata={"description": "The value to set. Left out, `completed` is toggled."}
    )
