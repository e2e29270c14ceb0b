"""Tasks as the OpenAPI document shows them."""

from todo_service.documents.operations import Json
from todo_service.tasks.columns import PUBLIC
from todo_service.tasks.schemas import Task

# A field of which nothing is said here has its default.
_VALUES = Task().load({"title": "Buy milk"}) | {
    "id": "019a9c3e-5b70-7c11-8f3a-2d9e6b1c4a57",
    "user_id": "alice",
    "description": "two litres",
    "priority": "high",
    "due_at": "2026-12-01T08:00:00.000000Z",
    "position": "RzHq8Xy0Zk",
    "tags": ["shop"],
    "version": 7,
    "completed_at": None,
    "created_at": "2026-11-20T10:00:00.123456Z",
    "updated_at": "2026-11-20T10:00:00.123456Z",
}
TASK: Json = {name: _VALUES[name] for name in PUBLIC}
COMPLETED = TASK | {
    "completed": True,
    "version": 8,
    "completed_at": "2026-11-20T11:30:00.000000Z",
    "updated_at": "2026-11-20T11:30:00.000000Z",
}
DELETED = TASK | {"version": 9, "deleted_at": "2026-11-20T12:00:00.000000Z"}
OWN_ID = "5f0c3a52-8a0e-4f6e-9f64-5b1f7d0c2e11"
EVERY_FIELD: Json = {
    "title": "Buy milk",
    "description": "two litres",
    "priority": "high",
    "due_at": "2026-12-01T09:00:00+01:00",
    "tags": ["shop"],
}
TITLE_ALONE: Json = {"title": "Buy milk"}
