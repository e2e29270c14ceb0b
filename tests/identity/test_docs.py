"""What `docs/security.md` promises is held by the tests that it names."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"
# Where the page's tests are: those of the door, and those of the accounts.
PLACES = [TESTS / name for name in ("identity", "accounts", "timing")]
LINE = re.compile(r"(?:- |\d+\. ).+")
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def promises():
    found = list(filter(LINE.fullmatch, PAGE.read_text().splitlines()))
    assert found
    return found


def test_every_promise_names_a_test():
    assert [line for line in promises() if not NAMED.search(line)] == []


def test_every_test_that_it_names_is_there():
    named = {pair for line in promises() for pair in NAMED.findall(line)}

    missing = [f"{file}::{name}" for file, name in named if not is_there(file, name)]

    assert missing == []


def is_there(file, name):
    """True if one of the places has a test of this name in such a file."""
    files = [place / file for place in PLACES if (place / file).exists()]
    return any(f"\ndef {name}(" in each.read_text() for each in files)


def test_a_test_that_is_not_there_is_found():
    assert is_there("test_docs.py", "test_a_test_that_is_not_there_is_found")
    assert not is_there("test_docs.py", "test_that_nobody_wrote")
    assert not is_there("test_nothing.py", "test_every_promise_names_a_test")
