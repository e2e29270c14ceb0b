"""The typed client: generated from the document as it is now, compiled, and used."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.client import Client
from tests.e2e import packages, servers
from todo_service import create_app

ROOT = Path(__file__).parents[2]
# What docs/clients.md has in another example.
FETCH_TOKEN = "declare function fetchToken(): Promise<string>;"
# How Vite and Next.js look packages up.
FRONT_END = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "moduleDetection": "force",
        "skipLibCheck": True,
        "types": [],
    }
}


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

    packages.run(
        "npx", command, document, *options[:-1], generated, folder=typescript_client
    )

    stale = "in clients/typescript, type: npm run generate (while `flask run` runs)"
    kept = typescript_client / "src" / "api.ts"
    assert generated.read_text() == kept.read_text(), stale


def test_what_is_written_by_hand_is_at_most_a_page(typescript_client):
    page = typescript_client / "src" / "index.ts"

    assert len(page.read_text().splitlines()) <= 100


def test_its_own_tests_pass_against_the_service(typescript_client, database, url):
    """`tsc --strict` is their first step."""
    packages.run("npm", "test", folder=typescript_client, TODO_API=url)


@pytest.mark.parametrize("page", ["clients/typescript/README.md", "docs/clients.md"])
def test_the_examples_of_the_documentation_compile(
    typescript_client, node_modules, tmp_path, page
):
    """As in a front end that has the client and Better Auth installed."""
    installed = tmp_path / "node_modules"
    installed.mkdir()
    (installed / "todo-service-client").symlink_to(typescript_client)
    (installed / "better-auth").symlink_to(servers.HERE / "node_modules/better-auth")
    examples = re.findall(r"^```ts\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)
    assert examples
    (tmp_path / "example.ts").write_text("\n".join([*examples, FETCH_TOKEN]))
    (tmp_path / "tsconfig.json").write_text(json.dumps(FRONT_END))

    packages.run(typescript_client / "node_modules/.bin/tsc", folder=tmp_path)
