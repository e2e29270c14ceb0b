"""Many at once, on real threads and connections: nothing is lost, nothing twice."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.waiting import wait_for_a_blocked_statement

ROUNDS = 3
COUNTED = """
    SELECT last_change, count(*) FILTER (WHERE deleted_at IS NULL AND NOT t.completed)
               AS pending,
           count(*) FILTER (WHERE deleted_at IS NULL AND t.completed) AS completed,
           count(deleted_at) AS deleted, max(version) AS highest
    FROM users JOIN tasks t ON user_id = users.id GROUP BY users.id
"""
MANY = 32


@pytest.fixture
def crowd(make_client):
    """Alice on as many threads as she likes, each with a connection of its own."""
    return make_client(
        DB_POOL_SIZE="80",
        GUNICORN_THREADS="160",
        DB_POOL_TIMEOUT="60",
        DB_STATEMENT_TIMEOUT="60",
    )


def at_once(number, action):
    """What an action answers when so many threads begin it together."""
    start = threading.Barrier(number)

    def run(which):
        start.wait()
        return action(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def many(client, kind, items):
    """A batch."""
    return client.post("batch", json={kind: items})


def id_of(location):
    """The id that a path ends with."""
    return location.rpartition("/")[2]


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
def test_one_user_may_send_many_at_once_if_nothing_is_set(alice, _):
    answers = at_once(MANY, lambda n: alice.post("", json={"title": "one of many"}))

    assert {answer.status_code for answer in answers} == {201}


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
        lambda alice, task: many(alice, "change", [{"id": id_of(task), "title": "x"}]),
        lambda alice, task: many(alice, "delete", [{"id": id_of(task)}]),
        lambda alice, task: many(alice, "restore", [{"id": id_of(task)}]),
    ],
    ids=["change", "toggle", "delete", "restore", "changes", "deletes", "restores"],
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


@contextmanager
def followed(client, database):
    """A copy of the tasks by sync, complete after the block, whose writers are late."""
    done = threading.Event()
    copy: dict[str, dict] = {}
    others = [
        threading.Thread(target=follow_changes, args=(client, done, copy)),
        threading.Thread(target=hold_back_writers, args=(database, done)),
    ]
    for other in others:
        other.start()
    try:
        yield copy
    finally:
        done.set()
        for other in others:
            other.join()


def test_a_reader_of_changes_misses_none_though_writers_commit_late(crowd, database):
    tasks = [crowd.post("", json={"title": f"{n}"}).json["id"] for n in range(8)]

    def write(n):
        for step in range(12):
            task = tasks[(n + step) % len(tasks)]
            crowd.patch(task, json={"title": f"{n} {step}"})
            if step % 4 == 0:
                crowd.delete(task)
                crowd.post(f"{task}/restore")
                crowd.post("", json={"title": "more"})

    with followed(crowd, database) as copy:
        at_once(8, write)

    live = {key: task for key, task in copy.items() if "deleted_at" not in task}
    assert live == {task["id"]: task for task in crowd.get("?limit=100").json["tasks"]}


@pytest.mark.parametrize("_", range(ROUNDS))
def test_batches_that_create_under_the_same_ids_create_each_once(crowd, database, _):
    ids = [str(uuid4()) for _ in range(12)]

    def create(which):
        chosen = random.Random(which).sample(ids, 8)  # in another order each
        items = [{"title": f"by {which}", "id": each} for each in chosen]
        return many(crowd, "create", [*items, {"title": "alone"}])

    answers = at_once(8, create)

    assert {answer.status_code for answer in answers} == {200}
    results = [each for answer in answers for each in answer.json["results"]]
    made = [each["task"] for each in results if each["status"] == 201]
    assert len({task["id"] for task in made}) == len(made)
    assert {task["id"] for task in made} >= set(ids)
    assert sorted(task["version"] for task in made) == list(range(1, len(made) + 1))
    assert len(made) == len(ids) + 8
    others = [each for each in results if each["status"] != 201]
    present = {task["version"] for task in made}
    assert all(each["status"] == 412 for each in others)
    assert {each["version"] for each in others} <= present


def test_a_task_that_is_restored_while_a_batch_waits_is_there(crowd, database, milk):
    """All items happen in the moment in which the batch has its locks."""
    crowd.delete(milk.location)
    transactional = database.execution_options(isolation_level="READ COMMITTED")
    item = {"id": milk.json["id"], "title": "Buy oat milk"}
    with ThreadPoolExecutor(1) as pool, transactional.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET last_change = 3, pending = 1")
        connection.exec_driver_sql("UPDATE users SET deleted = 0")
        connection.exec_driver_sql("UPDATE tasks SET deleted_at = NULL, version = 3")
        waiting = pool.submit(many, crowd, "change", [item])
        wait_for_a_blocked_statement(database)
        connection.commit()

    (result,) = waiting.result().json["results"]
    assert (result["status"], result["task"]["version"]) == (200, 4)


class Writer:
    """One of many who write to the same tasks: batches, and requests for one task."""

    def __init__(self, client, seed, ids):
        self.client = client
        self.chance = random.Random(seed)
        self.ids = ids
        self.versions: list[int] = []  # of the changes that this writer made

    def write(self):
        """One request of any kind."""
        task = self.chance.choice(self.ids)
        new = {"json": {"title": "one"}, "headers": {"If-None-Match": "*"}}
        done = self.chance.random() < 0.5
        requests = [
            lambda: self.batch("create", {"title": "x", "completed": done}),
            lambda: self.batch("change", {"completed": done}),
            lambda: self.batch("delete", {}),
            lambda: self.batch("restore", {}),
            lambda: self.single(self.client.put(task, **new)),
            lambda: self.single(self.client.patch(f"{task}/complete")),
            lambda: self.single(self.client.delete(task)),
        ]
        self.chance.choice(requests)()

    def batch(self, kind, fields):
        some = self.chance.sample(self.ids, self.chance.randint(1, len(self.ids)))
        answer = many(self.client, kind, [fields | {"id": each} for each in some])
        assert answer.status_code == 200, answer.text
        done = [each for each in answer.json["results"] if each["status"] < 300]
        versions = [each.get("task", each)["version"] for each in done]
        # A live task that is restored answers with the version that it has.
        if kind != "restore":
            assert versions == [versions[0] + n for n in range(len(versions))]
            self.versions += versions

    def single(self, answer):
        assert answer.status_code in (200, 201, 404, 412), answer.text
        if answer.status_code < 300:
            self.versions.append(int(answer.headers["ETag"].strip('"')))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_batches_beside_single_writes_lose_nothing_and_do_nothing_twice(
    crowd, database, seed
):
    ids = [str(uuid4()) for _ in range(10)]
    writers = [Writer(crowd, f"{seed} {number}", ids) for number in range(8)]

    with followed(crowd, database) as copy:
        at_once(8, lambda n: [writers[n].write() for _ in range(15)])

    live = {key: task for key, task in copy.items() if "deleted_at" not in task}
    assert live == {task["id"]: task for task in crowd.get("?limit=100").json["tasks"]}
    versions = [each for writer in writers for each in writer.versions]
    assert len(versions) == len(set(versions))
    with database.connect() as connection:
        row = connection.execute(text(COUNTED)).one()
    assert crowd.get("summary").json == {
        "pending": row.pending,
        "completed": row.completed,
        "deleted": row.deleted,
    }
    # The writers did not note the numbers of the tasks that they restored.
    assert max([*versions, row.highest]) == row.last_change
