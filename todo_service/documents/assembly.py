"""Puts the document together: the application's routes, and what is said of each."""

import re
from collections.abc import Sequence

from flask import Flask
from werkzeug.routing import Rule

from todo_service.documents import headers, introduction, json_schemas, refusals, routes
from todo_service.documents.operations import Json, Section
from todo_service.settings import Settings
from todo_service.web.paths import NAMES_USER

# The version of docs/contract.md, not of the release, which is no stranger's business.
# It changes if clients have to change.
CONTRACT_VERSION = "1"
WITH_USER = "with the user in the path"
PATH_PARAMETERS = {
    "id": {
        "description": "The task's id.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "user_id": {
        "description": (
            "The user, who must be the token's. An id that has a `/`, or is `.`, `..`"
            " or `tasks`, cannot stand here: such a user has the paths without it."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}

Route = tuple[Section, str, Rule, str]


def assemble(app: Flask, settings: Settings, sections: Sequence[Section]) -> Json:
    """The OpenAPI document of this application."""
    return {
        "openapi": json_schemas.OPENAPI,
        "info": {
            "title": "Todo service",
            "version": CONTRACT_VERSION,
            "description": introduction.written_for(settings),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        **_paths(app, sections),
        "components": _components(sections),
    }


def _paths(app: Flask, sections: Sequence[Section]) -> Json:
    """The paths with their operations, and the tags that group these."""
    public = app.extensions["public_paths"]
    paths: Json = {}
    tags: dict[str, Json] = {}
    ids: set[str] = set()
    for section, name, rule, method in _routes(app, sections):
        path = routes.path(rule)
        tag = _tag(section, rule)
        tags[tag["name"]] = tag
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": _id(name, rule, ids),
            "tags": [tag["name"]],
            **routes.describe(
                section.operations[name], rule, closed=path not in public
            ),
        }
    return {"tags": list(tags.values()), "paths": paths}


def _routes(app: Flask, sections: Sequence[Section]) -> list[Route]:
    """Every route that a section describes, in the order of the descriptions.

    The mount with the user comes last. A test finds routes that no section describes.
    """
    described = {name: each for each in sections for name in each.operations}
    places = list(described)
    found = [
        (described[name], name, rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        if (name := rule.endpoint.rpartition(".")[2]) in described
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    return sorted(
        found, key=lambda route: (_names_user(route[2]), places.index(route[1]))
    )


def _names_user(rule: Rule) -> bool:
    """True on the mount whose paths name the user."""
    return rule.rule.startswith(NAMES_USER)


def _tag(section: Section, rule: Rule) -> Json:
    if not _names_user(rule):
        return {"name": section.name, "description": section.description}
    return {
        "name": f"{section.name} {WITH_USER}",
        "description": "The same, for front ends whose paths name the user.",
    }


def _id(name: str, rule: Rule, ids: set[str]) -> str:
    """`createTask`; on the mount with the user `createTaskOfUser`.

    The second path of a view has its last segment behind.
    """
    words = name.split("_") + ["of", "user"] * _names_user(rule)
    camel = words[0] + "".join(map(str.capitalize, words[1:]))
    if camel in ids:
        last = re.split(r"[^a-z]+", rule.rule.rpartition("/")[2])
        camel += "By" + "".join(map(str.capitalize, last))
    ids.add(camel)
    return camel


def _components(sections: Sequence[Section]) -> Json:
    path_parameters = {
        name: {"name": name, "in": "path", "required": True, **described}
        for name, described in PATH_PARAMETERS.items()
    }
    schemas: Json = {}
    for section in sections:
        schemas |= section.schemas
    return {
        "schemas": schemas | refusals.SCHEMAS,
        "responses": refusals.responses(),
        "parameters": path_parameters | headers.parameters(),
        "headers": headers.RECEIVED,
        "securitySchemes": {"token": introduction.TOKEN},
    }
