"""Health: whether the process answers, and whether it can do its work."""

import threading
import time

from flask import Blueprint, Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, ProgrammingError

from todo_service import errors
from todo_service.database import migrations
from todo_service.database.engines import Database
from todo_service.database.tables import schema_migrations
from todo_service.documents.operations import Answer, Json, Operation, Section

REMEMBERED_SECONDS = 2

blueprint = Blueprint("health", __name__, url_prefix="/health")


FIELDS: dict[str, Json] = {
    "status": {"type": "string", "enum": ["ok"], "description": "Always `ok`."},
    "database": {"type": "string", "enum": ["ok"], "description": "It answers."},
    "schema": {"type": "string", "description": "The last migration's number."},
}


def _says(**fields: str) -> Answer:
    """An answer of these fields."""
    schema: Json = {
        "type": "object",
        "properties": {name: FIELDS[name] for name in fields},
        "required": list(fields),
        "additionalProperties": False,
    }
    return Answer("It is well.", schema, example=fields)


SECTION = Section(
    name="Health",
    description="For probes and load balancers. No token is needed.",
    operations={
        "live": Operation(
            summary="Whether the process answers",
            description="It never asks the database.",
            answers={200: _says(status="ok")},
        ),
        "ready": Operation(
            summary="Whether the service can do its work",
            description="The result is remembered for 2 seconds.",
            answers={200: _says(status="ok", database="ok", schema="0006")},
            refusals={503: "The database is away, or its schema is older than needed."},
        ),
    },
)


def init_app(app: Flask) -> None:
    """Mount `/health` and `/health/ready`."""
    app.extensions["readiness"] = Readiness(app.extensions["database"])
    app.register_blueprint(blueprint)


@blueprint.get("")
def live() -> dict[str, str]:
    """The process answers. Nothing else is touched: a probe must let Neon sleep."""
    return {"status": "ok"}


@blueprint.get("/ready")
def ready() -> dict[str, str]:
    """The database answers, and its schema is new enough for this release."""
    schema = current_app.extensions["readiness"].schema()
    return {"status": "ok", "database": "ok", "schema": schema}


class Readiness:
    """What the last look at the database found. It counts for 2 s, whoever asks."""

    def __init__(self, database: Database):
        self._database = database
        self._needed = migrations.latest()
        self._lock = threading.Lock()
        self._seen: tuple[float, str | None] = (float("-inf"), None)

    def schema(self) -> str:
        """The schema's version. 503 if it is too old or cannot be read."""
        with self._lock:
            looked_at, version = self._seen
            if time.monotonic() - looked_at > REMEMBERED_SECONDS:
                version = self._look()
                self._seen = (time.monotonic(), version)
        if version is None:
            raise errors.unavailable("The database cannot be reached.", "database_away")
        if version < self._needed:
            raise errors.unavailable(
                "The database's schema is older than needed.", "schema_old"
            )
        return version

    def _look(self) -> str | None:
        """The newest version; "" if none is recorded, None if there is no database."""
        newest = select(func.max(schema_migrations.c.version))
        try:
            with self._database.probe.connect() as connection:
                return connection.scalar(newest) or ""
        except ProgrammingError:
            return ""
        except DBAPIError:
            return None
