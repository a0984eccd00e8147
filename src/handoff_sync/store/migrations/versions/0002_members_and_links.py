"""Members, decision links, and outbox rows that belong to no session."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Moment = DateTime(timezone=True).with_variant(BigInteger(), "sqlite")  # microseconds on SQLite
Counter = BigInteger().with_variant(Integer(), "sqlite")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)
for name in ("workspaces", "sessions"):  # what foreign keys point to
    Table(name, metadata, Column("id", Text, primary_key=True))


def _key(name: str, table: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable)


members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    _key("workspace_id", "workspaces"),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "email"),
)

decision_links = Table(
    "decision_links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _key("workspace_id", "workspaces"),
    _key("session_id", "sessions"),
    Column("handoff", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("recipient_name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("code_hash", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Index(None, "session_id", "handoff", "version"),
    Index(None, "expires_at"),
)


def _outbox(*, without_session: bool) -> Table:
    """The outbox as it is before (False) or after (True), in a metadata of its own."""
    own = MetaData(naming_convention=NAMES)
    Table("sessions", own, Column("id", Text, primary_key=True))
    table = Table(
        "outbox",
        own,
        Column("id", Counter, primary_key=True),
        Column("workspace_id", Text, nullable=False),
        _key("session_id", "sessions", nullable=without_session),
        Column("lane_id", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("payload", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("journal", Text, nullable=False, server_default=text("'{}'")),
        Column("error", Text),
        Column("result", Text),
        Column("created_at", Moment, nullable=False),
        Column("done_at", Moment),
        UniqueConstraint("session_id", "key"),
        sqlite_autoincrement=True,
    )
    for name, first in (("pending", "lane_id"), ("parked", "workspace_id")):
        waits = table.c.status == name
        Index(f"ix_outbox_{name}", table.c[first], table.c.id, sqlite_where=waits, postgresql_where=waits)
    return table


def _nullable(wanted: bool) -> None:
    """SQLite cannot change a column: there the table is copied."""
    if op.get_bind().dialect.name == "sqlite":
        before = _outbox(without_session=not wanted)
        counting = {"sqlite_autoincrement": True}
        with op.batch_alter_table("outbox", recreate="always", copy_from=before, table_kwargs=counting) as table:
            table.alter_column("session_id", existing_type=Text(), nullable=wanted)
    else:
        op.alter_column("outbox", "session_id", existing_type=Text(), nullable=wanted)


def upgrade() -> None:
    bind = op.get_bind()
    members.create(bind)
    decision_links.create(bind)
    _nullable(True)
    alone = text("session_id IS NULL")
    op.create_index(
        "uq_outbox_workspace_key",
        "outbox",
        ["workspace_id", "key"],
        unique=True,
        sqlite_where=alone,
        postgresql_where=alone,
    )


def downgrade() -> None:
    op.drop_index("uq_outbox_workspace_key", "outbox")
    op.execute("DELETE FROM outbox WHERE session_id IS NULL")
    _nullable(False)
    bind = op.get_bind()
    decision_links.drop(bind)
    members.drop(bind)
