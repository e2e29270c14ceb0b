"""A backup as `docs/operations.md` makes it, restored: clients start over."""

import re
import subprocess

import pytest
from sqlalchemy import URL

from tests.client import Client
from tests.faults.conftest import settings_for
from tests.running import ROOT
from todo_service import create_app


@pytest.fixture
def open_client(token_of):
    """Makes clients of Alice's on a database."""
    made = []

    def make(url: URL) -> Client:
        app = create_app(settings_for(url))
        made.append(app)
        return Client(app, user_id="alice", token=token_of("alice"))

    yield make
    for app in made:
        app.extensions["database"].engine.dispose()


def backed_up(programs, folder, url: URL) -> str:
    """The file of a backup."""
    file = str(folder / "todo.dump")
    place = url.set(drivername="postgresql").render_as_string(hide_password=False)
    dump = [str(programs / "pg_dump"), "--format=custom", f"--file={file}", place]
    subprocess.run(dump, check=True)
    return file


def restored(programs, postgres, file: str) -> URL:
    """A new database with what is in the file."""
    with postgres.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE again")
    url = postgres.url.set(database="again")
    place = url.set(drivername="postgresql").render_as_string(hide_password=False)
    restore = [str(programs / "pg_restore"), "--exit-on-error", "--no-owner"]
    subprocess.run([*restore, f"--dbname={place}", file], check=True)
    return url


def as_on_the_page(live: URL, empty: URL) -> dict[str, str]:
    """The settings of a shell with both URLs, where the page's line is run."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    line = re.search(r"^(.+) flask --app wsgi db restored$", page, re.M)
    assert line
    named = re.findall(r'(\w+)="\$EMPTY_DATABASE_URL"', line[1])
    given = settings_for(live)
    shell = given | {"DATABASE_URL_UNPOOLED": given["DATABASE_URL"]}
    return shell | dict.fromkeys(named, settings_for(empty)["DATABASE_URL"])


def test_a_backup_has_the_tasks_and_ends_sync_tokens_and_etags_of_the_lost_time(
    postgres, programs, folder, open_client
):
    before = open_client(postgres.url)
    milk = before.post("", json={"title": "Buy milk"})
    file = backed_up(programs, folder, postgres.url)
    before.post("", json={"title": "lost"})
    held = {"If-None-Match": before.get("").headers["ETag"]}
    token = before.get("changes").json["next"]

    again = restored(programs, postgres, file)
    commands = create_app(as_on_the_page(postgres.url, again)).test_cli_runner()
    done = commands.invoke(args=["db", "restored"])
    after = open_client(again)

    assert done.exit_code == 0, done.output
    assert [each["title"] for each in after.get("").json["tasks"]] == ["Buy milk"]
    after.post("", json={"title": "again as many changes"})
    assert after.get("", headers=held).status_code == 200
    assert after.get(f"changes?since={token}").status_code == 410
    assert after.get(milk.location).status_code == 200
