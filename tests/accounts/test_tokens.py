"""Tokens that were made here: what ends them, and what a check of them costs."""

import time
from uuid import uuid4

import jwt
import pytest

from tests.accounts.conftest import EMAIL, PASSWORD
from tests.client import Client
from tests.conftest import SECRET
from tests.proxy import CountingProxy
from tests.test_races import at_once
from todo_service import create_app

NEW = "another horse"
LEAVE_OUT = object()
# Five tokens that were revoked, and that have expired since.
EXPIRED = """
INSERT INTO revoked_tokens
SELECT gen_random_uuid(), now() - interval '1 s' FROM generate_series(1, 5)
"""


@pytest.fixture
def other_worker(environ, carol):
    """Carol at another worker process, which has seen her token already."""
    app = create_app(environ | {"LOCAL_ACCOUNTS": "true"})
    client = Client(app, user_id="carol", token=carol.token)
    assert client.get("/auth/me").status_code == 200
    yield client
    app.extensions["database"].engine.dispose()


@pytest.fixture
def forged(carol):
    """Carol's token with other claims, as whoever has the secret could make it."""

    def forge(kid="local", **claims):
        everything = jwt.decode(carol.token, SECRET, ["HS256"]) | claims
        kept = {n: each for n, each in everything.items() if each is not LEAVE_OUT}
        return jwt.encode(kept, SECRET, "HS256", {"kid": kid} if kid else None)

    return forge


def status(client, token, path="/auth/me"):
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_logout_ends_that_token_and_no_other(carol, log_in):
    second = log_in().json["access_token"]

    answer = carol.post("/auth/logout")

    assert (answer.status_code, answer.json) == (200, {"message": "Logged out"})
    ended = carol.get("")
    assert (ended.status_code, ended.json) == (401, {"error": "The token was revoked."})
    assert ended.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert carol.post("/auth/logout").status_code == 401
    assert status(carol, second) == 200


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda c, run: c.post("/auth/logout"), id="logout"),
        pytest.param(
            lambda c, run: c.post(
                "/auth/password",
                json={"current_password": PASSWORD, "new_password": NEW},
            ),
            id="password",
        ),
        pytest.param(
            lambda c, run: c.delete("/auth/me", json={"password": PASSWORD}),
            id="deletion",
        ),
        pytest.param(
            lambda c, run: run("accounts", "deactivate", EMAIL), id="inactive"
        ),
    ],
)
def test_every_worker_honours_the_end_of_a_token_at_once(carol, other_worker, run, end):
    end(carol, run)

    for path in ("", "/auth/me", "/nowhere", "/api/bob/tasks"):
        assert other_worker.get(path).status_code == 401


def test_a_new_password_ends_every_earlier_token(carol, log_in):
    others = [log_in().json["access_token"] for _ in range(2)]

    answer = carol.post(
        "/auth/password", json={"current_password": PASSWORD, "new_password": NEW}
    )

    fresh = answer.json["access_token"]
    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "user"}
    assert [status(carol, each) for each in (carol.token, *others)] == [401] * 3
    assert status(carol, fresh) == 200
    assert (log_in().status_code, log_in(password=NEW).status_code) == (401, 200)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"current_password": "wrong horse", "new_password": NEW}, 403),
        ({"current_password": "wrong horse", "new_password": "short"}, 400),
        ({"current_password": PASSWORD, "new_password": "1234567"}, 400),
        ({"current_password": PASSWORD, "new_password": "x" * 129}, 400),
        ({"current_password": PASSWORD, "new_password": ""}, 400),
        ({"current_password": "", "new_password": NEW}, 400),
        ({"current_password": PASSWORD}, 400),
        ({"new_password": NEW}, 400),
    ],
)
def test_a_password_that_is_not_changed_ends_nothing(carol, log_in, body, refused):
    answer = carol.post("/auth/password", json=body)

    assert answer.status_code == refused
    if refused == 403:
        assert answer.json == {"error": "The password is wrong."}
    assert carol.get("/auth/me").status_code == 200
    assert log_in().status_code == 200


