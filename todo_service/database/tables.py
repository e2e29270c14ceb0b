"""The tables, as `migrations_sql` leaves them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()

schema_migrations = Table(
    "schema_migrations",
    metadata,
    Column("version", Text, primary_key=True),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)

# Every write of a user moves `last_change`: its value becomes the task's `version`. The
# same write moves the numbers of the user's tasks in each state.
users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("last_change", BigInteger, nullable=False),
    Column("pending", BigInteger, nullable=False),
    Column("completed", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("purged_through", BigInteger, nullable=False),
    Column("gone_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column(
        "user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("completed", Boolean, nullable=False),
    Column("priority", Text, nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("position", Text(collation="C"), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("idempotency_key", Text),
    Column("request_hash", LargeBinary),
    Column("completed_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
)

# An account and its user have one id. `email` is in lower case.
accounts = Table(
    "accounts",
    metadata,
    Column(
        "user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("token_generation", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

# Tokens that were made here and ended before they expired.
revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("jti", Uuid(as_uuid=False), primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
