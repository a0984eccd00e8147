"""API keys: shown once when made, stored as a hash."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from handoff_sync.store.admin.desk import Desk
from handoff_sync.store.columns import Moment
from handoff_sync.store.ids import new_id
from handoff_sync.store.rows import AnyRow, ApiKeyRow
from handoff_sync.store.tables import api_keys
from handoff_sync.store.unit import UnitOfWork

_PREFIX = "hsk_"
_SHOWN_CHARS = len(_PREFIX) + 6

_COLUMNS = [column for column in api_keys.c if column.name != "hash"]
_BY_HASH = select(*_COLUMNS).where(api_keys.c.hash == bindparam("hash"))
_OF_WORKSPACE = select(*_COLUMNS).where(api_keys.c.workspace_id == bindparam("workspace")).order_by(api_keys.c.id)
_NEW = insert(api_keys)
_REVOKE = (
    update(api_keys)
    .where(
        api_keys.c.id == bindparam("b_id"),
        api_keys.c.workspace_id == bindparam("b_workspace"),
        api_keys.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("at", type_=Moment()))
    .returning(api_keys.c.id)
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` is the key itself: it cannot be read again."""

    key: str
    row: ApiKeyRow


def key_hash(key: str) -> str:
    """What a key is found by. Keys are long and random, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


class Keys(Desk):
    def create_api_key(
        self,
        workspace_id: str,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        key: str | None = None,
    ) -> NewKey:
        """`key` given: a key that someone else has made up, for example a demo's."""
        key = key or _PREFIX + secrets.token_urlsafe(32)
        columns = {
            "id": new_id("key"),
            "workspace_id": workspace_id,
            "name": name,
            "prefix": key[:_SHOWN_CHARS],
            "hash": key_hash(key),
            "scopes": json.dumps(list(scopes)),
            "expires_at": expires_at,
            "revoked_at": None,
        }

        def run(uow: UnitOfWork) -> datetime:
            uow.write(_NEW, columns | {"created_at": uow.now})
            return uow.now

        created_at = self._write(run)
        row = ApiKeyRow(
            id=str(columns["id"]),
            workspace_id=workspace_id,
            name=name,
            prefix=key[:_SHOWN_CHARS],
            scopes=tuple(scopes),
            created_at=created_at,
            expires_at=expires_at,
            revoked_at=None,
        )
        return NewKey(key, row)

    def api_key(self, hash: str) -> ApiKeyRow | None:
        """The key with this `key_hash`, also when it has expired or was revoked: the row says so."""
        row = self._row(_BY_HASH, {"hash": hash})
        return None if row is None else _key_row(row)

    def api_keys(self, workspace_id: str) -> tuple[ApiKeyRow, ...]:
        return tuple(_key_row(row) for row in self._rows(_OF_WORKSPACE, {"workspace": workspace_id}))

    def revoke_api_key(self, workspace_id: str, key_id: str) -> bool:
        """False where there is no such key, or it was revoked before."""

        def run(uow: UnitOfWork) -> bool:
            return bool(uow.write(_REVOKE, {"b_id": key_id, "b_workspace": workspace_id, "at": uow.now}))

        return self._write(run)


def _key_row(row: AnyRow) -> ApiKeyRow:
    return ApiKeyRow(**{**row._mapping, "scopes": tuple(json.loads(row.scopes))})
