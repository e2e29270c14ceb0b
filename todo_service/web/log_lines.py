"""Log lines: one line of JSON each in production, a readable one in development."""

from datetime import UTC, datetime
from logging import LogRecord
from typing import Any

import orjson
from flask import g, has_request_context
from pythonjsonlogger.orjson import OrjsonFormatter

from todo_service.settings import Settings


def configuration(settings: Settings) -> dict[str, Any]:
    """For `dictConfig`: the application's lines go to standard error.

    The development server's own lines show queries, and titles with them.
    """
    handler = {"class": "logging.StreamHandler", "formatter": settings.log_format}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": _JSONLine}, "text": {"()": _TextLine}},
        "handlers": {"stderr": handler},
        "loggers": {
            "todo_service": {"level": settings.log_level, "handlers": ["stderr"]},
            "werkzeug": {"level": "WARNING", "handlers": ["stderr"]},
        },
    }


def server_configuration(settings: Settings) -> dict[str, Any]:
    """The same for a whole process: gunicorn's lines and those of libraries too."""
    ours = configuration(settings)
    loggers = ours["loggers"] | {"gunicorn.error": {"handlers": ["stderr"]}}
    alone = {name: each | {"propagate": False} for name, each in loggers.items()}
    rest = {"level": "WARNING", "handlers": ["stderr"]}
    return ours | {"loggers": alone, "root": rest}


class _JSONLine(OrjsonFormatter):
    """A record as one line of JSON, with the id of the request that it belongs to."""

    def __init__(self) -> None:
        names = {"asctime": "time", "levelname": "level", "exc_info": "exception"}
        super().__init__(["asctime", "levelname", "message"], rename_fields=names)

    def formatTime(self, record: LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """The time in UTC, with microseconds."""
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="microseconds")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the request's id, also to lines of libraries."""
        if has_request_context():
            log_data["request_id"] = g.get("request_id")
        return log_data


class _TextLine(_JSONLine):
    """A record as one line for a human; a traceback follows on lines of its own."""

    def serialize_log_record(self, log_data: dict[str, Any]) -> str:
        """The time, the level, the message, then what else there is."""
        head = [str(log_data.pop(name)) for name in ("time", "level", "message")]
        traceback = log_data.pop("exception", None)
        pairs = [f"{key}={_shown(value)}" for key, value in log_data.items()]
        line = _escape(" ".join([*head, *pairs]))
        return f"{line}\n{traceback}" if traceback else line


def _shown(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _escape(text: str) -> str:
    """Text that stays on its line: a terminal obeys some of what a client may send."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )
