"""The API's own documents: what it can do, written from the code that does it.

Each feature describes its routes next to its views. This room turns that into OpenAPI.
"""

from functools import cache

import orjson
from flask import Flask, current_app
from flask.typing import ResponseReturnValue

from todo_service import identity
from todo_service.documents import page
from todo_service.documents.assembly import assemble
from todo_service.documents.files import File
from todo_service.documents.operations import Answer, Operation, Section
from todo_service.settings import Settings

PATH = "/openapi.json"
SECTION = Section(
    name="Documents",
    description="What describes this API. No token is needed.",
    operations={
        "read_document": Operation(
            summary="Read this document",
            description="OpenAPI 3.1. It changes only with a release or a setting.",
            conditional="the document",
            answers={
                200: Answer(
                    "This document.",
                    schema={"type": "object", "description": "OpenAPI 3.1."},
                    headers=("ETag",),
                )
            },
        ),
        **page.OPERATIONS,
    },
)


def init_app(app: Flask, settings: Settings, *sections: Section) -> None:
    """Mount `/openapi.json`, made at the first request for it, and `/docs`."""

    @cache
    def document() -> File:
        made = assemble(app, settings, (*sections, SECTION))
        return File(orjson.dumps(made), "application/json")

    app.extensions["document"] = document
    identity.open_paths(app, PATH)
    app.add_url_rule(PATH, view_func=read_document)
    page.init_app(app)


def read_document() -> ResponseReturnValue:
    """Read the OpenAPI document."""
    return current_app.extensions["document"]().answer()
