"""What is measured: the names, the labels and the buckets that Prometheus sees.

Every value of a label comes from the code, none from a client.
"""

import os
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)

from todo_service.metrics import sharing

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
STATEMENT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)


class Meters:
    """The metrics of this process; of all workers if gunicorn made a folder."""

    def __init__(self) -> None:
        folder = os.environ.get(sharing.VARIABLE)
        self._places = sharing.Places(Path(folder)) if folder else None
        if self._places:
            values.ValueClass = values.MultiProcessValue(self._places.own)
        self._registry = CollectorRegistry()
        self._make_http()
        self._make_database()
        self._make_keys()

    def scraped(self) -> bytes:
        """Everything as Prometheus reads it, from all workers."""
        registry = self._registry
        if self._places:
            self._places.forget_dead()
            registry = CollectorRegistry()
            registry.register(self._places)
        return generate_latest(registry)

    def _make_http(self) -> None:
        self.requests = Counter(
            "todo_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "todo_http_request_duration_seconds",
            "Time to answer a request.",
            ["method", "route"],
            buckets=REQUEST_SECONDS,
            registry=self._registry,
        )
        self.refusals = Counter(
            "todo_http_refusals",
            "Answers 401, 429 and 503, by their reason.",
            ["reason"],
            registry=self._registry,
        )

    def _make_database(self) -> None:
        self.statement_seconds = Histogram(
            "todo_statement_duration_seconds",
            "Time from sending a statement until its rows have come.",
            ["statement"],
            buckets=STATEMENT_SECONDS,
            registry=self._registry,
        )
        self.connections_in_use = self._sum(
            "todo_pool_connections_in_use", "Connections that run a statement."
        )
        self.connections_limit = self._sum(
            "todo_pool_connections_limit", "Connections that the pools may have."
        )
        self.waiting = self._sum(
            "todo_pool_requests_waiting", "Requests that wait for a connection."
        )

    def _make_keys(self) -> None:
        self.key_fetches = Counter(
            "todo_jwks_fetches",
            "Fetches of the issuer's keys.",
            ["result"],
            registry=self._registry,
        )
        # Each worker has keys of its own.
        self.keys_fetched_at = Gauge(
            "todo_jwks_fetched_timestamp_seconds",
            "When a worker last fetched the issuer's keys; 0 if it has not.",
            multiprocess_mode="liveall",
            registry=self._registry,
        )

    def _sum(self, name: str, meaning: str) -> Gauge:
        """A number that is added over the workers that live."""
        return Gauge(
            name, meaning, multiprocess_mode="livesum", registry=self._registry
        )
