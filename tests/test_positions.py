"""The order that users make by hand: keys of the fractional-indexing libraries."""

import time

import pytest
from fractional_indexing import (
    FIError,
    generate_key_between,
    generate_n_keys_between,
    validate_order_key,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from todo_service.tasks import order_keys

# An example that takes long is no fault: a busy machine makes one.
unhurried = settings(deadline=None)

SMALLEST = "A" + "0" * 26
WRITTEN = st.text(alphabet="0129AZaz", max_size=8)
# Of the longest integers, those near the smallest key.
LONG = st.builds("A{:0<26}{}".format, st.text("01", max_size=2), WRITTEN)


def ids_by_position(client) -> list[str]:
    """The ids of the user's tasks, in the order made by hand."""
    return [task["id"] for task in client.get("?sort=position").json["tasks"]]


def is_taken_by_the_library(key: str) -> bool:
    """Whether the library makes keys on both sides of this one."""
    try:
        validate_order_key(key)
        before, after = generate_key_between(None, key), generate_key_between(key, None)
    except (FIError, IndexError, ValueError):
        return False
    return before < key < after


@given(st.one_of(WRITTEN, LONG))
@example(SMALLEST)
@example(SMALLEST + "1")
@example(SMALLEST + "0")
@example("z" * 27)
@example("")
@unhurried
def test_what_is_a_key_to_the_library_is_one_to_the_service(key):
    assert order_keys.is_valid(key) == is_taken_by_the_library(key)


@given(st.lists(st.integers(0, 5), max_size=60))
@unhurried
def test_every_key_that_the_library_makes_is_valid(places):
    keys = [order_keys.key_of(time.time_ns() // 1000)]
    for place in places:
        at = min(place, len(keys))
        before = keys[at - 1] if at else None
        after = keys[at] if at < len(keys) else None
        keys.insert(at, generate_key_between(before, after))

    assert all(map(order_keys.is_valid, keys))
    assert keys == sorted(set(keys))


def test_the_default_is_the_integer_that_is_left_until_62_to_the_ninth(alice):
    began = time.time_ns() // 1000
    key = alice.post("", json={"title": "x"}).json["position"]
    ended = time.time_ns() // 1000

    left = 0
    for digit in key[1:]:
        left = left * 62 + order_keys.DIGITS.index(digit)
    assert key[0] == "R"
    assert began <= 62**9 - left <= ended


@given(st.integers(1, 62**9 - 1))
@unhurried
def test_the_key_of_the_next_microsecond_is_the_integer_before(moment):
    key, later = (order_keys.key_of(each) for each in (moment, moment + 1))

    # The library counts down by one for each key that it puts in front.
    assert generate_key_between(None, key) == later


def test_new_tasks_come_first(alice):
    made = [alice.post("", json={"title": f"{n}"}).json["id"] for n in range(3)]

    assert ids_by_position(alice) == made[::-1]


def test_a_task_moves_between_two_others_by_one_change(alice):
    made = [alice.post("", json={"title": f"{n}"}).json for n in range(3)]
    third, second, first = made
    between = generate_key_between(first["position"], second["position"])

    moved = alice.patch(third["id"], json={"position": between})

    assert moved.json["position"] == between
    assert ids_by_position(alice) == [first["id"], third["id"], second["id"]]


def test_keys_compare_by_code_point(alice):
    keys = ["a1", "Z0", "aA", "aa", "A" + "0" * 26 + "1", "z" * 27]
    for key in keys:
        alice.post("", json={"title": key, "position": key})

    listed = alice.get("?sort=position").json["tasks"]
    assert [task["position"] for task in listed] == sorted(keys)


def test_tasks_with_one_key_stand_in_the_order_of_their_ids(alice):
    made = [
        alice.post("", json={"title": "x", "position": "a0"}).json["id"]
        for _ in range(3)
    ]

    assert ids_by_position(alice) == sorted(made)


def test_a_task_that_is_typed_by_hand_has_a_position_too(alice, milk, database):
    with database.connect() as connection:
        connection.exec_driver_sql("UPDATE tasks SET position = DEFAULT")

    position = alice.get(milk.location).json["position"]
    assert order_keys.is_valid(position)
    assert generate_n_keys_between(None, position, 2)[-1] < position


def test_a_repeated_create_is_the_same_although_the_clock_goes_on(alice):
    key = {"Idempotency-Key": "k"}

    first, again = (alice.post("", json={"title": "x"}, headers=key) for _ in range(2))

    assert again.json == first.json


@pytest.mark.parametrize("position", ["a0", "a0V"])
def test_a_create_that_is_repeated_with_another_position_is_a_409(alice, position):
    key = {"Idempotency-Key": "k"}
    alice.post("", json={"title": "x", "position": "a1"}, headers=key)

    answer = alice.post("", json={"title": "x", "position": position}, headers=key)

    assert answer.status_code == 409
