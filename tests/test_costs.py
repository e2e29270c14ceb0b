"""What the real statements read does not grow with the user's tasks."""

from functools import partial

import pytest

from benchmarks import growth
from benchmarks.operations import make_app

SMALL, LARGE = 1_000, 100_000


@pytest.fixture(scope="module")
def filled(make_database):
    """A database in which one user has few tasks and another has many."""
    url = make_database()
    engine = make_app(url).extensions["database"].engine
    growth.fill(url, [SMALL, LARGE])
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", growth.STATEMENTS)
def test_what_a_statement_reads_does_not_grow_with_the_users_tasks(filled, name):
    ask = growth.STATEMENTS[name]
    few, many = (growth.plan_of(filled, partial(ask, size)) for size in (SMALL, LARGE))

    # A hundred times the tasks are one or two more levels of each index.
    items = 100 if name.startswith("100 ") else 1
    assert growth.buffers(many) <= growth.buffers(few) + 10 * items, many
    assert growth.buffers(many) < 80 * items


def test_a_list_that_was_seen_is_neither_read_nor_counted(filled):
    plan = growth.plan_of(
        filled, partial(growth.page, LARGE, seen=(f"{LARGE}.0",), usual=False)
    )

    read = {n.get("Relation Name") for n in growth.nodes(plan) if n["Actual Loops"]}
    assert read - {None} == {"users"}
    assert growth.buffers(plan) <= 5
