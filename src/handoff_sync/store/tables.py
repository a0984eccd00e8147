"""The schema. Statements elsewhere name these tables; migrations repeat them frozen."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from handoff_sync.store.columns import Moment, counter

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _session_key(*, nullable: bool = False) -> Column[str]:
    return Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=nullable)


def _workspace_key() -> Column[str]:
    return Column("workspace_id", Text, ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False)


def _flag(name: str, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=true() if default else false())


# --- configuration --------------------------------------------------------------------------------

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _workspace_key(),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Index(None, "workspace_id"),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    _workspace_key(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("hook_token", Text, nullable=False, unique=True),
    _flag("enabled", default=True),
    Column("paused_until", Moment),
    Column("stopped_reason", Text),
    Column("refresh_lease_until", Moment),
    Column("sweep_cursor", Text),
    Column("created_at", Moment, nullable=False),
    Column("failing_since", Moment),
    UniqueConstraint("workspace_id", "name"),
)

callback_endpoints = Table(
    "callback_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    _workspace_key(),
    Column("url", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    _flag("enabled", default=True),
    Column("disabled_reason", Text),
    Column("failing_since", Moment),
    Column("created_at", Moment, nullable=False),
    Index(None, "workspace_id"),
)

members = Table(
    "members",
    metadata,
    Column("id", Text, primary_key=True),
    _workspace_key(),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("workspace_id", "email"),
)

# --- what came in, and what became of it ------------------------------------------------------------

inbox = Table(
    "inbox",
    metadata,
    Column("workspace_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("session_id", Text),
    Column("result", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("unreadable", Text),
    PrimaryKeyConstraint("workspace_id", "event_id"),
    Index(None, "received_at"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("phase", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("copilot", Boolean, nullable=False),
    Column("agent_running", Boolean, nullable=False),
    Column("channel_running", Boolean, nullable=False),
    Column("team", Text),
    Column("assignee_id", Text),
    Column("needs_human", Boolean, nullable=False),
    Column("last_responder_class", Text),
    Column("channel", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("control_epoch", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("next_timer_at", Moment),
    Column("state", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
Index(
    "uq_sessions_current",
    sessions.c.workspace_id,
    sessions.c.conversation_id,
    unique=True,
    sqlite_where=sessions.c.is_current.is_(True),
    postgresql_where=sessions.c.is_current.is_(True),
)
Index(
    "ix_sessions_next_timer_at",
    sessions.c.next_timer_at,
    sqlite_where=sessions.c.next_timer_at.is_not(None),
    postgresql_where=sessions.c.next_timer_at.is_not(None),
)
Index("ix_sessions_workspace_id_updated_at", sessions.c.workspace_id, sessions.c.updated_at, sessions.c.id)
Index("ix_sessions_workspace_id_conversation_id", sessions.c.workspace_id, sessions.c.conversation_id)
Index(
    "ix_sessions_needs_human",
    sessions.c.workspace_id,
    sessions.c.updated_at,
    sqlite_where=sessions.c.needs_human.is_(True),
    postgresql_where=sessions.c.needs_human.is_(True),
)

messages = Table(
    "messages",
    metadata,
    _session_key(),
    Column("seq", Integer, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("author_class", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("session_id", "seq"),
    UniqueConstraint("session_id", "message_id"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", counter(), primary_key=True),
    Column("workspace_id", Text, nullable=False),
    _session_key(),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("event", Text),
    Column("decided_at", Moment, nullable=False),
    Index(None, "session_id", "id"),
    sqlite_autoincrement=True,
)

ai_pause_logs = Table(
    "ai_pause_logs",
    metadata,
    Column("id", counter(), primary_key=True),
    Column("workspace_id", Text, nullable=False),
    _session_key(),
    Column("conversation_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("duration_minutes", Integer),
    Column("triggered_by", Text, nullable=False),
    Column("previous_ai_mode", Text, nullable=False),
    Column("new_ai_mode", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("handoff", Integer),
    Column("at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
    Index(None, "session_id", "id"),
    Index(None, "workspace_id", "id"),
    sqlite_autoincrement=True,
)

decision_links = Table(
    "decision_links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _workspace_key(),
    _session_key(),
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

# --- tickets ----------------------------------------------------------------------------------------

ticket_links = Table(
    "ticket_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    _session_key(),
    Column("connection_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("remote_id", Text),
    Column("state", Text, nullable=False),
    Column("cursor", Text),
    Column("snapshot", Text),
    Column("read_at", Moment),
    UniqueConstraint("connection_id", "key"),
    Index(None, "connection_id", "remote_id"),
    Index(None, "session_id"),
)

message_links = Table(
    "message_links",
    metadata,
    Column("link_id", Text, ForeignKey("ticket_links.id", ondelete="CASCADE"), nullable=False),
    Column("comment_id", Text, nullable=False),
    Column("message_id", Text),
    Column("direction", Text, nullable=False),
    Column("marker", Text),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("link_id", "comment_id"),
)

# --- what is to be done -----------------------------------------------------------------------------

lanes = Table(
    "lanes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("session_id", Text),
    Column("connection_id", Text),
    Column("destination", Text, nullable=False),
    Column("due_at", Moment),
    Column("hold_until", Moment),
    Column("woken_at", Moment),
    Column("lease_until", Moment),
    Column("leased_at", Moment),
    Column("token", Integer, nullable=False, server_default=text("0")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("expiries", Integer, nullable=False, server_default=text("0")),
    _flag("blocked"),
    Column("recent", Text, nullable=False, server_default=text("'[]'")),
    Column("reason", Text),
)
Index(
    "ix_lanes_due_at",
    lanes.c.due_at,
    sqlite_where=lanes.c.due_at.is_not(None),
    postgresql_where=lanes.c.due_at.is_not(None),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", counter(), primary_key=True),
    Column("workspace_id", Text, nullable=False),
    _session_key(nullable=True),
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
Index(
    "ix_outbox_pending",
    outbox.c.lane_id,
    outbox.c.id,
    sqlite_where=outbox.c.status == "pending",
    postgresql_where=outbox.c.status == "pending",
)
Index(
    "ix_outbox_parked",
    outbox.c.workspace_id,
    outbox.c.id,
    sqlite_where=outbox.c.status == "parked",
    postgresql_where=outbox.c.status == "parked",
)
# A key happens once within its session; what concerns no session happens once within its workspace.
Index(
    "uq_outbox_workspace_key",
    outbox.c.workspace_id,
    outbox.c.key,
    unique=True,
    sqlite_where=outbox.c.session_id.is_(None),
    postgresql_where=outbox.c.session_id.is_(None),
)
