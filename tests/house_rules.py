"""The house rules as functions: each takes sources or a statement, returns violations.

`test_conventions.py` applies them to the package, and to violations that it plants.
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import BindParameter, Delete, Insert, Select, Table, Update
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ClauseElement
from sqlalchemy.sql.selectable import Join

Sources = dict[str, str]  # a module's name: its text

# The rooms, and the rooms that each may import. The factory may import them all.
ROOMS = {
    "settings": set[str](),
    "errors": set[str](),
    "web": {"settings", "errors"},
    "database": {"settings", "errors"},
    "identity": {"settings", "errors", "web"},
    "documents": {"settings", "errors", "web", "identity"},
    "tasks": {"settings", "errors", "web", "database", "identity", "documents"},
    "accounts": {"settings", "errors", "web", "database", "identity", "documents"},
    "health": {"errors", "database", "documents"},
    "metrics": {"settings", "web", "database", "identity", "documents"},
    "purge": {"settings", "database", "tasks", "accounts"},
    "development": {"settings", "database", "identity"},
    "server": set(),
}

# The modules that build statements, with all that they may import.
WORDS = {"collections", "dataclasses", "datetime", "functools", "re", "typing"}
SQL = {"sqlalchemy", "todo_service.database", "todo_service.tasks.scope"}
# What it takes to say how a query writes a filter.
QUERY = {
    "marshmallow",
    "todo_service.tasks.list_fields",
    "todo_service.tasks.schemas",
    "todo_service.web.fields",
}
STATEMENTS = {
    "todo_service.database.tables": {"sqlalchemy"},
    "todo_service.database.statements": {"sqlalchemy", "todo_service.database"},
    "todo_service.database.counts": {"sqlalchemy", "todo_service.database"},
    "todo_service.database.timestamps": {"sqlalchemy"},
    "todo_service.tasks.scope": SQL,
    "todo_service.tasks.columns": SQL,
    "todo_service.tasks.counting": SQL,
    "todo_service.tasks.new_values": SQL | {"todo_service.tasks.schemas"},
    "todo_service.tasks.change": SQL
    | {"todo_service.tasks.columns", "todo_service.tasks.counting"},
    "todo_service.tasks.queries": SQL
    | {
        "todo_service.tasks.change",
        "todo_service.tasks.columns",
        "todo_service.tasks.counting",
        "todo_service.tasks.new_values",
        "todo_service.tasks.schemas",
    },
    "todo_service.tasks.batch_items": SQL
    | {
        "orjson",
        "todo_service.tasks.new_values",
        "todo_service.tasks.schemas",
    },
    "todo_service.tasks.batch_change": SQL
    | {"todo_service.tasks.columns", "todo_service.tasks.counting"},
    "todo_service.tasks.batch_queries": SQL
    | {
        "todo_service.tasks.batch_change",
        "todo_service.tasks.batch_items",
        "todo_service.tasks.columns",
        "todo_service.tasks.counting",
        "todo_service.tasks.new_values",
    },
    "todo_service.tasks.list_filters": SQL | QUERY,
    "todo_service.tasks.list_sorts": SQL | QUERY,
    "todo_service.tasks.list_queries": SQL
    | {
        "todo_service.tasks.list_filters",
        "todo_service.tasks.list_sorts",
        "todo_service.tasks.list_statement",
    },
    "todo_service.tasks.list_statement": SQL
    | {
        "todo_service.tasks.columns",
        "todo_service.tasks.list_sorts",
    },
    "todo_service.tasks.changes_statement": SQL | {"todo_service.tasks.columns"},
    "todo_service.tasks.summary_statement": SQL | {"todo_service.tasks.list_statement"},
    "todo_service.accounts.queries": SQL,
    "todo_service.accounts.deletion": SQL | {"todo_service.accounts.queries"},
    "todo_service.accounts.purge": SQL | {"todo_service.accounts.deletion"},
}
# Schemas know neither database nor user.
SCHEMAS = {
    "todo_service.tasks.schemas": {
        "marshmallow",
        "todo_service.tasks.order_keys",
        "todo_service.web.fields",
    },
    "todo_service.tasks.batch_schemas": {
        "marshmallow",
        "todo_service.tasks.schemas",
        "todo_service.web.fields",
    },
    "todo_service.tasks.list_fields": {"marshmallow", "todo_service.web.fields"},
    "todo_service.accounts.schemas": {
        "marshmallow",
        "todo_service.accounts.emails",
        "todo_service.web.fields",
    },
    "todo_service.accounts.emails": {"email_validator", "unicodedata"},
    "todo_service.web.fields": {"marshmallow"},
    "todo_service.settings.setting_fields": {"marshmallow"},
}

OWNER_COLUMN = {"tasks": "user_id", "users": "id", "accounts": "user_id"}
RAW_SQL = {"text", "TextClause", "exec_driver_sql", "cursor", "raw_connection"}
# The runner of migrations sends files as they stand; one module has the cursor.
MAY_USE = {
    "todo_service.database.migrations": {"exec_driver_sql"},
    "todo_service.database": {"raw_connection", "cursor"},
}

BODY_LINES, MODULE_LINES = 20, 150
LONG_FOR_A_REASON = "This module is long because"
# A table of contents has a line for each part.
CONTENTS = "todo_service.create_app"


@cache
def parsed(source: str) -> ast.Module:
    """A module's tree. Every rule reads every module, once for each violation."""
    return ast.parse(source)


