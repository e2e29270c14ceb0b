"""What `docs/security.md` promises is held by the tests that it names."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "security.md"
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

    missing = [
        f"{file}::{name}"
        for file, name in named
        if f"\ndef {name}(" not in (HERE / file).read_text()
    ]

    assert missing == []
