"""Registering: who gets an account, and what comes back."""

import time
from uuid import UUID, uuid4

import jwt
import pytest

from tests.accounts.conftest import EMAIL, PASSWORD
from tests.client import Client
from tests.conftest import SECRET
from tests.test_races import at_once
from todo_service.accounts import registration

BAD = [
    pytest.param({"email": None}, id="email-null"),
    pytest.param({"email": 1}, id="email-number"),
    pytest.param({"email": ""}, id="email-empty"),
    pytest.param({"email": "carol"}, id="email-no-at"),
    pytest.param({"email": "carol@"}, id="email-no-domain"),
    pytest.param({"email": "@example.com"}, id="email-no-name"),
    pytest.param({"email": "carol@example"}, id="email-no-dot"),
    pytest.param({"email": "carol@localhost"}, id="email-localhost"),
    pytest.param({"email": "a b@example.com"}, id="email-space"),
    pytest.param({"email": " carol@example.com"}, id="email-space-before"),
    pytest.param({"email": "carol@example.com\n"}, id="email-line-break"),
    pytest.param({"email": "ca\0rol@example.com"}, id="email-nul"),
    pytest.param({"email": "Carol <carol@example.com>"}, id="email-display-name"),
    pytest.param({"email": "a@b.com,c@d.com"}, id="email-two"),
    pytest.param({"email": "carol@[127.0.0.1]"}, id="email-address-literal"),
    pytest.param({"email": "carol@" + "a.com" * 60}, id="email-255-and-more"),
    pytest.param({"email": "\u0300" * 60_000}, id="email-endless"),
    pytest.param({"password": None}, id="password-null"),
    pytest.param({"password": 12345678}, id="password-number"),
    pytest.param({"password": ""}, id="password-empty"),
    pytest.param({"password": "1234567"}, id="password-7"),
    pytest.param({"password": "x" * 129}, id="password-129"),
    pytest.param({"password": "x" * 100_000}, id="password-endless"),
    pytest.param({"password": "1234567\0"}, id="password-nul"),
    pytest.param({"name": ""}, id="name-empty"),
    pytest.param({"name": "x" * 201}, id="name-201"),
    pytest.param({"name": 1}, id="name-number"),
    pytest.param({"name": "C\0"}, id="name-nul"),
    pytest.param({"is_active": True}, id="unknown-field"),
]


def read(token: str, **options) -> dict:
    """A token's claims, as a stranger with the secret verifies them."""
    return jwt.decode(token, SECRET, ["HS256"], **options)


def test_a_registration_is_answered_with_a_token_and_the_user(register):
    answer = register(name="Carol")

    user = answer.json["user"]
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    assert answer.json == {
        "access_token": answer.json["access_token"],
        "token_type": "bearer",
        "expires_in": 3600,
        "user": {
            "id": str(UUID(user["id"], version=4)),
            "email": EMAIL,
            "name": "Carol",
            "created_at": user["created_at"],
        },
    }
    assert user["created_at"].endswith("Z")
    assert len(user["created_at"]) == len("2026-11-20T10:00:00.123456Z")


def test_the_token_is_the_users_for_tasks_on_both_mounts(carol, registered):
    created = carol.post("/api/tasks", json={"title": "Buy milk"})

    assert created.json["user_id"] == registered.json["user"]["id"]
    assert carol.get("").json["tasks"] == [created.json]
    assert carol.get("/api/alice/tasks").status_code == 403


def test_the_token_says_what_the_contract_says(registered):
    token = registered.json["access_token"]
    claims = read(token)

    assert jwt.get_unverified_header(token)["kid"] == "local"
    assert claims.keys() == {"sub", "iat", "exp", "jti", "generation"}
    assert claims["sub"] == registered.json["user"]["id"]
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60


def test_the_token_names_the_issuer_and_the_first_audience_if_they_are_set(
    make_client, database
):
    client = make_client(
        LOCAL_ACCOUNTS="true",
        JWT_ISSUER="https://id.example.com",
        JWT_AUDIENCE="todo,app",
        ACCESS_TOKEN_TTL="60",
    )

    made = client.post("/auth/register", json={"email": EMAIL, "password": PASSWORD})

    token = made.json["access_token"]
    issued = {"issuer": "https://id.example.com", "audience": "todo"}
    claims = read(token, **issued)
    assert (claims["aud"], claims["exp"] - claims["iat"]) == ("todo", 60)
    assert made.json["expires_in"] == 60
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/auth/me", headers=bearer).status_code == 200


