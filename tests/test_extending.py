"""The README's table "Where do I add…", followed in a copy of the repository."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client
from todo_service import create_app
from todo_service.database import migrations

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
COPIED = ["todo_service", "migrations_sql", "tests", "docs", "wsgi.py", "setup.cfg"]
COPIED += [".env.example", "README.md", "gunicorn.conf.py", "pyproject.toml"]
COPIED += ["CHANGELOG.md", "benchmarks", "clients", "examples"]
MIGRATION = """\
-- Each task has a color. PostgreSQL adds a column with a constant default at once.

BEGIN;

SET LOCAL lock_timeout = '5s';

INSERT INTO schema_migrations (version) VALUES ('{version}');

ALTER TABLE tasks ADD COLUMN color text NOT NULL DEFAULT 'white';

COMMIT;
"""
# A file that a row of the table names, a text in it, what to write behind that.
FIELD = [
    (
        "todo_service/database/tables.py",
        '    Column("tags", ARRAY(Text), nullable=False),\n',
        '    Column("color", Text, nullable=False),\n',
    ),
    (
        "todo_service/tasks/schemas.py",
        '    """The writable fields. A new task gets the defaults;'
        ' a change has any of them."""\n',
        """
    color = fields.Text(
        load_default="white", metadata={"description": "Its color."}
    )
""",
    ),
    ("todo_service/tasks/columns.py", '    "tags",\n', '    "color",\n'),
    ("tests/task_defaults.py", '    "tags": [],\n', '    "color": "white",\n'),
    (
        "docs/contract.md",
        "| `priority` | string | `low`, `medium` or `high`; `medium` if not given |\n",
        "| `color` | string | `white` if not given |\n",
    ),
]
FILTER = [
    (
        "todo_service/tasks/list_filters.py",
        "FILTERS: dict[str, Filter] = {\n",
        """    "title": Filter(
        fields.Text(metadata={"description": "Only tasks with exactly this title."}),
        _given("title", Text(), lambda title: tasks.c.title == title),
    ),
""",
    ),
    (
        "tests/test_filters.py",
        "FILTERED = [\n",
        """    ("title=Cherry", ["Cherry"]),
    ("title=cherry", []),
""",
    ),
    (
        "docs/contract.md",
        "| list parameter | meaning |\n| --- | --- |\n",
        "| `title` | has exactly this title |\n",
    ),
]
# Sends a request to the copy as Alice; prints the status, the header, the body.
SEND = """
import json, sys
from tests.client import Client
from todo_service import create_app
method, path, token, headers, body = sys.argv[1:]
alice = Client(create_app(), token=token)
sent = {"json": json.loads(body), "headers": json.loads(headers)}
answer = alice.open(path, method=method, **sent)
print(answer.status_code, answer.headers.get("Idempotency-Replayed"), answer.text)
"""


class Copy:
    """A copy of the repository, and what a developer does in it."""

    def __init__(self, root: Path, server: str):
        self.root = root
        self._environ = os.environ | {"TEST_DATABASE_URL": server}

    def insert(self, name: str, behind: str, text: str) -> None:
        """Write something into a file, behind a text that is there once."""
        path = self.root / name
        before = path.read_text("utf-8")
        assert before.count(behind) == 1, name
        path.write_text(before.replace(behind, behind + text), "utf-8")

    def test(self, *names: str) -> None:
        """Run some of the copy's own tests."""
        files = [f"tests/test_{name}.py" for name in names]
        self.run("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)

    def run(self, *command: str, **environ: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=self._environ | {"PYTHONPATH": str(self.root)} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def copy(tmp_path, server) -> Copy:
    """The repository in a folder of its own."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    return Copy(tmp_path, server.render_as_string(hide_password=False))


@pytest.fixture
def with_field(copy):
    """The copy, with a field more: what the first row of the table says."""
    version = f"{int(migrations.latest()) + 1:04}"
    path = copy.root / "migrations_sql" / f"{version}_color.sql"
    path.write_text(MIGRATION.format(version=version), "utf-8")
    for edit in FIELD:
        copy.insert(*edit)
    return copy


def test_a_field_that_was_added_by_the_table_works_and_its_tests_pass(with_field):
    with_field.test(
        "tasks", "schema", "sync", "batch", "openapi", "conventions", "contract"
    )


def test_a_request_that_is_repeated_after_a_release_with_a_field_more_is_the_same(
    with_field, environ, make_database, token_of
):
    url = make_database().render_as_string(hide_password=False)
    settings = environ | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    app = create_app(settings)
    migrations.upgrade(app.extensions["database"])
    alice: Any = Client(app, token=token_of("alice"))
    key, body = {"Idempotency-Key": "k"}, {"title": "once", "tags": ["a"]}
    first = alice.post("/api/tasks", json=body, headers=key).json

    with_field.run("-m", "flask", "--app", "todo_service", "db", "upgrade", **settings)

    def send(method, path, headers, body):
        sent = [method, path, str(alice.token), json.dumps(headers), json.dumps(body)]
        printed = with_field.run("-c", SEND, *sent, **settings)
        status, replayed, text = printed.split(" ", 2)
        return int(status), replayed, json.loads(text)

    red = {"color": "red"}
    task = f"/api/tasks/{first['id']}"
    white = first | {"color": "white"}
    assert send("POST", "/api/tasks", key, body) == (201, "true", white)
    assert send("POST", "/api/tasks", key, body | red)[0] == 409
    assert send("PATCH", task, {}, red)[2]["color"] == "red"
    app.extensions["database"].engine.dispose()


def test_a_filter_that_was_added_by_the_table_works_and_its_tests_pass(copy):
    for edit in FILTER:
        copy.insert(*edit)

    copy.test("filters", "cursors", "costs", "conventions", "contract")
