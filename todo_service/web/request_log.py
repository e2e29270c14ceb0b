"""The request log: an id in every response, one line in the log for every request."""

import logging.config
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response, g, has_request_context, request

from todo_service.settings import Settings

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Log to standard error, and follow every request from its first moment."""
    logging.config.dictConfig(_configuration(settings))
    app.before_request(_begin)
    app.after_request(_end)


def _configuration(settings: Settings) -> dict[str, Any]:
    handler = {"class": "logging.StreamHandler", "formatter": settings.log_format}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": _JSONFormatter},
            "text": {"()": _TextFormatter},
        },
        "handlers": {"stderr": handler},
        "loggers": {
            "todo_service": {"level": settings.log_level, "handlers": ["stderr"]},
            # The development server's own line shows queries, and titles with them.
            "werkzeug": {"level": "WARNING", "handlers": ["stderr"]},
        },
    }


def _begin() -> None:
    g.began = time.perf_counter()
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if SANE_REQUEST_ID.fullmatch(sent) else str(uuid.uuid4())


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    log.info(
        "request",
        extra={
            "fields": {
                "method": request.method,
                # The template and never the path, which may contain anything.
                "route": request.url_rule.rule if request.url_rule else None,
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - g.began) * 1000, 2),
                "user_id": g.get("user_id"),
            }
        },
    )
    return response


class _JSONFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        return orjson.dumps(_fields(self, record), default=str).decode()


class _TextFormatter(logging.Formatter):
    """A record as one line for a human; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        shown = _fields(self, record)
        head = f"{shown.pop('time')} {shown.pop('level')} {shown.pop('message')}"
        traceback = shown.pop("exception", None)
        pairs = [
            f"{key}={orjson.dumps(value).decode()}" for key, value in shown.items()
        ]
        line = _escape(" ".join([head, *pairs]))
        return f"{line}\n{traceback}" if traceback else line


def _escape(text: str) -> str:
    """Text that stays on its line: a terminal obeys some of what a client may send."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )


def _fields(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    fields = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
        "level": record.levelname,
        "message": record.getMessage(),
        **getattr(record, "fields", {}),
    }
    if has_request_context():
        fields["request_id"] = g.get("request_id")
    if record.exc_info:
        fields["exception"] = formatter.formatException(record.exc_info)
    return fields
