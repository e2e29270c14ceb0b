"""The contestants: what is compared, each under its usual production server."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import jwt

from benchmarks import load, processes

SERVICE, FASTAPI, FLOOR, BARE = "service", "fastapi", "floor", "bare statement"
PROCESSES = 2

# The ports on the command line keep the servers on the loopback interface.
GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}")
UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "{port}")
COMMANDS = {
    SERVICE: (*GUNICORN, "wsgi:app"),
    FASTAPI: (*UVICORN, "benchmarks.fastapi_peer:app"),
    FLOOR: (*GUNICORN, "benchmarks.floor:app"),
}

# All write to one table, so each has users of its own: no other moves their rows. A
# user's number modulo the number of parts is the part.
PARTS = {SERVICE: 0, FASTAPI: 1, FLOOR: 1, BARE: 2}
PARTS_COUNT = 3


@dataclass(frozen=True)
class Contestant:
    """A contestant that runs: the id of its first process, and where it listens."""

    name: str
    pid: int
    port: int

    @property
    def part(self) -> int:
        """Which users are its own."""
        return PARTS[self.name]


@contextmanager
def running(
    name: str, settings: Mapping[str, str], folder: Path
) -> Iterator[Contestant]:
    """A contestant that answers requests; its log is in the folder."""
    port = processes.free_port()
    command = [each.format(port=port) for each in COMMANDS[name]]
    # gunicorn.conf.py and uvicorn both read the number of processes from here.
    environ = {**settings, "WEB_CONCURRENCY": str(PROCESSES)}
    log = folder / f"{name}.log"
    with processes.running(command, environ, log) as process:
        processes.wait_until_listening(process, port, log)
        yield Contestant(name, process.pid, port)


def check(contestant: Contestant, tasks: int) -> None:
    """Every operation answers what it should. Raises `SystemExit` if one does not."""
    user = contestant.part
    task = f"/api/tasks/{load.task_id(user, 1)}"
    titled = {"title": "Call the plumber", "priority": "high"}
    page = _answer(contestant, "GET", "/api/tasks?limit=20", 200)
    read = _answer(contestant, "GET", task, 200)
    changed = _answer(contestant, "PATCH", task, 200, titled)
    toggled = _answer(contestant, "PATCH", f"{task}/complete", 200)
    created = _answer(contestant, "POST", "/api/tasks", 201, titled)
    good = (
        (len(page["tasks"]), page["total"]) == (min(tasks, 20), tasks)
        and page["tasks"][0]["id"] == load.task_id(user, tasks)
        and read["id"] == load.task_id(user, 1)
        and read | titled == read | {name: changed[name] for name in titled}
        and toggled["completed"] is not read["completed"]
        and created | titled == created
    )
    if not good:
        sys.exit(f"{contestant.name} answers wrongly: {[page, read, changed, toggled]}")


def _answer(
    contestant: Contestant, method: str, path: str, status: int, body: Any = None
) -> dict[str, Any]:
    """The JSON that the contestant answers to its first user."""
    claims = {"sub": load.user_id(contestant.part), "exp": 4102444800}
    token = jwt.encode(claims, load.SECRET, "HS256")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", contestant.port, timeout=30)
    sent = json.dumps(body) if body else None
    connection.request(method, path, sent, headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != status:
        sys.exit(f"{contestant.name}: {method} {path} is a {answer.status}: {said!r}")
    return json.loads(said)
