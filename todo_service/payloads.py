"""JSON on the wire: strict about what comes in, fast for what goes out."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from flask import Flask, Response, abort, request
from flask.json.provider import JSONProvider
from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge

BODY_BYTES = 128 * 1024


class _Orjson(JSONProvider):
    """orjson refuses what JSON has no words for: NaN, Infinity, lone surrogates."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any):
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


def init_app(app: Flask) -> None:
    """Speak JSON through orjson, and read no more of a body than is allowed.

    One byte more is let through: a chunked body that fills the limit cannot be told
    from one that goes on.
    """
    app.json = _Orjson(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES + 1


def body(schema: Schema) -> dict:
    """The request's JSON object, valid by the schema: else 413, 415 or 400."""
    return schema.load(_object(_raw()))


def optional_body(schema: Schema) -> dict:
    """The same, where no body stands for an empty object."""
    raw = _raw()
    return schema.load({} if raw == b"" else _object(raw))


def query(schema: Schema) -> dict:
    """The query string's parameters, valid by the schema: else 400."""
    pairs = query_pairs()
    return schema.load({name: _value(schema, name, pairs) for name, _ in pairs})


def query_pairs() -> list[tuple[str, str]]:
    """The query string's names and values: 400 if they are no text."""
    try:
        text = request.query_string.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        abort(400, "The query string is not valid UTF-8.")
    if any("\0" in part for pair in pairs for part in pair):
        abort(400, "The query string contains a NUL character.")
    return pairs


def _value(schema: Schema, name: str, pairs: list[tuple[str, str]]):
    """All that was given for a list, the one thing that was given for anything else."""
    given = [value for key, value in pairs if key == name]
    if isinstance(schema.fields.get(name), fields.List):
        return given
    if len(given) > 1:
        raise ValidationError({name: ["May be given only once."]})
    return given[0]


def _raw() -> bytes | None:
    """The body; None where it broke off or was badly chunked."""
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception:  # each HTTP server has its own for a broken chunk
        return None
    if len(raw) > BODY_BYTES:
        raise RequestEntityTooLarge
    return raw if request.content_length in (None, len(raw)) else None


def _object(raw: bytes | None) -> dict:
    if request.mimetype != "application/json":
        abort(415, "The body must be application/json.")
    if raw is None:
        abort(400, "The body is incomplete.")
    try:
        sent = orjson.loads(raw)
    except orjson.JSONDecodeError:
        abort(400, "The body is not valid JSON.")
    if not isinstance(sent, dict):
        abort(400, "The body must be a JSON object.")
    return sent
