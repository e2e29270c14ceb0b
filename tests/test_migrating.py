"""docs/migrating.md, line by line: what it says of this service is so.

The docstring of each test is the first cell of the line that it tries.
"""

import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import jwt
import pytest

from tests.conftest import SECRET
from todo_service import create_app
from todo_service.settings import BadSettingsError

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "migrating.md"
MILK = {"title": "Buy milk"}
GUNICORN = [sys.executable, "-m", "gunicorn", "wsgi:app"]


@pytest.fixture
def with_accounts(make_client):
    """A client of a service with accounts, without a token."""
    client = make_client(LOCAL_ACCOUNTS="true")
    client.token = None
    return client


# Addresses


def test_the_token_says_whose_tasks(alice, milk):
    """`/api/tasks`: the token says whose tasks"""
    assert alice.get("/api/tasks").json["tasks"] == [milk.json]


def test_the_path_may_name_the_user(alice, milk):
    """`/api/{user_id}/tasks`"""
    assert alice.get("/api/alice/tasks").json["tasks"] == [milk.json]
    assert alice.get("/api/bob/tasks").status_code == 403


def test_v1_would_be_a_user(alice):
    """`/api/v1/tasks`"""
    assert alice.get("/api/v1/tasks").status_code == 403


def test_other_paths_are_unknown(alice):
    """`/todos`, `/tasks`"""
    assert alice.get("/todos").status_code == 404
    assert alice.get("/tasks").status_code == 404


