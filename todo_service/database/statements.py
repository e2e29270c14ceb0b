"""What every statement shares: the parameter `owner`, and the lock."""

from sqlalchemy import CTE, FromClause, Select, bindparam

from todo_service.database.tables import users

# Whose rows a statement reaches. Every table that it names is bound to it.
OWNER = bindparam("owner", type_=users.c.id.type)


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
