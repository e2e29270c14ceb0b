"""How a statement reaches the driver: compiled once, then only values are sent.

SQLAlchemy compiles each constant statement once. A request hands the text and the
values to a cursor of psycopg2: SQLAlchemy's own execution costs more than that.

A statement that is marked with `prepare` is also prepared in the server, which spends
most of its time on parsing and planning otherwise. psycopg2 cannot do that, SQL can:
`PREPARE` and `EXECUTE` in one message the first time, `EXECUTE` from then on. Behind a
pooler a server's connection may lack the statement, or have it already. PostgreSQL
refuses both before anything runs, so the message is sent again the other way. The name
is a digest of the text, so no statement can be mistaken for another.

Every message begins with what holds for it alone: the deadline after which PostgreSQL
ends the statement. `SET LOCAL` ends with the message, so a pooler's next client does
not meet it.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

import psycopg2
from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

Parameters = Mapping[str, Any]

PYFORMAT = postgresql.psycopg2.dialect()
NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")

NO_SUCH_STATEMENT = "26000"
STATEMENT_EXISTS = "42P05"
RESULT_TYPE_CHANGED = "0A000"

# One plan for all values. PostgreSQL takes an unknown LIMIT for a tenth of the table,
# so it would plan such a statement anew each time.
ONE_PLAN = "SET LOCAL plan_cache_mode = force_generic_plan; "


class DriverStatement:
    """A statement as the driver takes it: its messages, its constants, its rows."""

    def __init__(self, statement: Any):
        compiled = statement.compile(dialect=PYFORMAT)
        self.plain = str(compiled)
        binds = compiled.binds.items()
        self.constants = {name: each.value for name, each in binds if not each.required}
        self._make_row = _row_maker(statement.exported_columns.keys())
        options = statement.get_execution_options()
        self.name = options.get("name", "unnamed")
        marked = "prepare" in options
        self.prepared = Prepared(statement) if marked else None

    def run(self, cursor: Any, parameters: Parameters) -> list[Any]:
        """Send the statement with these values; return its rows as named tuples."""
        values = {**self.constants, **parameters}
        if not self._run_prepared(cursor, values):
            cursor.execute(cursor.connection.deadline + self.plain, values)
        return list(map(self._make_row, cursor))

    def _run_prepared(self, cursor: Any, values: Parameters) -> bool:
        """True if it ran. False if PostgreSQL refused twice before anything ran.

        That is rare: the two messages met two connections behind a pooler.
        """
        if not self.prepared or not cursor.connection.prepares:
            return False
        message: str | None = self.prepared.message(cursor.connection.prepared)
        for _ in range(2):
            try:
                cursor.execute(f"{cursor.connection.deadline}{message}", values)
                return True
            except psycopg2.Error as error:
                message = self.prepared.other_way(error.pgcode)
                if message is None:
                    raise
        return False


@cache
def for_driver(statement: Executable) -> DriverStatement:
    """The statement, compiled on first use. All are constants, so few are kept."""
    return DriverStatement(statement)


class Prepared:
    """The messages that prepare and execute one statement."""

    def __init__(self, statement: Any):
        compiled = statement.compile(dialect=NUMBERED)
        names = compiled.positiontup
        types = [_parameter_type(compiled.binds[name].type) for name in names]
        plan = f"({', '.join(types)}) AS {compiled}"
        self.name = f"todo_{sha256(plan.encode()).hexdigest()[:24]}"
        values = ", ".join(f"%({name})s" for name in names)
        self.execute = f"EXECUTE {self.name} ({values})"
        self.planning = statement.get_execution_options().get("prepare", "")
        self.again = self.planning + self.execute
        self.first = f"PREPARE {self.name} {plan.replace('%', '%%')}; {self.again}"
        self.anew = f"DEALLOCATE {self.name}; {self.first}"

    def message(self, known: set[str]) -> str:
        """The message for a connection; `known` is what has been prepared on it."""
        if self.name in known:
            return self.again
        known.add(self.name)
        return self.first

    def other_way(self, code: str | None) -> str | None:
        """The message for a server that refused before anything ran; else None."""
        return {
            NO_SUCH_STATEMENT: self.first,
            STATEMENT_EXISTS: self.again,
            RESULT_TYPE_CHANGED: self.anew,
        }.get(str(code))


def prepare(statement: Any, *, has_limit: bool = False) -> Any:
    """Mark a statement to be prepared. Each takes memory in every connection."""
    return statement.execution_options(prepare=ONE_PLAN if has_limit else "")


def named(name: str, statement: Any) -> Any:
    """Give a statement the name that the log and the metrics call it by."""
    return statement.execution_options(name=name)


def _parameter_type(kind: TypeEngine) -> str:
    """The name of a type. A column may have a collation, but a parameter may not."""
    return kind.compile(dialect=NUMBERED).partition(" COLLATE ")[0]


def _row_maker(names: list[str]) -> Callable[[Iterable[Any]], Any]:
    """Makes a named tuple of a row."""
    row = namedtuple("Row", names)  # type: ignore[misc]
    return row._make
