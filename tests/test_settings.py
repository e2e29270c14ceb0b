"""Settings: what is understood, what is refused, and that nothing secret is said."""

import re
from pathlib import Path

import pytest
from dotenv import dotenv_values
from sqlalchemy.engine import make_url

from todo_service.settings import BadSettingsError, load
from todo_service.settings.schema import MAY_BE_EMPTY, SettingsSchema

pytestmark = pytest.mark.once

EXAMPLE = Path(__file__).parent.parent / ".env.example"
# The example's settings, commented out or not. A comment in words begins with "# ".
SHOWN = dict(re.findall(r"^#?(\w+)=(.*)$", EXAMPLE.read_text("utf-8"), re.M))
NAMES = {str(each.data_key) for each in SettingsSchema().fields.values()}
GOOD = {
    "DATABASE_URL": "postgresql://todo:open-sesame@db.example.com/todo",
    "BETTER_AUTH_SECRET": "a secret of the tests, long enough for HS256",
}
KEYS_ALONE = {
    "DATABASE_URL": GOOD["DATABASE_URL"],
    "JWKS_URL": "https://id.example.com/keys",
    "JWT_ISSUER": "https://id.example.com",
    "JWT_AUDIENCE": "todo",
}

PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nsesame\n-----END PUBLIC KEY-----"
BAD = [
    ("APP_ENV", "staging"),
    ("PORT", "http-alt"),
    ("PORT", "70000"),
    ("PORT", "-7860"),
    ("PORT", "7860.5"),
    ("PORT", "7_860"),
    ("PORT", "٧٨٦٠"),
    ("LOG_LEVEL", "verbose"),
    ("LOG_FORMAT", "logfmt"),
    ("CORS_ORIGINS", "todo.example.org"),
    ("CORS_ORIGINS", "https://app.example.com/path"),
    ("CORS_ORIGINS", "http://localhost:3000,ftp://files.example.com"),
    ("DATABASE_URL", "postgresql://db.example.com/todo?dsn=sesame"),
    ("DATABASE_URL", "mysql://todo:open-sesame@db.example.com/todo"),
    ("DATABASE_URL", "db.example.com open-sesame"),
    ("DATABASE_URL", "postgresql://todo:open-sesame@db.example.com:port/todo"),
    ("DATABASE_URL", "postgresql://db.example.com/todo?open=sesame"),
    ("DATABASE_URL", "postgresql://todo:open-sesame@h1:5432,h2:port/todo"),
    ("DATABASE_URL_UNPOOLED", "sqlite:///sesame.db"),
    ("DB_POOL_SIZE", "many"),
    ("DB_POOL_SIZE", "9" * 5000),
    ("DB_POOL_TIMEOUT", "nan"),
    ("DB_CONNECT_TIMEOUT", "inf"),
    ("DB_STATEMENT_TIMEOUT", "1e400"),
    ("DB_PREPARE", "yes"),
    ("BETTER_AUTH_SECRET", "open-sesame"),
    (
        "BETTER_AUTH_SECRET",
        PUBLIC_KEY,
    ),
    ("BETTER_AUTH_SECRET", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDsesame"),
    ("BETTER_AUTH_URL", "todo.example.org"),
    ("BETTER_AUTH_URL", "https://user:open-sesame@app.example.com"),
    ("BETTER_AUTH_URL", "https://app.example.com/?open=sesame"),
    ("BETTER_AUTH_URL", "https://app.example.com:99999"),
    ("JWKS_URL", "file:///etc/keys.json"),
    ("JWT_LEEWAY", "-10"),
    ("LOCAL_ACCOUNTS", "yes"),
    ("ACCESS_TOKEN_TTL", "-60"),
    ("ACCESS_TOKEN_TTL", "an hour"),
    ("RATE_LIMIT", "many"),
    ("RATE_LIMIT", "37"),
    ("RATE_LIMIT", "600 per fortnight"),
    ("RATE_LIMIT", "0 per hour"),
    ("RATE_LIMIT", "-5 per minute"),
    ("RATE_LIMIT", "600 per minute; 10 per second"),
    ("RATE_LIMIT", f"{'9' * 5000} per minute"),
    ("RATE_LIMIT", "1 per 9999999 years"),
    ("AUTH_RATE_LIMIT", "ten"),
    ("RATE_LIMIT_STORAGE_URL", "memcached://cache.example.com"),
    ("RATE_LIMIT_STORAGE_URL", "redis://:open-sesame@"),
    ("RATE_LIMIT_STORAGE_URL", "redis://:open-sesame@h:port"),
    ("RATE_LIMIT_STORAGE_URL", "rediss://h/zero"),
    ("RATE_LIMIT_STORAGE_URL", "redis://h?open=sesame"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "10.0.0.1"),
    ("WEB_CONCURRENCY", "auto"),
    ("GUNICORN_THREADS", "0x10"),
]

MISSING = [
    pytest.param({}, {"DATABASE_URL", "BETTER_AUTH_SECRET"}, id="everything"),
    pytest.param(
        {"DATABASE_URL": GOOD["DATABASE_URL"]}, {"BETTER_AUTH_SECRET"}, id="identity"
    ),
    pytest.param(
        {"BETTER_AUTH_URL": "https://app.example.com"}, {"DATABASE_URL"}, id="database"
    ),
    pytest.param(
        KEYS_ALONE | {"JWT_ISSUER": "", "JWT_AUDIENCE": ""},
        {"JWT_ISSUER", "JWT_AUDIENCE"},
        id="keys-alone",
    ),
    pytest.param(KEYS_ALONE | {"JWT_ISSUER": " "}, {"JWT_ISSUER"}, id="issuer"),
    pytest.param(KEYS_ALONE | {"JWT_AUDIENCE": ""}, {"JWT_AUDIENCE"}, id="audience"),
    # Without an audience the check of `aud` would be off.
    pytest.param(KEYS_ALONE | {"JWT_AUDIENCE": " , "}, {"JWT_AUDIENCE"}, id="commas"),
    pytest.param(
        {"APP_ENV": "development", "JWKS_URL": "https://id.example.com/keys"},
        {"JWT_ISSUER", "JWT_AUDIENCE"},
        id="keys-alone-in-development",
    ),
    # Nothing could sign the tokens of accounts.
    pytest.param(
        KEYS_ALONE | {"LOCAL_ACCOUNTS": "true"}, {"BETTER_AUTH_SECRET"}, id="accounts"
    ),
    pytest.param(
        KEYS_ALONE | {"APP_ENV": "development", "LOCAL_ACCOUNTS": "TRUE"},
        {"BETTER_AUTH_SECRET"},
        id="accounts-beside-an-issuer-in-development",
    ),
    pytest.param(
        {"DATABASE_URL": GOOD["DATABASE_URL"], "LOCAL_ACCOUNTS": "true"},
        {"BETTER_AUTH_SECRET"},
        id="accounts-alone",
    ),
]

DATABASE_URLS = [
    ("postgres://u:p@h/d", "u:p@h/d"),
    ("postgresql://u:p@h/d", "u:p@h/d"),
    ("postgresql+psycopg2://u:p@h/d", "u:p@h/d"),
    ("postgresql+psycopg://u:p@h/d", "u:p@h/d"),
    ("postgresql://u:p@h:6543/d", "u:p@h:6543/d"),
    ("postgresql://u:p@[::1]:5433/d", "u:p@[::1]:5433/d"),
    ("postgresql://u:p%40ss%2Fw%3Ard@h/d", "u:p%40ss%2Fw%3Ard@h/d"),
    ("postgresql:///d?host=/var/run/postgresql", "/d?host=/var/run/postgresql"),
    (
        "postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/d"
        "?sslmode=require&channel_binding=require",
        "u:p@ep-x-pooler.eu.aws.neon.tech/d?sslmode=require&channel_binding=require",
    ),
    (
        "postgres://u:p@h/d?pgbouncer=true&connection_limit=1&sslmode=require",
        "u:p@h/d?sslmode=require",
    ),
    # Several hosts, as libpq spells them, and as SQLAlchemy does.
    (
        "postgresql://u:p@h1:5432,h2:5433/d?target_session_attrs=read-write",
        "u:p@/d?target_session_attrs=read-write&load_balance_hosts=random"
        "&host=h1,h2&port=5432,5433",
    ),
    (
        "postgresql://h1,h2:5433/d?load_balance_hosts=disable",
        "/d?load_balance_hosts=disable&host=h1,h2&port=5432,5433",
    ),
    (
        "postgres://u:p%2C@h1,[::1]/d",
        "u:p%2C@/d?load_balance_hosts=random&host=h1,::1&port=5432,5432",
    ),
    ("postgresql://u:p,q@h/d", "u:p,q@h/d"),
    ("postgresql://u@/d?host=h1:1&host=h2:2", "u@/d?host=h1:1&host=h2:2"),
]

# BETTER_AUTH_URL, its origin, where the keys are below that.
ISSUERS = [
    ("https://app.example.com", "https://app.example.com", "/api/auth/jwks"),
    ("https://app.example.com/", "https://app.example.com", "/api/auth/jwks"),
    ("https://app.example.com/api/auth", "https://app.example.com", "/api/auth/jwks"),
    (
        "https://App.Example.com:443/api/auth/",
        "https://app.example.com",
        "/api/auth/jwks",
    ),
    ("https://app.example.com/Auth/v2", "https://app.example.com", "/Auth/v2/jwks"),
    (
        "https://app.example.com:8443",
        "https://app.example.com:8443",
        "/api/auth/jwks",
    ),
    ("http://localhost:3000", "http://localhost:3000", "/api/auth/jwks"),
    ("http://127.0.0.1:80", "http://127.0.0.1", "/api/auth/jwks"),
    ("http://[::1]:3000", "http://[::1]:3000", "/api/auth/jwks"),
]


def refusal(environ) -> str:
    """The message with which the service does not start."""
    with pytest.raises(BadSettingsError) as refused:
        load(environ)
    return refused.value.format_message()


def culprits(message: str) -> set[str]:
    """The settings that the message's lines begin with."""
    return {line.split()[0] for line in message.splitlines()[1:]}


def test_half_a_pool_is_at_least_one_connection():
    assert culprits(refusal(KEYS_ALONE | GOOD | {"DB_POOL_SIZE": "1"})) == {
        "DB_POOL_SIZE"
    }


@pytest.mark.parametrize(
    ("name", "value"), BAD, ids=[f"{name}={value[:48]}" for name, value in BAD]
)
def test_a_bad_setting_is_named_and_its_value_is_not(name, value):
    message = refusal(KEYS_ALONE | GOOD | {name: value})

    assert culprits(message) == {name}
    assert value not in message
    assert "sesame" not in message


def test_all_culprits_are_named_at_once():
    bad = dict(BAD)

    assert culprits(refusal(bad)) == set(bad)
    assert culprits(refusal({"PORT": "x", "LOG_LEVEL": "x"})) == {
        "PORT",
        "LOG_LEVEL",
        "DATABASE_URL",
        "BETTER_AUTH_SECRET",
    }


@pytest.mark.parametrize(("environ", "missing"), MISSING)
def test_what_is_missing_is_named(environ, missing):
    assert culprits(refusal(environ)) == missing


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(GOOD, id="secret"),
        pytest.param(KEYS_ALONE, id="keys-issuer-audience"),
        pytest.param({"APP_ENV": "development"}, id="development-with-nothing"),
        pytest.param(GOOD | {"LOCAL_ACCOUNTS": "true"}, id="accounts-with-a-secret"),
        pytest.param(
            {"APP_ENV": "development", "LOCAL_ACCOUNTS": "true"},
            id="accounts-in-development",
        ),
    ],
)
def test_a_database_and_a_secret_or_an_issuer_are_enough_to_start(environ):
    assert load(environ).app_env == environ.get("APP_ENV", "production")


