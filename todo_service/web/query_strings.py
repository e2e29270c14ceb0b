"""Query strings: names and values that a schema checks."""

from typing import Any
from urllib.parse import parse_qsl

from flask import abort, g, request
from marshmallow import Schema, ValidationError, fields


def load(schema: Schema) -> dict[str, Any]:
    """The query string's parameters, valid by the schema: else 400."""
    given: dict[str, list[str]] = {}
    for name, value in pairs():
        given.setdefault(name, []).append(value)
    return schema.load({name: _value(schema, name, given[name]) for name in given})


def refuse_undecodable() -> None:
    """400 for a query string that is not text, also where it means nothing."""
    pairs()


def pairs() -> list[tuple[str, str]]:
    """The query string's names and values, read once in a request. 400 if not text."""
    if "query_pairs" not in g:
        g.query_pairs = _read() if request.query_string else []
    return g.query_pairs


def _read() -> list[tuple[str, str]]:
    try:
        text = request.query_string.decode("utf-8")
        found = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        abort(400, "The query string is not valid UTF-8.")
    if any("\0" in part for pair in found for part in pair):
        abort(400, "The query string contains a NUL character.")
    return found


def _value(schema: Schema, name: str, given: list[str]) -> str | list[str]:
    """Every value of a list; the only value of anything else."""
    if isinstance(schema.fields.get(name), fields.List):
        return given
    if len(given) > 1:
        raise ValidationError({name: ["May be given only once."]})
    return given[0]
