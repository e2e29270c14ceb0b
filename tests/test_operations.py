"""`docs/operations.md` names tests that there are."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
COMMAND = re.compile(r"`pytest (\S+?)(?:::(\w+))?(?: -k ([\w-]+|\"[\w -]+\"))?`")


def missing_tests(page: str) -> list[str]:
    """The files that no command finds, and the words that no test's name has."""
    missing = []
    for file, name, words in COMMAND.findall(page):
        path = ROOT / file
        text = path.read_text("utf-8") if path.is_file() else ""
        wanted = filter(None, [name, *re.split(" or | and ", words.strip('"'))])
        missing += [] if text else [file]
        missing += [f"{file}: {word}" for word in wanted if word not in text]
    return missing


def test_the_table_of_faults_names_tests_that_there_are():
    assert len(COMMAND.findall(PAGE)) == PAGE.count("`pytest ") > 0
    assert missing_tests(PAGE) == []


def test_a_test_that_does_not_exist_is_found():
    assert missing_tests("`pytest tests/nowhere.py`") == ["tests/nowhere.py"]
    assert missing_tests("`pytest tests/test_faults.py -k nonsense`") == [
        "tests/test_faults.py: nonsense"
    ]
