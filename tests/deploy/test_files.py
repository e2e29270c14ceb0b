"""What ops copy: compose.yaml and the systemd unit are valid and name real settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.programs import program
from tests.running import GUNICORN, ROOT
from todo_service.settings import load
from todo_service.settings.schema import SettingsSchema

COMPOSE = ROOT / "compose.yaml"
UNIT = ROOT / "deploy" / "todo-service.service"
SETTINGS = {field.data_key for field in SettingsSchema().fields.values()}
# systemd's exposure of 0 to 10, times ten. A unit without any protection has 96.
EXPOSURE = 15


@pytest.fixture
def services():
    """The services of compose.yaml, what they share written out."""
    return YAML(typ="safe").load(COMPOSE)["services"]


def schema_violations(compose: Path) -> str:
    """What the Compose specification's schema has against a file."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", str(compose)]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout


def test_compose_keeps_the_schema_of_its_specification():
    assert schema_violations(COMPOSE) == ""


def test_a_violation_of_the_schema_is_found(tmp_path):
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("read_only: true", "readonly: true"))

    assert "readonly" in schema_violations(wrong)


def filled_in(text: str) -> str:
    """A value of compose.yaml where only what it demands is set."""
    return re.sub(r"\$\{\w+(?::([-?])([^}]*))?\}", _default, text)


def _default(found: re.Match) -> str:
    return found[2] if found[1] == "-" else "x" * 32


def test_compose_gives_the_service_settings_that_exist_and_let_it_start(services):
    for name in ("service", "migrations"):
        given = {k: filled_in(v) for k, v in services[name]["environment"].items()}
        given |= {"BETTER_AUTH_SECRET": "x" * 32}

        assert given.keys() <= SETTINGS
        assert load(given).trusted_proxies == 1


def test_compose_lets_nobody_past_nginx(services):
    assert [name for name, each in services.items() if "ports" in each] == ["nginx"]


def test_compose_migrates_before_the_service_starts(services):
    depends = services["service"]["depends_on"]

    assert depends["migrations"] == {"condition": "service_completed_successfully"}
    assert services["migrations"]["command"] == ["flask", "db", "upgrade"]


def directives(name: str) -> list[str]:
    """The values of a directive of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)


def test_the_unit_sets_what_exists():
    names = {line.partition("=")[0] for line in directives("Environment")}

    assert "TRUSTED_PROXIES" in names <= SETTINGS


@pytest.fixture
def unit(tmp_path):
    """The unit, with programs and folders of this machine."""
    text = UNIT.read_text().replace("/opt/todo/venv/bin/gunicorn", f'"{GUNICORN[0]}"')
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("=/opt/todo\n", f"={tmp_path}\n"))
    return copy


def systemd_analyze(*words: str | Path) -> subprocess.CompletedProcess:
    """In CI the lack of systemd is a failure."""
    command = [program("systemd-analyze"), *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_systemd_finds_nothing_wrong_with_the_unit(unit):
    done = systemd_analyze("verify", "--man=no", unit)

    about_it = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, about_it) == (0, [])


def test_systemd_finds_a_mistake_in_a_unit(unit):
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHome=maybe"))

    assert "protect home" in systemd_analyze("verify", "--man=no", unit).stderr


def test_little_of_the_machine_is_exposed_to_the_unit(unit):
    limit = f"--threshold={EXPOSURE}"
    done = systemd_analyze("security", "--offline=true", limit, unit)

    assert done.returncode == 0, done.stdout


def test_every_wait_for_the_end_is_longer_than_gunicorns(services):
    text = (ROOT / "gunicorn.conf.py").read_text()
    [graceful] = re.findall(r"^graceful_timeout = (\d+)$", text, re.M)

    assert int(directives("TimeoutStopSec")[0]) > int(graceful)
    assert int(services["service"]["stop_grace_period"].strip("s")) > int(graceful)
