"""The typed client: generated from the document as it is now, compiled, and used."""

import json
import os
import shlex
import subprocess

import pytest

from tests.client import Client
from tests.e2e import servers
from todo_service import create_app

PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def url(app, environ):
    """A service with accounts."""
    with servers.service(environ, LOCAL_ACCOUNTS="true") as url:
        yield url


@pytest.fixture
def document(environ, tmp_path):
    """The document that a front end generates its types from: accounts are on."""
    client = Client(create_app(environ | {"LOCAL_ACCOUNTS": "true"}))
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(client.get("/openapi.json").json))
    return path


def test_the_generated_part_is_of_the_document_as_it_is(
    typescript_client, document, tmp_path
):
    scripts = json.loads((typescript_client / "package.json").read_text())["scripts"]
    command, _, *options = shlex.split(scripts["generate"])
    assert options[-2:] == ["--output", "src/api.ts"]
    generated = tmp_path / "api.ts"

    subprocess.run(
        ["npx", command, document, *options[:-1], generated],
        cwd=typescript_client,
        check=True,
        timeout=PATIENCE,
    )

    stale = "in clients/typescript, type: npm run generate (while `flask run` runs)"
    kept = typescript_client / "src" / "api.ts"
    assert generated.read_text() == kept.read_text(), stale


def test_what_is_written_by_hand_is_at_most_a_page(typescript_client):
    page = typescript_client / "src" / "index.ts"

    assert len(page.read_text().splitlines()) <= 100


def test_its_own_tests_pass_against_the_service(typescript_client, database, url):
    """`tsc --strict` is their first step."""
    done = subprocess.run(
        ["npm", "test"],
        cwd=typescript_client,
        env=os.environ | {"TODO_API": url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stdout + done.stderr
