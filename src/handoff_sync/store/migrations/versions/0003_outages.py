"""Since when a connection fails."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Moment = DateTime(timezone=True).with_variant(BigInteger(), "sqlite")  # microseconds on SQLite


def upgrade() -> None:
    op.add_column("connections", Column("failing_since", Moment))


def downgrade() -> None:
    op.drop_column("connections", "failing_since")
