"""A POST that is sent again makes no second task."""

import pytest
from sqlalchemy import text

from todo_service.tasks import schemas
from todo_service.web import fields, idempotency

KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture
def first(alice):
    """The answer to a first POST with a key."""
    return alice.post("", json={"title": "once"}, headers=KEY)


def test_the_first_request_with_a_key_creates_a_task(first):
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers


def test_a_repetition_answers_with_the_same_task(alice, first):
    again = alice.post("", json={"title": "once"}, headers=KEY)

    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert alice.get("").json["total"] == 1


def test_bodies_are_the_same_if_they_are_equal_after_validation(alice, first):
    said = {"title": " once ", "priority": "medium", "tags": None, "id": "ignored"}

    assert alice.post("", json=said, headers=KEY).json == first.json


@pytest.mark.parametrize("more", [{"title": "other"}, {"completed": True}])
def test_a_key_that_comes_with_another_body_is_a_409(alice, first, more):
    answer = alice.post("", json={"title": "once"} | more, headers=KEY)

    assert (answer.status_code, list(answer.json)) == (409, ["error"])
    assert alice.get("").json["total"] == 1


def test_a_repetition_shows_the_task_as_it_now_is(alice, first):
    changed = alice.patch(first.location, json={"title": "changed"}).json

    assert alice.post("", json={"title": "once"}, headers=KEY).json == changed


def test_a_repetition_shows_that_the_task_is_in_the_trash(alice, first):
    alice.delete(first.location)

    again = alice.post("", json={"title": "once"}, headers=KEY)

    assert again.status_code == 201
    assert again.json["deleted_at"] == again.json["updated_at"]


class TaskOfTheNextRelease(schemas.Task):
    """A task with one field more."""

    color = fields.Text(load_default="white")


def test_a_field_more_in_the_next_release_does_not_change_what_a_body_is():
    now, later = schemas.Task(), TaskOfTheNextRelease()
    body = {"title": "once", "tags": [], "due_at": "2026-01-01T00:00:00Z"}

    before = idempotency.digest(now, now.load(body))

    assert idempotency.digest(later, later.load(body)) == before
    assert idempotency.digest(later, later.load(body | {"color": "red"})) != before


def test_a_repetition_does_not_move_the_counter(alice, first):
    alice.post("", json={"title": "once"}, headers=KEY)

    assert alice.post("", json={"title": "next"}).json["version"] == 2


def test_two_users_may_use_the_same_idempotency_key(alice, bob, first):
    his = bob.post("", json={"title": "his"}, headers=KEY)

    assert his.status_code == 201
    assert "Idempotency-Replayed" not in his.headers


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 256, id="too-long"),
        pytest.param("a b", id="space"),
        pytest.param("é", id="not-ascii"),
    ],
)
def test_an_invalid_idempotency_key_is_refused(alice, key):
    answer = alice.post("", json={"title": "x"}, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert alice.get("").json["total"] == 0


def test_an_idempotency_key_of_255_characters_is_accepted(alice):
    key = {"Idempotency-Key": "~" * 255}

    answers = [alice.post("", json={"title": "x"}, headers=key) for _ in range(2)]

    assert answers[0].json == answers[1].json


@pytest.fixture
def meanwhile(app, database):
    """Does something behind a request's first statement of a name."""
    ran = app.extensions["database"].ran

    def after(name, statement, **values):
        def listen(which, seconds):
            if which == name:
                ran.remove(listen)
                with database.connect() as connection:
                    connection.execute(text(statement), values)

        ran.append(listen)

    yield after
    assert not ran


def test_a_key_that_is_freed_and_used_anew_meanwhile_makes_no_second_task(
    alice, first, meanwhile
):
    """A purge frees the key before it is looked for; another request is quicker."""
    other = {"Idempotency-Key": "another-key"}
    second = alice.post("", json={"title": "once"}, headers=other).json
    purge = "DELETE FROM tasks WHERE id = :id"
    use = "UPDATE tasks SET idempotency_key = 'a-key' WHERE id = :id"
    meanwhile("INSERT_NEW_TASK", purge, id=first.json["id"])
    meanwhile("SELECT_CREATED", use, id=second["id"])

    again = alice.post("", json={"title": "once"}, headers=KEY)

    assert (again.status_code, again.json) == (201, second)
    assert again.headers["Idempotency-Replayed"] == "true"
