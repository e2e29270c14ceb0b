"""The users and tasks of the benchmark: who they are, and how they come to be there.

Users have numbers, and so have their tasks; ids are made of the numbers. So every
driver, wrk's script and pgbench's too, can pick any task at random without a table.
"""

from pathlib import Path

import jwt
from sqlalchemy import URL, text

from benchmarks import postgres
from todo_service.database import migrations
from todo_service.database.engines import Database
from todo_service.settings import load

SECRET = "a secret of the benchmark, long enough"  # noqa: S105
# Higher than any driver comes.
RATE_LIMIT = "1000000000 per minute"

# 32 letters and digits, as Better Auth's are; requests.lua and pgbench.py build the
# same ids.
USER_PREFIX, USER_OFFSET = "benchmarkusernumber", 10**12
TASK_PREFIX, TASK_OFFSET, TASKS_AT_MOST = "01970000-0000-7000-8000-", 10**11, 10**7

USERS = text("""
INSERT INTO users (id, last_change, pending, completed)
SELECT :prefix || (:offset + number), :tasks, :tasks - :tasks / 3, :tasks / 3
FROM generate_series(0, :users - 1) number
""")

# In the order of time, as they come in: the tasks of a user lie apart from each other.
TASKS = text("""
INSERT INTO tasks (user_id, id, title, description, completed, priority, due_at, tags,
                   version, completed_at, created_at, updated_at)
SELECT :user_prefix || (:user_offset + number),
       (:task_prefix
        || (:task_offset + CAST(number AS bigint) * :tasks_at_most + task))::uuid,
       'Task ' || task || ' of the things to do',
       CASE WHEN task % 2 = 0 THEN repeat('What has to be done. ', 4) END,
       task % 3 = 0,
       (ARRAY['low', 'medium', 'high'])[1 + task % 3],
       CASE WHEN task % 2 = 0 THEN now() + task * interval '1 hour' END,
       CASE WHEN task % 4 = 0 THEN ARRAY['home', 'garden'] ELSE '{}' END,
       task,
       CASE WHEN task % 3 = 0 THEN now() END,
       now() - (:tasks - task) * interval '1 hour',
       now() - (:tasks - task) * interval '1 hour'
FROM generate_series(1, :tasks) task, generate_series(0, :users - 1) number
ORDER BY task, number
""")

# Autovacuum comes when a fifth has changed: this is halfway between two runs of it.
# On a table fresh from VACUUM a count reads the index alone, which flatters it.
CHANGE_A_TENTH = "UPDATE tasks SET updated_at = updated_at WHERE random() < 0.1"


def fill(url: URL, *, users: int, tasks: int, scratch: Path) -> None:
    """Migrate the database; give it these users with as many tasks each."""
    migrations.upgrade(Database(load(settings(url)), scratch))
    counts = {"users": users, "tasks": tasks}
    with postgres.session(url) as connection:
        connection.execute(
            USERS, counts | {"prefix": USER_PREFIX, "offset": USER_OFFSET}
        )
        connection.execute(
            TASKS,
            counts
            | {"user_prefix": USER_PREFIX, "user_offset": USER_OFFSET}
            | {"task_prefix": TASK_PREFIX, "task_offset": TASK_OFFSET}
            | {"tasks_at_most": TASKS_AT_MOST},
        )
        connection.execute(text("CHECKPOINT"))


def renew(url: URL) -> None:
    """Give the table the age that it has at the beginning of each round."""
    with postgres.session(url) as connection:
        for statement in ("VACUUM ANALYZE users, tasks", CHANGE_A_TENTH):
            connection.execute(text(statement))


def settings(url: URL) -> dict[str, str]:
    """The settings of a contestant. Whatever is not here keeps its default."""
    return {
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "BETTER_AUTH_SECRET": SECRET,
        # Requests are counted, and none is refused.
        "RATE_LIMIT": RATE_LIMIT,
    }


def write_tokens(path: Path, users: int) -> None:
    """A token of each user, one a line, in the order of their numbers."""
    lines = (
        jwt.encode({"sub": user_id(number), "exp": 4102444800}, SECRET, "HS256")
        for number in range(users)
    )
    path.write_text("\n".join(lines) + "\n")


def user_id(number: int) -> str:
    """The id of a user."""
    return f"{USER_PREFIX}{USER_OFFSET + number}"


def task_id(number: int, task: int) -> str:
    """The id of a user's task, which has a number of its own, from 1."""
    return f"{TASK_PREFIX}{TASK_OFFSET + number * TASKS_AT_MOST + task}"