@pytest.mark.parametrize("sent", BAD)
def test_a_body_that_is_not_valid_is_a_400(register, sent):
    answer = register(**sent)

    (field,) = sent
    assert answer.status_code == 400
    assert answer.json["error"].startswith(f"{field}: ")
    assert len(answer.json["error"]) < 200


@pytest.mark.parametrize("field", ["email", "password"])
def test_what_is_missing_is_named(anyone, field):
    body = {"email": EMAIL, "password": PASSWORD}
    del body[field]

    answer = anyone.post("/auth/register", json=body)

    assert answer.status_code == 400
    assert answer.json["error"] == f"{field}: Missing data for required field."


@pytest.mark.parametrize(
    ("email", "stored"),
    [
        ("Carol.Smith+todo@Example.COM", "carol.smith+todo@example.com"),
        ("o'hara@example.co.uk", "o'hara@example.co.uk"),
        ("josé@exämple.com", "josé@exämple.com"),
        ("JOSE\u0301@example.com", "josé@example.com"),
        ("a@xn--exmple-cua.com", "a@exämple.com"),
        ("carol@service.test", "carol@service.test"),
        ("a" * 64 + "@" + "b" * 60 + ".com", "a" * 64 + "@" + "b" * 60 + ".com"),
        ("\u0130@example.com", "i\u0307@example.com"),
    ],
)
def test_an_email_is_kept_in_lower_case_and_in_one_spelling(
    register, log_in, email, stored
):
    assert register(email).json["user"]["email"] == stored
    assert log_in(email).json["user"]["email"] == stored
    assert log_in(stored).status_code == 200


@pytest.mark.parametrize(
    "password",
    [
        "12345678",
        "x" * 128,
        "\U0001f40e" * 8,
        "\U0001f40e" * 128,
        " " * 8,
        "ñ\t\n\r¿ ßﬁ",
    ],
    ids=["8", "128", "8-emoji", "128-emoji", "spaces", "anything"],
)
def test_any_8_to_128_characters_are_a_password(register, log_in, password):
    assert register(password=password).status_code == 201
    assert log_in(password=password).status_code == 200
    assert log_in(password=password + "x").status_code == 401
    assert log_in(password=password[:-1] + "x").status_code == (
        200 if password.endswith("x") else 401
    )


@pytest.mark.parametrize("name", [None, "C", "x" * 200, " C ", "\U0001f40e" * 200])
def test_a_name_is_kept_as_it_was_sent(register, name):
    assert register(name=name).json["user"]["name"] == name


@pytest.mark.parametrize("email", [EMAIL, "CAROL@EXAMPLE.COM"])
def test_an_email_that_is_taken_is_a_409(carol, register, email):
    answer = register(email, "another password")

    assert answer.status_code == 409
    assert answer.json == {"error": "This e-mail address has an account already."}
    assert carol.get("/auth/me").status_code == 200


def test_of_registrations_that_race_one_wins(make_client, database):
    client = make_client(
        LOCAL_ACCOUNTS="true", DB_POOL_SIZE="10", GUNICORN_THREADS="64"
    )

    answers = at_once(
        8,
        lambda n: client.post(
            "/auth/register",
            json={"email": [EMAIL, EMAIL.upper()][n % 2], "password": PASSWORD},
        ),
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * 7
    with database.connect() as connection:
        users = connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one()
    assert users == 1


@pytest.fixture
def issued(app, token_of):
    """A client of an issuer's user whose id is a UUID too."""
    user_id = str(uuid4())
    return Client(app, user_id=user_id, token=token_of(user_id))


def test_an_id_that_a_user_has_is_never_given_out(issued, register, monkeypatch):
    task = issued.post("", json={"title": "mine"}).json
    free = str(uuid4())
    ids = iter([task["user_id"], free])
    monkeypatch.setattr(registration, "uuid4", lambda: next(ids))

    answer = register()

    assert answer.json["user"]["id"] == free
    assert issued.get("").json["tasks"] == [task]