def test_the_port_is_7860_or_another(environ):
    """port 8000"""

    def port(**settings):
        printed = subprocess.run(
            [*GUNICORN, "--print-config"],
            cwd=ROOT,
            env=environ | settings,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return re.findall(r"^bind\s.*:(\d+)", printed.stdout, re.M)

    assert port() == ["7860"]
    assert port(PORT="8000") == ["8000"]


def test_a_slash_at_the_end_redirects_nowhere(alice):
    """a redirect from `/api/tasks/` to `/api/tasks`, which loses the token"""
    assert alice.get("/api/tasks/").status_code == 200


def test_ids_are_uuids_as_strings(milk):
    """ids are numbers"""
    assert str(UUID(milk.json["id"])) == milk.json["id"]


# Tokens


def test_a_token_needs_sub_and_exp(anyone):
    """HS256 with a shared secret"""

    def status(**claims):
        token = jwt.encode(claims, SECRET, "HS256")
        sent = {"Authorization": f"Bearer {token}"}
        return anyone.get("/api/tasks", headers=sent).status_code

    assert status(sub="alice", exp=4102444800) == 200
    assert status(user_id="alice", exp=4102444800) == 401
    assert status(sub="alice") == 401


def test_the_url_of_better_auth_is_enough(environ):
    """Better Auth's own tokens (EdDSA, by JWKS)"""
    without = {name: environ[name] for name in environ if name != "BETTER_AUTH_SECRET"}

    assert create_app(without | {"BETTER_AUTH_URL": "https://app.example.com"})


def test_cookies_mean_nothing(alice, anyone, token_of):
    """a session cookie"""
    answer = alice.get("/api/tasks", headers={"Origin": "http://localhost:3000"})
    anyone.set_cookie("session", token_of("alice"))

    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert anyone.get("/api/tasks").status_code == 401


def test_an_unknown_user_is_served(alice):
    """a token of a user whom the back end does not know is refused"""
    assert alice.get("/api/tasks").json["tasks"] == []
    assert alice.post("/api/tasks", json=MILK).status_code == 201


def test_a_login_is_json(anyone, with_accounts):
    """`POST /auth/login` with a form (`username=…&password=…`)"""
    person = {"email": "alice@example.com", "password": "correct horse"}
    with_accounts.post("/auth/register", json=person)
    form = {"username": person["email"], "password": person["password"]}

    assert anyone.post("/auth/login", json=person).status_code == 401  # they are off
    assert with_accounts.post("/auth/login", data=form).status_code == 415
    assert with_accounts.post("/auth/login", json=person).status_code == 200


def test_a_registration_has_no_username(with_accounts):
    """`username` at registration"""
    person = {"email": "bob@example.com", "password": "correct horse"}
    named = person | {"username": "bob"}

    assert with_accounts.post("/auth/register", json=named).status_code == 400
    assert with_accounts.post("/auth/register", json=person).status_code == 201


# Requests


def test_the_field_is_completed(alice):
    """`is_completed`, `done`"""
    assert alice.post("", json=MILK | {"is_completed": True}).status_code == 400
    assert alice.post("", json=MILK | {"done": True}).status_code == 400
    assert alice.post("", json=MILK | {"completed": True}).json["completed"]


def test_both_names_of_the_toggle_work(alice, milk):
    """`PATCH …/{id}/toggle-status`"""
    path = milk.json["id"]

    assert alice.patch(f"{path}/toggle-status").json["completed"]
    assert not alice.patch(f"{path}/complete").json["completed"]


def test_put_keeps_what_is_not_sent(alice, milk):
    """`PUT` replaces the whole task"""
    path = milk.json["id"]
    described = alice.put(path, json={"description": "two litres"}).json

    assert (described["title"], described["description"]) == ("Buy milk", "two litres")
    assert alice.put(path, json={"description": None}).json["description"] is None


def test_unknown_fields_are_refused_and_read_only_ones_are_not(alice, milk):
    """unknown fields are ignored"""
    path = milk.json["id"]

    assert alice.patch(path, json={"color": "white"}).status_code == 400
    assert alice.patch(path, json=milk.json | {"title": "Milk"}).status_code == 200


def test_only_json_booleans_are_booleans(alice):
    """`"true"` and `1` are booleans"""
    assert alice.post("", json=MILK | {"completed": "true"}).status_code == 400
    assert alice.post("", json=MILK | {"completed": 1}).status_code == 400


def test_a_due_date_is_a_moment(alice):
    """`due_date: "2026-12-01"`"""
    due = "2026-12-01T09:00:00+01:00"

    assert alice.post("", json=MILK | {"due_date": "2026-12-01"}).status_code == 400
    assert alice.post("", json=MILK | {"due_at": "2026-12-01"}).status_code == 400
    assert alice.post("", json=MILK | {"due_at": due}).status_code == 201


def test_pages_have_a_limit_and_an_offset(alice):
    """`page`, `per_page`, `skip`"""
    for parameter in ("page", "per_page", "skip"):
        assert alice.get("", query_string={parameter: 1}).status_code == 400
    assert alice.get("", query_string={"limit": 1, "offset": 1}).status_code == 200


def test_a_minus_reverses_the_order(alice):
    """`sort=created_at&order=desc`"""
    assert alice.get("?sort=created_at&order=desc").status_code == 400
    assert alice.get("?sort=-created_at").status_code == 200


# Answers


def test_a_list_is_an_envelope(alice):
    """a list is an array: `[…]`"""
    envelope = ["tasks", "total", "limit", "offset", "next_cursor"]

    assert list(alice.get("").json) == envelope


def test_a_task_is_the_task_itself(milk):
    """a task is `{"data": {…}}`"""
    assert milk.json["title"] == "Buy milk"


def test_a_deletion_is_a_200_and_fills_the_trash(alice, milk):
    """`DELETE` answers 204"""
    deleted = alice.delete(milk.json["id"])

    assert (deleted.status_code, deleted.json) == (200, {"message": "Task deleted"})
    assert alice.get("?deleted=true").json["total"] == 1


def test_a_field_error_is_a_400(alice):
    """a field error is a 422 with `detail`"""
    plain = alice.post("", json={})
    problem = alice.post("", json={}, headers={"Accept": "application/problem+json"})

    assert plain.status_code == 400
    assert plain.json == {"error": "title: Missing data for required field."}
    assert [each["field"] for each in problem.json["errors"]] == ["title"]


def test_an_error_is_a_sentence(alice):
    """`{"success": false, "error": {"code": …, "message": …}}`"""
    (message,) = alice.get("nothing").json.values()

    assert isinstance(message, str)


def test_another_users_task_is_a_404(bob, milk):
    """404 for another user's task"""
    assert bob.get(milk.json["id"]).status_code == 404


def test_a_missing_token_is_a_401(anyone):
    """403 or 401 for a missing token"""
    assert anyone.get("/api/tasks").status_code == 401


# Settings


def refused(environ: dict[str, str], **settings: str) -> str:
    """What the service says when it does not start."""
    with pytest.raises(BadSettingsError) as refusal:
        create_app(environ | settings)
    return str(refusal.value)


def test_the_database_is_named_by_database_url(environ):
    """`NEON_DB_URL`, `POSTGRES_URL`"""
    url = "postgresql://u:p@ep-x-pooler.eu.neon.tech/db?sslmode=require"
    without = {name: environ[name] for name in environ if name != "DATABASE_URL"}

    assert "DATABASE_URL" in refused(without, NEON_DB_URL=url, POSTGRES_URL=url)
    assert create_app(without | {"DATABASE_URL": f"{url}&channel_binding=require"})


def test_origins_have_no_path_and_are_separated_by_commas(environ, make_client):
    """`FRONTEND_URL`, `ALLOWED_ORIGINS`"""
    origins = "https://a.example.com,https://b.example.com"
    sent = {"Origin": "https://b.example.com"}
    answer = make_client(CORS_ORIGINS=origins).get("/health", headers=sent)

    assert answer.headers["Access-Control-Allow-Origin"] == sent["Origin"]
    assert "CORS_ORIGINS" in refused(environ, CORS_ORIGINS="https://a.example.com/app")


def test_the_secret_has_32_bytes(environ):
    """`SECRET_KEY`, `JWT_SECRET`, `AUTH_SECRET`"""
    assert "BETTER_AUTH_SECRET" in refused(environ, BETTER_AUTH_SECRET="x" * 31)
    assert create_app(environ | {"BETTER_AUTH_SECRET": "x" * 32})


def test_gunicorn_runs_it(environ):
    """`uvicorn main:app --port 8000`"""
    command = [*GUNICORN, "--check-config"]

    assert subprocess.run(command, cwd=ROOT, env=environ).returncode == 0


# The page


def test_every_line_of_the_page_is_tried():
    lines = re.findall(r"^\| (?!there|---)(.+?) \|", PAGE.read_text("utf-8"), re.M)
    tests = [each for name, each in globals().items() if name.startswith("test_")]

    assert [each.__doc__ for each in tests if each.__doc__] == lines
