"""`docs/contract.md` and the code say the same, and every link to a page leads there.

A check compares what the page names with what the code has, both ways. Each is also
given a page or sources with a violation, which it must find.
"""

import ast
import re
import socket
from collections.abc import Iterable, Iterator
from functools import cache, partial
from http import HTTPStatus

import click
import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.dialects import postgresql
from werkzeug import exceptions

from tests.client import Client
from tests.house_rules import room
from tests.test_conventions import DESIGN, SOURCES
from tests.test_hostile_requests import FIELD_BYTES, FIELDS_KIB, LINE_BYTES
from todo_service import create_app, errors
from todo_service.accounts import emails
from todo_service.accounts import queries as account_queries
from todo_service.accounts import schemas as account_schemas
from todo_service.database.tables import users
from todo_service.server.refusals import BAD_REQUEST, CRASH, REFUSALS
from todo_service.settings.schema import SettingsSchema
from todo_service.tasks import (
    batch_queries,
    batch_schemas,
    columns,
    list_fields,
    order_keys,
    queries,
    schemas,
)
from todo_service.tasks.changes_page import ChangesQuery
from todo_service.tasks.list_page import TASK_QUERY
from todo_service.web import cors, entity_tags, json_bodies, long_fields
from todo_service.web.rate_limits import memory_windows

pytestmark = pytest.mark.once

ROOT = DESIGN.parent.parent
CONTRACT = (ROOT / "docs" / "contract.md").read_text("utf-8")


@pytest.fixture(scope="module")
def app(environ, app):
    """The application with everything switched on that the page speaks of."""
    app = create_app(environ | {"LOCAL_ACCOUNTS": "true", "METRICS_ENABLED": "true"})
    yield app
    app.extensions["database"].engine.dispose()


FENCED = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
METHOD = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\S+)")
SETTING = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
LINK = re.compile(r"\]\(([^()\s]+)\)")
CITED = re.compile(r"docs/[\w-]+\.md(?:#[\w-]+)?")
MOUNT = "…"


def rows(page: str, heading: str) -> list[list[str]]:
    """The rows of every table whose first heading is this one, as their cells."""
    found: list[list[str]] = []
    for table in re.findall(r"(?:^\|.*\|\n)+", page, re.M):
        head, _, *lines = map(cells_of, table.splitlines())
        if head[0] == heading:
            found += lines
    assert found, f"no table of {heading}"
    return found


def cells_of(line: str) -> list[str]:
    """The cells of a table's line."""
    return [cell.strip() for cell in line.split("|")[1:-1]]


def named(page: str, heading: str) -> list[str]:
    """What the first column of these tables names as code."""
    return [name for row in rows(page, heading) for name in CODE.findall(row[0])]


def spans(page: str) -> list[str]:
    """Everything that the page writes as code, outside of its examples."""
    return CODE.findall(FENCED.sub("", page))


def differences(said: Iterable[str], real: Iterable[str]) -> list[str]:
    """What only one of the two has, and what the page says twice."""
    said, real = list(said), set(real)
    twice = [f"{each} stands twice" for each in set(said) if said.count(each) > 1]
    missing = [f"{each} is missing" for each in real - set(said)]
    return twice + missing + [f"{each} does not exist" for each in set(said) - real]


# Routes


