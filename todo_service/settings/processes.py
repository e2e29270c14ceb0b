"""How many processes and threads serve, where no setting says it."""

from todo_service.settings import cores

WORKERS_AT_LEAST = 2
THREADS_AT_LEAST = 128

# Half of PostgreSQL's default of 100: while the service reloads, the old workers and
# the new ones are connected.
CONNECTIONS_AT_MOST = 50


def workers(pool: int) -> int:
    """A worker for each core: a process of Python uses one. 2 at least.

    No more than there are connections for: each has its pool and one for readiness.
    """
    affordable = CONNECTIONS_AT_MOST // (pool + 1)
    return max(WORKERS_AT_LEAST, min(cores.available(), affordable))


def threads(pool: int) -> int:
    """Three for each pooled connection, 128 at least.

    Threads that wait for the database then leave others for what needs none, such as
    the health check. A quarter of them may wait for one user's share: with fewer, a
    page that sends thirty requests at once to one process would meet a 503.
    """
    return max(THREADS_AT_LEAST, 3 * pool)
