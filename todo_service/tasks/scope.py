"""Which task a statement is about: the owner's, with this id, in the trash or not."""

from sqlalchemy import and_, bindparam

from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks

TASK = bindparam("task", type_=tasks.c.id.type)

OWNED = tasks.c.user_id == OWNER
# An id alone never picks out a row.
IS_ONE = and_(OWNED, tasks.c.id == TASK)
LIVE = tasks.c.deleted_at.is_(None)
DELETED = tasks.c.deleted_at.is_not(None)
