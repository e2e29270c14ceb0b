"""What a setting can be: marshmallow fields whose messages never show the value."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields, validate


class Parsed(fields.Field):
    """Text that goes through a function; its `ValueError` says what it must be."""

    def __init__(self, parse: Callable[[str], Any]):
        super().__init__(load_default=None)
        self._parse = parse

    def _deserialize(self, value, attr, data, **kwargs):
        try:
            return self._parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class List(Parsed):
    """The same, of each item of a comma-separated list."""

    def __init__(self, parse: Callable[[str], str] = str, *, default: list[str]):
        super().__init__(lambda text: [parse(item) for item in _items(text)])
        self.load_default = default


def choice(*names: str, default: str) -> fields.String:
    """One of some words."""
    must = f"must be one of {', '.join(names)}."
    return fields.String(
        load_default=default, validate=validate.OneOf(names, error=must)
    )


def whole(lowest: int, highest: int, *, default: int) -> fields.Integer:
    """A whole number."""
    return _number(fields.Integer, lowest, highest, default)


def seconds(lowest: float, highest: float, *, default: float) -> fields.Float:
    """A number of seconds, whole or not."""
    return _number(fields.Float, lowest, highest, default)


def _items(text):
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise ValueError("must name something between its commas.")
    return items


def _number(kind, lowest, highest, default):
    must = f"must be a number from {lowest} to {highest}."
    return kind(
        load_default=default,
        error_messages={"invalid": must, "special": must, "too_large": must},
        validate=validate.Range(lowest, highest, error=must),
    )
