"""The package: released by the page's lines, installed and run without a checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from datetime import date
from importlib import metadata
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from tests.conftest import SECRET
from tests.programs import program
from tests.running import TOKEN, Service, only_ours, running
from todo_service.database import migrations

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".*", "*.egg-info", "build", "dist", "instance", "node_modules", "__pycache__"
)
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
# What runs gunicorn has to lie in the wheel too, and comes into this folder.
SHARE = "share/todo-service"
RUN = ["gunicorn.conf.py", "wsgi.py"]

CONFIGURATION = ConfigParser()
CONFIGURATION.read(ROOT / "setup.cfg", "utf-8")
VERSION = CONFIGURATION["metadata"]["version"]
SETUPTOOLS = 77  # pyproject.toml needs it
WHO = dict.fromkeys(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"], "Joe")
WHO |= dict.fromkeys(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"], "joe@example.com")
COMMITTER = os.environ | WHO | {"GIT_CONFIG_GLOBAL": os.devnull}


def run(*command: str | Path, **options) -> str:
    """What a command printed; an error with all of that if it failed."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


# What is released


def lines_of_a_release() -> list[str]:
    """The shell lines with which ops cut a release."""
    section = PAGE.partition("## Cut a release")[2].partition("\n## ")[0]
    [block] = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
    return block.splitlines()


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A repository in which the lines were run, but for `.ci/run` and Docker's."""
    folder = tmp_path_factory.mktemp("released") / "todo"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    git = program("git")
    run(git, "init", "--quiet", "--bare", folder.with_name("origin"))
    run(git, "init", "--quiet", "--initial-branch", "main", cwd=folder)
    run(git, "remote", "add", "origin", "../origin", cwd=folder)
    run(git, "add", "--all", cwd=folder)
    run(git, "commit", "--quiet", "--message", "All", cwd=folder, env=COMMITTER)
    (folder / ".venv").symlink_to(sys.prefix)
    script = "\n".join(["set -eu", *map(as_tried, lines_of_a_release())])
    run("sh", "-c", script, cwd=folder, env=COMMITTER)
    return folder


def as_tried(line: str) -> str:
    """A line without CI, which runs this test, and without what needs Docker."""
    if line.startswith("docker "):
        return ""
    # Without isolation nothing is downloaded, if the build backend is here.
    recent = int(metadata.version("setuptools").partition(".")[0]) >= SETUPTOOLS
    build = "-m build --no-isolation" if recent else "-m build"
    return line.removeprefix(".ci/run && ").replace("-m build", build)


@pytest.fixture(scope="module")
def wheel(released) -> Path:
    """The wheel, which was made from the sdist."""
    return released / "dist" / f"todo_service-{VERSION}-py3-none-any.whl"


def test_a_release_is_a_tag_with_the_version_an_sdist_and_a_wheel(released, wheel):
    tagged = run("git", "ls-remote", "../origin", f"v{VERSION}^{{}}", cwd=released)

    assert tagged.split()[0] == run("git", "rev-parse", "main", cwd=released).strip()
    assert {path.name for path in (released / "dist").iterdir()} == {
        VERSION,  # the clone of which they were built
        f"todo_service-{VERSION}.tar.gz",
        wheel.name,
    }


def test_the_newest_release_in_the_changelog_is_the_packages_version():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    unreleased, newest, *_ = re.findall(r"^## (.+)$", changelog, re.M)

    assert unreleased == "Unreleased"
    version, day = newest.split(" - ")
    assert version == VERSION
    assert date.fromisoformat(day).isoformat() == day


def test_the_wheel_has_every_module_and_every_migration_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    package = ROOT / "todo_service"
    modules = [*package.rglob("*.py"), package / "py.typed"]
    modules += (package / "documents" / "page").iterdir()
    files = {path.relative_to(ROOT).as_posix() for path in modules}
    files |= {f"todo_service-{VERSION}.data/data/{SHARE}/{name}" for name in RUN}
    assert names == files | {
        f"todo_service/migrations_sql/{each.path.name}"
        for each in migrations.released()
    }


def test_the_sdist_has_no_tests(released):
    (path,) = (released / "dist").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()

    assert [
        name for name in names if re.search(r"/(tests|benchmarks)(/|$)", name)
    ] == []


