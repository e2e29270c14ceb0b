"""What a new task has where its body says nothing; a new field has a line here."""

import re
from typing import Any


class FromTheClock:
    """Equals every position that the service's clock gives."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(re.fullmatch("R[0-9A-Za-z]{9}", other))

    __hash__ = None  # type: ignore[assignment]


DEFAULTS: dict[str, Any] = {
    "description": None,
    "completed": False,
    "priority": "medium",
    "due_at": None,
    "position": FromTheClock(),
    "tags": [],
}