@pytest.mark.parametrize(("given", "understood"), DATABASE_URLS)
def test_a_database_url_is_understood_in_all_its_spellings(given, understood):
    settings = load(GOOD | {"DATABASE_URL": given})

    assert settings.database_url == make_url("postgresql+psycopg2://" + understood)


@pytest.mark.parametrize(("base", "origin", "path"), ISSUERS)
def test_a_better_auth_url_implies_issuer_audience_and_keys(base, origin, path):
    settings = load(GOOD | {"BETTER_AUTH_URL": base})

    assert (settings.jwks_issuer, settings.jwks_audience) == (origin, [origin])
    assert settings.jwks_url == origin + path


def test_what_a_better_auth_url_implies_can_be_replaced():
    settings = load(
        KEYS_ALONE
        | {"BETTER_AUTH_URL": "https://app.example.com", "JWT_AUDIENCE": "todo, app,"}
    )

    assert settings.jwks_url == KEYS_ALONE["JWKS_URL"]
    assert settings.jwks_issuer == KEYS_ALONE["JWT_ISSUER"]
    assert settings.jwks_audience == ["todo", "app"]


@pytest.mark.parametrize(
    ("name", "value", "understood"),
    [
        ("LOG_LEVEL", "info", "INFO"),
        ("LOG_LEVEL", "Warning", "WARNING"),
        ("LOG_FORMAT", "TEXT", "text"),
        ("LOG_FORMAT", "Json", "json"),
    ],
)
def test_levels_and_formats_may_be_in_any_case(name, value, understood):
    assert getattr(load(GOOD | {name: value}), name.lower()) == understood


