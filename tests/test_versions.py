"""No lost update, cheap polling: ETag, If-Match, If-None-Match."""

import pytest

CHANGES = [
    pytest.param("put", "", {"json": {"title": "x"}}, id="put"),
    pytest.param("patch", "", {"json": {"title": "x"}}, id="patch"),
    pytest.param("delete", "", {}, id="delete"),
    pytest.param("patch", "/complete", {}, id="toggle"),
    pytest.param("patch", "/complete", {"json": {"completed": True}}, id="complete"),
    pytest.param("patch", "/toggle-status", {}, id="toggle-status"),
    pytest.param("post", "/restore", {}, id="restore"),
]
SPELLINGS = [
    '"{}"',
    'W/"{}"',
    '"{}-gzip"',
    'W/"{}-br"',
    '"{}-zstd"',
    '"{}-deflate"',
    '"{}:gzip"',
]
OTHER = '"999"'


@pytest.mark.parametrize("path", ["", "/complete"])
def test_a_task_carries_its_version_as_its_tag(alice, milk, path):
    changed = alice.patch(f"{milk.location}{path}", json={"completed": True})

    assert milk.headers["ETag"] == '"1"'
    assert changed.headers["ETag"] == f'"{changed.json["version"]}"' == '"2"'
    assert alice.get(milk.location).headers["ETag"] == '"2"'


@pytest.mark.parametrize(("method", "path", "sent"), CHANGES)
def test_a_change_of_another_version_is_a_412_and_changes_nothing(
    alice, milk, method, path, sent
):
    answer = getattr(alice, method)(
        f"{milk.location}{path}", headers={"If-Match": OTHER}, **sent
    )

    assert answer.status_code == 412
    assert list(answer.json) == ["error"]
    assert answer.headers["ETag"] == milk.headers["ETag"]
    assert alice.get(milk.location).json == milk.json


@pytest.mark.parametrize(("method", "path", "sent"), CHANGES)
def test_a_change_of_the_present_version_is_made(alice, milk, method, path, sent):
    answer = getattr(alice, method)(
        f"{milk.location}{path}", headers={"If-Match": '"1"'}, **sent
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path", "sent"), CHANGES)
def test_a_change_of_a_task_that_is_not_there_is_a_404(alice, method, path, sent):
    absent = f"01890000-0000-7000-8000-000000000000{path}"

    answer = getattr(alice, method)(absent, headers={"If-Match": "*"}, **sent)

    assert answer.status_code == 404


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_proxies_do_to_tags_is_ignored(alice, milk, spelling):
    tag = spelling.format(1)

    seen = alice.get(milk.location, headers={"If-None-Match": tag})
    changed = alice.patch(milk.location, json={"title": "x"}, headers={"If-Match": tag})

    assert (seen.status_code, changed.status_code) == (304, 200)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("*", 200, id="any"),
        pytest.param('"1", "5"', 200, id="one-of-two"),
        pytest.param('"5","1"', 200, id="no-space"),
        pytest.param(',"1",,', 200, id="empty-elements"),
        pytest.param('"5", "6"', 412, id="neither"),
        pytest.param('"01"', 412, id="another-spelling"),
        pytest.param('"x"', 412, id="no-version"),
        pytest.param('""', 412, id="empty-tag"),
        pytest.param('"99999999999999999999"', 412, id="beyond-64-bits"),
        pytest.param('"1"' + ', "9"' * 19, 200, id="twenty-tags"),
        pytest.param('"1"' + ', "9"' * 20, 400, id="twenty-one-tags"),
        pytest.param("", 400, id="empty"),
        pytest.param("1", 400, id="unquoted"),
        pytest.param('"1', 400, id="unclosed"),
        pytest.param('"1" "2"', 400, id="no-comma"),
        pytest.param('*, "1"', 400, id="any-and-one"),
        pytest.param('w/"1"', 400, id="lower-case-weak"),
        pytest.param(", " * 500 + "x", 400, id="long-garbage"),
    ],
)
def test_if_match_is_any_of_its_tags_and_garbage_is_refused(
    alice, milk, header, status
):
    answer = alice.patch(
        milk.location, json={"title": "x"}, headers={"If-Match": header}
    )

    assert answer.status_code == status


@pytest.mark.parametrize(("others", "status"), [(19, 304), (20, 200)])
@pytest.mark.parametrize("path", ["", "milk"])
def test_the_first_twenty_tags_that_were_seen_count(alice, milk, path, others, status):
    path = milk.location if path == "milk" else path
    tag = alice.get(path).headers["ETag"]

    seen = alice.get(path, headers={"If-None-Match": '"9", ' * others + tag})

    assert seen.status_code == status


def test_a_task_that_the_client_has_seen_is_a_304(alice, milk):
    seen = alice.get(milk.location, headers={"If-None-Match": '"1"'})

    assert (seen.status_code, seen.data) == (304, b"")
    assert seen.headers["ETag"] == '"1"'
    assert seen.headers["Cache-Control"] == "private, no-cache"


def test_a_list_that_the_client_has_seen_is_a_304(alice, milk):
    tag = alice.get("").headers["ETag"]

    seen = alice.get("", headers={"If-None-Match": f'"x", W/{tag[:-1]}-gzip"'})

    assert (seen.status_code, seen.data, seen.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("path", ["", "milk"])
def test_a_star_matches_whatever_is_there(alice, milk, path):
    path = milk.location if path == "milk" else path

    assert alice.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_an_empty_list_that_the_client_has_seen_is_a_304(alice):
    tag = alice.get("").headers["ETag"]

    assert alice.get("", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "change",
    [
        lambda alice, task: alice.patch(task, json={"title": "x"}),
        lambda alice, task: alice.delete(task),
        lambda alice, task: alice.post("", json={"title": "x"}),
    ],
    ids=["change", "delete", "create"],
)
def test_a_list_that_has_changed_is_sent(alice, milk, change):
    tag = alice.get("").headers["ETag"]
    change(alice, milk.location)

    answer = alice.get("", headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag
    assert answer.json == alice.get("").json


@pytest.mark.parametrize("query", ["?limit=7", "?status=pending", "?sort=title"])
def test_a_lists_etag_matches_only_the_same_query(alice, milk, query):
    tag = alice.get("").headers["ETag"]

    assert alice.get(query, headers={"If-None-Match": tag}).status_code == 200


def test_another_users_tag_is_never_good_at_equal_counters(alice, bob, milk):
    bob.post("", json={"title": "his"})
    tag = alice.get("").headers["ETag"]

    answer = bob.get("", headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert [task["title"] for task in answer.json["tasks"]] == ["his"]


def test_restore_brings_a_deleted_task_back(alice, milk):
    alice.delete(milk.location)

    restored = alice.post(f"{milk.location}/restore")

    assert restored.status_code == 200
    assert restored.json["version"] == 3
    assert alice.get("").json["tasks"] == [restored.json]


def test_restoring_a_live_task_changes_nothing(alice, milk):
    restored = alice.post(f"{milk.location}/restore")

    assert (restored.status_code, restored.json) == (200, milk.json)


def test_a_deleted_task_of_another_version_is_not_restored(alice, milk):
    alice.delete(milk.location)

    answer = alice.post(f"{milk.location}/restore", headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"]) == (412, '"2"')
    assert alice.get("").json["total"] == 0
