"""What the OpenAPI document says of the routes of accounts."""

from todo_service.accounts import schemas
from todo_service.accounts.queries import PUBLIC
from todo_service.documents import headers, json_schemas
from todo_service.documents.operations import (
    Answer,
    Body,
    Json,
    Operation,
    Section,
    ref,
)

EMAIL, PASSWORD = "carol@example.com", "correct horse battery"
ANOTHER = "another horse battery"
USER: Json = {
    "id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "email": EMAIL,
    "name": "Carol",
    "created_at": "2026-11-20T10:00:00.123456Z",
}
LOGIN: Json = {
    "access_token": "eyJhbGciOiJIUzI1NiIs…",
    "token_type": "bearer",
    "expires_in": 3600,
    "user": USER,
}
WRONG_PASSWORD = "The password is wrong."  # noqa: S105
NO_ACCOUNT = "The user has no account here."
BUSY = "The database is away, or too many passwords are being checked."
TOO_OFTEN = "Too many passwords were tried from this address."


def _object(description: str, properties: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


USER_FIELDS: Json = {
    "id": {"type": "string", "format": "uuid", "description": "A random UUID."},
    "email": {"type": "string", "description": "The address, in lower case."},
    "name": {"type": ["string", "null"], "description": "What to call the user."},
    "created_at": {
        "type": "string",
        "format": "date-time",
        "description": "When the account was registered.",
    },
}
SCHEMAS: dict[str, Json] = {
    "User": _object("An account.", {name: USER_FIELDS[name] for name in PUBLIC}),
    "Login": _object(
        "A token, and whose it is.",
        {
            "access_token": {
                "type": "string",
                "description": "Send it as `Authorization: Bearer <access_token>`.",
            },
            "token_type": {
                "type": "string",
                "enum": ["bearer"],
                "description": "Always `bearer`.",
            },
            "expires_in": {
                "type": "integer",
                "description": "How many seconds the token is good for.",
            },
            "user": ref("User"),
        },
    ),
    "Done": _object(
        "That it is done.",
        {"message": {"type": "string", "description": "What has happened."}},
    ),
}


def _body(schema: type, **fields: str) -> Body:
    return Body(schema=json_schemas.of_body(schema()), examples={"Carol": fields})


def _answer(when: str, *names: str) -> Answer:
    return Answer(when, ref("Login"), names, LOGIN)


OPERATIONS: dict[str, Operation] = {
    "create_account": Operation(
        summary="Register",
        description="Creates an account, and logs in. No token is needed.",
        body=_body(schemas.Registration, email=EMAIL, password=PASSWORD, name="Carol"),
        answers={201: _answer("Registered.", *headers.RATE_LIMITS)},
        refusals={409: "The address has an account.", 429: TOO_OFTEN, 503: BUSY},
    ),
    "create_token": Operation(
        summary="Log in",
        description="Gives a token for an address and a password. No token is needed.",
        body=_body(schemas.Login, email=EMAIL, password=PASSWORD),
        answers={200: _answer("Logged in.", *headers.RATE_LIMITS)},
        refusals={
            401: "The address or the password is wrong, or the account is inactive.",
            429: TOO_OFTEN,
            503: BUSY,
        },
    ),
    "read_account": Operation(
        summary="Read the account",
        answers={200: Answer("The account.", ref("User"), (), USER)},
        refusals={404: NO_ACCOUNT},
    ),
    "change_password": Operation(
        summary="Change the password",
        description="Every earlier token ends. The answer has a new one.",
        body=_body(
            schemas.NewPassword, current_password=PASSWORD, new_password=ANOTHER
        ),
        answers={200: _answer("Changed.")},
        refusals={403: WRONG_PASSWORD, 404: NO_ACCOUNT},
    ),
    "revoke_token": Operation(
        summary="Log out",
        description="Ends the token of this request.",
        answers={200: Answer("Ended.", ref("Done"), (), {"message": "Logged out"})},
        refusals={404: "The token was not made here."},
    ),
    "delete_account": Operation(
        summary="Delete the account",
        description="The account and its tasks are gone, and its tokens end.",
        body=_body(schemas.Deletion, password=ANOTHER),
        answers={200: Answer("Gone.", ref("Done"), (), {"message": "Account deleted"})},
        refusals={403: WRONG_PASSWORD, 404: NO_ACCOUNT},
    ),
}
SECTION = Section(
    name="Accounts",
    description="Accounts of this service's own, with an address and a password.",
    operations=OPERATIONS,
    schemas=SCHEMAS,
)
