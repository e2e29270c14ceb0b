"""Bodies: what clients may say of an account."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as lenient

from todo_service.accounts import emails
from todo_service.web import fields

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128
PASSWORD_LENGTH = validate.Length(SHORTEST_PASSWORD, LONGEST_PASSWORD)
# Whatever a client guesses is wrong in the same way, except nothing at all.
NOT_EMPTY = validate.Length(min=1)


class _Email(lenient.String):
    """An e-mail address, as it is stored."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return emails.canonical(text)
        except ValueError:
            raise ValidationError("Not a valid e-mail address.") from None


class Registration(Schema):
    """What a new account is made of."""

    email = _Email(required=True)
    password = fields.Text(required=True, validate=PASSWORD_LENGTH)
    name = fields.Text(
        load_default=None, allow_none=True, validate=validate.Length(min=1, max=200)
    )


class Login(Schema):
    """Any two strings: what is not an account's is a 401 and never a 400."""

    email = lenient.String(required=True)
    password = lenient.String(required=True, validate=NOT_EMPTY)


class NewPassword(Schema):
    """The password to change, and what it becomes."""

    current_password = lenient.String(required=True, validate=NOT_EMPTY)
    new_password = fields.Text(required=True, validate=PASSWORD_LENGTH)


class Deletion(Schema):
    """What it takes to delete an account."""

    password = lenient.String(required=True, validate=NOT_EMPTY)
