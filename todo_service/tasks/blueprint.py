"""The blueprint on which the views of tasks are registered."""

from flask import Blueprint

from todo_service.web import query_strings

blueprint = Blueprint("tasks", __name__)
blueprint.before_request(query_strings.refuse_undecodable)
