"""Order keys: where a task stands in the order that its user makes by hand.

They are those of the `fractional-indexing` libraries (npm and PyPI), in base 62. A key
is an integer, whose first letter says how long it is, and perhaps a fraction. Keys
compare by code point, and between two of them there is always another one.
"""

import re
import string
import time
from typing import Any

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH = 255
KEY = re.compile(rf"[A-Za-z][0-9A-Za-z]{{1,{LENGTH - 1}}}")
SMALLEST = "A" + "0" * 26
# For those who read the document; `is_valid` says exactly what a key is.
DESCRIBED = {
    "description": (
        "Where the task stands in the order that its user makes by hand: a key of the"
        f" `fractional-indexing` libraries in base 62, at most {LENGTH} characters,"
        " compared by code point. To move a task between two others, set the key that"
        " `generateKeyBetween` gives for their positions. If it is left out, a new task"
        " comes first."
    ),
    "pattern": f"^{KEY.pattern}$",
    "example": "a0",
}
# The letter of integers with nine digits. They come before those that a client gets
# for a list without tasks, which begin with `a`.
HEAD, PLACES = "R", 9


def is_valid(key: str) -> bool:
    """True if the libraries take the key as a neighbour, and it is not too long."""
    if not KEY.fullmatch(key) or key == SMALLEST:
        return False
    integer = _integer_length(key[0])
    return len(key) == integer or (len(key) > integer and key[-1] != "0")


def with_positions(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """New tasks' fields, with a position from the clock where there is none.

    The items are a microsecond apart, so the last one comes first.
    """
    now = time.time_ns() // 1000
    return [
        each | {"position": each["position"] or key_of(now + later)}
        for later, each in enumerate(items)
    ]


def key_of(moment: int) -> str:
    """The default key of a task that is created then, in microseconds since 1970.

    It is smaller the later, so that new tasks come first: the integer of what is left
    until 62^9 microseconds have passed, in the year 2398.
    """
    left = len(DIGITS) ** PLACES - moment
    digits = ""
    for _ in range(PLACES):
        left, digit = divmod(left, len(DIGITS))
        digits = DIGITS[digit] + digits
    return HEAD + digits


def _integer_length(head: str) -> int:
    """The length of an integer, its letter included: 2 for `a` and `Z`, 27 for `z`."""
    return ord(head) - ord("a") + 2 if head >= "a" else ord("Z") - ord(head) + 2
