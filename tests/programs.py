"""Programs that tests need and a machine may lack."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str) -> str:
    """Where a program is. Without it the test is skipped; in CI that is a failure."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    return found or give_up(f"{name} is not installed")


def give_up(reason: str) -> NoReturn:
    """Skip the test. In CI, where nothing may be missing, fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
