"""Every setting: its name, its default, what it must be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwt import InvalidKeyError
from jwt.algorithms import HMACAlgorithm
from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema
from marshmallow import fields as plain
from sqlalchemy.engine import URL

from todo_service.settings import needs, processes, rates, setting_fields, urls

SECRET_BYTES = 32
# Empty, these settings switch something off; every other one counts as not set.
MAY_BE_EMPTY = frozenset({"RATE_LIMIT", "AUTH_RATE_LIMIT"})
NEXT_JS, VITE = "http://localhost:3000", "http://localhost:5173"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings, under the names of `.env.example` in lower case.

    A token that the secret signed must name `jwt_issuer` and `jwt_audience`, if they
    are set. A token that a key of `jwks_url` signed must name `jwks_issuer` and one of
    `jwks_audience`: these two follow from `BETTER_AUTH_URL` where nothing else is set.
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
    db_prepare: bool
    better_auth_secret: str | None = field(repr=False)
    jwks_url: str | None
    jwks_issuer: str | None
    jwks_audience: list[str]
    jwt_issuer: str | None
    jwt_audience: list[str]
    jwt_leeway: float
    local_accounts: bool
    access_token_ttl: int
    trash_days: int
    rate_limit: str
    auth_rate_limit: str
    rate_limit_storage_url: str | None = field(repr=False)
    trusted_proxies: int
    metrics_enabled: bool
    web_concurrency: int
    gunicorn_threads: int

    @property
    def development(self) -> bool:
        """True on a developer's machine: the service creates what is missing."""
        return self.app_env == "development"


def _check_secret(secret: str) -> None:
    if len(secret.encode()) < SECRET_BYTES:
        raise ValidationError(f"must be at least {SECRET_BYTES} bytes long.")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
    except InvalidKeyError:
        # PyJWT would refuse every token: such a text may well be public.
        raise ValidationError(
            "must not be a key file, a certificate or a JWK."
        ) from None


class SettingsSchema(Schema):
    """Reads the environment. Variables that are no settings are ignored."""

    class Meta:
        unknown = EXCLUDE

    app_env = setting_fields.choice("production", "development", default="production")
    port = setting_fields.whole(1, 65535, default=7860)
    log_level = setting_fields.choice(
        "DEBUG", "INFO", "WARNING", "ERROR", default="INFO", any_case=True
    )
    log_format = setting_fields.choice("json", "text", default="json", any_case=True)
    cors_origins = setting_fields.List(urls.browser_origin)
    database_url = setting_fields.Parsed(urls.postgres)
    database_url_unpooled = setting_fields.Parsed(urls.postgres)
    db_pool_size = setting_fields.whole(2, 100, default=5)
    db_pool_timeout = setting_fields.seconds(0.1, 60, default=2.0)
    db_connect_timeout = setting_fields.seconds(0.1, 120, default=10.0)
    db_statement_timeout = setting_fields.seconds(0.1, 600, default=5.0)
    db_prepare = setting_fields.switch(default=True)
    better_auth_secret = plain.String(load_default=None, validate=_check_secret)
    better_auth_url = setting_fields.Parsed(urls.better_auth_base)
    jwks_url = setting_fields.Parsed(urls.web)
    jwt_issuer = plain.String(load_default=None)
    jwt_audience = setting_fields.List(str)
    jwt_leeway = setting_fields.seconds(0, 300, default=10.0)
    local_accounts = setting_fields.switch(default=None)
    access_token_ttl = setting_fields.whole(1, 365 * 24 * 60 * 60, default=3600)
    trash_days = setting_fields.whole(0, 36500, default=30)
    rate_limit = setting_fields.Parsed(rates.limit, default="600 per minute")
    auth_rate_limit = setting_fields.Parsed(rates.limit, default="10 per minute")
    rate_limit_storage_url = setting_fields.Parsed(urls.redis)
    trusted_proxies = setting_fields.whole(0, 100, default=0)
    metrics_enabled = setting_fields.switch(default=False)
    web_concurrency = setting_fields.whole(1, 1000, default=None)
    gunicorn_threads = setting_fields.whole(1, 1000, default=None)

    def on_bind_field(self, field_name: str, field_obj: plain.Field) -> None:
        """A setting has its field's name in capitals."""
        field_obj.data_key = field_name.upper()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _has_what_others_need(
        self, _: dict[str, Any], environ: Mapping[str, str], **kwargs: Any
    ) -> None:
        missing = needs.missing(environ)
        if missing:
            raise ValidationError(missing)

    @post_load
    def _derive(self, found: dict[str, Any], **kwargs: Any) -> Settings:
        base = found.pop("better_auth_url")
        origin = urls.origin(base) if base else None
        found["jwks_url"] = found["jwks_url"] or (base and urls.better_auth_jwks(base))
        found["jwks_issuer"] = found["jwt_issuer"] or origin
        found["jwks_audience"] = found["jwt_audience"] or ([origin] if origin else [])
        development = found["app_env"] == "development"
        if found["local_accounts"] is None:
            found["local_accounts"] = development and not found["jwks_url"]
        if not found["cors_origins"]:
            found["cors_origins"] = [NEXT_JS, VITE] if development else [NEXT_JS]
        pool = found["db_pool_size"]
        found["web_concurrency"] = found["web_concurrency"] or processes.workers(pool)
        found["gunicorn_threads"] = found["gunicorn_threads"] or processes.threads(pool)
        return Settings(**found)