def real_routes(app: Flask) -> set[str]:
    """The application's routes as the page writes them. `HEAD` goes with `GET`."""
    return {
        f"{method} {rule.rule}".replace("<user:user_id>", "{user_id}").replace(
            "<uuid:task_id>", "{id}"
        )
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def expanded(page: str, routes: Iterable[str]) -> list[str]:
    """The routes on each mount: the page writes `…` for either."""
    mounts = named(page, "mount")
    return [
        route.replace(MOUNT, mount)
        for route in routes
        for mount in (mounts if MOUNT in route else [MOUNT])
    ]


def wrong_routes(page: str, app: Flask) -> list[str]:
    """Routes that only the tables or only the code has; others that the text names."""
    real = real_routes(app)
    texts = [span for span in spans(page) if METHOD.fullmatch(span)]
    unknown = set(expanded(page, texts)) - real
    return differences(expanded(page, named(page, "method and path")), real) + [
        f"{route} is nowhere" for route in sorted(unknown)
    ]


# Parameters, fields, settings, commands


def wrong_list_parameters(page: str, app: Flask) -> list[str]:
    """Parameters of the list that only the page or only the code has."""
    return differences(named(page, "list parameter"), TASK_QUERY.fields)


def wrong_sync_parameters(page: str, app: Flask) -> list[str]:
    """The same for sync."""
    return differences(named(page, "sync parameter"), ChangesQuery().fields)


def wrong_fields(page: str, app: Flask) -> list[str]:
    """A task's fields, and which of them the page calls read-only."""
    read_only = [
        name
        for cell, _, rule in rows(page, "field")
        for name in CODE.findall(cell)
        if rule.startswith("read-only")
    ]
    return differences(named(page, "field"), columns.WITH_TRASH) + differences(
        read_only, schemas.READ_ONLY
    )


def wrong_kinds(page: str, app: Flask) -> list[str]:
    """The kinds of a batch."""
    return differences(named(page, "kind"), batch_schemas.Batch().fields)


def wrong_account_fields(page: str, app: Flask) -> list[str]:
    """The fields that clients see of an account."""
    return differences(named(page, "account field"), account_queries.PUBLIC)


def wrong_settings(page: str, app: Flask) -> list[str]:
    """Settings with their defaults; others that the text names."""
    fields = SettingsSchema().fields.values()
    real = [f"{each.data_key} {_shown(each.load_default)}" for each in fields]
    said = [
        f"{name} {' '.join(CODE.findall(default))}"
        for cell, default, _ in rows(page, "setting")
        for name in CODE.findall(cell)
    ]
    in_text = {span for span in spans(page) if SETTING.fullmatch(span)}
    unknown = in_text - {str(each.data_key) for each in fields}
    return differences(said, real) + [f"{name} is no setting" for name in unknown]


def _shown(default: object) -> str:
    """A default as the page writes it. Nothing stands for a default that is derived."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return f"{default:g}"
    return default if isinstance(default, str) else ""


def wrong_commands(page: str, app: Flask) -> list[str]:
    """Commands, with the names of their arguments."""
    said = [re.sub(r"^flask ", "", each) for each in named(page, "command")]
    return differences(said, _commands(app.cli))


def _commands(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        else:
            arguments = [str(each.name).upper() for each in command.params]
            yield " ".join([f"{path}{name}", *arguments])


LIMITS = {
    "a request line": LINE_BYTES,
    "a header field": FIELD_BYTES,
    "all header fields": FIELDS_KIB,
    "`Accept-Encoding`": long_fields.LENGTH,
    "`Access-Control-Request-Headers`": long_fields.LENGTH,
    "a body": json_bodies.BODY_BYTES // 1024,
    "`Accept`": long_fields.LENGTH,
    "messages in one error": errors.MESSAGES_AT_MOST,
    "a field's name in a message": errors.NAME_CHARACTERS,
    "tags in `If-Match`": entity_tags.TAGS_AT_MOST,
    "tags in `If-None-Match`": entity_tags.TAGS_AT_MOST,
    "`tag` or `priority` in one query": list_fields.REPEATED_AT_MOST,
    "`q`": list_fields.SEARCH_LENGTH,
    "users, and addresses, that a worker process counts": memory_windows.KEYS_AT_MOST,
    "items of a batch": batch_schemas.ITEMS_AT_MOST,
    "`position`": order_keys.LENGTH,
    "a page of the list": TASK_QUERY.fields["limit"].validators[0].max,  # type: ignore[attr-defined]
    "a page of sync": ChangesQuery().fields["limit"].validators[0].max,  # type: ignore[attr-defined]
    "an e-mail address": emails.LENGTH,
    "a password": account_schemas.LONGEST_PASSWORD,
}


def wrong_limits(page: str, app: Flask) -> list[str]:
    """Limits whose number is another one in the code."""
    said = {
        name: int(re.sub(r"\D", "", number)) for name, number, _ in rows(page, "limit")
    }
    return differences(map(str, said.items()), map(str, LIMITS.items()))


# Headers


def wrong_headers(page: str, app: Flask) -> list[str]:
    """Headers that pages may send or read, which the text does not name."""
    return sorted({*cors.MAY_BE_SENT, *cors.MAY_BE_READ} - {*spans(page)})


def test_the_page_names_every_header_that_pages_may_send_or_read(app):
    assert wrong_headers(CONTRACT, app) == []
    assert wrong_headers(CONTRACT.replace("`RateLimit-Reset`", ""), app) == [
        "RateLimit-Reset"
    ]


# Statuses


def wrong_statuses(page: str, app: Flask) -> list[str]:
    """Statuses that no request below provokes, or that only the code names."""
    said = named(page, "status")
    ours = {name: text for name, text in SOURCES.items() if room(name) != "server"}
    unnamed = {str(status) for status in statuses_of(ours)} - set(said)
    return differences(said, map(str, PROVOKED)) + [
        f"{status} is missing" for status in unnamed
    ]


def wrong_server_statuses(page: str, app: Flask) -> list[str]:
    """Statuses that gunicorn answers with in only the page or only the code."""
    answers = [BAD_REQUEST, CRASH, *REFUSALS.values()]
    real = {str(int(status)) for status, _ in answers}
    return differences(named(page, "server status"), real)


def statuses_of(sources: dict[str, str]) -> set[int]:
    """The statuses that modules name, in every way in which they do.

    `abort(404)`, `HTTPStatus.NOT_FOUND`, Werkzeug's `NotFound`, `return body, 404`, and
    404 for an argument `status`: by name, by place, or by default.
    """
    found: set[object] = set()
    for text in sources.values():
        found |= _named_in(text)
    return {each for each in found if isinstance(each, int) and 100 <= each < 600}


@cache
def _named_in(source: str) -> set[object]:
    """What one module names; each line that is missing asks for all modules again."""
    tree = ast.parse(source)
    places = {"abort": 0} | dict(_places_of_status(tree))
    found: set[object] = set()
    for node in ast.walk(tree):
        found |= {*_by_name(node), *_by_number(node, places)}
    return found


def _places_of_status(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The functions with an argument `status`, and its place among the arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [each.arg for each in node.args.args]
            if "status" in names:
                yield node.name, names.index("status")


def _by_name(node: ast.AST) -> Iterator[object]:
    match node:
        case ast.ImportFrom(module="werkzeug.exceptions", names=names):
            yield from (getattr(exceptions, each.name).code for each in names)
        case ast.Attribute(value=ast.Name(id="HTTPStatus"), attr=name):
            yield int(HTTPStatus[name])


def _by_number(node: ast.AST, places: dict[str, int]) -> Iterator[object]:
    match node:
        case ast.keyword(arg="status", value=ast.Constant(value=status)):
            yield status
        case ast.Return(value=ast.Tuple(elts=[_, ast.Constant(value=status), *_])):
            yield status
        case ast.Call(func=ast.Name(id=name), args=args) if name in places:
            given = args[places[name] : places[name] + 1]
            yield from (each.value for each in given if isinstance(each, ast.Constant))
        case ast.arguments(args=args, defaults=[_, *_] as defaults):
            for argument, default in zip(args[-len(defaults) :], defaults, strict=True):
                if argument.arg == "status" and isinstance(default, ast.Constant):
                    yield default.value


def conflicting(alice, **_):
    """The second use of an idempotency key, for another body."""
    key = {"Idempotency-Key": "k"}
    alice.post("", json={"title": "one"}, headers=key)
    return alice.post("", json={"title": "two"}, headers=key)


def overtaken(alice, database, **_):
    """A sync token that is ahead of the counter, as after a restore."""
    alice.post("", json={"title": "x"})
    token = alice.get("changes").json["next"]
    with database.connect() as connection:
        connection.execute(delete(users))
    return alice.get(f"changes?since={token}")


def crashed(alice, environ, **_):
    """A bug in a route."""
    app = create_app(environ)

    @app.get("/api/crash")
    def crash():
        raise RuntimeError

    return Client(app, token=alice.token).get("/api/crash")


def cut_off(make_client, **_):
    """A database at a port where nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"postgresql://joe@127.0.0.1:{bound.getsockname()[1]}/todo"
        return make_client(DATABASE_URL=url).get("")


def too_often(make_client, **_):
    """The second request where one an hour is allowed."""
    alice = make_client(RATE_LIMIT="1 per hour")
    alice.get("")
    return alice.get("")


def asked(method, path="", sent=None, *, anyone=False):
    """One request of Alice's, or of anyone's. In a path, {} is a task of hers."""

    def ask(alice, milk, **clients):
        client = clients["anyone"] if anyone else alice
        whole = path.replace("{}", milk.json["id"])
        return client.open(whole, method=method, **(sent or {}))

    return ask


PREFLIGHT = {
    "Origin": "http://localhost:3000",
    "Access-Control-Request-Method": "POST",
}
TOO_LARGE = {"data": b"x" * (json_bodies.BODY_BYTES + 1)}
PROVOKED = {
    200: asked("GET"),
    201: asked("POST", sent={"json": {"title": "x"}}),
    204: asked("OPTIONS", "/nowhere", {"headers": PREFLIGHT}, anyone=True),
    302: asked("GET", "/", anyone=True),
    304: asked("GET", "{}", {"headers": {"If-None-Match": '"1"'}}),
    400: asked("POST", sent={"json": {}}),
    401: asked("GET", "/nowhere", anyone=True),
    403: asked("GET", "/api/bob/tasks"),
    404: asked("GET", "/nowhere"),
    405: asked("PUT"),
    409: conflicting,
    410: overtaken,
    412: asked("DELETE", "{}", {"headers": {"If-Match": '"9"'}}),
    413: asked("POST", sent=TOO_LARGE),
    415: asked("POST", sent={"data": b"{}"}),
    429: too_often,
    500: crashed,
    503: cut_off,
}


@pytest.mark.parametrize("status", PROVOKED)
def test_the_service_answers_with_the_status(
    status, alice, anyone, milk, database, environ, make_client
):
    answer = PROVOKED[status](
        alice=alice,
        anyone=anyone,
        milk=milk,
        database=database,
        environ=environ,
        make_client=make_client,
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    "planted",
    [
        "abort(418)",
        "def f(): return '', 418, {}",
        "Response(status=418)",
        "HTTPStatus.IM_A_TEAPOT",
        "from werkzeug.exceptions import ImATeapot",
        "def answer(body, status): ...\nanswer('', 418)",
        "def answer(body, status=418): ...",
    ],
)
def test_a_status_that_a_module_names_is_found(planted):
    assert statuses_of({"todo_service.planted": planted}) == {418}


def test_a_status_that_only_a_module_names_is_reported(app, monkeypatch):
    monkeypatch.setitem(SOURCES, "todo_service.planted", "abort(418)")

    assert wrong_statuses(CONTRACT, app) == ["418 is missing"]


# The page against the code

CHECKS = {
    "status": wrong_statuses,
    "server status": wrong_server_statuses,
    "method and path": wrong_routes,
    "mount": wrong_routes,
    "list parameter": wrong_list_parameters,
    "sync parameter": wrong_sync_parameters,
    "field": wrong_fields,
    "kind": wrong_kinds,
    "account field": wrong_account_fields,
    "setting": wrong_settings,
    "command": wrong_commands,
    "limit": wrong_limits,
}


@pytest.mark.parametrize("heading", CHECKS)
def test_the_table_is_what_the_code_has(app, heading):
    assert CHECKS[heading](CONTRACT, app) == []


def lines_of(heading: str) -> list[str]:
    """The lines of these tables, without their heads."""
    found = rows(CONTRACT, heading)
    return [line for line in CONTRACT.splitlines() if cells_of(line) in found]


@pytest.mark.parametrize("heading", CHECKS)
def test_every_line_that_is_missing_is_reported(app, heading):
    check, lines = CHECKS[heading], lines_of(heading)

    assert len(lines) == len(rows(CONTRACT, heading))
    assert [e for e in lines if not check(CONTRACT.replace(f"{e}\n", ""), app)] == []


ADDED = {
    "status": "`418`",
    "server status": "`418`",
    "method and path": f"`POST {MOUNT}/copy`",
    "mount": "`/v2/tasks`",
    "list parameter": "`color`",
    "sync parameter": "`until`",
    "field": "`color`",
    "kind": "`copy`",
    "account field": "`color`",
    "setting": "`COLOR`",
    "command": "`flask db color`",
    "limit": "`color`",
}


@pytest.mark.parametrize("heading", CHECKS)
def test_a_line_that_is_too_much_is_reported(app, heading):
    line = lines_of(heading)[-1]
    page = CONTRACT.replace(line, f"{line}\n| {ADDED[heading]} | 1 | 1 |")

    assert CHECKS[heading](page, app) != []


TWISTED = [
    ("method and path", "`PUT …/{id}`", "`POST …/{id}`"),
    ("method and path", "# Health", "`GET /copies` counts copies.\n# Health"),
    ("method and path", "# Health", "`POST …/copy` is new.\n# Health"),
    ("field", "| `version` | integer | read-only; ", "| `version` | integer | "),
    ("field", "| string | required ", "| string | read-only; required "),
    ("setting", "| `DB_POOL_SIZE` | `5` ", "| `DB_POOL_SIZE` | `6` "),
    ("setting", "# Health", "`COLOR_LIMIT` limits.\n# Health"),
    ("command", "`flask token USER_ID`", "`flask token`"),
    ("limit", "| a body | 128 KiB", "| a body | 64 KiB"),
]


@pytest.mark.parametrize(("heading", "said", "instead"), TWISTED)
def test_a_line_that_says_something_else_is_reported(app, heading, said, instead):
    assert said in CONTRACT

    assert CHECKS[heading](CONTRACT.replace(said, instead, 1), app) != []


def test_a_table_that_is_missing_is_reported(app):
    with pytest.raises(AssertionError, match="no table of status"):
        wrong_statuses(CONTRACT.replace("| status |", "| code |"), app)


# The change statement in the design page

SHAPE = re.compile(
    r"\bAS MATERIALIZED\b|\bFOR NO KEY UPDATE(?: OF users, tasks)?"
    r"|\bUPDATE (?:users|tasks) SET"
    r"|\bEXISTS\b|\bclock_timestamp\b|\bANY\b|\bRETURNING\b|\bLEFT OUTER JOIN\b"
    r"|\b(?:owner|hit|change|done)(?= AS)|ON CONFLICT|\bINSERT INTO (?:users|tasks)"
)


def shape_of(sql: str) -> list[str]:
    """The parts of a statement that make it what it is, in their order."""
    return SHAPE.findall(re.sub(r"\s+", " ", sql))


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        pytest.param(0, queries.TOGGLE_TASK, id="toggle"),
        pytest.param(1, queries.INSERT_TASK, id="create"),
        pytest.param(2, batch_queries.DELETE_TASKS, id="delete-many"),
    ],
)
def test_the_design_page_shows_the_statement(place, statement):
    page = DESIGN.read_text("utf-8")
    shown = re.findall(r"^```sql\n(.*?)^```", page, re.M | re.S)[place]
    compiled = str(statement.compile(dialect=postgresql.dialect()))

    assert shape_of(shown) == shape_of(compiled)
    assert len(shape_of(shown)) > 4


