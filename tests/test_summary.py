"""How many tasks there are in each state."""

import pytest

NOTHING = {"pending": 0, "completed": 0, "deleted": 0}
WRITES = {
    "create": lambda alice, task: alice.post("", json={"title": "x"}),
    "change": lambda alice, task: alice.patch(task, json={"title": "x"}),
    "complete": lambda alice, task: alice.patch(f"{task}/complete"),
    "delete": lambda alice, task: alice.delete(task),
}


def test_a_user_without_tasks_has_none_of_any_kind(alice):
    answer = alice.get("summary")

    assert (answer.status_code, answer.json) == (200, NOTHING)


def test_the_summary_counts_the_users_own_tasks_by_their_state(alice, bob):
    tasks = [alice.post("", json={"title": f"{n}"}).json["id"] for n in range(6)]
    for task in tasks[:3]:
        alice.patch(f"{task}/complete")
    for task in tasks[2:4]:
        alice.delete(task)
    bob.post("", json={"title": "his"})

    assert alice.get("summary").json == {"pending": 2, "completed": 2, "deleted": 2}
    assert alice.get("/api/tasks/summary/").json == alice.get("summary").json


def test_a_summary_that_was_seen_is_a_304(alice, milk):
    tag = alice.get("summary").headers["ETag"]

    again = alice.get("summary", headers={"If-None-Match": tag})

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_every_write_makes_it_another_one(alice, milk, write):
    tag = alice.get("summary").headers["ETag"]
    write(alice, milk.json["id"])

    again = alice.get("summary", headers={"If-None-Match": tag})

    assert (again.status_code, again.headers["ETag"] != tag) == (200, True)


def test_the_tags_of_another_user_and_of_a_list_are_others(alice, bob):
    mine, listed = alice.get("summary").headers["ETag"], alice.get("").headers["ETag"]

    assert bob.get("summary", headers={"If-None-Match": mine}).status_code == 200
    assert alice.get("summary", headers={"If-None-Match": listed}).status_code == 200
    assert alice.get("", headers={"If-None-Match": mine}).status_code == 200
