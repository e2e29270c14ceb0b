"""The package: built, installed and used away from the checkout."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine

from todo_service.database import migrations

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
NOT_COPIED = shutil.ignore_patterns(
    ".*", "*.egg-info", "build", "dist", "instance", "node_modules", "__pycache__"
)
SETUPTOOLS = 77  # pyproject.toml needs it


def run(*command: str | Path, **options) -> str:
    """What a command printed; an error with all of that if it failed."""
    done = subprocess.run(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder with the sdist, and the wheel that was made from that."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "checkout", ignore=NOT_COPIED)
    recent = int(version("setuptools").partition(".")[0]) >= SETUPTOOLS
    isolation = ["--no-isolation"] if recent else []
    run("-m", "build", *isolation, "--outdir", folder / "dist", folder / "checkout")
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder of packages with the wheel installed in it."""
    target = tmp_path_factory.mktemp("site")
    pip = ["-m", "pip", "--disable-pip-version-check", "install", "--no-index"]
    run(*pip, "--no-deps", "--target", target, wheel)
    return target


@pytest.fixture
def away(installed, make_database, tmp_path):
    """How to run something with the installed package alone, on an empty database."""
    url = make_database().render_as_string(hide_password=False)
    environ = {
        "PYTHONPATH": str(installed),
        "APP_ENV": "production",
        "DATABASE_URL": url,
        "BETTER_AUTH_SECRET": "x" * 32,
    }
    return {"cwd": tmp_path, "env": os.environ | environ}


def test_the_wheel_has_every_module_and_every_migration_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    package = ROOT / "todo_service"
    modules = [*package.rglob("*.py"), package / "py.typed"]
    modules += (package / "documents" / "page").iterdir()
    assert names == {path.relative_to(ROOT).as_posix() for path in modules} | {
        f"todo_service/migrations_sql/{each.path.name}"
        for each in migrations.released()
    }


def test_the_sdist_has_no_tests(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()

    assert [
        name for name in names if re.search(r"/(tests|benchmarks)(/|$)", name)
    ] == []


def test_the_installed_package_migrates_a_database(away):
    printed = run("-m", "flask", "--app", "todo_service", "db", "upgrade", **away)

    applied = [f"Applied {each.path.name}" for each in migrations.released()]
    assert printed.splitlines() == applied
    engine = create_engine(away["env"]["DATABASE_URL"], poolclass=NullPool)
    with engine.connect() as connection:
        versions = connection.exec_driver_sql("SELECT version FROM schema_migrations")
        assert versions.scalars().all() == [m.version for m in migrations.released()]


def test_the_installed_package_is_the_one_that_runs(away, installed):
    where = (
        "import todo_service; todo_service.create_app(); print(todo_service.__file__)"
    )

    printed = run("-c", where, **away)

    assert Path(printed.strip()) == installed / "todo_service/__init__.py"
