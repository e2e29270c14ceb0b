"""What every statement shares: the parameter `owner`, numbers, and the lock."""

from sqlalchemy import CTE, ColumnElement, FromClause, Select, bindparam, literal_column

from todo_service.database.tables import users

# Whose rows a statement reaches. Every table that it names is bound to it.
OWNER = bindparam("owner", type_=users.c.id.type)

# Part of the text. A plain number would be a value that every request sends.
ZERO: ColumnElement = literal_column("0")
ONE: ColumnElement = literal_column("1")


def locked(
    statement: Select,
    name: str,
    *,
    of: list[FromClause] | None = None,
    delete: bool = False,
) -> CTE:
    """Rows in their newest versions, locked for a change; `delete` locks them fully.

    `of` names the tables in the order in which their rows are locked.
    """
    held = statement.with_for_update(key_share=not delete, of=of)
    return held.cte(name).prefix_with("MATERIALIZED")