def test_of_two_changes_of_a_password_that_race_one_wins(carol, log_in, database):
    words = ["first horse", "second horse"]
    answers = at_once(
        2,
        lambda n: carol.post(
            "/auth/password",
            json={"current_password": PASSWORD, "new_password": words[n]},
        ),
    )

    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) in ([200, 401], [200, 403])
    won = words[statuses.index(200)]
    assert log_in(password=won).status_code == 200


def test_an_inactive_account_can_neither_log_in_nor_use_a_token(carol, log_in, run):
    said = run("accounts", "deactivate", EMAIL.upper())

    assert (said.exit_code, said.output.count("\n")) == (0, 1)
    assert [carol.get("").status_code, log_in().status_code] == [401, 401]

    said = run("accounts", "activate", EMAIL)

    assert (said.exit_code, said.output) == (0, "The account is active.\n")
    assert log_in().status_code == 200


@pytest.mark.parametrize("command", ["activate", "deactivate"])
@pytest.mark.parametrize("email", ["nobody@example.com", "no address", ""])
def test_a_command_for_an_account_that_is_not_there_says_so(run, command, email):
    said = run("accounts", command, email)

    assert (said.exit_code, said.output.count("\n")) == (1, 1)
    assert said.output.startswith("Error: ")


def test_ops_need_nothing_but_the_database(switched_off, carol):
    said = switched_off.test_cli_runner().invoke(args=["accounts", "deactivate", EMAIL])

    assert said.exit_code == 0
    assert carol.get("/auth/me").status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"jti": LEAVE_OUT}, id="no-jti"),
        pytest.param({"jti": 7}, id="jti-number"),
        pytest.param({"jti": "7"}, id="jti-no-uuid"),
        pytest.param({"jti": ["7"]}, id="jti-list"),
        pytest.param({"jti": "\0" * 36}, id="jti-nul"),
        pytest.param({"generation": LEAVE_OUT}, id="no-generation"),
        pytest.param({"generation": True}, id="generation-boolean"),
        pytest.param({"generation": "1"}, id="generation-text"),
        pytest.param({"generation": 1.0}, id="generation-fraction"),
        pytest.param({"generation": 2}, id="generation-of-the-future"),
        pytest.param({"generation": 10**30}, id="generation-huge"),
        pytest.param({"exp": 1e300}, id="exp-huge"),
        pytest.param({"sub": str(uuid4())}, id="another-user"),
        pytest.param({"sub": "alice"}, id="an-issuers-user"),
        pytest.param({"exp": 1}, id="expired"),
    ],
)
def test_a_token_that_only_claims_to_be_made_here_is_refused(carol, forged, claims):
    token = forged(**claims)

    assert status(carol, token) == 401
    assert status(carol, token, "/api/tasks") == 401


def test_another_signature_makes_no_token_of_ours(carol):
    claims = jwt.decode(carol.token, SECRET, ["HS256"])
    token = jwt.encode(claims, SECRET[::-1], "HS256", {"kid": "local"})

    assert status(carol, token) == 401


@pytest.mark.parametrize("kid", [None, "Local", "local ", ""])
def test_without_the_mark_a_token_is_a_front_ends(carol, forged, kid):
    plain = forged(kid)

    assert status(carol, plain, "/api/tasks") == 200
    bearer = {"Authorization": f"Bearer {plain}"}
    answer = carol.post("/auth/logout", headers=bearer)
    assert answer.status_code == 404


def test_a_revoked_token_is_known_by_its_id_and_not_by_its_text(carol, forged):
    """The same claims in another order are another text."""
    claims = jwt.decode(carol.token, SECRET, ["HS256"])
    respelled = jwt.encode(
        dict(reversed(claims.items())), SECRET, "HS256", {"kid": "local"}
    )
    assert respelled != carol.token
    assert status(carol, respelled) == 200

    carol.post("/auth/logout")

    assert status(carol, respelled) == 401
    assert status(carol, forged(jti=claims["jti"].upper())) == 401
    assert status(carol, f"{carol.token}=") == 401


