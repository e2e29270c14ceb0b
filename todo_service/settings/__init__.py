"""What the environment says: settings that are read once, or a refusal.

A refusal names every culprit. It says what a setting must be and never what it was:
the value may be a secret.
"""

from collections.abc import Mapping

import click
from marshmallow import ValidationError

from todo_service.settings.schema import MAY_BE_EMPTY, Settings, SettingsSchema

__all__ = ["BadSettingsError", "Settings", "load"]


class BadSettingsError(click.ClickException):
    """The service does not start with these settings. Each has a line."""


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings. Raises `BadSettingsError` with everything that is wrong.

    A setting that is blank counts as not set, unless empty is one of its values.
    """
    given = {
        name: value
        for name, value in environ.items()
        if value.strip() or name in MAY_BE_EMPTY
    }
    try:
        return SettingsSchema().load(given)
    except ValidationError as error:
        lines = ["These settings keep the service from starting:"]
        for name, messages in error.normalized_messages().items():
            lines.append(f"  {name} {' '.join(messages)}")
        raise BadSettingsError("\n".join(lines)) from None
