"""Many tasks at once: one kind of write, an answer for each item, one moment."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from tests.task_defaults import DEFAULTS
from todo_service.database.tables import users

NOBODYS = "01890000-0000-7000-8000-000000000000"
KINDS = ["create", "change", "delete", "restore"]


@pytest.fixture
def batch(alice):
    """Sends a batch of Alice's; gives the results."""

    def send(client=alice, **kinds):
        answer = client.post("batch", json=kinds)
        assert answer.status_code == 200, answer.text
        assert list(answer.json) == ["results"]
        return answer.json["results"]

    return send


@pytest.fixture
def three(alice):
    """Three tasks of Alice's, of versions 1 to 3."""
    return [alice.post("", json={"title": f"{n}"}).json for n in range(3)]


def counter(client) -> int:
    """The user's counter, moved by one more task."""
    return client.post("", json={"title": "counts"}).json["version"]


# Creating


def test_a_batch_creates_tasks_as_single_requests_do(alice, batch):
    said = {
        "title": " all ",
        "description": "",
        "completed": True,
        "priority": "high",
        "due_at": "2026-12-01T09:00:00.000001Z",
        "position": "a0V",
        "tags": ['a "quoted" {tag}, \\', "ä😀", "null"],
    }

    first, second = batch(create=[{"title": "x", "tags": None}, said])

    assert (first["status"], second["status"]) == (201, 201)
    task = first["task"]
    assert task == DEFAULTS | {
        "id": task["id"],
        "user_id": "alice",
        "title": "x",
        "version": 1,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
    task = second["task"]
    assert task == task | said | {"title": "all", "version": 2}
    assert task["completed_at"] == task["created_at"] == first["task"]["created_at"]
    assert [alice.get(each["task"]["id"]).json for each in (first, second)] == [
        first["task"],
        task,
    ]


def test_the_last_item_comes_first_in_both_orders_of_new_tasks(alice, batch):
    made = [each["task"]["id"] for each in batch(create=[{"title": "x"}] * 100)]

    for sort in ("position", "-created_at"):
        listed = alice.get(f"?sort={sort}&limit=100").json["tasks"]
        assert [task["id"] for task in listed] == made[::-1]


def test_a_new_task_keeps_an_id_of_the_clients_own(alice, bob, batch):
    own = str(uuid4())
    bobs = bob.put(own, json={"title": "his"}, headers={"If-None-Match": "*"})

    (made,) = batch(create=[{"title": "mine", "id": own.upper(), "version": 9}])

    assert bobs.status_code == 201
    assert (made["status"], made["task"]["id"], made["task"]["version"]) == (
        201,
        own,
        1,
    )


def test_an_id_that_is_taken_holds_no_other_item_back(alice, batch, three):
    live, gone, _ = three
    alice.delete(gone["id"])

    results = batch(
        create=[
            {"title": "a", "id": live["id"]},
            {"title": "b"},
            {"title": "c", "id": gone["id"]},
            {"title": "d", "completed": True},
        ]
    )

    assert [each["status"] for each in results] == [412, 201, 412, 201]
    assert results[0] == {"status": 412, "version": 1}
    assert results[2] == {"status": 412, "version": 4}
    assert [results[n]["task"]["version"] for n in (1, 3)] == [5, 6]
    assert alice.get(live["id"]).json == live
    assert alice.get("summary").json == {"pending": 3, "completed": 1, "deleted": 1}


def test_a_batch_that_is_repeated_creates_nothing_more(alice, batch):
    items = [{"title": f"{n}", "id": str(uuid4())} for n in range(3)]
    batch(create=items)

    again = batch(create=items)

    assert again == [{"status": 412, "version": n} for n in (1, 2, 3)]
    assert counter(alice) == 4


def test_a_user_who_is_gone_creates_nothing(alice, milk, database):
    with database.connect() as connection:
        connection.execute(update(users).values(gone_at=users.c.created_at))

    answer = alice.post("batch", json={"create": [{"title": "x"}]})

    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


# Changing


def test_each_item_changes_the_fields_that_it_has(alice, batch, three):
    one, two, three = three

    results = batch(
        change=[
            {"id": three["id"], "completed": True},
            {"id": one["id"].upper(), "description": "x", "tags": ["a", "b"]},
            {"id": two["id"], "due_at": "2026-01-01T00:00:00Z", "position": "a0"},
        ]
    )

    moment = results[0]["task"]["updated_at"]
    assert moment > three["updated_at"]
    moved = {"updated_at": moment}
    assert results == [
        {
            "status": 200,
            "task": three
            | moved
            | {"completed": True, "completed_at": moment, "version": 4},
        },
        {
            "status": 200,
            "task": one
            | moved
            | {"description": "x", "tags": ["a", "b"], "version": 5},
        },
        {
            "status": 200,
            "task": two
            | moved
            | {"due_at": "2026-01-01T00:00:00.000000Z", "position": "a0", "version": 6},
        },
    ]
    assert alice.get(one["id"]).json == results[1]["task"]
    assert counter(alice) == 7


def test_a_null_clears_a_field_and_a_field_left_out_stays(batch, alice):
    said = {"description": "x", "due_at": "2026-01-01T00:00:00Z", "tags": ["a"]}
    tasks = [alice.post("", json={"title": "x"} | said).json for _ in range(2)]

    cleared, kept = batch(
        change=[
            {"id": tasks[0]["id"], "description": None, "due_at": None, "tags": None},
            {"id": tasks[1]["id"], "title": "y"},
        ]
    )

    told = [cleared["task"][name] for name in ("description", "due_at", "tags")]
    assert told == [None, None, []]
    assert kept["task"]["description"] == "x"
    assert kept["task"]["due_at"] == "2026-01-01T00:00:00.000000Z"
    assert kept["task"]["tags"] == ["a"]


def test_completing_again_keeps_the_first_moment(batch, milk):
    item = {"id": milk.json["id"], "completed": True}
    (first,), (again,) = batch(change=[item]), batch(change=[item])
    (undone,) = batch(change=[item | {"completed": False}])

    assert again["task"]["completed_at"] == first["task"]["completed_at"]
    assert undone["task"]["completed_at"] is None


def test_a_client_may_send_back_what_it_got(batch, milk):
    (done,) = batch(change=[milk.json | {"title": "oat milk"}])
    (stale,) = batch(change=[milk.json | {"title": "soy milk"}])

    assert (done["status"], done["task"]["title"]) == (200, "oat milk")
    assert stale == {"status": 412, "version": 2}


# What the items of every kind meet


@pytest.fixture
def items(alice, three):
    """Items of every kind: one is done, one is not there, one has another version."""
    one, two, _ = three
    deleted = alice.delete(two["id"]).headers["ETag"]
    version = int(deleted.strip('"'))

    def make(kind):
        done, absent, stale = {"id": one["id"]}, {"id": NOBODYS}, {"id": three[2]["id"]}
        if kind == "restore":
            done, stale = {"id": two["id"], "version": version}, {"id": one["id"]}
        each = {"title": "new"} if kind == "change" else {}
        return [each | done, each | absent, each | stale | {"version": 99}]

    return make


@pytest.mark.parametrize("kind", ["change", "delete", "restore"])
def test_each_item_has_the_status_of_its_single_request(alice, batch, items, kind):
    sent = items(kind)

    done, absent, stale = batch(**{kind: sent})

    assert done["status"] == 200
    assert absent == {"status": 404}
    assert stale == {"status": 412, "version": 1 if kind == "restore" else 3}
    told = done["version"] if kind == "delete" else done["task"]["version"]
    assert told == 5
    assert counter(alice) == 6


@pytest.mark.parametrize("kind", ["change", "delete", "restore"])
def test_where_nothing_is_done_the_counter_stays(alice, batch, items, kind):
    _, absent, stale = items(kind)
    before = alice.get("").headers["ETag"]

    results = batch(**{kind: [stale, absent]})

    assert [each["status"] for each in results] == [412, 404]
    assert alice.get("").headers["ETag"] == before


@pytest.mark.parametrize("kind", ["change", "delete", "restore"])
def test_another_users_task_is_not_there(bob, batch, milk, kind):
    item = {"id": milk.json["id"]} | ({"title": "x"} if kind == "change" else {})

    assert batch(bob, **{kind: [item]}) == [{"status": 404}]


def test_what_is_in_the_trash_can_only_be_restored(alice, batch, milk):
    task = {"id": milk.json["id"]}
    deleted = batch(delete=[task])

    assert deleted == [{"status": 200, "version": 2}]
    assert batch(delete=[task]) == [{"status": 404}]
    assert batch(change=[task | {"title": "x"}]) == [{"status": 404}]
    (restored,) = batch(restore=[task | {"version": 2}])
    moved = {"version": 3, "updated_at": restored["task"]["updated_at"]}
    assert restored == {"status": 200, "task": milk.json | moved}


def test_restoring_a_live_task_leaves_it_as_it_is(alice, batch, three):
    one, two, _ = three
    alice.delete(two["id"])

    live, back = batch(restore=[{"id": one["id"]}, {"id": two["id"]}])

    assert live == {"status": 200, "task": one}
    assert back["task"]["version"] == 5
    assert counter(alice) == 6


def test_versions_grow_in_the_order_of_the_items(alice, batch):
    made = [each["task"]["id"] for each in batch(create=[{"title": "x"}] * 9)]
    shuffled = [{"id": made[n]} for n in (4, 8, 0, 6, 2)]

    deleted = batch(delete=shuffled)
    restored = batch(restore=shuffled[::-1])

    assert [each["version"] for each in deleted] == [10, 11, 12, 13, 14]
    assert [each["task"]["version"] for each in restored] == [15, 16, 17, 18, 19]
    page = alice.get("changes").json["changes"]
    assert [t["id"] for t in page[-5:]] == [each["id"] for each in shuffled[::-1]]


def test_the_numbers_in_the_users_row_are_kept(alice, batch, database):
    made = [
        each["task"]["id"]
        for each in batch(create=[{"title": "x", "completed": n < 3} for n in range(9)])
    ]
    batch(change=[{"id": each, "completed": True} for each in made[2:5]])
    batch(change=[{"id": made[0], "completed": False}, {"id": made[8], "title": "y"}])
    batch(delete=[{"id": each} for each in [*made[3:6], NOBODYS]])
    batch(restore=[{"id": each} for each in (made[3], made[8])])

    assert alice.get("summary").json == {"pending": 4, "completed": 3, "deleted": 2}
    assert alice.get("?status=completed").json["total"] == 3
    with database.connect() as connection:
        assert connection.scalar(select(users.c.last_change)) == 9 + 3 + 2 + 3 + 1


def test_both_mounts_take_batches(alice, bob):
    body = {"create": [{"title": "x"}]}

    assert alice.post("/api/tasks/batch/", json=body).status_code == 200
    assert bob.post("/api/alice/tasks/batch", json=body).status_code == 403


# What is refused


ITEM: dict[str, Any] = {"id": NOBODYS}
NO_LISTS: list[Any] = [None, [], {}, "x", 1, ITEM]
NO_OBJECTS: list[Any] = [None, [], NOBODYS, 1]
NO_IDS: list[Any] = [None, 1, "", NOBODYS[:-1], f"{{{NOBODYS}}}", NOBODYS + "\n", "\0"]
NO_VERSIONS: list[Any] = [None, -1, 1.0, "1", True, 2**63, []]
INVALID = [
    pytest.param({}, "", id="no-kind"),
    pytest.param({"create": [{"title": "x"}], "delete": [ITEM]}, "", id="two-kinds"),
    pytest.param({"update": [ITEM]}, "update: ", id="unknown-kind"),
    pytest.param({"delete": [ITEM], "x": 1}, "x: ", id="something-besides"),
    *(
        pytest.param({kind: sent}, f"{kind}: ", id=f"{kind}-{sent}")
        for kind in KINDS
        for sent in NO_LISTS
    ),
    *(
        pytest.param({kind: [sent]}, f"{kind}.0: ", id=f"{kind}-item-{sent}")
        for kind in KINDS
        for sent in NO_OBJECTS
    ),
    pytest.param({"create": [{"title": "x"}] * 101}, "create: ", id="101-items"),
    pytest.param({"create": [{}]}, "create.0.title: ", id="no-title"),
    pytest.param({"create": [{"title": "x", "id": "x"}]}, "create.0.id: ", id="id"),
    pytest.param(
        {"create": [{"title": "x", "color": 1}]}, "create.0.color: ", id="color"
    ),
    pytest.param({"change": [{"title": "x"}]}, "change.0.id: ", id="change-no-id"),
    pytest.param({"change": [ITEM]}, "change.0: ", id="change-nothing"),
    pytest.param({"change": [ITEM | {"version": 1}]}, "change.0: ", id="version-only"),
    pytest.param({"delete": [{}]}, "delete.0.id: ", id="delete-no-id"),
    pytest.param({"delete": [ITEM | {"title": "x"}]}, "delete.0.title: ", id="field"),
    *(
        pytest.param({"delete": [{"id": sent}]}, "delete.0.id: ", id=f"id-{sent}")
        for sent in NO_IDS
    ),
    *(
        pytest.param(
            {"restore": [ITEM | {"version": sent}]},
            "restore.0.version: ",
            id=f"v{sent}",
        )
        for sent in NO_VERSIONS
    ),
]


@pytest.mark.parametrize(("body", "named"), INVALID)
def test_an_invalid_batch_is_refused_and_named(alice, milk, body, named):
    answer = alice.post("batch", json=body)

    assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert answer.json["error"].startswith(named)
    assert alice.get("").json["tasks"] == [milk.json]


@pytest.mark.parametrize("kind", KINDS)
def test_where_any_item_is_invalid_nothing_happens(alice, three, kind):
    each = {"title": "new"} if kind in ("create", "change") else {}
    items = [each | {"id": task["id"]} for task in three]
    wrong = {"id": str(uuid4()), "priority": "urgent"}
    before = alice.get("changes").json

    answer = alice.post("batch", json={kind: [*items, each | wrong]})

    assert answer.status_code == 400
    assert answer.json["error"].startswith(f"{kind}.3.priority: ")
    assert alice.get("changes").json == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_that_is_given_twice_is_invalid(alice, milk, kind):
    each = {"title": "x"} if kind in ("create", "change") else {}
    task = milk.json["id"]
    items = [each | {"id": task}, each | {"id": NOBODYS}, each | {"id": task.upper()}]

    answer = alice.post("batch", json={kind: items})

    assert (answer.status_code, answer.json) == (
        400,
        {"error": f"{kind}.2.id: Given twice."},
    )


def test_every_invalid_item_is_named(alice):
    headers = {"Accept": "application/problem+json"}
    items = [{"title": ""}, {"title": "x"}, {"title": "x", "tags": ["a", 1]}]

    answer = alice.post("batch", json={"create": items}, headers=headers)

    named = [each["field"] for each in answer.json["errors"]]
    assert named == ["create.0.title", "create.2.tags.1"]


@pytest.mark.parametrize(
    "header",
    [
        ("If-Match", "*"),
        ("If-None-Match", "*"),
        ("If-None-Match", '"1"'),
        ("Idempotency-Key", "k"),
    ],
)
def test_a_header_about_one_task_is_refused(alice, milk, header):
    answer = alice.post(
        "batch", json={"delete": [{"id": milk.json["id"]}]}, headers=[header]
    )

    assert (answer.status_code, list(answer.json)) == (400, ["error"])
    assert alice.get(milk.location).json == milk.json


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param({"data": b"{}"}, 415, id="415"),
        pytest.param({"data": b" " * 131_073}, 413, id="413"),
        pytest.param({"json": []}, 400, id="a-list"),
        pytest.param({"data": b"{", "content_type": "application/json"}, 400, id="400"),
    ],
)
def test_a_body_that_is_no_object_is_refused(alice, sent, status):
    assert alice.post("batch", **sent).status_code == status


def test_a_batch_has_no_other_method(alice):
    answer = alice.get("batch")

    allowed = set(answer.headers["Allow"].split(", "))
    assert (answer.status_code, allowed) == (405, {"OPTIONS", "POST"})
