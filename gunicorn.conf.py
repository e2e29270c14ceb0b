"""Production defaults of `gunicorn wsgi:app`, each with its reason."""

import gc
import os
import resource
import signal
import sys
from pathlib import Path

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import LimitRequestHeaders

from todo_service import accounts, database, tasks
from todo_service.database.driver import for_driver
from todo_service.metrics import sharing
from todo_service.settings import BadSettingsError, load
from todo_service.web import log_lines

try:
    settings = load(os.environ)
except BadSettingsError as refusal:
    # Here rather than in each worker: one message, and the master stops.
    sys.exit(refusal.format_message())

bind = f"0.0.0.0:{settings.port}"
workers = settings.web_concurrency

# gthread, but a client that is slow or silent holds no thread.
worker_class = "todo_service.server.Worker"
# Threads wait for the database in parallel; more of them than pooled connections, so
# that the health check answers while all connections are busy.
threads = settings.gunicorn_threads

# A connection is an open file, and a worker that may open no more ends. Many systems
# begin with 1,024. A worker keeps 1,000 clients; one that stops takes up to 2,048 more.
FILES = 4096
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if soft < FILES <= hard:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))

# Longer than a load balancer keeps its side open (60 s as a rule): the balancer closes
# first, and no request meets a closing connection.
keepalive = 75

# No header of a client changes the path or the scheme, not even from this machine.
# Headers with an underscore are dropped, because WSGI cannot tell `_` from `-`.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
proxy_protocol = "off"

# The worker sends an answer at once. A file that the kernel sends would overtake it.
sendfile = False

# A worker that no longer reports is replaced; one that stops gets time to finish.
timeout = 30
graceful_timeout = 30

# Heartbeats go to a file, and so do metrics: on a disk they can block.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
worker_tmp_dir = MEMORY

# What docs/contract.md promises to serve. gunicorn counts the end of a line in a field.
limit_request_line = 8190
limit_request_field_size = 8190 + 2
limit_request_fields = 500
# gunicorn has no limit for all fields together: `pre_request` refuses beyond this. The
# worker refuses a head that is larger still before gunicorn has parsed it.
HEAD_BYTES = 64 * 1024
# If the service has not read so much of a body, gunicorn ends the connection.
LARGE_BODY_BYTES = 64 * 1024

# The service logs one line a request itself; the control socket would lie in $HOME.
accesslog = None
control_socket_disable = True
# gunicorn's own lines look like the service's.
logconfig_dict = log_lines.server_configuration(settings)


def on_starting(server):
    """Prepare what all workers share: they are forked after this.

    That is every statement, compiled, and the folder of the metrics.
    """
    if settings.metrics_enabled:
        sharing.provide(MEMORY)
    for statement in (*tasks.STATEMENTS, *accounts.STATEMENTS):
        for_driver(statement)


def when_ready(server):
    """Log once, in the master, whether this is production, and what it needs.

    What the master has loaded stays for good. So the collector of a worker need not
    look at it, neither while the worker runs nor, for half a second, when it ends.
    """
    gc.freeze()
    server.log.info("APP_ENV is %s.", settings.app_env)
    server.log.info("Put a proxy that buffers requests in front of this port.")


def post_fork(server, worker):
    """Let a signal that stops the service stop a worker that has only just begun.

    Until it has its own handlers, it has the master's, which would only note the
    signal: the worker would go on, and the stop take all of `graceful_timeout`.
    """
    for each in (signal.SIGTERM, signal.SIGQUIT):
        signal.signal(each, signal.SIG_DFL)


def pre_request(worker, request):
    """Refuse what costs gunicorn or the service more than it is worth.

    gunicorn takes 0.1 s to skip an unread body of one-byte chunks, so that it can keep
    the connection. So it does not keep one after chunks. It skips no large body: the
    answer then says that the connection ends, or the client's next request is lost.
    """
    if sum(len(name) + len(value) for name, value in request.headers) > HEAD_BYTES:
        raise LimitRequestHeaders("all header fields together are too large")
    body = request.body.reader
    if isinstance(body, ChunkedReader) or body.length >= LARGE_BODY_BYTES:
        request.force_close()


def pre_exec(server):
    """Hand the metrics over to a new master (SIGUSR2): both serve for a while."""
    if settings.metrics_enabled:
        server.cfg.env_orig[sharing.VARIABLE] = os.environ[sharing.VARIABLE]


def on_exit(server):
    """Remove the folder of the metrics, unless another master uses it (SIGUSR2)."""
    has_predecessor = server.master_pid and server.master_pid == os.getppid()
    if not (server.reexec_pid or has_predecessor):
        sharing.remove()


def post_worker_init(worker):
    """Connect before the first request does, and after the fork."""
    database.warm_up(worker.wsgi)