@pytest.mark.parametrize(
    ("more", "origins"),
    [
        ({}, ["http://localhost:3000"]),
        (
            {"APP_ENV": "development"},
            ["http://localhost:3000", "http://localhost:5173"],
        ),
        (
            {"APP_ENV": "development", "CORS_ORIGINS": "https://a.example"},
            ["https://a.example"],
        ),
    ],
    ids=["production", "development", "as-set"],
)
def test_the_front_ends_of_laptops_are_allowed_by_default(more, origins):
    assert load(GOOD | more).cors_origins == origins


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        pytest.param({"APP_ENV": "development"}, True, id="development"),
        pytest.param(
            {"APP_ENV": "development", "LOCAL_ACCOUNTS": "false"},
            False,
            id="development-off",
        ),
        pytest.param(
            {
                "APP_ENV": "development",
                "BETTER_AUTH_URL": "https://app.example.com",
            },
            False,
            id="development-with-an-issuer",
        ),
        pytest.param(
            {
                "APP_ENV": "development",
                "BETTER_AUTH_URL": "https://app.example.com",
                "BETTER_AUTH_SECRET": GOOD["BETTER_AUTH_SECRET"],
                "LOCAL_ACCOUNTS": "true",
            },
            True,
            id="development-with-both",
        ),
        pytest.param(
            GOOD,
            False,
            id="production",
        ),
        pytest.param(
            GOOD | {"LOCAL_ACCOUNTS": "True"},
            True,
            id="production-on",
        ),
    ],
)
def test_accounts_are_on_where_they_are_switched_on(environ, on):
    assert load(environ).local_accounts is on


