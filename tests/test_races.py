"""Many at once, on real threads and connections: nothing is lost, nothing twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.waiting import wait_for_a_blocked_statement

ROUNDS = 3
MANY = 32


@pytest.fixture
def crowd(make_client):
    """Alice on as many threads as she likes, each with a connection of its own."""
    return make_client(
        DB_POOL_SIZE="40", DB_POOL_TIMEOUT="60", DB_STATEMENT_TIMEOUT="60"
    )


def at_once(number, action):
    """What an action answers when so many threads begin it together."""
    start = threading.Barrier(number)

    def run(which):
        start.wait()
        return action(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


@pytest.mark.parametrize("_", range(ROUNDS))
def test_of_many_writers_of_one_version_one_wins(crowd, milk, _):
    answers = at_once(
        MANY,
        lambda n: crowd.patch(
            milk.location, json={"title": f"by {n}"}, headers={"If-Match": '"1"'}
        ),
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * (MANY - 1)
    (won,) = (answer for answer in answers if answer.status_code == 200)
    assert crowd.get(milk.location).json == won.json
    assert {answer.headers["ETag"] for answer in answers} == {'"2"'}


@pytest.mark.parametrize("_", range(ROUNDS))
def test_each_of_many_parallel_toggles_inverts_the_task(crowd, milk, _):
    answers = at_once(MANY, lambda n: crowd.patch(f"{milk.location}/complete"))

    by_version = sorted((a.json["version"], a.json["completed"]) for a in answers)
    assert by_version == [(n + 2, n % 2 == 0) for n in range(MANY)]


@pytest.mark.parametrize("_", range(ROUNDS))
def test_every_change_moves_updated_at_forward(crowd, milk, _):
    answers = at_once(
        MANY, lambda n: crowd.patch(milk.location, json={"title": f"{n}"})
    )

    moments = sorted((a.json["version"], a.json["updated_at"]) for a in answers)
    assert [moment for _, moment in moments] == sorted({m for _, m in moments})


@pytest.mark.parametrize("_", range(ROUNDS))
def test_many_posts_with_one_key_make_one_task(crowd, database, _):
    answers = at_once(
        MANY,
        lambda n: crowd.post(
            "", json={"title": "once"}, headers={"Idempotency-Key": "k"}
        ),
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in a.headers for a in answers) == 1
    assert crowd.get("").json["total"] == 1
    assert crowd.post("", json={"title": "next"}).json["version"] == 2


@pytest.mark.parametrize("_", range(ROUNDS))
def test_of_many_creates_under_one_id_one_wins(crowd, database, _):
    new = {"headers": {"If-None-Match": "*"}}
    task = str(uuid4())

    answers = at_once(MANY, lambda n: crowd.put(task, json={"title": f"{n}"}, **new))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [412] * (MANY - 1)
    assert {answer.headers["ETag"] for answer in answers} == {'"1"'}
    (won,) = (answer for answer in answers if answer.status_code == 201)
    assert crowd.get(task).json == won.json


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_new_users_first_creates_make_no_error(crowd, database, _):
    answers = at_once(MANY, lambda n: crowd.post("", json={"title": f"{n}"}))

    assert {answer.status_code for answer in answers} == {201}
    assert sorted(a.json["version"] for a in answers) == list(range(1, MANY + 1))


@pytest.mark.parametrize("_", range(ROUNDS))
def test_an_update_never_brings_a_deleted_task_back(crowd, milk, _):
    answers = at_once(
        MANY,
        lambda n: (
            crowd.delete(milk.location)
            if n % 4 == 0
            else crowd.patch(milk.location, json={"title": f"{n}"})
        ),
    )

    deleted = [a for n, a in enumerate(answers) if n % 4 == 0]
    assert sorted(answer.status_code for answer in deleted) == [200] + [404] * 7
    assert crowd.get(milk.location).status_code == 404
    done = sum(answer.status_code == 200 for answer in answers)
    assert crowd.post("", json={"title": "x"}).json["version"] == done + 2


@pytest.mark.parametrize(
    "write",
    [
        lambda alice, task: alice.patch(task, json={"title": "x"}),
        lambda alice, task: alice.patch(f"{task}/complete"),
        lambda alice, task: alice.delete(task),
        lambda alice, task: alice.post(f"{task}/restore"),
    ],
    ids=["change", "toggle", "delete", "restore"],
)
def test_a_write_that_waits_for_its_user_holds_no_task_yet(
    crowd, database, milk, write
):
    """The order of locks: the other way round this is a deadlock."""
    transactional = database.execution_options(isolation_level="READ COMMITTED")
    with ThreadPoolExecutor(1) as pool, transactional.connect() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")
        waiting = pool.submit(write, crowd, milk.location)
        wait_for_a_blocked_statement(database)
        connection.exec_driver_sql("SELECT FROM tasks FOR UPDATE")
        connection.commit()

    assert waiting.result().status_code == 200


def test_purge_and_restore_agree_about_who_was_first(app, crowd, database):
    tasks = [crowd.post("", json={"title": f"{n}"}).json["id"] for n in range(MANY)]
    for task in tasks:
        crowd.delete(task)
    with database.connect() as connection:
        connection.execute(
            text("UPDATE tasks SET deleted_at = now() - interval '31 d'")
        )
    purge = app.test_cli_runner()

    answers = at_once(
        MANY,
        lambda n: (
            crowd.post(f"{tasks[n]}/restore") if n else purge.invoke(args=["purge"])
        ),
    )

    restored = sum(answer.status_code == 200 for answer in answers[1:])
    assert crowd.get("").json["total"] == restored
    assert crowd.get("?deleted=true").json["total"] == 0


def follow_changes(client, done, copy):
    """Keep a copy by sync; after `done`, once more until there is no more."""
    token, last_round = "", False
    while True:
        page = client.get(f"changes?limit=3{token}").json
        copy.update({task["id"]: task for task in page["changes"]})
        token = f"&since={page['next']}"
        if last_round and not page["more"]:
            return
        last_round = done.is_set()


def hold_back_writers(database, done):
    """Hold every user's row now and then, so that writers pile up and commit late."""
    while not done.is_set():
        with database.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT FROM users FOR UPDATE")
            connection.exec_driver_sql("SELECT pg_sleep(0.02)")
            connection.exec_driver_sql("COMMIT")


def test_a_reader_of_changes_misses_none_though_writers_commit_late(crowd, database):
    tasks = [crowd.post("", json={"title": f"{n}"}).json["id"] for n in range(8)]
    done = threading.Event()
    copy: dict[str, dict] = {}
    others = [
        threading.Thread(target=follow_changes, args=(crowd, done, copy)),
        threading.Thread(target=hold_back_writers, args=(database, done)),
    ]
    for other in others:
        other.start()

    def write(n):
        for step in range(12):
            task = tasks[(n + step) % len(tasks)]
            crowd.patch(task, json={"title": f"{n} {step}"})
            if step % 4 == 0:
                crowd.delete(task)
                crowd.post(f"{task}/restore")
                crowd.post("", json={"title": "more"})

    at_once(8, write)
    done.set()
    for other in others:
        other.join()

    live = {key: task for key, task in copy.items() if "deleted_at" not in task}
    assert live == {task["id"]: task for task in crowd.get("?limit=100").json["tasks"]}
