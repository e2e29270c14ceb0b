"""The request log: an id in every response, one line in the log for every request."""

import logging.config
import re
import time
import uuid

from flask import Flask, Response, g, request

from todo_service.settings import Settings
from todo_service.web import log_lines

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Log to standard error, and follow every request from its first moment."""
    logging.config.dictConfig(log_lines.configuration(settings))
    app.before_request(_begin)
    app.after_request(_end)


def route() -> str | None:
    """The request's route as a template: a path may contain anything."""
    return request.url_rule.rule if request.url_rule else None


def seconds() -> float:
    """The seconds since the request began."""
    return time.perf_counter() - g.began


def _begin() -> None:
    g.began = time.perf_counter()
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if SANE_REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    fields = {
        "method": request.method,
        "route": route(),
        "status": response.status_code,
        "duration_ms": round(seconds() * 1000, 2),
        "user_id": g.get("user_id"),
    }
    if g.get("reason"):
        fields["reason"] = g.reason
    log.info("request", extra=fields)
    return response