def test_a_statement_without_its_lock_is_another_one():
    compiled = str(queries.TOGGLE_TASK.compile(dialect=postgresql.dialect()))

    assert shape_of(compiled) != shape_of(compiled.replace(" OF users, tasks", ""))


# Links

READ = ["*.md", "docs/*.md", "clients/*/*.md", "examples/*/*.md"]
READ += ["todo_service/**/*.py", "*.py"]
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for pattern in READ
    for path in ROOT.glob(pattern)
}
PAGES = ("docs/contract.md", "docs/design.md")


def links_of(name: str, text: str) -> Iterator[str]:
    """Where a text leads, from the root: its links, and the pages that code cites."""
    if name.endswith(".py"):
        yield from CITED.findall(text)
        return
    for target in LINK.findall(FENCED.sub("", text)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            whole = (ROOT / name).parent / path if path else ROOT / name
            shown = whole.resolve().relative_to(ROOT.resolve())
            yield f"{shown}#{anchor}" if anchor else str(shown)


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def broken_links(texts: dict[str, str]) -> list[str]:
    """Links to a file or a heading that is not there."""
    broken = []
    for name, text in texts.items():
        for link in links_of(name, text):
            path, _, anchor = link.partition("#")
            there = path in texts or (ROOT / path).exists()
            if not there or (anchor and anchor not in anchors_of(texts.get(path, ""))):
                broken.append(f"{name} → {link}")
    return broken


def unlinked(texts: dict[str, str], page: str) -> list[str]:
    """Whether the README or every module forgets to lead to a page."""
    leading = {
        name
        for name, text in texts.items()
        if page in (link.partition("#")[0] for link in links_of(name, text))
    }
    return [
        f"{reader} lacks {page}"
        for reader, suffix in (("README.md", "README.md"), ("todo_service", ".py"))
        if not any(name.endswith(suffix) for name in leading)
    ]


def test_every_link_leads_somewhere():
    assert broken_links(TEXTS) == []


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_and_a_module_lead_to_the_page(page):
    assert unlinked(TEXTS, page) == []


BROKEN = [
    ("README.md", "[x](docs/nothing.md)"),
    ("README.md", "[x](docs/contract.md#nothing)"),
    ("docs/design.md", "[x](docs/contract.md)"),
    ("docs/design.md", "[x](#nothing)"),
    ("todo_service/errors.py", "# docs/nothing.md"),
    ("todo_service/errors.py", "# docs/contract.md#nothing"),
]


@pytest.mark.parametrize(("name", "planted"), BROKEN)
def test_a_link_that_leads_nowhere_is_found(name, planted):
    assert len(broken_links(TEXTS | {name: f"{TEXTS[name]}\n{planted}\n"})) == 1


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("suffix", ["README.md", ".py"])
def test_a_page_to_which_nothing_leads_is_found(page, suffix):
    forget = partial(re.sub, re.escape(page), "")
    texts = {n: forget(t) if n.endswith(suffix) else t for n, t in TEXTS.items()}

    assert len(unlinked(texts, page)) == 1
