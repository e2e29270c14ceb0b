"""The statement of sync: the tasks that changed after a place in the counter."""

from sqlalchemy import (
    BigInteger,
    Integer,
    bindparam,
    or_,
    select,
    true,
)

from todo_service.database.counts import of_user
from todo_service.database.driver import named, prepare
from todo_service.database.retries import repeatable
from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.columns import WITH_TRASH, shown
from todo_service.tasks.scope import LIVE, OWNED

POSITION = bindparam("position", type_=BigInteger)
FLOOR = bindparam("floor", type_=BigInteger)
PAGE_SIZE = bindparam("page_size", type_=Integer)

_mark = (
    select(
        of_user("last_change").label("counter"),
        of_user("purged_through").label("purged"),
    )
    .where(users.c.id == OWNER)
    .subquery("mark")
)
# Without a floor (null) no deleted task passes.
_changed = (
    select(tasks)
    .where(OWNED, tasks.c.version > POSITION, or_(LIVE, tasks.c.version > FLOOR))
    .order_by(tasks.c.version)
    .limit(PAGE_SIZE)
    .subquery("changed")
)

# Oldest change first. Each row has the user's `counter` and purge mark; if nothing
# changed, there is one row, whose `id` is null.
_page = (
    select(*shown(_changed, WITH_TRASH), _mark.c.counter, _mark.c.purged)
    .select_from(_mark.outerjoin(_changed, true()))
    .order_by(_changed.c.version)
)
SELECT_CHANGES = named("SELECT_CHANGES", repeatable(prepare(_page, has_limit=True)))
