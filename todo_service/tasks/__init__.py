"""A user's tasks: the views, what they load, what they run, what they answer."""

from todo_service.tasks.views import blueprint

__all__ = ["blueprint"]
