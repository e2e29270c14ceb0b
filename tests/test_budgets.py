"""What an operation costs this process, as a multiple of a view that does nothing."""

import pytest

from benchmarks.operations import calls, make_app, make_operations

pytestmark = pytest.mark.once

# Calls of functions, as a multiple of the floor's, plus 5 %. What a feature adds to
# every request adds to the floor too; what it adds to an operation shows here.
BUDGETS = {
    "get": 1.30,
    "list of 20": 1.68,
    "pending, by due date": 1.77,
    "changes, 20": 1.53,
    "create": 1.61,
    "update": 1.50,
    "toggle": 1.38,
    "delete and restore": 2.58,
    "create 100": 17.3,
    "update 100": 13.7,
    "delete and restore 100": 17.5,
}


@pytest.fixture(scope="module")
def operations(make_database):
    """Every operation of the benchmark, on a database of its own."""
    app = make_app(make_database())
    yield make_operations(app)
    app.extensions["database"].engine.dispose()


@pytest.mark.parametrize("name", BUDGETS)
def test_an_operation_stays_within_its_budget(operations, name):
    assert calls(operations[name]) / calls(operations["floor"]) <= BUDGETS[name]


def test_every_operation_has_a_budget(operations):
    assert operations.keys() - {"floor"} == BUDGETS.keys()


def test_an_operation_that_does_a_tenth_more_is_over_its_budget(operations):
    tenth = calls(operations["get"]) // 10

    def slower():
        for _ in range(tenth):
            len("")
        return operations["get"]()

    assert calls(slower) / calls(operations["floor"]) > BUDGETS["get"]
