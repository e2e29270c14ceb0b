"""What a feature says of its routes: the words that the code alone cannot say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A good answer: when it comes, its body's schema, its headers, an example.

    `kind` is the body's media type, if it is not JSON.
    """

    when: str
    schema: Json | None = None
    headers: tuple[str, ...] = ()
    example: Any = None
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A JSON body: its schema, and examples by what they show."""

    schema: Json
    examples: Mapping[str, Json]
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A route: what it does, what it takes, what it answers.

    `conditional` names what `If-None-Match` is about: then a 304 is an answer too.
    `refusals` says for a status when it comes; those of every route need no entry.
    """

    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    query: Schema | None = None
    headers: tuple[str, ...] = ()
    body: Body | None = None
    conditional: str = ""
    refusals: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A feature's part of the document. Operations have the names of their views."""

    name: str
    description: str
    operations: Mapping[str, Operation]
    schemas: Mapping[str, Json] = field(default_factory=dict)


def ref(name: str) -> Json:
    """A reference to a schema of some section."""
    return {"$ref": f"#/components/schemas/{name}"}
