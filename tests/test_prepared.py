"""Prepared statements survive poolers, migrations and releases."""

import pytest
from sqlalchemy import text

from todo_service.database.driver import Prepared
from todo_service.tasks import queries

PREPARED = "SELECT name FROM pg_prepared_statements"


@pytest.fixture
def alone(make_client, milk):
    """Alice at an application with one connection; and what runs on that connection."""
    alice = make_client(DB_POOL_SIZE="2")
    engine = alice.application.extensions["database"].engine

    def run(sql):
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [row[0] for row in cursor] if cursor.description else []
        finally:
            connection.close()

    return alice, run


def test_a_statement_is_prepared_once_under_a_digest_of_its_text(alone, milk):
    alice, run = alone
    for _ in range(3):
        assert alice.get(milk.json["id"]).status_code == 200

    assert run(PREPARED) == [Prepared(queries.SELECT_TASK).name]


def test_another_text_has_another_name():
    names = {Prepared(each).name for each in (queries.SELECT_TASK, queries.TOGGLE_TASK)}

    assert len(names) == 2


OPERATIONS = [
    pytest.param("get", "", {}, id="get"),
    pytest.param("patch", "", {"json": {"title": "x"}}, id="update"),
    pytest.param("patch", "/complete", {}, id="toggle"),
    pytest.param("delete", "", {}, id="delete"),
]


@pytest.fixture
def prepared(alone, milk):
    """The same, after each operation below was prepared on the connection."""
    alice, run = alone
    alice.get(milk.json["id"])
    alice.patch(milk.json["id"], json={"title": "y"})
    alice.patch(f"{milk.json['id']}/complete")
    alice.delete(milk.json["id"])
    alice.post(f"{milk.json['id']}/restore")
    return alice, run


def moves(alice, ask) -> int:
    """By how much a request moves the user's counter, if it succeeds."""
    before = alice.post("", json={"title": "before"}).json["version"]
    assert ask().status_code == 200
    return alice.post("", json={"title": "after"}).json["version"] - before - 1


@pytest.mark.parametrize(("method", "path", "sent"), OPERATIONS)
def test_a_connection_that_lacks_the_statement_prepares_it_again(
    prepared, alice, milk, method, path, sent
):
    client, run = prepared
    run("DEALLOCATE ALL")

    moved = moves(
        alice, lambda: getattr(client, method)(f"{milk.json['id']}{path}", **sent)
    )

    assert moved == (method != "get")


@pytest.mark.parametrize(("method", "path", "sent"), OPERATIONS)
def test_a_connection_that_has_the_statement_already_executes_it(
    prepared, alice, milk, method, path, sent
):
    client, _ = prepared
    engine = client.application.extensions["database"].engine
    connection = engine.raw_connection()
    connection.dbapi_connection.prepared.clear()  # as if another client had prepared it
    connection.close()

    moved = moves(
        alice, lambda: getattr(client, method)(f"{milk.json['id']}{path}", **sent)
    )

    assert moved == (method != "get")


def test_a_change_of_a_columns_type_under_a_running_worker_is_survived(alone, milk):
    alice, run = alone
    task = milk.json["id"]
    assert alice.get(task).status_code == 200
    run("ALTER TABLE tasks ALTER description TYPE varchar(6000)")
    try:
        for _ in range(2):
            assert alice.get(task).status_code == 200
            assert alice.patch(f"{task}/complete").status_code == 200
            assert alice.get("").json["total"] == 1
    finally:
        run("ALTER TABLE tasks ALTER description TYPE text")
    assert alice.get(task).status_code == 200


def test_a_setting_switches_preparing_off(make_client, milk):
    alice = make_client(DB_PREPARE="false", DB_POOL_SIZE="2")
    for path in (milk.json["id"], "", "changes"):
        assert alice.get(path).status_code == 200
    engine = alice.application.extensions["database"].engine

    with engine.connect() as connection:
        assert connection.scalars(text(PREPARED)).all() == []


@pytest.mark.parametrize("prepare", ["true", "false"])
def test_batches_do_the_same_prepared_or_not(make_client, milk, prepare):
    alice = make_client(DB_PREPARE=prepare, DB_POOL_SIZE="2")
    task = {"id": milk.json["id"]}
    new = {"title": "x", "tags": ["a", 'b "c"'], "due_at": "2026-01-01T00:00:00Z"}
    kinds = {
        "create": [new, new | task],
        "change": [new | task],
        "delete": [task],
        "restore": [task],
    }

    # Twice, because the first time is the one that prepares.
    found = [
        [each["status"] for each in answer.json["results"]]
        for _ in range(2)
        for kind, items in kinds.items()
        for answer in [alice.post("batch", json={kind: items})]
    ]

    assert found == [[201, 412], [200], [200], [200]] * 2
    assert alice.get(milk.json["id"]).json["tags"] == new["tags"]


def test_a_write_that_is_refused_leaves_its_statement_prepared(alone, milk):
    alice, run = alone
    key = {"Idempotency-Key": "k"}
    run("DEALLOCATE ALL")

    answers = [
        alice.post("", json={"title": "x"}, headers=key).status_code for _ in range(3)
    ]

    assert answers == [201, 201, 201]


def test_a_statement_leaves_nothing_behind_on_its_connection(alone, milk):
    alice, run = alone
    before = run("SHOW statement_timeout"), run("SHOW plan_cache_mode")
    alice.get(milk.json["id"])
    alice.get("?sort=title")

    assert (run("SHOW statement_timeout"), run("SHOW plan_cache_mode")) == before
