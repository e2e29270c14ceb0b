"""JSON Schemas of the marshmallow schemas with which the service validates."""

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow import fields as plain

from todo_service.documents.operations import Json
from todo_service.web import fields

OPENAPI = "3.1.0"
# The kinds of field that apispec does not know: their type and format.
TYPES = {
    fields.Flag: ("boolean", None),
    fields.Timestamp: ("string", "date-time"),
    fields.Uuid: ("string", "uuid"),
    fields.Word: ("string", None),
}


def of_body(schema: Schema) -> Json:
    """The schema of a body."""
    return CONVERTER.schema2jsonschema(schema)


def of_query(schema: Schema) -> list[Json]:
    """The parameters of a query."""
    return CONVERTER.schema2parameters(schema, location="query")


def _converter() -> OpenAPIConverter:
    # Without names, nested schemas stand where they are used.
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: "")
    APISpec("", "", OPENAPI, plugins=[plugin])
    converter = plugin.converter
    if converter is None:
        raise RuntimeError("apispec has not initialised its plugin.")
    # apispec would change the mapping of the class, which all converters share.
    converter.field_mapping = {**converter.field_mapping, **TYPES}
    converter.add_attribute_function(_words)
    converter.add_attribute_function(_drop_default)
    return converter


def _words(self: OpenAPIConverter, field: plain.Field, **kwargs: Any) -> Json:
    """The words of a `Word`, and which of them is the default."""
    if not isinstance(field, fields.Word):
        return {}
    words = {meaning: word for word, meaning in field.meanings.items()}
    return {"enum": list(field.meanings), "default": words[field.load_default]}


def _drop_default(self: OpenAPIConverter, field: plain.Field, **kwargs: Any) -> Json:
    """Drops a default of null where null is not allowed: the value comes later.

    In a change no field has a default: what is left out stays as it is.
    """
    found = kwargs["ret"]
    partial = getattr(field.parent, "partial", None) or ()
    if partial is True or field.name in partial:
        found.pop("default", None)
    if not field.allow_none and found.get("default", "") is None:
        del found["default"]
    return {}


CONVERTER = _converter()
