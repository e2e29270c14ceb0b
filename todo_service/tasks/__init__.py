"""A user's tasks: one resource, mounted twice."""

from flask import Flask

from todo_service.config import Settings
from todo_service.tasks import maintenance
from todo_service.tasks.views import blueprint


def init_app(app: Flask, settings: Settings) -> None:
    """Mount it where the path names the user, and where only the token does."""
    app.register_blueprint(
        blueprint, url_prefix="/api/<user:user_id>/tasks", name="user_tasks"
    )
    app.register_blueprint(blueprint, url_prefix="/api/tasks")
    maintenance.init_app(app, settings)
