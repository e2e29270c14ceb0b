"""Paging with cursors: nothing twice, nothing skipped, whatever happens meanwhile."""

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_sorts import SORTS
from todo_service.web import sealed_tokens

FIRST = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def twelve(alice):
    """Twelve tasks with many ties in every sort."""
    chance = random.Random(7)
    return [
        alice.post(
            "",
            json={
                "title": chance.choice(["a", "B", "ß", "😀", "'"]),
                "priority": chance.choice(["low", "medium", "high"]),
                "due_at": chance.choice([None, "2026-01-01T00:00:00Z"]),
                "completed": chance.random() < 0.5,
            },
        ).json
        for _ in range(12)
    ]


def follow(alice, query):
    """All tasks of a list, page by page."""
    page = alice.get(f"?{query}").json
    found = page["tasks"]
    while page["next_cursor"]:
        page = alice.get(f"?{query}&cursor={page['next_cursor']}").json
        found += page["tasks"]
        assert (page["total"], page["offset"]) == (None, None)
    return found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 5, 12])
def test_the_pages_together_are_the_list(alice, twelve, sort, limit):
    whole = alice.get(f"?sort={sort}").json["tasks"]

    assert follow(alice, f"sort={sort}&limit={limit}") == whole


def test_a_filter_holds_on_every_page(alice, twelve):
    whole = alice.get("?status=pending&priority=low&priority=high").json["tasks"]

    assert follow(alice, "status=pending&priority=low&priority=high&limit=2") == whole


def test_pages_of_the_trash_go_on_too(alice, twelve):
    for task in twelve[:5]:
        alice.delete(task["id"])

    assert len(follow(alice, "deleted=true&limit=2")) == 5


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-due_at"])
def test_nothing_is_skipped_or_repeated_while_others_come_and_go(alice, twelve, sort):
    whole = alice.get(f"?sort={sort}").json["tasks"]
    page = alice.get(f"?sort={sort}&limit=4").json
    for task in page["tasks"]:
        alice.delete(task["id"])
    new = [alice.post("", json={"title": "0 new"}).json["id"] for _ in range(3)]

    rest = follow_from(alice, f"sort={sort}&limit=4", page["next_cursor"])

    assert [each for each in rest if each["id"] not in new] == whole[4:]


def follow_from(alice, query, cursor):
    found = []
    while cursor:
        page = alice.get(f"?{query}&cursor={cursor}").json
        found += page["tasks"]
        cursor = page["next_cursor"]
    return found


def test_the_last_page_has_no_cursor_and_no_link(alice, twelve):
    answer = alice.get("?limit=12")

    assert answer.json["next_cursor"] is None
    assert "Link" not in answer.headers


@pytest.mark.parametrize("query", ["limit=5", "limit=5&offset=3&sort=title&tag=%26"])
def test_link_leads_to_the_next_page(alice, query):
    for number in range(12):
        alice.post("", json={"title": f"{number}", "tags": ["&"]})
    answer = alice.get(f"?{query}")
    url, _, relation = answer.headers["Link"].partition("; ")

    after = alice.get(url.strip("<>")).json

    assert relation == 'rel="next"'
    kept = query.replace("&offset=3", "")
    cursor = answer.json["next_cursor"]
    assert after == alice.get(f"?{kept}&cursor={cursor}").json


def test_the_page_after_a_cursor_may_have_another_limit(alice, twelve):
    cursor = alice.get("?limit=2").json["next_cursor"]

    assert len(alice.get(f"?limit=7&cursor={cursor}").json["tasks"]) == 7


@pytest.mark.parametrize("query", ["sort=title", "status=pending", "q=a", "offset=0"])
def test_a_cursor_works_only_with_the_same_sort_and_filters(alice, twelve, query):
    cursor = alice.get("?limit=2").json["next_cursor"]

    assert alice.get(f"?{query}&cursor={cursor}").status_code == 400


def test_another_users_cursor_is_refused(alice, bob, twelve):
    cursor = alice.get("?limit=2").json["next_cursor"]

    assert bob.get(f"?cursor={cursor}").status_code == 400


def test_a_cursor_with_any_byte_altered_is_refused(alice, twelve):
    cursor = alice.get("?limit=2").json["next_cursor"]
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        text = urlsafe_b64encode(altered).decode().rstrip("=")
        assert alice.get(f"?cursor={text}").status_code == 400


@pytest.mark.parametrize(
    ("sort", "place"),
    [
        pytest.param("-created_at", ["yesterday", FIRST], id="no-moment"),
        pytest.param("-created_at", [None, FIRST], id="no-end"),
        pytest.param("-created_at", [5, FIRST], id="number"),
        pytest.param("title", ["\0", FIRST], id="nul"),
        pytest.param("title", [7, FIRST], id="no-text"),
        pytest.param("priority", ["high", FIRST], id="no-rank"),
        pytest.param("priority", [2**63, FIRST], id="beyond-64-bits"),
        pytest.param("due_at", ["2026-01-01T00:00:00Z", "x"], id="no-id"),
        pytest.param("due_at", [None, 5], id="no-text-id"),
        pytest.param("due_at", [None], id="too-short"),
        pytest.param("due_at", {"a": 1}, id="no-list"),
    ],
)
def test_the_place_in_a_cursor_is_validated(alice, twelve, sort, place):
    filters = dict.fromkeys(FILTERS) | {"deleted": False}
    cursor = sealed_tokens.seal(place, "alice", sort, filters)

    assert alice.get(f"?sort={sort}&cursor={cursor}").status_code == 400
