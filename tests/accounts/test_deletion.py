"""Deleting an account: everything of it goes, and nothing brings it back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.accounts.conftest import PASSWORD
from tests.client import Client
from tests.test_races import at_once
from tests.waiting import until, wait_for_a_blocked_statement
from todo_service.accounts import deletion

WITH_PASSWORD = {"password": PASSWORD}
COUNTED = """
SELECT pending, completed, deleted, gone_at IS NOT NULL,
    (SELECT count(*) FROM tasks WHERE user_id = users.id),
    (SELECT count(*) FROM accounts WHERE user_id = users.id)
FROM users WHERE id = %s
"""
LEFT = (0, 0, 0, True, 0, 0)
BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def left(registered, database):
    """What the database has of Carol: counts, whether she is gone, tasks, accounts."""

    def left():
        with database.connect() as connection:
            found = connection.exec_driver_sql(
                COUNTED, (registered.json["user"]["id"],)
            )
            return tuple(found.one())

    return left


def number_of(sql, database):
    """The number that a statement finds, on a connection of its own."""
    with database.connect() as connection:
        return connection.exec_driver_sql(sql).scalar_one()


@pytest.fixture
def crowd(make_client, carol):
    """Carol on as many threads as she likes, each with a connection of its own."""
    client = make_client(
        LOCAL_ACCOUNTS="true",
        DB_POOL_SIZE="20",
        DB_POOL_TIMEOUT="60",
        DB_STATEMENT_TIMEOUT="60",
        GUNICORN_THREADS="64",
    )
    return Client(client.application, token=carol.token)


@pytest.fixture
def three_tasks(carol):
    """A pending, a completed and a deleted task of Carol's."""
    carol.post("", json={"title": "pending"})
    carol.post("", json={"title": "completed", "completed": True})
    carol.delete(carol.post("", json={"title": "deleted"}).json["id"])


