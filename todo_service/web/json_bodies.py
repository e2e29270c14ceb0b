"""JSON bodies: strict about what comes in, fast for what goes out."""

from typing import Any

import orjson
from flask import Flask, Response, abort, request
from flask.json.provider import JSONProvider
from marshmallow import Schema
from werkzeug.exceptions import RequestEntityTooLarge

BODY_BYTES = 128 * 1024


class _Orjson(JSONProvider):
    """orjson refuses what JSON cannot say: NaN, Infinity, lone surrogates."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


def init_app(app: Flask) -> None:
    """Read and write JSON through orjson; read no more of a body than is allowed.

    The limit that Werkzeug gets is one byte higher. A chunked body that fills
    Werkzeug's limit looks to it like one that goes on.
    """
    app.json = _Orjson(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES + 1


def load(schema: Schema) -> dict[str, Any]:
    """The request's JSON object, valid by the schema: else 413, 415 or 400."""
    return schema.load(_object(_raw()))


def load_optional(schema: Schema) -> dict[str, Any]:
    """The same; no body counts as an empty object."""
    raw = _raw()
    return schema.load({} if raw == b"" else _object(raw))


def _raw() -> bytes | None:
    """The body; None if it broke off or was badly chunked."""
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception:  # Each HTTP server has its own error for a broken chunk.
        return None
    if len(raw) > BODY_BYTES:
        raise RequestEntityTooLarge
    return raw if request.content_length in (None, len(raw)) else None


def _object(raw: bytes | None) -> dict[str, Any]:
    if request.mimetype != "application/json":
        abort(415, "The body must be application/json.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        abort(415, "The body must not have a Content-Encoding.")
    if raw is None:
        abort(400, "The body is incomplete.")
    try:
        sent = orjson.loads(raw)
    except orjson.JSONDecodeError:
        abort(400, "The body is not valid JSON.")
    if not isinstance(sent, dict):
        abort(400, "The body must be a JSON object.")
    return sent
