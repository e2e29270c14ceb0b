"""The kinds of setting: marshmallow fields whose messages never show the value."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, fields


class Parsed(fields.Field):
    """Text that a function reads; its `ValueError` says what the text must be."""

    def __init__(self, parse: Callable[[str], Any], *, default: Any = None):
        super().__init__(load_default=default)
        self._parse = parse

    def _deserialize(
        self, value: str, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> Any:
        try:
            return self._parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class List(Parsed):
    """A comma-separated list; a function reads each item. The default is no item."""

    def __init__(self, parse: Callable[[str], str]):
        super().__init__(lambda text: [parse(item) for item in _items(text)])
        self.load_default = list


def choice(*names: str, default: str, any_case: bool = False) -> Parsed:
    """One of some words, perhaps in any case."""
    fold = str.lower if any_case else str
    words = {fold(name): name for name in names}

    def parse(text: str) -> str:
        if fold(text) not in words:
            raise ValueError(f"must be one of {', '.join(names)}.")
        return words[fold(text)]

    return Parsed(parse, default=default)


def switch(*, default: bool | None) -> Parsed:
    """true or false, in any case. None stands for a default that is derived."""

    def parse(text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("must be true or false.")
        return text.lower() == "true"

    return Parsed(parse, default=default)


def whole(lowest: int, highest: int, *, default: int | None) -> Parsed:
    """A whole number. The default None is replaced by what follows from others."""
    return _number(int, "[0-9]{1,15}", lowest, highest, default)


def seconds(lowest: float, highest: float, *, default: float) -> Parsed:
    """A number of seconds, whole or not."""
    return _number(float, r"[0-9]{0,15}\.?[0-9]{1,15}", lowest, highest, default)


def _items(text: str) -> list[str]:
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise ValueError("must name something between its commas.")
    return items


def _number(
    kind: Callable[[str], float],
    written: str,
    lowest: float,
    highest: float,
    default: float | None,
) -> Parsed:
    """Python alone would also read `1_0`, `1e1`, `inf` and the digits of any script."""

    def parse(text: str) -> float:
        if re.fullmatch(written, text) and lowest <= kind(text) <= highest:
            return kind(text)
        raise ValueError(f"must be a number from {lowest} to {highest}.")

    return Parsed(parse, default=default)