@pytest.mark.parametrize("blank", ["", "  ", "\n"], ids=repr)
def test_a_blank_setting_counts_as_not_set(blank):
    assert load(dict.fromkeys(NAMES - MAY_BE_EMPTY, blank) | GOOD) == load(GOOD)


@pytest.mark.parametrize("blank", ["", "  ", "\n"], ids=repr)
def test_an_empty_rate_limit_is_no_limit(blank):
    assert load(GOOD).rate_limit == "600 per minute"
    assert load(GOOD | {"RATE_LIMIT": blank}).rate_limit == ""
    assert load(GOOD).auth_rate_limit == "10 per minute"
    assert load(GOOD | {"AUTH_RATE_LIMIT": blank}).auth_rate_limit == ""


def test_the_example_lists_exactly_the_settings_that_there_are():
    assert SHOWN.keys() == NAMES


def test_the_example_as_it_stands_sets_nothing():
    assert dotenv_values(EXAMPLE) == {}


def test_the_example_with_everything_set_is_valid():
    assert load(SHOWN).app_env == "production"


def test_the_example_shows_the_defaults():
    defaults = load(GOOD)
    names = {n for n in NAMES - GOOD.keys() if getattr(defaults, n.lower(), None)}
    names.remove("WEB_CONCURRENCY")  # it follows from the machine

    assert {"PORT", "DB_POOL_TIMEOUT", "CORS_ORIGINS", "LOG_FORMAT"} <= names
    for name in names:
        assert SHOWN[name]
        assert (name, load(GOOD | {name: SHOWN[name]})) == (name, defaults)


def test_the_example_explains_every_group_of_settings():
    groups = EXAMPLE.read_text("utf-8").strip().split("\n\n")

    assert [group for group in groups if not group.startswith("# ")] == []


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(GOOD, id="in-its-place"),
        pytest.param(
            GOOD | {"DATABASE_URL": "postgresql://h/d?password=open-sesame"},
            id="as-a-parameter",
        ),
    ],
)
def test_settings_can_be_shown_without_their_secrets(secret):
    more = {"DATABASE_URL_UNPOOLED": secret["DATABASE_URL"]}
    more["RATE_LIMIT_STORAGE_URL"] = "redis://:open-door@h"
    shown = repr(load(secret | more))

    assert "open-sesame" not in shown
    assert "open-door" not in shown
    assert GOOD["BETTER_AUTH_SECRET"] not in shown
