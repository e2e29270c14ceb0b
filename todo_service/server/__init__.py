"""gunicorn's worker, for clients that are silent, slow or wrong."""

from todo_service.server.worker import Worker

__all__ = ["Worker"]
