"""The trash is emptied for good; restored databases get new numbers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.waiting import wait_for_a_blocked_statement


@pytest.fixture
def run(app, database):
    """Runs a flask command that succeeds; gives what it printed."""

    def run(*args):
        result = app.test_cli_runner().invoke(args=args)
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def age(database):
    """Makes everything in the trash as many days old."""

    def age(days):
        moved = text("UPDATE tasks SET deleted_at = now() - make_interval(days => :n)")
        with database.connect() as connection:
            connection.execute(moved, {"n": days})

    return age


def test_what_was_deleted_long_ago_is_purged_for_good(alice, milk, run, age):
    alice.delete(milk.location)
    age(31)

    assert run("purge").startswith(
        "Removed 1 tasks that were deleted over 30 days ago.\n"
    )
    assert alice.get("?deleted=true").json["total"] == 0
    assert alice.post(f"{milk.location}/restore").status_code == 404


def test_a_purge_keeps_live_tasks_and_those_deleted_lately(alice, milk, run, age):
    alice.delete(alice.post("", json={"title": "old"}).json["id"])

    assert run("purge").startswith("Removed 0")
    assert alice.get("?deleted=true").json["total"] == 1
    assert alice.get("").json["tasks"] == [milk.json]


def test_every_users_trash_is_purged_batch_by_batch(alice, bob, run, age, monkeypatch):
    monkeypatch.setattr("todo_service.tasks.purge.BATCH_SIZE", 2)
    for client, number in ((alice, 5), (bob, 4)):
        for _ in range(number):
            client.delete(client.post("", json={"title": "x"}).json["id"])
    age(31)

    assert run("purge").startswith("Removed 9 ")
    assert [c.get("?deleted=true").json["total"] for c in (alice, bob)] == [0, 0]


def test_a_purge_changes_the_trashs_etag(alice, milk, run, age):
    alice.delete(milk.location)
    age(31)
    before = alice.get("?deleted=true").headers["ETag"]

    run("purge")

    again = alice.get("?deleted=true", headers={"If-None-Match": before})
    assert again.status_code == 200


def test_a_sync_token_older_than_the_purged_trash_is_gone(alice, milk, run, age):
    token = alice.get("changes").json["next"]
    alice.delete(milk.location)
    age(31)
    run("purge")

    assert alice.get(f"changes?since={token}").status_code == 410
    assert alice.get("changes").json["changes"] == []


def test_a_sync_token_behind_the_purged_trash_goes_on(alice, milk, run, age):
    alice.delete(milk.location)
    token = alice.get("changes").json["next"]
    age(31)
    run("purge")

    assert alice.get(f"changes?since={token}").status_code == 200


def test_an_idempotency_key_is_free_again_once_its_task_is_purged(alice, run, age):
    key = {"Idempotency-Key": "k"}
    first = alice.post("", json={"title": "x"}, headers=key).json
    alice.delete(first["id"])
    age(31)
    run("purge")

    second = alice.post("", json={"title": "another"}, headers=key)

    assert second.status_code == 201
    assert second.json["id"] != first["id"]


def test_after_a_restore_no_token_and_no_tag_of_the_lost_time_is_good(alice, milk, run):
    token = alice.get("changes").json["next"]
    listed = alice.get("").headers["ETag"]

    assert run("db", "restored") == "Moved the counters of 1 users.\n"

    assert alice.get(f"changes?since={token}").status_code == 410
    assert alice.get("", headers={"If-None-Match": listed}).status_code == 200
    changed = alice.patch(milk.location, json={"title": "x"}).json
    assert changed["version"] == milk.json["version"] + 2**32 + 1


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE tasks SET completed = true, completed_at = now()",
        "DELETE FROM tasks",
        "UPDATE tasks SET deleted_at = now()",
        "UPDATE users SET pending = 7, completed = 7, deleted = 7",
    ],
)
def test_recount_sets_the_totals_right_after_an_edit_by_hand(
    alice, bob, milk, database, run, edit
):
    bob.post("", json={"title": "x"})
    alice.delete(alice.post("", json={"title": "x"}).json["id"])
    queries = ["", "status=pending", "status=completed", "deleted=true"]
    before = alice.get("").headers["ETag"]
    with database.connect() as connection:
        connection.exec_driver_sql(edit)

    assert run("db", "recount") == "Corrected the numbers of 2 users.\n"

    for client in (alice, bob):
        for query in queries:
            page = client.get(f"?{query}").json
            assert page["total"] == len(page["tasks"])
    assert alice.get("", headers={"If-None-Match": before}).status_code == 200
    assert run("db", "recount") == "Corrected the numbers of 0 users.\n"


def test_recount_waits_for_a_write_and_counts_what_it_did(app, alice, milk, database):
    transactional = database.execution_options(isolation_level="READ COMMITTED")
    with database.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET pending = 9")
    with ThreadPoolExecutor(1) as pool, transactional.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET pending = 10, last_change = 2")
        connection.exec_driver_sql(
            "INSERT INTO tasks (user_id, id, title, completed, priority, tags, version,"
            " created_at, updated_at) SELECT user_id, gen_random_uuid(), title,"
            " completed, priority, tags, 2, created_at, updated_at FROM tasks"
        )
        recount = pool.submit(app.test_cli_runner().invoke, args=["db", "recount"])
        wait_for_a_blocked_statement(database)
        connection.commit()

    assert recount.result().output == "Corrected the numbers of 1 users.\n"
    assert alice.get("").json["total"] == 2
