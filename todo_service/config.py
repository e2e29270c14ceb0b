"""Settings: read once from the environment, or refused with every culprit named.

A message says what a setting has to be and never what it was: it may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import click
from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validates_schema,
)
from sqlalchemy.engine import URL

from todo_service import kinds, urls

SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the service was told, under the names of `.env.example` in lower case.

    `issuer` and `audience` are what a token of the issuer's keys must name.
    """

    app_env: str
    port: int
    log_level: str
    log_format: str
    cors_origins: list[str]
    database_url: URL | None = field(repr=False)
    database_url_unpooled: URL | None = field(repr=False)
    db_pool_size: int
    db_pool_timeout: float
    db_connect_timeout: float
    db_statement_timeout: float
    better_auth_secret: str | None = field(repr=False)
    jwks_url: str | None
    jwt_issuer: str | None
    jwt_audience: list[str]
    jwt_leeway: float
    issuer: str | None
    audience: list[str]
    trash_days: int
    web_concurrency: int
    gunicorn_threads: int

    @property
    def development(self) -> bool:
        """Whether this is a developer's machine, where what is missing is made."""
        return self.app_env == "development"


class BadSettingsError(click.ClickException):
    """Settings with which the service does not start, one line each."""


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings, or raise `BadSettingsError` with all that is wrong."""
    given = {name: value for name, value in environ.items() if value.strip()}
    try:
        return SettingsSchema().load(given)
    except ValidationError as error:
        lines = ["These settings keep the service from starting:"]
        for name, messages in error.normalized_messages().items():
            lines.append(f"  {name} {' '.join(messages)}")
        raise BadSettingsError("\n".join(lines)) from None


def _check_secret(secret):
    if len(secret.encode()) < SECRET_BYTES:
        raise ValidationError(f"must be at least {SECRET_BYTES} bytes long.")


class SettingsSchema(Schema):
    """Every setting: its name, its default, what it has to be."""

    class Meta:
        unknown = EXCLUDE

    app_env = kinds.choice("production", "development", default="production")
    port = kinds.whole(1, 65535, default=7860)
    log_level = kinds.choice("DEBUG", "INFO", "WARNING", "ERROR", default="INFO")
    log_format = kinds.choice("json", "text", default="json")
    cors_origins = kinds.List(urls.browser_origin, default=["http://localhost:3000"])
    database_url = kinds.Parsed(urls.postgres)
    database_url_unpooled = kinds.Parsed(urls.postgres)
    db_pool_size = kinds.whole(1, 100, default=5)
    db_pool_timeout = kinds.seconds(0.1, 60, default=2.0)
    db_connect_timeout = kinds.seconds(0.1, 120, default=10.0)
    db_statement_timeout = kinds.seconds(0.1, 600, default=5.0)
    better_auth_secret = fields.String(load_default=None, validate=_check_secret)
    better_auth_url = kinds.Parsed(urls.better_auth_base)
    jwks_url = kinds.Parsed(urls.web)
    jwt_issuer = fields.String(load_default=None)
    jwt_audience = kinds.List(default=[])
    jwt_leeway = kinds.seconds(0, 300, default=10.0)
    trash_days = kinds.whole(0, 36500, default=30)
    web_concurrency = kinds.whole(1, 1000, default=2)
    gunicorn_threads = kinds.whole(1, 1000, default=16)

    def on_bind_field(self, field_name, field_obj):
        """Settings have the field's name in capitals."""
        field_obj.data_key = field_name.upper()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _complete(self, _, environ, **kwargs):
        """Nothing that others need is missing. Asks what was set, good or bad."""
        missing = {}
        if environ.get("APP_ENV") != "development":
            if "DATABASE_URL" not in environ:
                missing["DATABASE_URL"] = ["is not set."]
            if not {"BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "JWKS_URL"} & set(environ):
                missing["BETTER_AUTH_SECRET"] = ["or BETTER_AUTH_URL has to be set."]
        if "JWKS_URL" in environ and "BETTER_AUTH_URL" not in environ:
            for name in {"JWT_ISSUER", "JWT_AUDIENCE"} - set(environ):
                missing[name] = ["is not set, and JWKS_URL alone needs it."]
        if missing:
            raise ValidationError(missing)

    @post_load
    def _derive(self, found, **kwargs):
        base = found.pop("better_auth_url")
        issuer = urls.origin(base) if base else None
        found["jwks_url"] = found["jwks_url"] or (base and urls.better_auth_jwks(base))
        found["issuer"] = found["jwt_issuer"] or issuer
        found["audience"] = found["jwt_audience"] or ([issuer] if issuer else [])
        return Settings(**found)
