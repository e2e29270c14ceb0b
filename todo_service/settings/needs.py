"""What settings need of each other: which are missing beside those that are set."""

from collections.abc import Mapping

ISSUERS = {"BETTER_AUTH_URL", "JWKS_URL"}


def missing(environ: Mapping[str, str]) -> dict[str, list[str]]:
    """The missing settings, each with what is wrong.

    A setting that is set counts, valid or not: a bad setting is not a missing one.
    """
    found = {}
    development = environ.get("APP_ENV") == "development"
    if not development:
        if "DATABASE_URL" not in environ:
            found["DATABASE_URL"] = ["is not set."]
        if not {"BETTER_AUTH_SECRET", *ISSUERS} & set(environ):
            found["BETTER_AUTH_SECRET"] = ["or BETTER_AUTH_URL has to be set."]
    if "JWKS_URL" in environ and "BETTER_AUTH_URL" not in environ:
        for name in {"JWT_ISSUER", "JWT_AUDIENCE"} - set(environ):
            found[name] = ["is not set, and JWKS_URL alone needs it."]
    if _lacks_secret_for_accounts(environ):
        found["BETTER_AUTH_SECRET"] = ["is not set, and LOCAL_ACCOUNTS needs it."]
    return found


def _lacks_secret_for_accounts(environ: Mapping[str, str]) -> bool:
    """True if accounts are switched on and no secret can sign their tokens."""
    if environ.get("LOCAL_ACCOUNTS", "").lower() != "true":
        return False
    # In development without an issuer the service makes a secret.
    made = environ.get("APP_ENV") == "development" and not ISSUERS & set(environ)
    return "BETTER_AUTH_SECRET" not in environ and not made
