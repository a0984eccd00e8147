"""The unit of work: one transaction for a batch of jobs. Changes are staged in memory and written by few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Executable, bindparam, func, select, update

from handoff_sync.core.effects import PLATFORM, Effect, Outcome
from handoff_sync.core.events import Event
from handoff_sync.core.model import Session
from handoff_sync.store.clock import Clock, system_clock
from handoff_sync.store.codec import decode_moments
from handoff_sync.store.columns import Moment
from handoff_sync.store.configuration import ConfigurationCache, Configured
from handoff_sync.store.engine import Dialect
from handoff_sync.store.history import History
from handoff_sync.store.inbox import Inbox, InboxKey
from handoff_sync.store.lanes import CLOCK_TOLERANCE_S, Lanes
from handoff_sync.store.links import Links
from handoff_sync.store.outbox import Outbox
from handoff_sync.store.routing import Routed, of_session, of_workspace
from handoff_sync.store.rows import AnyRow, Claim, ConnectionRow, LinkRow, WorkspaceRow
from handoff_sync.store.sessions import ConversationKey, SessionMap
from handoff_sync.store.tables import connections, sessions

_DATABASE_TIME = select(func.clock_timestamp(type_=Moment()))
_DUE_SESSIONS = (
    select(sessions.c.id)
    .where(sessions.c.next_timer_at <= bindparam("now", type_=Moment()))
    .order_by(sessions.c.next_timer_at)
    .limit(bindparam("limit"))
)

_SAVE_SWEEP = update(connections).where(connections.c.id == bindparam("b_id")).values(sweep_cursor=bindparam("cursor"))


class UnitOfWork:
    """All reading and writing of one transaction. Made by the committer; a job must not keep it.

    `rung` collects the lanes that are due once this is committed.
    """

    def __init__(
        self, connection: Connection, dialect: Dialect, clock: Clock | None, configuration: ConfigurationCache
    ) -> None:
        self.connection = connection
        self.rung: set[str] = set()
        self.changes = 0
        self._dialect = dialect
        self._clock = clock
        self._at: datetime | None = None
        self._configuration = configuration
        self._known: dict[str, Configured] = {}
        self._sessions = SessionMap(connection, dialect)
        self._inbox = Inbox(connection, dialect)
        self._history = History(connection, dialect)
        self._links = Links(connection, dialect)
        self._outbox = Outbox(connection, dialect)
        self._lanes = Lanes(connection, dialect, lambda: self.now, self.rung)

    @property
    def now(self) -> datetime:
        """The time of this transaction, aware UTC: the injected clock, else the database's (PostgreSQL) or ours."""
        if self._at is None:
            if self._clock is not None:
                self._at = self._clock()
            elif self._dialect == "postgresql":
                self._at = self.connection.execute(_DATABASE_TIME).scalar_one()
            else:
                self._at = system_clock()
        return self._at

    # --- sessions -----------------------------------------------------------------------------

    def prefetch(
        self,
        conversations: Collection[ConversationKey] = (),
        sessions: Collection[str] = (),
        inbox: Collection[InboxKey] = (),
        links: Collection[str] = (),
    ) -> None:
        """Loads what a batch will ask for, and locks its sessions in one fixed order."""
        owners = {link.session_id for link in self._links.get(links)} if links else set()
        self._sessions.prefetch(conversations, {*sessions, *owners})
        # After the locks: whoever held one of these sessions has committed its inbox row by now.
        self._inbox.prefetch(inbox)

    def session_of(self, workspace: str, conversation_id: str) -> Session | None:
        """The current session of the conversation, locked until the commit."""
        return self._sessions.of_conversation((workspace, conversation_id))

    def session(self, session_id: str) -> Session | None:
        """A session, locked until the commit."""
        return self._sessions.get(session_id)

    def retire(self, session: Session) -> None:
        """The conversation's next event finds no session and starts a new one."""
        self.changes += 1
        self._sessions.retire(session)

    def save(self, outcome: Outcome, event: Event | None) -> None:
        """Stages everything an outcome says: session, history, ticket links, effects and the lanes that do them.

        A session that is not stored yet takes the place of its conversation's current one. An effect whose key the
        session has had before is left out; an effect for the platform goes to each enabled callback endpoint.
        """
        self.changes += 1
        stored = self._sessions.put(outcome.session)
        self._links.put(outcome.session, stored)
        self._history.add(outcome, event, self.now)
        for effect in outcome.effects:
            listening = self._configured(outcome.session.workspace).listening if effect.destination == PLATFORM else ()
            for routed in of_session(outcome.session, effect, listening):
                self._enqueue(outcome.session.workspace, routed)

    def tell(self, workspace_id: str, destination: str, key: str, effect: Effect) -> None:
        """Stages an effect that concerns no session; one with the same key in the workspace stays as it is."""
        self._enqueue(workspace_id, of_workspace(workspace_id, effect, destination, key))

    def _enqueue(self, workspace: str, way: Routed) -> None:
        self._outbox.add(
            workspace=workspace, session=way.session, lane=way.lane, key=way.key, effect=way.effect, now=self.now
        )
        self.wake(
            way.lane,
            self.now,
            workspace_id=workspace,
            destination=way.destination,
            session_id=way.lane_session,
            connection_id=way.connection,
        )

    def has_message(self, session_id: str, message_id: str) -> bool:
        """Whether the session knows a message of this id."""
        return self._history.has_message(session_id, message_id)

    # --- inbox --------------------------------------------------------------------------------

    def inbox_result(self, workspace: str, event_id: str) -> str | None:
        """What was answered when this event came first; None for a new one."""
        return self._inbox.result((workspace, event_id))

    def record_inbox(
        self,
        workspace: str,
        event_id: str,
        source: str,
        session_id: str | None,
        result: str,
        raw: bytes | None = None,
        unreadable: str | None = None,
    ) -> None:
        """Remembers an event. `raw` is what came, `unreadable` why nobody could read it."""
        self.changes += 1
        columns = {
            "source": source,
            "received_at": self.now,
            "session_id": session_id,
            "raw": raw,
            "unreadable": unreadable,
        }
        self._inbox.record((workspace, event_id), result, columns)

    # --- configuration ------------------------------------------------------------------------

    def workspace(self, workspace_id: str) -> WorkspaceRow:
        """NotFound for an unknown one."""
        return self._configured(workspace_id).workspace

    def connections(self, workspace_id: str) -> tuple[ConnectionRow, ...]:
        return self._configured(workspace_id).connections

    def _configured(self, workspace_id: str) -> Configured:
        """Read once per transaction: a batch of events must not pay for it one by one."""
        known = self._known.get(workspace_id)
        if known is None:
            known = self._known[workspace_id] = self._configuration.load(self.connection, workspace_id)
        return known

    def save_sweep(self, connection_id: str, cursor: str) -> None:
        """Remembers how far the list of changed tickets of a connection was read."""
        self.write(_SAVE_SWEEP, {"b_id": connection_id, "cursor": cursor})

    # --- tickets ------------------------------------------------------------------------------

    def link(self, link_id: str) -> LinkRow | None:
        self._write_links()
        return next(iter(self._links.get((link_id,))), None)

    def links_of_remote(self, connection_id: str, remote_ids: Sequence[str]) -> tuple[LinkRow, ...]:
        """The links of these tickets, in the order of their ids."""
        self._write_links()
        return self._links.of_remote(connection_id, remote_ids)

    def save_read(self, link_id: str, cursor: str | None, snapshot: str) -> None:
        """Remembers what a read of the ticket saw."""
        self.changes += 1
        self._write_links()
        self._links.save_read(link_id, cursor, snapshot, self.now)

    def link_message(
        self, link_id: str, comment_id: str, message_id: str | None, direction: str, marker: str | None = None
    ) -> None:
        """Remembers that a comment of the ticket (`in` or `out`) is known; a repeat changes nothing."""
        self.changes += 1
        self._links.add_message(link_id, comment_id, message_id, direction, marker, self.now)

    def known_comments(self, link_id: str, ids: Collection[str]) -> frozenset[str]:
        """Which of these comments were linked before."""
        self._write_links()
        return self._links.known_comments(link_id, ids)

    def _write_links(self) -> None:
        if self._links.staged:
            self._sessions.flush(self.now)
            self._links.flush()

    # --- lanes --------------------------------------------------------------------------------

    def wake(
        self,
        lane_id: str,
        at: datetime,
        *,
        workspace_id: str,
        destination: str,
        session_id: str | None = None,
        connection_id: str | None = None,
    ) -> None:
        """The lane, made if it is not there, is due at `at` or earlier. One that is leased runs again afterwards.

        A lane that waits after a failed try (`retry`) is not pulled forward by this.
        """
        self.changes += 1
        self._lanes.wake(
            lane_id,
            at,
            workspace=workspace_id,
            destination=destination,
            session=session_id,
            connection=connection_id,
        )

    def claim(self, lane_id: str, lease_s: float) -> Claim | None:
        """Leases the lane for `lease_s` seconds; None where it is not due, held by someone else, or blocked."""
        if self._lanes.staged(lane_id) or self._outbox.staged(lane_id):
            self.flush()
        row = self._lanes.claim(lane_id, lease_s)
        if row is None:
            return None
        self.changes += 1
        return Claim(
            lane_id=row.id,
            token=row.token,
            workspace_id=row.workspace_id,
            session_id=row.session_id,
            connection_id=row.connection_id,
            destination=row.destination,
            attempts=row.attempts,
            expiries=row.expiries,
            recent=decode_moments(row.recent),
            rows=self._outbox.first(lane_id),
            until=row.lease_until,
        )

    def settle(
        self,
        claim: Claim,
        done: Mapping[int, str],
        recent: Sequence[datetime] | None = None,
        next_due: datetime | None = None,
    ) -> bool:
        """Ends the claim with these rows done; False, and nothing is changed, when it is not in force any more.

        The lane is due again at once while rows are pending, when it was woken meanwhile, or else at `next_due`.
        Within one unit of work settle, park, cancel and retry may follow each other for the same claim.
        """
        return self._finish(claim, done, "done", done, recent, next_due)

    def park(self, claim: Claim, row_ids: Collection[int], reason: str, block: bool) -> bool:
        """Ends the claim with these rows parked for a person to look at. `block`: the rows behind them wait, too."""
        self.changes += 1
        if block and not self._lanes.block(claim, reason):
            return False
        return self._finish(claim, row_ids, "parked", dict.fromkeys(row_ids, reason))

    def cancel(self, claim: Claim, row_ids: Collection[int], reason: str) -> bool:
        """Ends the claim with these rows given up."""
        return self._finish(claim, row_ids, "cancelled", dict.fromkeys(row_ids, reason))

    def _finish(
        self,
        claim: Claim,
        ids: Collection[int],
        status: str,
        notes: Mapping[int, str],
        recent: Sequence[datetime] | None = None,
        next_due: datetime | None = None,
    ) -> bool:
        self.changes += 1
        gone = {*ids, *self._outbox.moved(claim.lane_id)}
        if not self._lanes.finish(claim, gone, recent, next_due):
            return False
        self._outbox.move(claim.lane_id, ids, status, self.now, notes)
        return True

    def retry(self, claim: Claim, at: datetime, error: str, forget: Collection[str] = (), count: bool = True) -> bool:
        """Ends the claim; its first row that is still pending is tried again at `at`, and not before.

        `forget` names what the row's journal should drop. `count` False: this try does not count (a limit, a pause).
        """
        self.changes += 1
        if not self._lanes.retry(claim, at, count=count):
            return False
        gone = self._outbox.moved(claim.lane_id)
        head = next((row.id for row in claim.rows if row.id not in gone), None)
        if head is not None:
            self._outbox.failed(head, error, count=count, forget=forget)
        return True

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """The lease lasts `lease_s` seconds from now; False when it is lost."""
        self.changes += 1
        return self._lanes.renew(claim, lease_s)

    def journal(self, claim: Claim, row_id: int, name: str, value: str) -> bool:
        """Notes something about a row, durable with the commit; False when the lease is lost."""
        self.changes += 1
        return self._outbox.note(row_id, claim.lane_id, claim.token, name, value)

    def unpark(self, workspace_id: str, row_id: int) -> bool:
        """Replays a parked row: pending again with its journal, its lane unblocked and due. False where none is."""
        self.changes += 1
        self.flush()
        lane = self._outbox.replay(workspace_id, row_id)
        if lane is not None:
            self._lanes.unblock(lane)
        return lane is not None

    def skip(self, workspace_id: str, row_id: int) -> bool:
        """Gives a parked row up, so that its lane goes on without it. False where none is."""
        self.changes += 1
        self.flush()
        lane = self._outbox.skip(workspace_id, row_id, self.now)
        if lane is not None:
            self._lanes.unblock(lane)
        return lane is not None

    def release(self, connection_id: str) -> None:
        """Every waiting lane of the connection is due now: it was paused or stopped, and is not any more."""
        self.changes += 1
        self.flush()
        self._lanes.release(connection_id)

    def due_sessions(self, limit: int) -> tuple[str, ...]:
        """Sessions that have a timer to fire, the latest first in line."""
        self.flush()
        return tuple(self.connection.execute(_DUE_SESSIONS, {"now": self.now, "limit": limit}).scalars())

    # --- for the store itself -----------------------------------------------------------------

    def write(self, statement: Executable, params: Mapping[str, object] | None = None) -> list[AnyRow]:
        """Runs a statement of the store's own modules; nobody else may. Gives the rows that it returns."""
        self.changes += 1
        self._known.clear()  # it may have changed the configuration
        result = self.connection.execute(statement, params)
        return list(result) if result.returns_rows else []

    def follow_clock(self, latest: datetime | None) -> datetime:
        """The time now, for the next call. `latest` is the time of an earlier transaction, None after a start.

        Where our own clock is the only one (SQLite) and has been set back, lanes must not wait for it to catch up.
        """
        if latest is None:
            latest = self._inbox.last_received() or self.now
        if latest - self.now > timedelta(seconds=CLOCK_TOLERANCE_S):
            self._lanes.turn_back(latest - self.now)
            return self.now
        return max(latest, self.now)

    # --- the end ------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes everything staged, one statement per kind."""
        self._sessions.flush(self.now)
        self._links.flush()
        self._history.flush()
        self._inbox.flush()
        self._lanes.flush()
        self._outbox.flush()
