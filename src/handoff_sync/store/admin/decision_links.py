"""Decision links: one recipient's way to one decision, found by the hash of its token."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from handoff_sync.store.admin.desk import Desk
from handoff_sync.store.columns import Moment
from handoff_sync.store.rows import DecisionLinkRow
from handoff_sync.store.statements import insert
from handoff_sync.store.tables import decision_links
from handoff_sync.store.unit import UnitOfWork

_ONE = select(decision_links).where(decision_links.c.token_hash == bindparam("token"))
_TRY = (
    update(decision_links)
    .where(decision_links.c.token_hash == bindparam("b_token"))
    .values(tries=decision_links.c.tries + 1)
    .returning(decision_links.c.tries)
)
_REVOKE = (
    update(decision_links)
    .where(
        decision_links.c.session_id == bindparam("b_session"),
        decision_links.c.handoff == bindparam("b_handoff"),
        decision_links.c.version == bindparam("b_version"),
        decision_links.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("at", type_=Moment()))
    .returning(decision_links.c.token_hash)
)
_EXPIRED = (
    delete(decision_links)
    .where(decision_links.c.expires_at < bindparam("before", type_=Moment()))
    .returning(decision_links.c.token_hash)
)


class DecisionLinks(Desk):
    def create_decision_link(
        self,
        token_hash: str,
        *,
        workspace_id: str,
        session_id: str,
        handoff: int,
        version: int,
        recipient: str,
        expires_at: datetime,
        recipient_name: str = "",
        language: str = "en",
        code_hash: str = "",
    ) -> DecisionLinkRow:
        """The link; one with this token is there already when a mail is written again, and stays as it is."""
        columns = {
            "token_hash": token_hash,
            "workspace_id": workspace_id,
            "session_id": session_id,
            "handoff": handoff,
            "version": version,
            "recipient": recipient,
            "recipient_name": recipient_name,
            "language": language,
            "code_hash": code_hash,
            "tries": 0,
            "expires_at": expires_at,
            "revoked_at": None,
        }
        new = insert(self._db.dialect, decision_links).on_conflict_do_nothing(index_elements=["token_hash"])

        def run(uow: UnitOfWork) -> DecisionLinkRow:
            uow.write(new, columns | {"created_at": uow.now})
            return DecisionLinkRow(**uow.write(_ONE, {"token": token_hash})[0]._mapping)

        return self._write(run)

    def decision_link(self, token_hash: str) -> DecisionLinkRow | None:
        """Also one that has expired or was revoked: the row says so."""
        row = self._row(_ONE, {"token": token_hash})
        return None if row is None else DecisionLinkRow(**row._mapping)

    def count_decision_try(self, token_hash: str) -> int:
        """Counts a wrong code and says how many there were; 0 for an unknown link."""

        def run(uow: UnitOfWork) -> int:
            return next((int(row.tries) for row in uow.write(_TRY, {"b_token": token_hash})), 0)

        return self._write(run)

    def revoke_decision_links(self, session_id: str, handoff: int, version: int) -> int:
        """Ends every link to a decision; how many were still good."""

        def run(uow: UnitOfWork) -> int:
            key = {"b_session": session_id, "b_handoff": handoff, "b_version": version}
            return len(uow.write(_REVOKE, key | {"at": uow.now}))

        return self._write(run)

    def forget_decision_links(self, expired_before: datetime) -> int:
        """Deletes links that expired before that time; how many."""
        return self._write(lambda uow: len(uow.write(_EXPIRED, {"before": expired_before})))
