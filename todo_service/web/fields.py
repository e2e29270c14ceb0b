"""marshmallow fields as strict as `docs/contract.md`; the library's are lenient."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

# Unicode's White_Space property (PropList.txt). `str.strip` alone takes more.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)

RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])",
    re.IGNORECASE,
)

UUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Data = Mapping[str, Any] | None


class Text(fields.String):
    """A string that PostgreSQL can store; `trimmed` removes white space around it."""

    def __init__(self, *, trimmed: bool = False, **options: Any):
        super().__init__(**options)
        self._trimmed = trimmed

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise ValidationError("Must not contain a NUL character.")
        return text.strip(WHITE_SPACE) if self._trimmed else text


class Flag(fields.Field):
    """A JSON boolean. Other values that Python takes for true or false are not."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Uuid(fields.Field):
    """A UUID as RFC 9562 writes it, in either case; it becomes lower case."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> str:
        if not isinstance(value, str) or not UUID.fullmatch(value):
            raise ValidationError("Must be a UUID.")
        return value.lower()


class Word(fields.Field):
    """One of some words, each of which stands for a value."""

    def __init__(self, meanings: dict[str, Any], **options: Any):
        super().__init__(allow_none=False, **options)
        self.meanings = meanings

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> Any:
        if not isinstance(value, str) or value not in self.meanings:
            raise ValidationError(f"Must be one of: {', '.join(self.meanings)}.")
        return self.meanings[value]


class QueryInteger(fields.Integer):
    """A whole number in a query string: digits, no separators, no fraction.

    For JSON numbers use marshmallow's own `Integer(strict=True)`.
    """

    def _validated(self, value: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]+", value):
            raise self.make_error("invalid")
        return super()._validated(value)


class Timestamp(fields.Field):
    """A moment as RFC 3339 writes it, within the years 1 to 9999 in UTC.

    PostgreSQL would store moments outside of these years, and psycopg2 could not read
    them back. Digits beyond microseconds are dropped.
    """

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> datetime:
        try:
            if isinstance(value, str) and RFC_3339.fullmatch(value):
                return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError("Must be a timestamp like 2026-11-20T10:00:00Z.")
