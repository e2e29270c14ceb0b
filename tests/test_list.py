"""The list of a user's tasks."""

import pytest


@pytest.fixture
def three(alice):
    """Three tasks of Alice's, newest first; the middle one is completed."""
    tasks = [alice.post("", json={"title": f"task {n}"}).json for n in range(3)]
    tasks[1] = alice.patch(f"{tasks[1]['id']}/complete").json
    return tasks[::-1]


def test_a_user_without_tasks_has_an_empty_list(alice):
    answer = alice.get("")

    assert answer.status_code == 200
    assert answer.json == {
        "tasks": [],
        "total": 0,
        "limit": 50,
        "offset": 0,
        "next_cursor": None,
    }


def test_the_newest_task_comes_first(alice, three):
    assert alice.get("").json["tasks"] == three


def test_tasks_created_at_one_moment_are_listed_by_id(alice, database, three):
    with database.connect() as connection:
        connection.exec_driver_sql("UPDATE tasks SET created_at = now()")

    listed = [task["id"] for task in alice.get("").json["tasks"]]

    assert listed == sorted(listed, reverse=True)


def test_only_the_users_own_tasks_are_listed(bob, three):
    assert bob.get("").json["total"] == 0


@pytest.mark.parametrize(
    ("status", "places"),
    [("all", [0, 1, 2]), ("pending", [0, 2]), ("completed", [1])],
)
def test_a_status_picks_tasks(alice, three, status, places):
    listed = alice.get(f"?status={status}").json

    assert listed["tasks"] == [three[place] for place in places]
    assert listed["total"] == len(places)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("?limit=2", [0, 1]),
        ("?limit=2&offset=2", [2]),
        ("?offset=1", [1, 2]),
        ("?offset=3", []),
        ("?offset=1000000000", []),
    ],
)
def test_a_page_is_a_part_and_the_total_is_the_whole(alice, three, query, places):
    listed = alice.get(query).json

    assert listed["tasks"] == [three[place] for place in places]
    assert listed["total"] == 3


def test_the_answer_repeats_the_page_that_was_asked_for(alice):
    listed = alice.get("?limit=7&offset=3").json

    assert (listed["limit"], listed["offset"]) == (7, 3)
