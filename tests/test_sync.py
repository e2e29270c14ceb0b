"""Sync: every change after a token, each task once, in its newest state."""

import pytest

from todo_service.web import sealed_tokens


@pytest.fixture
def since(alice):
    """Asks for what changed since a token; without one, from the beginning."""

    def since(token=None, query=""):
        path = f"changes?{query}" + (f"&since={token}" if token else "")
        answer = alice.get(path.rstrip("?&"))
        assert answer.status_code == 200, answer.json
        return answer.json

    return since


def test_a_new_user_has_no_changes_and_a_token(alice, since):
    beginning = since()
    task = alice.post("", json={"title": "x"}).json

    assert (beginning["changes"], beginning["more"]) == ([], False)
    assert since(beginning["next"])["changes"] == [task]


def test_from_the_beginning_come_all_tasks_oldest_change_first(alice, since):
    tasks = [alice.post("", json={"title": f"{n}"}).json for n in range(3)]
    tasks.append(alice.patch(tasks.pop(0)["id"], json={"title": "again"}).json)

    assert since()["changes"] == tasks


def test_a_first_sync_leaves_out_what_was_deleted_before_it(alice, milk, since):
    alice.delete(milk.location)

    assert since()["changes"] == []


def test_a_deleted_task_comes_in_sync_with_its_deleted_at(alice, milk, since):
    token = since()["next"]
    alice.delete(milk.location)

    (deleted,) = since(token)["changes"]

    assert deleted["id"] == milk.json["id"]
    assert deleted["deleted_at"] == deleted["updated_at"]


def test_a_restored_task_comes_in_sync_without_deleted_at(alice, milk, since):
    alice.delete(milk.location)
    token = since()["next"]
    restored = alice.post(f"{milk.location}/restore").json

    assert since(token)["changes"] == [restored]


def test_a_task_that_changed_often_comes_once_in_its_newest_state(alice, milk, since):
    token = since()["next"]
    for title in "abc":
        newest = alice.patch(milk.location, json={"title": title}).json

    assert since(token)["changes"] == [newest]


def test_a_page_of_changes_begins_where_the_one_before_ended(alice, since):
    tasks = [alice.post("", json={"title": f"{n}"}).json for n in range(5)]
    found, page = [], since(query="limit=2")
    found += page["changes"]
    while page["more"]:
        page = since(page["next"], "limit=2")
        found += page["changes"]

    assert found == tasks
    assert since(page["next"])["changes"] == []


def test_a_page_of_changes_holds_fifty_or_up_to_five_hundred(alice, since, database):
    first = alice.post("", json={"title": "x"}).json["id"]
    with database.connect() as connection:
        connection.exec_driver_sql("UPDATE users SET last_change = 501")
        connection.exec_driver_sql(
            "INSERT INTO tasks (user_id, id, title, completed, priority, tags, version,"
            " created_at, updated_at) SELECT user_id, gen_random_uuid(), title,"
            " completed, priority, tags, n, created_at, updated_at"
            f" FROM tasks, generate_series(2, 501) n WHERE id = '{first}'"
        )

    assert [len(since(query=q)["changes"]) for q in ("", "limit=500")] == [50, 500]
    assert alice.get("changes?limit=501").status_code == 400


def test_a_first_sync_tells_what_is_deleted_between_its_pages(alice, since):
    tasks = [alice.post("", json={"title": f"{n}"}).json for n in range(4)]
    page = since(query="limit=2")
    alice.delete(tasks[0]["id"])
    alice.delete(tasks[3]["id"])

    rest = since(page["next"])["changes"]

    assert [each["id"] for each in rest] == [tasks[n]["id"] for n in (2, 0, 3)]
    assert ["deleted_at" in each for each in rest] == [False, True, True]


def test_the_later_pages_of_a_first_sync_leave_out_what_was_deleted_before_it(
    alice, since
):
    tasks = [alice.post("", json={"title": f"{n}"}).json for n in range(3)]
    alice.delete(tasks[1]["id"])
    page = since(query="limit=1")

    rest = since(page["next"])["changes"]

    assert [each["id"] for each in rest] == [tasks[2]["id"]]


@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: token + "A", id="longer"),
        pytest.param(lambda token: "A" + token[1:], id="another-digest"),
        pytest.param(lambda token: "", id="empty"),
        pytest.param(lambda token: "garbage", id="garbage"),
        pytest.param(lambda token: token + "%3D", id="padded"),
        pytest.param(lambda token: "%C3%A9", id="not-ascii"),
    ],
)
def test_an_altered_sync_token_is_refused(alice, milk, alter):
    token = alice.get("changes").json["next"]

    assert alice.get(f"changes?since={alter(token)}").status_code == 400


@pytest.mark.parametrize(
    "place",
    [["1", 1], [1, None], [-1, 1], [2**63, 1], [1.5, 1], [1], [1, 1, 1], {"a": 1}, 5],
    ids=str,
)
def test_the_numbers_in_a_sync_token_are_validated(alice, place):
    token = sealed_tokens.seal(place, "sync", "alice")

    assert alice.get(f"changes?since={token}").status_code == 400


def test_another_users_sync_token_is_refused(alice, bob, milk):
    token = alice.get("changes").json["next"]

    assert bob.get(f"changes?since={token}").status_code == 400


def test_a_lists_cursor_is_refused_as_a_sync_token(alice):
    for _ in range(2):
        alice.post("", json={"title": "x"})
    cursor = alice.get("?limit=1").json["next_cursor"]

    assert alice.get(f"changes?since={cursor}").status_code == 400


def test_a_sync_token_ahead_of_the_database_is_a_410(alice, milk, database):
    token = alice.get("changes").json["next"]
    with database.connect() as connection:
        connection.exec_driver_sql("DELETE FROM users")

    assert alice.get(f"changes?since={token}").status_code == 410
