"""How a query writes what a list filters by: the fields that only lists have."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validate
from marshmallow import fields as plain

from todo_service.web import fields

REPEATED_AT_MOST = 20
SEARCH_LENGTH = 200


class Search(fields.Text):
    """Text to look for; None if it is blank."""

    def __init__(self) -> None:
        description = (
            "Only tasks with this text in the title or the description, in capital or"
            " small letters. `%` and `_` mean themselves. Blank text does not filter."
        )
        super().__init__(
            metadata={"description": description, "maxLength": SEARCH_LENGTH}
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > SEARCH_LENGTH:
            raise ValidationError(f"Longer than maximum length {SEARCH_LENGTH}.")
        return text if text.strip(fields.WHITE_SPACE) else None


def any_of(item: plain.Field, description: str) -> plain.List:
    """A parameter that may be repeated."""
    return plain.List(
        item,
        validate=validate.Length(max=REPEATED_AT_MOST),
        metadata={
            "description": (
                f"{description} Repeat the parameter for any of several,"
                f" {REPEATED_AT_MOST} at most."
            )
        },
    )
