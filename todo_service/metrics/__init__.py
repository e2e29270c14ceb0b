"""Metrics for Prometheus at `/metrics`, if they are switched on.

This room listens: it hooks into the application from outside, and no other room calls
it. If metrics are switched off, nothing is hooked in and the path is an unknown one.
"""

from flask import Flask, Response, g, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from todo_service import identity
from todo_service.database.engines import Database
from todo_service.documents.operations import Answer, Operation, Section
from todo_service.identity.keys import KeySet
from todo_service.metrics.meters import Meters
from todo_service.settings import Settings
from todo_service.web import request_log

PATH = "/metrics"
SECTION = Section(
    name="Metrics",
    description="For Prometheus. No token is needed.",
    operations={
        "read_metrics": Operation(
            summary="Read the numbers of all worker processes",
            description="Requests are labelled by the template of their route.",
            answers={200: Answer("As Prometheus reads it.", kind="text/plain")},
        )
    },
)
# Clients may send any word as the method, and each would be a series of its own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def init_app(app: Flask, settings: Settings) -> None:
    """Measure requests, statements, connections and keys, if metrics are on."""
    if not settings.metrics_enabled:
        return
    meters = Meters()
    meters.connections_limit.set(settings.db_pool_size)
    _watch_database(meters, app.extensions["database"])
    keys = app.extensions["verifier"].keys
    if keys:
        _watch_keys(meters, keys)

    def count(response: Response) -> Response:
        _count(meters, response.status_code)
        return response

    def show() -> Response:
        return Response(meters.scraped(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    app.after_request(count)
    app.add_url_rule(PATH, "read_metrics", show)
    identity.open_paths(app, PATH)


def _count(meters: Meters, status: int) -> None:
    """Count a request under its route's template, which the code bounds."""
    method = request.method if request.method in METHODS else "other"
    route = request_log.route() or "none"
    meters.requests.labels(method, route, status).inc()
    meters.request_seconds.labels(method, route).observe(request_log.seconds())
    reason = g.get("reason")
    if reason:
        meters.refusals.labels(reason).inc()


def _watch_database(meters: Meters, database: Database) -> None:
    def ran(statement: str, seconds: float) -> None:
        meters.statement_seconds.labels(statement).observe(seconds)

    database.ran.append(ran)
    database.use = meters.connections_in_use.track_inprogress()
    waiting = meters.waiting.track_inprogress()
    database.wait = database.shares.wait = waiting


def _watch_keys(meters: Meters, keys: KeySet) -> None:
    for result in ("good", "bad"):
        meters.key_fetches.labels(result)  # 0 from the start: its growth can be seen

    def fetched(good: bool) -> None:
        meters.key_fetches.labels("good" if good else "bad").inc()
        if good:
            meters.keys_fetched_at.set_to_current_time()

    keys.listeners.append(fetched)
