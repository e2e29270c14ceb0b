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
# For those who read the document.
EMAIL = {
    "description": "An e-mail address, kept and compared in lower case.",
    "format": "email",
    "maxLength": emails.LENGTH,
}
PASSWORD = {"description": "The account's present password.", "format": "password"}
NEW_PASSWORD = {
    "description": (
        f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters of any kind but NUL."
    ),
    "format": "password",
}


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

    email = _Email(required=True, metadata=EMAIL)
    password = fields.Text(
        required=True, validate=PASSWORD_LENGTH, metadata=NEW_PASSWORD
    )
    name = fields.Text(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "What to call the user: 1 to 200 characters."},
    )


class Login(Schema):
    """Any two strings: what is not an account's is a 401 and never a 400."""

    email = lenient.String(
        required=True, metadata={"description": "The account's address, in any case."}
    )
    password = lenient.String(required=True, validate=NOT_EMPTY, metadata=PASSWORD)


class NewPassword(Schema):
    """The password to change, and what it becomes."""

    current_password = lenient.String(
        required=True, validate=NOT_EMPTY, metadata=PASSWORD
    )
    new_password = fields.Text(
        required=True, validate=PASSWORD_LENGTH, metadata=NEW_PASSWORD
    )


class Deletion(Schema):
    """What it takes to delete an account."""

    password = lenient.String(required=True, validate=NOT_EMPTY, metadata=PASSWORD)
