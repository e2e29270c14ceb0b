"""Tasks under ids that the client makes."""

import pytest
from sqlalchemy import update

from tests.task_defaults import DEFAULTS
from todo_service.database.tables import users

ID = "5e1f3a70-9c4b-1d2e-8f00-0123456789ab"  # of version 1: any UUID will do
NEW = {"If-None-Match": "*"}


def create(client, task_id=ID, **said):
    """Create a task under an id."""
    return client.put(task_id, json={"title": "mine"} | said, headers=NEW)


def test_put_creates_a_task_under_the_clients_id(alice):
    created = create(alice, priority="high")

    task = created.json
    assert created.status_code == 201
    assert created.location == f"/api/alice/tasks/{ID}"
    assert created.headers["ETag"] == '"1"'
    assert task == DEFAULTS | {
        "id": ID,
        "user_id": "alice",
        "title": "mine",
        "priority": "high",
        "version": 1,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
    assert alice.get(ID).json == task


def test_answers_write_the_id_in_lower_case(alice):
    created = create(alice, f"/api/tasks/{ID.upper()}/")

    assert created.json["id"] == ID
    assert created.location == f"/api/tasks/{ID}"


@pytest.mark.parametrize(
    "task_id",
    ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
)
def test_any_uuid_is_an_id(alice, task_id):
    assert create(alice, task_id).json["id"] == task_id


def test_a_repetition_is_a_412_that_says_that_the_task_is_there(alice):
    first = create(alice)

    again = create(alice, title="again")

    assert again.status_code == 412
    assert again.json == {"error": "The id is taken: see ETag."}
    assert again.headers["ETag"] == first.headers["ETag"]
    assert alice.get(ID).json == first.json
    assert alice.post("", json={"title": "next"}).json["version"] == 2


def test_an_id_in_the_trash_is_taken_too(alice):
    create(alice)
    deleted = alice.delete(ID)

    again = create(alice)

    assert (again.status_code, again.headers["ETag"]) == (412, deleted.headers["ETag"])
    assert alice.get(ID).status_code == 404


def test_users_do_not_meet_each_others_ids(alice, bob):
    hers, his = create(alice), create(bob, title="his")

    assert (hers.status_code, his.status_code) == (201, 201)
    assert his.json["version"] == 1
    assert alice.get(ID).json == hers.json


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"If-None-Match": '"1"'}, id="a-tag"),
        pytest.param({"If-None-Match": ""}, id="empty"),
        pytest.param({"If-None-Match": "*, *"}, id="two"),
        pytest.param({"If-None-Match": "*", "If-Match": "*"}, id="beside-if-match"),
        pytest.param({"If-None-Match": "x", "If-Match": '"1"'}, id="both"),
    ],
)
@pytest.mark.parametrize("task_id", [ID, None], ids=["absent", "there"])
def test_any_other_condition_is_refused(alice, milk, headers, task_id):
    path = task_id or milk.location

    answer = alice.put(path, json={"title": "x"}, headers=headers)

    assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert alice.get("").json["tasks"] == [milk.json]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"json": {}}, 400, id="no-title"),
        pytest.param({"json": {"title": "x", "color": "red"}}, 400, id="unknown"),
        pytest.param({"data": b"{}"}, 415, id="415"),
        pytest.param({"data": b" " * 131_073}, 413, id="413"),
    ],
)
def test_a_body_that_post_would_refuse_is_refused(alice, sent, status):
    assert alice.put(ID, headers=NEW, **sent).status_code == status
    assert alice.get("").json["total"] == 0


def test_a_user_who_is_gone_creates_nothing(alice, milk, database):
    with database.connect() as connection:
        connection.execute(update(users).values(gone_at=users.c.created_at))

    answer = create(alice)

    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_without_the_header_put_changes_and_never_creates(alice):
    assert alice.put(ID, json={"title": "x"}).status_code == 404
