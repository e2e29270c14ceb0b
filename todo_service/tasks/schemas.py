"""What clients may say of tasks."""

from marshmallow import Schema, ValidationError, pre_load, validate, validates_schema
from marshmallow import fields as lenient

from todo_service import fields

PRIORITIES = ["low", "medium", "high"]
SORTS = [
    f"{direction}{key}"
    for key in ("created_at", "updated_at", "due_at", "priority", "title")
    for direction in ("", "-")
]
READ_ONLY = {
    "id",
    "user_id",
    "version",
    "completed_at",
    "created_at",
    "updated_at",
    "deleted_at",
}


class _Body(Schema):
    """A client may send back what it got: what it cannot write is ignored."""

    @pre_load
    def _without_read_only(self, sent, **kwargs):
        return {name: value for name, value in sent.items() if name not in READ_ONLY}


class _Tags(lenient.List):
    """A list without exact duplicates, in the order in which they came."""

    def _deserialize(self, value, attr, data, **kwargs):
        if isinstance(value, list) and len(value) > 20:
            raise ValidationError("Longer than maximum length 20.")
        return list(dict.fromkeys(super()._deserialize(value, attr, data, **kwargs)))


class Task(_Body):
    """The writable fields: with their defaults at creation, any of them in a change."""

    title = fields.Text(
        required=True, trimmed=True, validate=validate.Length(min=1, max=200)
    )
    description = fields.Text(
        load_default=None, allow_none=True, validate=validate.Length(max=5000)
    )
    completed = fields.Flag(load_default=False)
    priority = fields.Text(load_default="medium", validate=validate.OneOf(PRIORITIES))
    due_at = fields.Timestamp(load_default=None, allow_none=True)
    tags = _Tags(
        fields.Text(trimmed=True, validate=validate.Length(min=1, max=50)),
        load_default=list,
    )

    @pre_load
    def _null_tags_are_none(self, sent, **kwargs):
        return sent | {"tags": []} if sent.get("tags", []) is None else sent

    @validates_schema
    def _says_something(self, sent, **kwargs):
        if not sent:
            raise ValidationError("The body has no field that can be changed.")


class Completion(_Body):
    """What `complete` may be told: nothing, which toggles, or what to set."""

    completed = fields.Flag()


class _Page(Schema):
    """How much of a list at once."""

    limit = fields.Whole(load_default=50, validate=validate.Range(1, 100))


class TaskQuery(_Page):
    """The list's parameters."""

    status = fields.Text(
        load_default="all", validate=validate.OneOf(["all", "pending", "completed"])
    )
    priority = lenient.List(fields.Text(validate=validate.OneOf(PRIORITIES)))
    tag = lenient.List(fields.Text())
    q = fields.Text()
    due_before = fields.Timestamp()
    due_after = fields.Timestamp()
    deleted = fields.Word({"true": True, "false": False}, load_default=False)
    sort = fields.Text(load_default="-created_at", validate=validate.OneOf(SORTS))
    offset = fields.Whole(load_default=0, validate=validate.Range(0, 1_000_000_000))
    cursor = fields.Text()

    @validates_schema(pass_original=True)
    def _pages_one_way(self, wanted, sent, **kwargs):
        if "cursor" in sent and "offset" in sent:
            raise ValidationError("Not together with offset.", "cursor")


class ChangesQuery(_Page):
    """The parameters of sync."""

    since = fields.Text()
