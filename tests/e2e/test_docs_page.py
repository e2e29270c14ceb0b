"""`/docs` in a real browser: with a pasted token, or a new account, calls work."""

import json
import os
import subprocess

import pytest

from tests.e2e import servers

PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def url(app, environ):
    """A service with accounts."""
    with servers.service(environ, LOCAL_ACCOUNTS="true") as url:
        yield url


@pytest.fixture
def visit(node_modules, chromium, database, url):
    """Opens the page and tries it; gives what happened."""

    def visit(*way):
        done = subprocess.run(
            ["node", "docs_page.mjs", url, *way],
            cwd=servers.HERE,
            env=os.environ | {"CHROMIUM": chromium},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return visit


def test_with_a_pasted_token_calls_work_and_nothing_comes_from_elsewhere(
    visit, url, token_of
):
    found = visit(token_of("alice"))

    assert found["path"] == "/docs"
    assert found["created"] == [201, "Buy milk", "alice"]
    status, page = found["listed"]
    assert (status, page["total"]) == (200, 1)
    assert found["complaints"] == []
    assert found["origins"] == [url]


def test_who_registers_on_the_page_is_authorised(visit):
    found = visit("register")

    assert found["created"][:2] == [201, "Buy milk"]
    assert found["listed"][0] == 200
