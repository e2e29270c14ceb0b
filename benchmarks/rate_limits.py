"""What counting a request costs this process, in memory and in Redis.

    python -m benchmarks.rate_limits [REDIS_URL]

Medians over interleaved rounds, in milliseconds of this thread's CPU time, of a view
that does nothing: without a limit, and with one. No database is needed.
"""

import statistics
import sys

from benchmarks.load import RATE_LIMIT, SECRET
from benchmarks.operations import Operation, cost, make_sender
from todo_service import create_app

ENVIRON = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "BETTER_AUTH_SECRET": SECRET,
    "LOG_LEVEL": "WARNING",
}
ROUNDS = 101


def main() -> None:
    """Measure, and print a table."""
    limited = {"RATE_LIMIT": RATE_LIMIT}
    kinds = {"no limit": {"RATE_LIMIT": ""}, "in memory": limited}
    if len(sys.argv) > 1:
        kinds["in Redis"] = limited | {"RATE_LIMIT_STORAGE_URL": sys.argv[1]}
    operations = {name: make_operation(**each) for name, each in kinds.items()}
    rounds = [{n: cost(each) for n, each in operations.items()} for _ in range(ROUNDS)]
    print(f"{'counted':12}{'CPU, ms':>9}{'more':>9}{'ratio':>9}")
    for name in operations:
        found = statistics.median(each[name] for each in rounds)
        more = statistics.median(each[name] - each["no limit"] for each in rounds)
        ratio = statistics.median(each[name] / each["no limit"] for each in rounds)
        print(f"{name:12}{found:9.3f}{more:9.3f}{ratio:9.2f}")


def make_operation(**settings: str) -> Operation:
    """A request to a view that returns a constant, behind the door."""
    app = create_app(ENVIRON | settings)
    app.add_url_rule("/floor", view_func=lambda: {"tasks": []})
    send = make_sender(app)
    return lambda: send("GET", "/floor")[0]


if __name__ == "__main__":
    main()
