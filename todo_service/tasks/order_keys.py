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
# The letter of integers with nine digits. They come before those that a client gets
# for a list without tasks, which begin with `a`.
HEAD, PLACES = "R", 9


def is_valid(key: str) -> bool:
    """True if the libraries take the key as a neighbour, and it is not too long."""
    if not KEY.fullmatch(key) or key == SMALLEST:
        return False
    integer = _integer_length(key[0])
    return len(key) == integer or (len(key) > integer and key[-1] != "0")


def with_position(values: dict[str, Any], later: int = 0) -> dict[str, Any]:
    """A new task's fields, with the position from the clock if they have none."""
    return values | {"position": values["position"] or from_clock(later)}


def from_clock(later: int = 0) -> str:
    """The default key of a task that is created now, or so many microseconds later.

    It is smaller the later, so that new tasks come first: the number of microseconds
    from now until 62^9 of them have passed since 1970, in the year 2398.
    """
    left = len(DIGITS) ** PLACES - time.time_ns() // 1000 - later
    digits = ""
    for _ in range(PLACES):
        left, digit = divmod(left, len(DIGITS))
        digits = DIGITS[digit] + digits
    return HEAD + digits


def _integer_length(head: str) -> int:
    """The length of an integer, its letter included: 2 for `a` and `Z`, 27 for `z`."""
    return ord(head) - ord("a") + 2 if head >= "a" else ord("Z") - ord(head) + 2
