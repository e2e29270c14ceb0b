"""Schemathesis sends what the OpenAPI document allows, and what it does not allow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import TOKEN, running

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).with_name("schemathesis")
CASES = 3000
PATIENCE = 300  # seconds


@pytest.fixture
def service(app, environ, tmp_path):
    """The service under gunicorn, with accounts and without limits."""
    settings = {"LOCAL_ACCOUNTS": "true", "RATE_LIMIT": "", "AUTH_RATE_LIMIT": ""}
    quiet = {"LOG_LEVEL": "ERROR", "WEB_CONCURRENCY": "1"}
    with running(environ | settings | quiet, tmp_path / "log") as service:
        yield service


def test_no_request_that_the_document_leads_to_is_answered_in_another_way(
    service, database, tmp_path
):
    address = f"http://127.0.0.1:{service.port}/openapi.json"
    options = ["--config-file", str(HERE / "schemathesis.toml")]
    header = f"Authorization: Bearer {TOKEN.decode()}"

    done = subprocess.run(
        [COMMAND, *options, "run", address, "--header", header],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stdout
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated
    assert int(generated[1]) >= CASES
