"""What a new task has where its body says nothing; a new field has a line here."""

from typing import Any

DEFAULTS: dict[str, Any] = {
    "description": None,
    "completed": False,
    "priority": "medium",
    "due_at": None,
    "tags": [],
}