def test_a_deletion_leaves_nothing_but_the_mark_that_the_user_is_gone(
    carol, three_tasks, left
):
    answer = carol.delete("/auth/me", json=WITH_PASSWORD)

    assert (answer.status_code, answer.json) == (200, {"message": "Account deleted"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert left() == LEFT


def test_after_a_deletion_nobody_logs_in_and_no_token_is_good(carol, log_in):
    other = log_in().json["access_token"]

    carol.delete("/auth/me", json=WITH_PASSWORD)

    assert log_in().status_code == 401
    for token in (carol.token, other):
        bearer = {"Authorization": f"Bearer {token}"}
        for method, path in (("GET", "/auth/me"), ("POST", "/api/tasks")):
            answer = carol.open(path, method=method, headers=bearer, json={})
            assert answer.status_code == 401


def test_another_password_deletes_nothing(carol, three_tasks, left):
    answer = carol.delete("/auth/me", json={"password": "wrong horse"})

    assert (answer.status_code, answer.json) == (
        403,
        {"error": "The password is wrong."},
    )
    assert left() == (1, 1, 1, False, 3, 1)


def test_the_email_is_free_again_for_another_user(carol, registered, register, left):
    carol.delete("/auth/me", json=WITH_PASSWORD)

    again = register()

    assert again.status_code == 201
    assert again.json["user"]["id"] != registered.json["user"]["id"]
    assert left() == LEFT


def test_nobody_else_loses_anything(carol, alice, milk, register, log_in):
    register("dora@example.com")

    carol.delete("/auth/me", json=WITH_PASSWORD)

    assert alice.get("").json["tasks"] == [milk.json]
    assert log_in("dora@example.com").status_code == 200


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_tasks_go_batch_by_batch(carol, left, monkeypatch, number):
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
    for each in range(number):
        carol.post("", json={"title": f"{each}", "completed": each % 2 == 0})

    assert carol.delete("/auth/me", json=WITH_PASSWORD).status_code == 200
    assert left() == LEFT


def test_a_task_that_is_created_while_the_deletion_waits_goes_too(
    crowd, carol, database, left
):
    """The create waits for the user's row, the deletion behind it."""
    transactional = database.execution_options(isolation_level="READ COMMITTED")
    with ThreadPoolExecutor(2) as pool, transactional.connect() as connection:
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")
        creating = pool.submit(crowd.post, "/api/tasks", json={"title": "late"})
        wait_for_a_blocked_statement(database)
        deleting = pool.submit(crowd.delete, "/auth/me", json=WITH_PASSWORD)
        until(lambda: number_of(BLOCKED, database) == 2)
        connection.commit()

    assert (creating.result().status_code, deleting.result().status_code) == (201, 200)
    assert left() == LEFT


@pytest.mark.parametrize("_", range(3))
def test_creates_at_the_same_moment_do_not_bring_the_user_back(crowd, left, _):
    def act(n):
        if n == 0:
            return crowd.delete("/auth/me", json=WITH_PASSWORD)
        return [crowd.post("/api/tasks", json={"title": f"{n}"}) for _ in range(10)][-1]

    deleted, *created = at_once(8, act)

    assert deleted.status_code == 200
    assert {answer.status_code for answer in created} <= {201, 401}
    assert crowd.post("/api/tasks", json={"title": "x"}).status_code == 401
    assert left() == LEFT


@pytest.mark.parametrize("_", range(3))
def test_changes_at_the_same_moment_make_no_error(crowd, left, _):
    tasks = [crowd.post("/api/tasks", json={"title": "x"}).json for _ in range(8)]

    def act(n):
        if n == 0:
            return crowd.delete("/auth/me", json=WITH_PASSWORD)
        path = f"/api/tasks/{tasks[n]['id']}/complete"
        return [crowd.patch(path) for _ in range(10)][-1]

    deleted, *changed = at_once(8, act)

    assert deleted.status_code == 200
    assert {answer.status_code for answer in changed} <= {200, 401, 404}
    assert left() == LEFT


def test_of_two_deletions_one_wins(crowd, left):
    answers = at_once(2, lambda n: crowd.delete("/auth/me", json=WITH_PASSWORD))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses in ([200, 401], [200, 403], [200, 404])
    assert left() == LEFT


def test_a_deletion_with_an_old_password_changes_nothing(
    carol, three_tasks, registered, database, left
):
    """The password was changed between the check and the statement."""
    old = {"owner": registered.json["user"]["id"], "generation": 1}
    carol.post(
        "/auth/password",
        json={"current_password": PASSWORD, "new_password": "another horse"},
    )

    with database.connect() as connection:
        close = connection.execute(deletion.CLOSE_ACCOUNT, old)
        assert close.all() == []

    assert left() == (1, 1, 1, False, 3, 1)


def test_the_purge_ends_a_deletion_that_was_interrupted(
    carol, three_tasks, registered, database, run, left
):
    owner = {"owner": registered.json["user"]["id"], "generation": 1}
    with database.connect() as connection:
        assert connection.execute(deletion.CLOSE_ACCOUNT, owner).all()
    assert carol.get("").status_code == 401

    assert "Removed 3 tasks of deleted accounts.\n" in run("purge").output
    assert left() == LEFT
    assert "Removed 0 tasks of deleted accounts.\n" in run("purge").output


def test_the_statement_spares_the_tasks_of_a_user_who_is_not_gone(
    carol, three_tasks, registered, database, left
):
    owner = registered.json["user"]["id"]
    with database.connect() as connection:
        sent = {"owner": owner, "batch_size": 5}
        assert (
            connection.execute(deletion.DELETE_REMAINING_TASKS, sent).scalar_one() == 0
        )

    assert left() == (1, 1, 1, False, 3, 1)


def test_a_deletion_that_waits_for_its_user_holds_no_task_yet(
    crowd, carol, three_tasks, database, left
):
    """The order of locks: the other way round this is a deadlock."""
    transactional = database.execution_options(isolation_level="READ COMMITTED")
    with ThreadPoolExecutor(1) as pool, transactional.connect() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")
        waiting = pool.submit(crowd.delete, "/auth/me", json=WITH_PASSWORD)
        wait_for_a_blocked_statement(database)
        connection.exec_driver_sql("SELECT FROM tasks FOR UPDATE")
        connection.commit()

    assert waiting.result().status_code == 200
    assert left() == LEFT