def test_a_token_that_is_good_for_ages_can_be_revoked(carol, forged):
    ages = forged(exp=2**40)
    bearer = {"Authorization": f"Bearer {ages}"}
    assert status(carol, ages) == 200

    assert carol.post("/auth/logout", headers=bearer).status_code == 200
    assert status(carol, ages) == 401


def test_where_accounts_are_off_no_token_of_an_account_is_good(
    switched_off, carol, alice
):
    """One that was revoked would else be good again."""
    away = Client(switched_off, token=carol.token)

    assert away.get("/api/tasks").status_code == 401
    assert status(away, alice.token, "/api/tasks") == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/logout", None),
        ("GET", "/auth/me", None),
        ("POST", "/auth/password", {"current_password": "x", "new_password": NEW}),
        ("DELETE", "/auth/me", {"password": "x"}),
    ],
)
def test_whoever_has_no_account_here_gets_a_404(alice, method, path, body):
    answer = alice.open(path, method=method, json=body)

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_purge_forgets_revoked_tokens_that_have_expired(
    carol, log_in, run, database
):
    with database.connect() as connection:
        connection.exec_driver_sql("DELETE FROM revoked_tokens")
        carol.post("/auth/logout")
        connection.exec_driver_sql(EXPIRED)

        assert "Removed 5 expired revocations.\n" in run("purge").output

        left = connection.exec_driver_sql("SELECT expires_at FROM revoked_tokens")
        (kept_until,) = left.scalars()
    # A leeway of ten seconds on either side.
    assert kept_until.timestamp() == pytest.approx(time.time() + 3600 + 20, abs=10)
    assert carol.get("/auth/me").status_code == 401


def test_the_purge_forgets_them_batch_by_batch(run, database, monkeypatch):
    monkeypatch.setattr("todo_service.accounts.purge.BATCH_SIZE", 2)
    with database.connect() as connection:
        connection.exec_driver_sql(EXPIRED)

    assert "Removed 5 expired revocations.\n" in run("purge").output


# What it costs


@pytest.fixture(scope="module")
def proxied(environ, server, app):
    """The application behind a counting proxy, and the proxy."""
    proxy = CountingProxy(server)
    through = proxy.url(app.extensions["database"].url)
    url = through.render_as_string(hide_password=False)
    settings = {"DATABASE_URL": url, "DB_POOL_SIZE": "2", "LOCAL_ACCOUNTS": "true"}
    app = create_app(environ | settings)
    yield app, proxy
    app.extensions["database"].engine.dispose()
    proxy.close()


@pytest.mark.parametrize(
    ("method", "path", "body", "answered", "statements"),
    [
        pytest.param("GET", "/api/tasks", None, 200, 1, id="work"),
        pytest.param("POST", "/api/tasks", {}, 400, 0, id="400"),
        pytest.param("GET", "/api/bob/tasks", None, 403, 0, id="403"),
        pytest.param("GET", "/nowhere", None, 404, 0, id="404"),
        pytest.param("POST", "/auth/password", {}, 400, 0, id="400-of-an-account"),
        pytest.param("GET", "/health", None, 200, 0, id="public"),
    ],
)
def test_only_tokens_that_were_made_here_cost_one_statement_more(
    proxied, carol, alice, method, path, body, answered, statements
):
    app, proxy = proxied
    trips = {}
    for name, token in (("carol", carol.token), ("alice", alice.token)):
        client = Client(app, token=token)
        client.get("/api/tasks")
        before = proxy.trips
        assert client.open(path, method=method, json=body).status_code == answered
        trips[name] = proxy.trips - before

    one_more = 0 if path == "/health" else 1
    assert trips == {"alice": statements, "carol": statements + one_more}


def test_a_logout_is_two_statements_and_a_login_one(proxied, carol):
    app, proxy = proxied
    client = Client(app, token=carol.token)
    client.get("/api/tasks")
    before = proxy.trips

    client.post("/auth/login", json={"email": EMAIL, "password": PASSWORD})
    client.post("/auth/login", json={"email": "nobody@example.com", "password": "x"})
    assert proxy.trips - before == 2

    client.post("/auth/logout")
    assert proxy.trips - before == 4
