"""What users do with their tasks."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID, uuid4

import pytest

from tests.task_defaults import DEFAULTS

MOVED = {"version", "updated_at"}


def stable(task: dict) -> dict:
    """A task without what every change moves."""
    return {name: value for name, value in task.items() if name not in MOVED}


@pytest.fixture(params=["put", "patch"])
def change(request, alice):
    """Changes a task, by either method."""
    return getattr(alice, request.param)


def test_a_new_task_has_what_was_said_and_defaults_for_the_rest(alice):
    created = alice.post("", json={"title": "Buy milk"})

    assert created.status_code == 201
    task = created.json
    assert task == DEFAULTS | {
        "id": task["id"],
        "user_id": "alice",
        "title": "Buy milk",
        "version": 1,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }


def test_a_new_task_keeps_every_field_it_is_given(alice):
    said = {
        "title": "Buy milk",
        "description": "",
        "completed": True,
        "priority": "high",
        "due_at": "2026-12-01T09:00:00.000000Z",
        "position": "a0V",
        "tags": ["shop", "food"],
    }

    created = alice.post("", json=said).json

    assert created | said == created
    assert created["completed_at"] == created["created_at"]


def is_minted_between(task_id: str, began: int, ended: int) -> bool:
    """Whether an id is a UUID of version 7 of these milliseconds (RFC 9562, 5.7)."""
    read = UUID(task_id)
    known = (read.version, read.variant) == (7, RFC_4122)
    return known and began <= read.int >> 80 <= ended


def test_task_ids_are_uuids_that_begin_with_the_time(alice):
    began = time.time_ns() // 1_000_000
    task_id = alice.post("", json={"title": "x"}).json["id"]
    ended = time.time_ns() // 1_000_000

    assert is_minted_between(task_id, began, ended)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(uuid4(), id="random"),
        pytest.param(UUID(int=7 << 76 | 2 << 62), id="of-1970"),
        pytest.param(UUID(int=1_700_000_000_000 << 80 | 7 << 76), id="no-variant"),
    ],
)
def test_the_check_of_ids_finds_any_other_uuid(other):
    assert not is_minted_between(str(other), 1_600_000_000_000, 2_000_000_000_000)


def test_location_leads_to_the_new_task(alice, milk):
    assert alice.get(milk.location).json == milk.json
    assert milk.location == f"/api/alice/tasks/{milk.json['id']}"


def test_location_stays_on_the_mount_that_was_used(alice):
    created = alice.post("/api/tasks/", json={"title": "x"})

    assert created.location == f"/api/tasks/{created.json['id']}"


def test_location_is_a_url_whatever_the_users_id(anyone, token_of):
    headers = {"Authorization": f"Bearer {token_of('ä b?%')}"}

    created = anyone.post(
        "/api/%C3%A4%20b%3F%25/tasks", json={"title": "x"}, headers=headers
    )

    assert created.location.startswith("/api/%C3%A4%20b%3F%25/tasks/")
    assert anyone.get(created.location, headers=headers).json == created.json


def test_both_mounts_show_the_same_tasks(alice, milk):
    assert alice.get("/api/tasks").json == alice.get("").json


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("2026-01-01T01:30:00+01:30", "2026-01-01T00:00:00", id="offset"),
        pytest.param("2026-01-01t00:00:00z", "2026-01-01T00:00:00", id="lower-case"),
        pytest.param("2025-12-31T23:00:00-01:00", "2026-01-01T00:00:00", id="negative"),
        pytest.param("0001-01-01T00:00:00Z", "0001-01-01T00:00:00", id="first"),
        pytest.param("9999-12-31T23:59:59Z", "9999-12-31T23:59:59", id="last"),
        pytest.param("2024-02-29T12:00:00Z", "2024-02-29T12:00:00", id="leap-day"),
    ],
)
def test_timestamps_come_back_in_utc_with_microseconds(alice, sent, kept):
    created = alice.post("", json={"title": "x", "due_at": sent}).json

    assert created["due_at"] == f"{kept}.000000Z"
    assert alice.get(created["id"]).json == created
    assert alice.get("").json["tasks"] == [created]


@pytest.mark.parametrize(
    ("fraction", "kept"),
    [(".1", ".100000"), (".123456", ".123456"), (".1234569", ".123456")],
)
def test_digits_beyond_microseconds_are_dropped(alice, fraction, kept):
    due_at = f"2026-01-01T00:00:00{fraction}Z"

    created = alice.post("", json={"title": "x", "due_at": due_at}).json

    assert created["due_at"] == f"2026-01-01T00:00:00{kept}Z"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param([" a ", "b"], ["a", "b"], id="trimmed"),
        pytest.param(["b", "a", "b", " a"], ["b", "a"], id="duplicates-dropped"),
        pytest.param(["a", "A"], ["a", "A"], id="case-matters"),
        pytest.param([], [], id="none"),
        pytest.param(None, [], id="null"),
        pytest.param(["x" * 50] * 20, ["x" * 50], id="as-many-and-long-as-may-be"),
    ],
)
def test_tags_are_trimmed_and_distinct_in_their_order(alice, sent, kept):
    assert alice.post("", json={"title": "x", "tags": sent}).json["tags"] == kept


def test_a_change_leaves_the_other_fields_alone(change, milk):
    changed = change(milk.location, json={"priority": "high"})

    assert changed.status_code == 200
    assert stable(changed.json) == stable(milk.json) | {"priority": "high"}


@pytest.mark.parametrize("name", ["description", "due_at"])
def test_an_explicit_null_clears_a_field(alice, change, name):
    said = {"description": "x", "due_at": "2026-01-01T00:00:00Z"}
    task = alice.post("", json={"title": "x"} | said).json

    assert change(task["id"], json={name: None}).json[name] is None


def test_null_tags_clear_the_tags(alice, change):
    task = alice.post("", json={"title": "x", "tags": ["a"]}).json

    assert change(task["id"], json={"tags": None}).json["tags"] == []


def test_a_client_may_send_back_what_it_got(alice, change, milk):
    changed = change(milk.location, json=milk.json)

    assert changed.status_code == 200
    assert stable(changed.json) == stable(milk.json)


def test_read_only_fields_in_a_new_task_are_ignored(alice, milk):
    again = alice.post("", json=milk.json | {"deleted_at": None, "user_id": "bob"})

    assert again.status_code == 201
    assert again.json["id"] != milk.json["id"]
    assert again.json["user_id"] == "alice"


def test_a_change_that_sets_what_is_there_counts_as_a_change(change, milk):
    changed = change(milk.location, json={"title": "Buy milk"})

    assert changed.json["version"] == milk.json["version"] + 1
    assert changed.json["updated_at"] > milk.json["updated_at"]


def test_the_users_counter_numbers_every_change(alice, bob):
    first, second = (alice.post("", json={"title": "x"}).json for _ in range(2))
    changed = alice.patch(first["id"], json={"title": "y"}).json
    alice.delete(second["id"])
    third = alice.post("", json={"title": "z"}).json
    others = bob.post("", json={"title": "his"}).json

    versions = [each["version"] for each in (first, second, changed, third, others)]
    assert versions == [1, 2, 3, 5, 1]


@pytest.mark.parametrize("action", ["complete", "toggle-status"])
def test_completing_without_a_body_toggles(alice, milk, action):
    path = f"{milk.location}/{action}"

    states = [alice.patch(path).json["completed"] for _ in range(3)]

    assert states == [True, False, True]


def test_completing_with_an_empty_object_toggles(alice, milk):
    assert alice.patch(f"{milk.location}/complete", json={}).json["completed"] is True


@pytest.mark.parametrize("completed", [True, False])
def test_completing_with_a_value_sets_it(alice, milk, completed):
    for _ in range(2):
        answer = alice.patch(f"{milk.location}/complete", json={"completed": completed})
        assert answer.json["completed"] is completed


def test_completing_a_completed_task_keeps_its_completed_at(alice, change, milk):
    once = alice.patch(f"{milk.location}/complete", json={"completed": True}).json
    twice = change(milk.location, json={"completed": True}).json

    assert once["completed_at"] == once["updated_at"]
    assert twice["completed_at"] == once["completed_at"]
    assert twice["version"] == once["version"] + 1


def test_a_task_that_is_pending_again_has_no_completed_at(alice, change, milk):
    alice.patch(f"{milk.location}/complete")

    assert change(milk.location, json={"completed": False}).json["completed_at"] is None


def test_a_deleted_task_is_gone_from_every_answer(alice, milk):
    assert alice.delete(milk.location).json == {"message": "Task deleted"}

    assert alice.get("").json["tasks"] == []
    for answer in (
        alice.get(milk.location),
        alice.patch(milk.location, json={"title": "x"}),
        alice.patch(f"{milk.location}/complete"),
        alice.delete(milk.location),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_another_users_task_is_answered_as_if_it_were_not_there(
    alice, bob, milk, method
):
    absent = "01890000-0000-7000-8000-000000000000"
    answers = [
        getattr(bob, method)(each, json={"title": "mine now"})
        for each in (milk.json["id"], absent)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].data == answers[1].data
    assert alice.get(milk.location).json == milk.json


def test_a_deletion_answers_with_the_tag_that_guards_its_undo(alice, milk):
    deleted = alice.delete(milk.location)
    tag = {"If-Match": deleted.headers["ETag"]}

    restored = alice.post(f"{milk.location}/restore", headers=tag)

    assert deleted.headers["ETag"] == '"2"'
    assert restored.status_code == 200
    assert stable(restored.json) == stable(milk.json)


def test_a_failed_change_does_not_move_the_counter(alice, bob, milk):
    bob.post("", json={"title": "x"})
    bob.delete(milk.json["id"])

    assert bob.post("", json={"title": "y"}).json["version"] == 2


def test_toggles_at_once_are_all_counted(app, alice, milk):
    start = threading.Barrier(8)

    def toggle(_):
        start.wait()
        return [
            alice.patch(f"{milk.location}/complete").json["version"] for _ in range(4)
        ]

    with ThreadPoolExecutor(8) as pool:
        versions = [each for found in pool.map(toggle, range(8)) for each in found]

    assert sorted(versions) == list(range(2, 34))
    assert alice.get(milk.location).json["completed"] is False


def test_the_first_creates_of_a_new_user_may_come_at_once(alice):
    start = threading.Barrier(8)

    def create(number):
        start.wait()
        return alice.post("", json={"title": f"task {number}"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json["version"] for answer in answers) == list(range(1, 9))


def test_the_length_of_a_text_is_counted_in_code_points(alice):
    title = "👩‍👩‍👧" * 40  # 5 code points each, 8 of JavaScript's

    assert alice.post("", json={"title": title}).json["title"] == title
