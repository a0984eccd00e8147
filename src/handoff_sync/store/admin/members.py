"""Members: the people of a workspace, what each may do, and how they are addressed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, func, or_, select, update

from handoff_sync.errors import NotFound
from handoff_sync.store.admin.desk import Desk, touch
from handoff_sync.store.columns import Moment
from handoff_sync.store.ids import new_id
from handoff_sync.store.rows import AnyRow, MemberRow, Role
from handoff_sync.store.statements import insert
from handoff_sync.store.tables import decision_links, members
from handoff_sync.store.unit import UnitOfWork

_OF_WORKSPACE = select(members).where(members.c.workspace_id == bindparam("workspace")).order_by(members.c.email)
_PAGE = _OF_WORKSPACE.where(members.c.email > bindparam("after")).limit(bindparam("limit"))
_BY_EMAIL = select(members).where(members.c.workspace_id == bindparam("workspace"), members.c.email == bindparam("who"))
_BY_EITHER = select(members).where(
    members.c.workspace_id == bindparam("workspace"),
    or_(members.c.id == bindparam("id"), members.c.email == bindparam("who")),
)
_ANY = select(members.c.id).where(members.c.workspace_id == bindparam("workspace")).limit(1)
_DELETE = (
    delete(members)
    .where(members.c.workspace_id == bindparam("b_workspace"), members.c.email == bindparam("b_email"))
    .returning(members.c.id)
)
_REVOKE = (
    update(decision_links)
    .where(
        decision_links.c.workspace_id == bindparam("b_workspace"),
        func.lower(decision_links.c.recipient) == bindparam("b_email"),
        decision_links.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("at", type_=Moment()))
    .returning(decision_links.c.token_hash)
)
_CHANGEABLE = ("name", "role", "teams", "language")


def mailbox(email: str) -> str:
    """An address as members are found by it: how it was typed must not make one person two."""
    return email.strip().lower()


class Members(Desk):
    def put_member(
        self,
        workspace_id: str,
        email: str,
        *,
        name: str = "",
        role: Role = Role.AGENT,
        teams: Sequence[str] = (),
        language: str = "en",
    ) -> MemberRow:
        """Adds the member, or replaces what is known of whoever has this address. NotFound: no such workspace."""
        columns = {
            "id": new_id("mem"),
            "workspace_id": workspace_id,
            "email": mailbox(email),
            "name": name,
            "role": role.value,
            "teams": json.dumps(list(teams), ensure_ascii=False),
            "language": language,
        }
        new = insert(self._db.dialect, members)
        put = new.on_conflict_do_update(
            index_elements=["workspace_id", "email"], set_={column: new.excluded[column] for column in _CHANGEABLE}
        ).returning(*members.c)

        def run(uow: UnitOfWork) -> MemberRow:
            if not touch(uow, workspace_id):
                raise NotFound(f"There is no workspace {workspace_id!r}.")
            return _member_row(uow.write(put, columns | {"created_at": uow.now})[0])

        return self._write(run)

    def member(self, workspace_id: str, email: str) -> MemberRow | None:
        row = self._row(_BY_EMAIL, {"workspace": workspace_id, "who": mailbox(email)})
        return None if row is None else _member_row(row)

    def member_named(self, workspace_id: str, who: str) -> MemberRow | None:
        """The member with this id or address."""
        row = self._row(_BY_EITHER, {"workspace": workspace_id, "id": who, "who": mailbox(who)})
        return None if row is None else _member_row(row)

    def has_members(self, workspace_id: str) -> bool:
        """Whether the workspace keeps a list of its people at all."""
        return self._row(_ANY, {"workspace": workspace_id}) is not None

    def members(self, workspace_id: str, after: str = "", limit: int | None = None) -> tuple[MemberRow, ...]:
        """By address; with `limit` those behind the address `after`."""
        if limit is None:
            rows = self._rows(_OF_WORKSPACE, {"workspace": workspace_id})
        else:
            rows = self._rows(_PAGE, {"workspace": workspace_id, "after": after, "limit": limit})
        return tuple(map(_member_row, rows))

    def delete_member(self, workspace_id: str, email: str) -> bool:
        """False where there is none. What they did keeps their name; links to decisions that they were sent end."""

        def run(uow: UnitOfWork) -> bool:
            who = {"b_workspace": workspace_id, "b_email": mailbox(email)}
            gone = bool(uow.write(_DELETE, who))
            if gone:
                uow.write(_REVOKE, who | {"at": uow.now})
            return gone and touch(uow, workspace_id)

        return self._write(run)


def _member_row(row: AnyRow) -> MemberRow:
    return MemberRow(**{**row._mapping, "role": Role(row.role), "teams": tuple(json.loads(row.teams))})
