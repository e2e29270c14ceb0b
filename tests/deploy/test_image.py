"""The image: its steps build, from the lock, a service that starts and migrates."""

import platform
import re
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.dockerfile import Image
from tests.ports import free_port, is_open
from tests.programs import give_up
from tests.running import PATIENCE, ROOT
from tests.waiting import until

HERE = platform.python_version()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PIN = re.compile(
    r"^([a-z0-9-]+)==([\w.]+)(?: ; ([^\\\n]+))?"
    r"((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    re.M,
)


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Image:
    return Image(tmp_path_factory.mktemp("image"), DOCKERFILE)


@pytest.fixture
def environ(make_database) -> dict[str, str]:
    url = make_database().render_as_string(hide_password=False)
    return {
        "DATABASE_URL": url,
        "BETTER_AUTH_SECRET": "x" * 32,
        "PORT": str(free_port()),
    }


def healthy(image: Image, environ: dict[str, str]) -> bool:
    """What `HEALTHCHECK` says."""
    command = image.command(image.last("HEALTHCHECK"))
    quiet = subprocess.DEVNULL
    done = subprocess.run(command, env=environ, stderr=quiet, cwd=image.workdir)
    return done.returncode == 0


def test_its_command_serves_on_a_database_that_its_flask_has_migrated(image, environ):
    settings = image.environ(**environ)
    migrate = image.command('["flask", "db", "upgrade"]')
    subprocess.run(migrate, cwd=image.workdir, env=settings, check=True)
    assert not healthy(image, settings)

    command = image.command(image.last("CMD"))
    with subprocess.Popen(command, cwd=image.workdir, env=settings) as process:
        until(lambda: is_open(int(environ["PORT"])))
        try:
            assert healthy(image, settings)
            assert healthy(image, settings | {"http_proxy": "http://127.0.0.1:1"})
        finally:
            process.terminate()
        assert process.wait(PATIENCE) == 0


def test_it_holds_what_serves_and_nothing_else(image):
    files = image.files()
    holds = [name for name in files if re.search(r"/(pip|pytest|pgserver)/", name)]

    assert holds == []
    run_by_gunicorn = {path.name for path in image.workdir.glob("*.py")}
    assert run_by_gunicorn == {"gunicorn.conf.py", "wsgi.py"}


def test_its_flask_reads_the_file_env_and_its_gunicorn_does_not(image, environ):
    settings = image.environ(**environ)
    env = image.workdir / ".env"
    env.write_text("LOG_FORMAT=nonsense\n")
    try:
        flask, gunicorn = (
            subprocess.run(image.command(each), cwd=image.workdir, env=settings)
            for each in (
                '["flask", "db", "status"]',
                '["gunicorn", "--check-config", "wsgi:app"]',
            )
        )
    finally:
        env.unlink()

    assert (flask.returncode, gunicorn.returncode) == (1, 0)


def test_it_does_not_run_as_root_and_every_copied_file_is_let_in(image):
    assert int(image.last("USER")) > 0
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)
    copied = {
        word
        for rest in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)
        for word in rest.split()
        if word != "./"
    }

    assert copied == set(let_in)


def test_it_has_the_release_of_python_with_which_the_tests_run():
    here = ".".join(map(str, sys.version_info[:2]))
    [released] = re.findall(r"^ARG PYTHON=(.+)$", DOCKERFILE, re.M)

    if released != here:
        give_up(f"the tests run with Python {here}, the image has {released}")


def pins(name: str, python: str = HERE) -> dict[str, str]:
    """The versions of a lock. Each of its lines has to belong to a pin with hashes."""
    text = (ROOT / name).read_text()
    rest = PIN.sub("", text)
    assert [line for line in rest.splitlines() if line and line[0] != "#"] == []
    there = {"python_full_version": python}
    return {
        name: version
        for name, version, marker, _ in PIN.findall(text)
        if not marker or Marker(marker).evaluate(there)
    }


def needed(name: str, python: str, extras: frozenset = frozenset()) -> set[Requirement]:
    """What a distribution needs at run time with a Python, and what that needs."""
    found = set()
    for line in metadata.requires(name) or []:
        each = Requirement(line)
        marks = [
            {"extra": extra, "python_full_version": python} for extra in extras | {""}
        ]
        if each.marker is None or any(map(each.marker.evaluate, marks)):
            found.add(each)
            # What only another Python needs is not installed here.
            with suppress(metadata.PackageNotFoundError):
                found |= needed(each.name, python, frozenset(each.extras))
    return found


# Debian 12 has 3.11.2; some packages need more there than with later releases.
@pytest.mark.parametrize("python", ["3.11.2", HERE])
def test_the_lock_has_everything_within_the_bounds_and_nothing_besides(python):
    locked = pins("requirements.lock", python)
    wanted = needed("todo-service", python)

    assert {canonicalize_name(each.name) for each in wanted} == locked.keys()
    for each in wanted:
        assert each.specifier.contains(locked[canonicalize_name(each.name)]), each


def test_what_builds_the_wheel_is_locked_too():
    declared = (ROOT / "pyproject.toml").read_text()
    [(name, version)] = pins("requirements-build.lock").items()
    [backend] = re.findall(r'requires = \["(.+)"\]', declared)

    assert Requirement(backend).name == name
    assert Requirement(backend).specifier.contains(version)


AUDIT = re.compile(r"`(pip-audit [^`]+)`")


def test_the_audit_reads_both_locks_and_fails_on_what_it_has_to_skip():
    """Its database need not be in reach here: the flags are what makes it fail."""
    page = Path(ROOT / "docs" / "operations.md").read_text("utf-8")
    [command] = AUDIT.findall(page)

    for word in ("--strict", "--require-hashes", "--disable-pip"):
        assert word in command.split()
    for lock in ROOT.glob("*.lock"):
        assert f"-r {lock.name}" in command
