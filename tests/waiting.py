"""Waiting for something to happen, rather than for a while."""

import time

from sqlalchemy import text


def wait_for_a_blocked_statement(database):
    """Until one waits for a lock, for 10 s at most.

    Looked at on a connection of its own: a transaction sees one activity for good.
    """
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    late = time.monotonic() + 10
    with database.connect() as connection:
        while not connection.scalar(blocked):
            assert time.monotonic() < late, "nothing waits for a lock"


def until(condition):
    """Wait until a condition is true, which something else is about to make true."""
    late = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < late, "the condition did not become true"
        time.sleep(0.005)
