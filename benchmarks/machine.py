"""Where it was measured: the machine, and the versions of all that took part."""

import os
import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy import URL, text

from benchmarks import postgres

# A program, the Debian package that brings it, and the option that tells its version.
PROGRAMS = {
    "wrk": ("wrk", "--version"),
    "pgbench": ("postgresql-contrib", "--version"),
}
PACKAGES = (
    *("Flask", "gunicorn", "SQLAlchemy", "psycopg2-binary", "PyJWT", "orjson"),
    *("fastapi", "sqlmodel", "pydantic", "starlette", "uvicorn", "uvloop", "httptools"),
)


def require(*, plots: bool) -> None:
    """Stop with what to install, if something that is needed is missing."""
    needed = [*PACKAGES, *(["matplotlib"] if plots else [])]
    advice = [
        f"{name} is not installed: apt install {package}"
        for name, (package, _) in PROGRAMS.items()
        if not shutil.which(name)
    ]
    missing = [name for name in needed if not _version(name)]
    if missing:
        advice.append(
            f"{', '.join(missing)} not installed: pip install -e '.[dev,bench]'"
        )
    if advice:
        sys.exit("\n".join(advice))


def describe(url: URL) -> dict[str, Any]:
    """The machine, the moment and the versions, for the record."""
    with postgres.session(url) as connection:
        server = connection.scalar(text("SHOW server_version"))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": server,
        **{name: _said(name, option) for name, (_, option) in PROGRAMS.items()},
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    """The processor's name, as Linux tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    text_of_all = cpuinfo.read_text() if cpuinfo.exists() else ""
    found = re.search(r"^model name\s*: (.*)$", text_of_all, re.M)
    return found[1] if found else platform.processor()


def _said(program: str, option: str) -> str:
    """The first line of what a program says of itself; wrk says it with an error."""
    done = subprocess.run([program, option], capture_output=True, text=True)
    return done.stdout.splitlines()[0]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
