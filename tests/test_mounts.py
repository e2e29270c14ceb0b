"""Every resource below `/api`: the path's user is the token's, or it is a 403."""

import pytest
from flask import Blueprint

from tests.client import Client
from todo_service import create_app, identity
from todo_service.web import paths

NOTHING = "01890000-0000-7000-8000-000000000000"


@pytest.fixture(
    params=[
        pytest.param("mount", id="mounted-as-tasks-are"),
        pytest.param("/api/<user:user_id>/lists", id="registered-by-hand"),
        pytest.param("/api/<user_id>/lists", id="any-converter"),
        pytest.param("/api/<path:owner>/lists", id="any-name"),
    ]
)
def lists(request, environ, token_of):
    """Alice at an application with a second resource, which has no check of its own."""
    app = create_app(environ)
    resource = Blueprint("lists", __name__)
    resource.add_url_rule("", view_func=lambda **path: {"owner": identity.user_id()})
    if request.param == "mount":
        paths.mount(app, resource)
    else:
        app.register_blueprint(resource, url_prefix=request.param, name="user_lists")
        app.register_blueprint(resource, url_prefix="/api/lists")
    return Client(app, user_id="alice", token=token_of("alice"))


def rules_with_a_user(app):
    """The paths below every route that names a user, for Bob."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/<"):
            values = dict.fromkeys(rule.arguments, NOTHING) | {"user_id": "bob"}
            _, path = rule.build(values)
            yield from ((method, path) for method in rule.methods)


def test_every_route_that_names_a_user_is_closed_to_others(app, alice):
    asked = list(rules_with_a_user(app))

    answers = {each: alice.open(each[1], method=each[0]).status_code for each in asked}

    assert len(asked) > 20
    assert set(answers.values()) == {403}


def test_a_second_resource_answers_its_own_user(lists):
    for path in ("/api/alice/lists", "/api/lists"):
        assert lists.get(path).json == {"owner": "alice"}


@pytest.mark.parametrize("path", ["", "/", "/nothing/at/all"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_second_resource_is_closed_to_others(lists, path, method):
    assert lists.open(f"/api/bob/lists{path}", method=method).status_code == 403


@pytest.mark.parametrize("path", ["/api/tasks/tasks", "/api/bob", "/api/bob/notes"])
def test_a_path_that_names_no_user_is_not_found(alice, path):
    for method in ("GET", "POST", "PATCH"):
        assert alice.open(path, method=method).status_code == 404


def test_a_user_who_is_called_like_a_resource_has_the_second_mount(app, token_of):
    tasks = Client(app, token=token_of("tasks"))

    assert tasks.get("/api/tasks").status_code == 200
    assert tasks.get("/api/tasks/tasks").status_code == 404
