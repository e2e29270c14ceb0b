"""A user's tasks: the views, what they load, what they run, what they answer."""

from todo_service.tasks import collection_views, views
from todo_service.tasks.blueprint import blueprint
from todo_service.tasks.document import SECTION
from todo_service.tasks.statements import STATEMENTS

__all__ = ["SECTION", "STATEMENTS", "blueprint", "collection_views", "views"]
