"""The bodies that clients send about tasks, as OpenAPI describes them.

They come from the schemas that validate them.
"""

from todo_service.documents import json_schemas
from todo_service.documents.operations import Json
from todo_service.tasks.batch_schemas import Batch
from todo_service.tasks.schemas import READ_ONLY, Completion, Task


def _body(schema: Json, description: str) -> Json:
    """What a client may send. What the service writes is ignored in it."""
    ignored = {
        field: {"description": "Only the service writes it: ignored in a request."}
        for field in sorted(READ_ONLY - schema["properties"].keys())
    }
    schema["properties"] |= ignored
    if "tags" in schema["properties"]:
        schema["properties"]["tags"]["type"] = ["array", "null"]
    return schema | {"description": description}


def _batch() -> Json:
    schema = json_schemas.of_body(Batch())
    for kind in schema["properties"].values():
        kind["items"] = _body(kind["items"], "An item of a batch.")
    # The id, and a field to change.
    schema["properties"]["change"]["items"]["minProperties"] = 2
    exactly_one = {"minProperties": 1, "maxProperties": 1}
    return schema | exactly_one | {"description": "Exactly one of these lists."}


SCHEMAS: dict[str, Json] = {
    "NewTask": _body(json_schemas.of_body(Task()), "A task to create."),
    "TaskChange": _body(
        json_schemas.of_body(Task(partial=True)),
        "The fields to change, at least one. What is left out keeps its value.",
    )
    | {"minProperties": 1},
    "Completion": _body(
        json_schemas.of_body(Completion()), "Nothing toggles; a value is set."
    ),
    "Batch": _batch(),
}
