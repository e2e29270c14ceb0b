"""The house rules that a machine can check."""

import ast
import inspect
from pathlib import Path

import pytest

import todo_service
from todo_service.tasks import (
    columns,
    criteria,
    listing,
    pages,
    queries,
    schemas,
    sync,
)

PACKAGE = Path(todo_service.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path
    for path in PACKAGE.rglob("*.py")
}

# From the ground up: a module may import those that stand above it here, and its own
# package's. What is missing here fails the test, so a new module finds its place.
ORDER = [
    "tables",
    "base64url",
    "urls",
    "fields",
    "kinds",
    "config",
    "logs",
    "errors",
    "paths",
    "payloads",
    "browsers",
    "sockets",
    "embedded",
    "db",
    "migrations",
    "health",
    "identity",
    "tasks",
    "development",
]

# Tighter than the order: all that these may import of ours.
ONLY = {
    "todo_service.tables": set(),
    "todo_service.fields": set(),
    "todo_service.kinds": set(),
    "todo_service.tasks.schemas": {"todo_service.fields"},
    "todo_service.tasks.columns": {"todo_service.tables"},
    "todo_service.tasks.change": {"todo_service.tables", "todo_service.tasks.columns"},
    "todo_service.tasks.queries": {
        "todo_service.tables",
        "todo_service.tasks.change",
        "todo_service.tasks.columns",
    },
    "todo_service.tasks.criteria": {"todo_service.tables"},
    "todo_service.tasks.listing": {
        "todo_service.tables",
        "todo_service.tasks.change",
        "todo_service.tasks.columns",
        "todo_service.tasks.criteria",
    },
}


def imported(module: str) -> set[str]:
    """Our own modules that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{a.name}" for a in node.names}
            names.add(str(node.module))
    return names & MODULES.keys() - {"todo_service"}


def place(module: str) -> int:
    """How far up in the house a module is."""
    return ORDER.index(module.split(".")[1])


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"todo_service"}), ids=str)
def test_imports_point_one_way(module):
    for other in imported(module):
        same_package = other.split(".")[1] == module.split(".")[1]
        assert same_package or place(other) < place(module), f"{module} → {other}"


@pytest.mark.parametrize("module", ONLY)
def test_schemas_and_queries_know_neither_the_web_nor_each_other(module):
    assert imported(module) <= ONLY[module]


def test_nothing_imports_views_but_their_own_package():
    for module in MODULES:
        views = {other for other in imported(module) if other.endswith(".views")}
        assert views <= {f"{module}.views"}


@pytest.mark.parametrize("module", sorted(MODULES), ids=str)
def test_every_module_says_what_it_is_responsible_for(module):
    assert ast.get_docstring(ast.parse(MODULES[module].read_text()))


STATEMENTS = [
    function
    for module in (listing, queries, sync)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize("query", STATEMENTS, ids=lambda query: query.__name__)
def test_every_query_takes_the_owners_id_first(query):
    assert next(iter(inspect.signature(query).parameters)) == "user_id"


def test_the_service_has_no_sql_of_its_own_outside_the_migrations():
    for module, path in MODULES.items():
        names = {
            n.attr
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Attribute)
        }
        raw = names & {"text", "exec_driver_sql", "cursor"}
        assert not raw or module == "todo_service.migrations", module


def test_every_filter_and_sort_is_wired_from_the_query_to_the_statement():
    paging = {"sort", "limit", "offset", "cursor"}

    filters = schemas.TaskQuery().fields.keys() - paging
    assert filters == criteria.CHOICES.keys() | criteria.FILTERS.keys()
    assert set(schemas.SORTS) == criteria.SORTS.keys()
    assert {sort.lstrip("-") for sort in schemas.SORTS} == pages.KEYS.keys()


def test_what_clients_see_of_a_task_is_its_writable_and_its_read_only_fields():
    assert set(columns.WITH_TRASH) == schemas.Task().fields.keys() | schemas.READ_ONLY
