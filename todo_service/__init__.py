"""The Todo service: each user's tasks, in PostgreSQL, behind Better Auth tokens."""

import os
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from todo_service import (
    accounts,
    database,
    development,
    documents,
    errors,
    health,
    identity,
    metrics,
    purge,
    tasks,
)
from todo_service.database.commands import commands as db_commands
from todo_service.settings import load
from todo_service.web import (
    caching,
    compression,
    cors,
    json_bodies,
    long_fields,
    paths,
    rate_limits,
    request_log,
)


def create_app(environ: Mapping[str, str] = os.environ) -> Flask:
    """The application: its parts in the order in which a request meets them."""
    app = Flask(__name__, static_folder=None)
    settings = development.complete(load(environ), Path(app.instance_path))

    request_log.init_app(app, settings)  # a request id, one line a request
    long_fields.init_app(app)  # fields that would take long to parse are dropped
    errors.init_app(app)  # every failure → {"error": …}
    paths.init_app(app)  # no redirects
    cors.init_app(app, settings)  # which origins' pages may call; preflights
    caching.init_app(app)  # private answers stay out of shared caches
    rate_limits.init_app(app, settings)  # per user; per address for who has none: 429
    compression.init_app(app)  # gzip from 1 KiB
    identity.init_app(app, settings)  # token → user id, or 401; another's path: 403
    json_bodies.init_app(app)  # JSON in, JSON out
    database.init_app(app, settings)  # one statement a request

    paths.mount(app, tasks.blueprint)  # /api/tasks, /api/{user_id}/tasks
    accounts.init_app(app, settings)  # /auth, if switched on; flask accounts …
    health.init_app(app)  # /health, /health/ready
    metrics.init_app(app, settings)  # /metrics, if switched on
    sections = tasks.SECTION, accounts.SECTION, health.SECTION, metrics.SECTION
    documents.init_app(app, settings, *sections)  # /openapi.json, /docs

    app.cli.add_command(db_commands)  # flask db …
    purge.init_app(app, settings)  # flask purge
    development.init_app(app, settings)  # flask token; flask run on a bare laptop
    return app