# What is installed


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The Python of a new virtual environment: the wheel, and what that needs.

    tests/deploy/test_image.py installs what it needs; here the tests' own does.
    """
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "--python", python, "install", "--no-index", "--no-deps", wheel)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", where).strip())
    # A line in a .pth file adds a folder, and not what the .pth files there add: the
    # checkout, which is installed for the tests, stays out.
    theirs = [path for path in sys.path if path.endswith("-packages")]
    (packages / "theirs.pth").write_text("\n".join(theirs))
    return python


@pytest.fixture(scope="module")
def away(python, make_database):
    """How to run something with the installed package alone, on an empty database."""
    environ = {
        "APP_ENV": "production",
        "DATABASE_URL": make_database().render_as_string(hide_password=False),
        "BETTER_AUTH_SECRET": SECRET,
        "METRICS_ENABLED": "true",
    }
    return {"cwd": python.parent.parent / SHARE, "env": only_ours(environ)}


@pytest.fixture(scope="module")
def upgraded(python, away) -> str:
    """What `flask db upgrade` has printed, once the database was migrated."""
    return run(python, "-m", "flask", "--app", "wsgi", "db", "upgrade", **away)


@pytest.fixture(scope="module")
def service(python, away, upgraded, tmp_path_factory):
    """`gunicorn wsgi:app`, from the wheel, on that database."""
    log = tmp_path_factory.mktemp("log") / "gunicorn"
    command = [str(python), "-m", "gunicorn", "wsgi:app"]
    with running(away["env"], log, command, away["cwd"]) as service:
        yield service


def test_the_installed_package_is_the_one_that_runs(python, away):
    where = "import wsgi, todo_service as t; print(wsgi.__file__, t.__file__)"

    wsgi, package = run(python, "-c", where, **away).split()

    assert Path(wsgi) == away["cwd"] / "wsgi.py"
    assert Path(package).is_relative_to(python.parent.parent)


def test_the_installed_package_migrates_a_database(away, upgraded):
    applied = [f"Applied {each.path.name}" for each in migrations.released()]
    assert upgraded.splitlines() == applied
    engine = create_engine(away["env"]["DATABASE_URL"], poolclass=NullPool)
    with engine.connect() as connection:
        versions = connection.exec_driver_sql("SELECT version FROM schema_migrations")
        assert versions.scalars().all() == [m.version for m in migrations.released()]


def ask(service: Service, method: str, path: str, body: str | None = None) -> dict:
    """The JSON of an answer to Alice, which has to be a good one."""
    connection = service.connect()
    headers = {"Authorization": f"Bearer {TOKEN.decode()}"}
    headers["Content-Type"] = "application/json"
    connection.request(method, f"/api/tasks{path}", body, headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    assert answer.status in (200, 201), found
    return found


def test_the_installed_package_serves_a_task_from_its_creation_to_its_end(service):
    task = ask(service, "POST", "", '{"title": "Buy milk"}')
    done = ask(service, "PATCH", f"/{task['id']}/complete")

    assert done["completed"] is True
    assert ask(service, "GET", "")["tasks"] == [done]
    ask(service, "DELETE", f"/{task['id']}")
    assert ask(service, "GET", "")["tasks"] == []


def test_the_installed_package_runs_with_the_gunicorn_configuration_of_the_checkout(
    service,
):
    assert "Put a proxy that buffers requests in front" in service.log.read_text()
    assert b'{"error":' in service.send(b"nonsense\r\n\r\n")


# What strangers learn of it

PATHS = ["/", "/health", "/health/ready", "/openapi.json", "/docs", "/metrics"]
PATHS += ["/nowhere", "/api/tasks"]
REQUESTS = {path: f"GET {path} HTTP/1.1\r\nHost: todo\r\n\r\n" for path in PATHS}
REQUESTS["no HTTP"] = "nonsense\r\n\r\n"


@pytest.mark.parametrize("path", REQUESTS)
def test_no_answer_without_a_token_tells_the_release(service, path):
    answer = service.send(REQUESTS[path].encode()).decode()

    assert answer.startswith("HTTP/1.1 ")
    assert not re.search(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])", answer)
    assert re.findall("^Server: (.*)\r$", answer, re.M) in ([], ["gunicorn"])


def test_flask_tells_its_own_version_and_not_the_release(python, away):
    printed = run(python, "-m", "flask", "--app", "wsgi", "--version", **away)

    words = [line.split()[0] for line in printed.splitlines()]
    assert words == ["Python", "Flask", "Werkzeug"]
