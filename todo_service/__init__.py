"""The Todo service: each user's tasks, in PostgreSQL, behind Better Auth tokens."""

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from todo_service import (
    browsers,
    config,
    db,
    development,
    errors,
    health,
    identity,
    logs,
    migrations,
    paths,
    payloads,
    tasks,
)


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """The application: its parts in the order in which a request meets them.

    Raises `config.BadSettingsError`, naming every culprit, where the environment does
    not say what the service has to know.
    """
    app = Flask(__name__, static_folder=None)
    settings = development.complete(config.load(environ), Path(app.instance_path))

    logs.init_app(app, settings)  # a request id, one line a request
    errors.init_app(app)  # every failure → {"error": …}
    paths.init_app(app)  # no redirects; a path that is no text is refused
    browsers.init_app(app, settings)  # CORS, preflights, caching headers
    identity.init_app(app, settings)  # the closed door: token → user id
    payloads.init_app(app)  # JSON in, JSON out
    db.init_app(app, settings)  # one statement a request
    tasks.init_app(app, settings)  # /api/tasks, /api/{user_id}/tasks; flask purge
    health.init_app(app)  # /health, /health/ready

    migrations.init_app(app)  # flask db upgrade | status
    development.init_app(app, settings)  # flask token; flask run on a bare laptop
    return app