def imported(source: str) -> set[str]:
    """Every name that a module imports: `from a import b` is `a` and `a.b`."""
    names = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names.add(str(node.module))
    return names


def our_imports(sources: Sources, module: str) -> set[str]:
    """The modules of ours that a module imports, without the packages around them."""
    found = imported(sources[module]) & sources.keys() - {"todo_service"}
    return {each for each in found if not any(o.startswith(f"{each}.") for o in found)}


def room(module: str) -> str:
    """The room that a module stands in; the factory is `todo_service`."""
    return [*module.split("."), "todo_service"][1]


def room_imports(sources: Sources) -> dict[str, set[str]]:
    """Which rooms import which: the picture in `docs/design.md`."""
    found: dict[str, set[str]] = {}
    for module in sources:
        others = {room(other) for other in our_imports(sources, module)}
        found.setdefault(room(module), set()).update(others - {room(module)})
    return found


def wrong_directions(sources: Sources) -> list[str]:
    """Imports of a room from one that may not import it."""
    wrong = []
    for here, others in room_imports(sources).items():
        if here != "todo_service":
            allowed = ROOMS.get(here, set())
            wrong += [f"{here} → {other}" for other in sorted(others - allowed)]
    return wrong + [f"{each} is in no room" for each in _roomless(sources)]


def _roomless(sources: Sources) -> list[str]:
    known = {*ROOMS, "todo_service"}
    return sorted({room(module) for module in sources} - known)


def cycles(sources: Sources) -> list[str]:
    """A chain of modules that import each other."""
    graph = {module: our_imports(sources, module) for module in sources}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def forbidden_imports(sources: Sources) -> list[str]:
    """What modules of statements and of schemas import besides what they may."""
    return [
        f"{module} imports {name}"
        for module, allowed in (STATEMENTS | SCHEMAS).items()
        for name in sorted(imported(sources.get(module, "")))
        if not _is_within(name, allowed | WORDS)
        and not any(each.startswith(f"{name}.") for each in allowed)
    ]


def _is_within(name: str, allowed: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{each}.") for each in allowed)


def imports_of_views(sources: Sources) -> list[str]:
    """Modules that import views, besides the package that the views belong to."""
    return [
        f"{module} imports {other}"
        for module in sources
        for other in our_imports(sources, module)
        if other.endswith(".views") and other != f"{module}.views"
    ]


def raw_sql(sources: Sources) -> list[str]:
    """Places where a module writes or sends SQL of its own."""
    found = []
    for module in sources:
        banned = RAW_SQL - MAY_USE.get(module, set())
        names = {each.rpartition(".")[2] for each in imported(sources[module])}
        for node in ast.walk(parsed(sources[module])):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
        found += [f"{module} uses {name}" for name in sorted(names & banned)]
    return found


def undocumented(sources: Sources) -> list[str]:
    """Modules without a docstring."""
    return [m for m, text in sources.items() if not ast.get_docstring(parsed(text))]


def too_long(sources: Sources) -> list[str]:
    """Function bodies over 20 lines; modules over 150 that do not say why."""
    found = []
    for module, text in sources.items():
        tree = parsed(text)
        if text.count("\n") > MODULE_LINES and LONG_FOR_A_REASON not in str(
            ast.get_docstring(tree)
        ):
            found.append(module)
        found += [
            f"{module}.{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.body[0].lineno >= BODY_LINES
        ]
    return [each for each in found if each != CONTENTS]


def writes(statement: ClauseElement) -> bool:
    """True if the statement changes a row somewhere."""
    return any(
        isinstance(part, Insert | Update | Delete)
        for part in visitors.iterate(statement)
    )


def tables_without_owner(statement: ClauseElement) -> list[str]:
    """The tables that a statement uses somewhere without the owner's equality."""
    return [
        f"{type(part).__name__} of {table.name}"
        for part in visitors.iterate(statement)
        for table in _tables(part)
        if table.name in OWNER_COLUMN and not _is_owned(part, table)
    ]


def _tables(part) -> Iterator[Table]:
    """The tables that this part of a statement itself reads or writes."""
    if isinstance(part, Select):
        for each in part.get_final_froms():
            yield from _flat(each)
    elif isinstance(part, Insert | Update | Delete):
        yield from _flat(part.table)


def _flat(source) -> Iterator[Table]:
    if isinstance(source, Join):
        yield from _flat(source.left)
        yield from _flat(source.right)
    elif isinstance(source, Table):
        yield source


def _is_owned(part, table: Table) -> bool:
    column = table.c[OWNER_COLUMN[table.name]]
    if isinstance(part, Insert):
        return _is_owner(_inserted(part).get(column.name))
    return any(
        each.left is column and _is_owner(each.right)
        for each in _conjuncts(part.whereclause)
        if isinstance(each, BinaryExpression) and each.operator is operators.eq
    )


def _inserted(part: Insert) -> dict:
    """The values that an INSERT has for its columns."""
    if part.select is not None:
        names = part._select_names or []
        return dict(zip(names, part.select.selected_columns, strict=True))
    return {str(name): value for name, value in (part._values or {}).items()}


def _conjuncts(clause) -> Iterator[ClauseElement]:
    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for each in clause.clauses:
            yield from _conjuncts(each)
    elif clause is not None:
        yield clause


def _is_owner(value) -> bool:
    return isinstance(value, BindParameter) and value.key == "owner"
