"""Statements about accounts and their tokens.

Each is a constant; its parameters come when it runs. `owner` is the account's user. Who
signs in has no `owner` yet, only an e-mail.
"""

from sqlalchemy import (
    Float,
    Integer,
    bindparam,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.database.driver import named, prepare
from todo_service.database.retries import repeatable
from todo_service.database.statements import ONE, OWNER
from todo_service.database.tables import accounts, revoked_tokens, users
from todo_service.database.timestamps import rfc3339

PUBLIC = ("id", "email", "name", "created_at")

EMAIL = bindparam("address", type_=accounts.c.email.type)
HASH = bindparam("new_hash", type_=accounts.c.password_hash.type)
JTI = bindparam("jti", type_=revoked_tokens.c.jti.type)
GENERATION = bindparam("generation", type_=Integer)

OWNED = accounts.c.user_id == OWNER
_shown = (
    accounts.c.user_id.label("id"),
    accounts.c.email,
    accounts.c.name,
    rfc3339(accounts.c.created_at).label("created_at"),
)
_secrets = (
    accounts.c.password_hash,
    accounts.c.token_generation,
    accounts.c.is_active,
)

# A row if a token that was made here still holds.
_good = select(ONE.label("good")).where(
    OWNED,
    accounts.c.is_active,
    accounts.c.token_generation == GENERATION,
    ~exists().where(revoked_tokens.c.jti == JTI),
)
SELECT_IF_GOOD = named("SELECT_IF_GOOD", repeatable(prepare(_good)))
SELECT_ACCOUNT = named(
    "SELECT_ACCOUNT", repeatable(select(*_shown, *_secrets).where(OWNED))
)
SELECT_BY_EMAIL = named(
    "SELECT_BY_EMAIL",
    repeatable(select(*_shown, *_secrets).where(accounts.c.email == EMAIL)),
)

# No row if a user has this id already: then it is somebody else's. If the e-mail is
# taken, the whole statement fails, and the user is not recorded either.
_user = (
    upsert(users)
    .values(id=OWNER, last_change=ONE)
    .on_conflict_do_nothing(index_elements=[users.c.id])
    .returning(users.c.id)
    .cte("new_user")
)
INSERT_ACCOUNT = named(
    "INSERT_ACCOUNT",
    insert(accounts)
    .from_select(
        ["user_id", "email", "name", "password_hash"],
        select(OWNER, EMAIL, bindparam("new_name", type_=accounts.c.name.type), HASH)
        .select_from(_user)
        .where(_user.c.id == OWNER),
    )
    .returning(*_shown, accounts.c.token_generation),
)

# A new password; all earlier tokens end. No row if another request was quicker.
UPDATE_PASSWORD = named(
    "UPDATE_PASSWORD",
    update(accounts)
    .values(password_hash=HASH, token_generation=accounts.c.token_generation + ONE)
    .where(OWNED, accounts.c.token_generation == GENERATION)
    .returning(*_shown, accounts.c.token_generation),
)
# The same password, hashed again. No row if there is a new password meanwhile.
UPDATE_HASH = named(
    "UPDATE_HASH",
    update(accounts)
    .values(password_hash=HASH)
    .where(OWNED, accounts.c.password_hash == bindparam("old_hash"))
    .returning(accounts.c.user_id),
)
SET_ACTIVE = (
    update(accounts)
    .values(is_active=bindparam("active"))
    .where(accounts.c.email == EMAIL)
    .returning(accounts.c.user_id)
)

_until = func.to_timestamp(bindparam("kept_until", type_=Float))
INSERT_REVOKED = named(
    "INSERT_REVOKED",
    upsert(revoked_tokens)
    .values(jti=JTI, expires_at=_until)
    .on_conflict_do_nothing(index_elements=[revoked_tokens.c.jti])
    .returning(revoked_tokens.c.jti),
)
