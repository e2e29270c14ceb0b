"""People who signed in at a real Better Auth server, and their tasks."""

import jwt
import pytest

from tests.conftest import SECRET
from tests.e2e import servers
from tests.e2e.client import Client
from tests.e2e.person import Person


@pytest.fixture(scope="module")
def issuer(node_modules):
    """A Better Auth server whose session cookie is an HS256 JWT, of the secret."""
    with servers.better_auth(COOKIE_CACHE="jwt") as issuer:
        yield issuer


@pytest.fixture
def alice(issuer):
    return Person(issuer)


@pytest.fixture
def bob(issuer):
    return Person(issuer)


@pytest.mark.parametrize("mount", ["/api/tasks", "/api/{user_id}/tasks"])
def test_a_user_of_better_auth_does_all_that_one_does_with_tasks(alice, url, mount):
    path = mount.format(user_id=alice.id)
    tasks = Client(f"{url}{path}", token=alice.token())

    created = tasks.post(body={"title": "Buy milk", "tags": ["shop"]})
    milk = created.json
    one = f"/{milk['id']}"
    assert (created.status, milk["user_id"]) == (201, alice.id)
    assert created.headers["Location"] == f"{path}{one}"
    assert tasks.get().json["tasks"] == [milk]
    assert tasks.get(one).json == milk

    changed = tasks.put(one, {"title": "Buy oat milk"}).json
    assert (changed["title"], changed["tags"]) == ("Buy oat milk", ["shop"])
    changed = tasks.patch(one, {"priority": "high"}).json
    assert (changed["title"], changed["priority"]) == ("Buy oat milk", "high")

    assert tasks.patch(f"{one}/complete").json["completed"] is True
    assert tasks.patch(f"{one}/toggle-status").json["completed"] is False
    assert tasks.patch(f"{one}/complete", {"completed": True}).json["completed"] is True

    assert tasks.delete(one).json == {"message": "Task deleted"}
    assert tasks.get(one).status == 404
    assert tasks.get().json["tasks"] == []


def test_two_users_do_not_see_each_others_tasks(alice, bob, url):
    of_alice, of_bob = alice.tasks(url), bob.tasks(url)
    milk = of_alice.post(body={"title": "Buy milk"}).json
    tea = of_bob.post(body={"title": "Buy tea"}).json
    trespasser = Client(f"{url}/api/{alice.id}/tasks", token=bob.token())

    assert of_alice.get().json["tasks"] == [milk]
    assert of_bob.get().json["tasks"] == [tea]
    assert of_bob.get(f"/{milk['id']}").status == 404
    assert trespasser.get().status == 403
    assert trespasser.delete(f"/{milk['id']}").status == 403
    assert of_alice.get(f"/{milk['id']}").json == milk


def test_a_token_of_the_secret_works_beside_those_of_the_issuer(alice, url, token_of):
    tasks = alice.tasks(url)
    by_secret = Client(f"{url}/api/{alice.id}/tasks", token=token_of(alice.id))

    milk = tasks.post(body={"title": "Buy milk"}).json
    tea = by_secret.post(body={"title": "Buy tea"}).json

    assert tasks.get().json["tasks"] == by_secret.get().json["tasks"] == [tea, milk]


@pytest.mark.parametrize(
    "called_token",
    [
        pytest.param(lambda alice: alice.session_token, id="session-token"),
        pytest.param(
            lambda alice: alice.signed_in.headers["set-auth-token"], id="set-auth-token"
        ),
        pytest.param(lambda alice: alice.cookie("session_token"), id="session-cookie"),
    ],
)
def test_what_else_better_auth_calls_a_token_is_refused(alice, url, called_token):
    assert_refused(url, called_token(alice))


def test_a_session_cookie_signed_with_the_secret_is_refused(alice, url):
    cookie = alice.cookie("session_data")
    assert jwt.decode(cookie, SECRET, ["HS256"])["user"]["id"] == alice.id

    assert_refused(url, cookie)


def test_a_session_cookie_signed_with_the_issuers_key_is_refused(better_auth, service):
    issuer = better_auth(COOKIE_CACHE="jwt", SESSION_COOKIE_CACHE="1")
    url = service(BETTER_AUTH_URL=issuer.url)
    alice = Person(issuer)
    tasks, cookie = alice.tasks(url), alice.cookie("session_data")
    assert kid(cookie) == kid(tasks.token)
    assert tasks.get().status == 200

    assert_refused(url, cookie)


def test_a_token_of_another_better_auth_server_is_refused(better_auth, url):
    stranger = Person(better_auth())

    assert_refused(url, stranger.token())


def kid(token):
    """The key that a token names."""
    return jwt.get_unverified_header(token)["kid"]


def assert_refused(url, token):
    answer = Client(f"{url}/api/tasks", token=token).get()

    assert (answer.status, list(answer.json)) == (401, ["error"])
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
