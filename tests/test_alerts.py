"""The alerts: they are what they should be, and a real Prometheus takes them."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.ports import free_port, is_open
from tests.programs import program
from tests.running import ROOT, running
from tests.waiting import until

pytestmark = pytest.mark.once

FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "alerts.yml").read_text()
NAMES = re.findall(r"- alert: (\w+)", RULES)
COUNTED = 'todo_http_requests_total{job="todo",method="GET",route="/api/tasks"}'


def passes(*arguments: str, folder: Path = FOLDER) -> bool:
    """True if promtool is content."""
    ran = subprocess.run(
        [program("promtool"), *arguments], cwd=folder, capture_output=True
    )
    return ran.returncode == 0


def test_the_rules_are_well_formed():
    assert passes("check", "rules", "alerts.yml")


def test_the_alerts_fire_when_they_should():
    assert passes("test", "rules", "alerts_test.yml")


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        pytest.param("== 0\n", "== 2\n", id="TodoDown"),
        pytest.param("> 0.02", "> 0.2", id="TodoErrors"),
        pytest.param(',route!="/health/ready"}[5m]))\n', "}[5m]))\n", id="probes"),
        pytest.param("> 0.5", "> 0.8", id="TodoSlow"),
        pytest.param('{route=~"/api/.*"}', "", id="logins"),
        pytest.param("min_over_time", "max_over_time", id="TodoWaitsForConnections"),
        pytest.param("unless", "and", id="TodoIssuerAway"),
    ],
)
def test_a_rule_that_says_something_else_fails_its_test(tmp_path, said, instead):
    assert said in RULES
    (tmp_path / "alerts.yml").write_text(RULES.replace(said, instead))
    shutil.copy(FOLDER / "alerts_test.yml", tmp_path)

    assert not passes("test", "rules", "alerts_test.yml", folder=tmp_path)


def test_every_metric_of_the_rules_is_one_of_the_services(make_client):
    client = make_client(METRICS_ENABLED="true", BETTER_AUTH_URL="http://127.0.0.1:1")
    shown = client.get("/metrics").text + client.get("/metrics").text

    for name in set(re.findall(r"\btodo_\w+", RULES)):
        assert f"# TYPE {name.removesuffix('_bucket')} " in shown


def test_the_operations_page_says_what_to_do_about_each():
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")

    assert len(NAMES) == 5
    assert re.findall(r"^\| `(Todo\w+)` \|", page, re.M) == NAMES


@pytest.fixture
def service(environ, app, tmp_path):
    with running(environ | {"METRICS_ENABLED": "true"}, tmp_path / "log") as service:
        yield service


@pytest.fixture
def ask(service, tmp_path):
    """Asks a Prometheus that scrapes the service with these alerts."""
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(FOLDER / "alerts.yml")],
        "scrape_configs": [
            {
                "job_name": "todo",
                "static_configs": [{"targets": [f"127.0.0.1:{service.port}"]}],
            }
        ],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))
    address = f"127.0.0.1:{free_port()}"
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )

    def ask(path: str):
        with urlopen(f"http://{address}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    try:
        until(lambda: is_open(int(address.partition(":")[2])))
        yield ask
    finally:
        process.terminate()
        process.wait(30)


def test_a_real_prometheus_scrapes_the_service_and_takes_the_alerts(service, ask):
    for _ in range(10):
        assert service.get("/api/tasks") == 200

    def counted() -> list[str]:
        found = ask(f"query?query={quote(COUNTED)}")["result"]
        return [each["value"][1] for each in found]

    until(lambda: counted() == ["10"])
    [target] = ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")

    def rules() -> dict[str, tuple[str, str]]:
        [group] = ask("rules")["groups"]
        return {
            each["name"]: (each["health"], each["state"]) for each in group["rules"]
        }

    until(lambda: "unknown" not in {health for health, _ in rules().values()})
    assert rules() == dict.fromkeys(NAMES, ("ok", "inactive"))
