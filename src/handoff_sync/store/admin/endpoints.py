"""Callback endpoints: where a workspace's platform listens, and the secrets that sign what it is told."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from handoff_sync.errors import NotFound
from handoff_sync.store.admin.desk import Desk, touch
from handoff_sync.store.configuration import ENDPOINT_COLUMNS, endpoint_row
from handoff_sync.store.ids import new_id
from handoff_sync.store.rows import EndpointRow
from handoff_sync.store.tables import callback_endpoints
from handoff_sync.store.unit import UnitOfWork
from handoff_sync.store.vault import place

SECRETS_KEPT = 2
"""The newest secret and the one before: receivers need time to change over."""

_SELECT = select(*ENDPOINT_COLUMNS)
_ONE = _SELECT.where(callback_endpoints.c.id == bindparam("id"))
_OF_WORKSPACE = _SELECT.where(callback_endpoints.c.workspace_id == bindparam("workspace")).order_by(
    callback_endpoints.c.id
)
_SECRETS = select(callback_endpoints.c.workspace_id, callback_endpoints.c.secrets).where(
    callback_endpoints.c.id == bindparam("id")
)
_NEW = insert(callback_endpoints)
_CHANGE = update(callback_endpoints).where(callback_endpoints.c.id == bindparam("b_id"))
_DELETE = (
    delete(callback_endpoints)
    .where(callback_endpoints.c.id == bindparam("b_id"))
    .returning(callback_endpoints.c.workspace_id)
)


def new_signing_secret() -> str:
    """A secret as Standard Webhooks writes it: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


class Endpoints(Desk):
    def create_endpoint(
        self, workspace_id: str, url: str, secret: str | None = None, id: str | None = None
    ) -> tuple[EndpointRow, str]:
        """The endpoint, and the secret that signs what it gets. NotFound for an unknown workspace."""
        endpoint_id, secret = id or new_id("ep"), secret or new_signing_secret()
        columns = {
            "id": endpoint_id,
            "workspace_id": workspace_id,
            "url": url,
            "secrets": self._seal_endpoint(workspace_id, endpoint_id, [secret]),
        }

        def run(uow: UnitOfWork) -> EndpointRow:
            if not touch(uow, workspace_id):
                raise NotFound(f"There is no workspace {workspace_id!r}.")
            uow.write(_NEW, columns | {"created_at": uow.now})
            return endpoint_row(uow.write(_ONE, {"id": endpoint_id})[0])

        return self._write(run), secret

    def endpoint(self, endpoint_id: str) -> EndpointRow | None:
        row = self._row(_ONE, {"id": endpoint_id})
        return None if row is None else endpoint_row(row)

    def endpoints(self, workspace_id: str) -> tuple[EndpointRow, ...]:
        return tuple(endpoint_row(row) for row in self._rows(_OF_WORKSPACE, {"workspace": workspace_id}))

    def endpoint_secrets(self, endpoint_id: str) -> tuple[str, ...]:
        """Newest first; every one of them signs. NotFound for an unknown endpoint."""
        row = self._row(_SECRETS, {"id": endpoint_id})
        if row is None:
            raise NotFound(f"There is no callback endpoint {endpoint_id!r}.")
        return self._open_endpoint(row.workspace_id, endpoint_id, row.secrets)

    def rotate_endpoint_secret(self, endpoint_id: str, secret: str | None = None) -> str:
        """A new secret, this one or a made one; the one before goes on signing until the next rotation."""
        secret = secret or new_signing_secret()

        def run(uow: UnitOfWork) -> None:
            found = uow.write(_SECRETS, {"id": endpoint_id})
            if not found:
                raise NotFound(f"There is no callback endpoint {endpoint_id!r}.")
            workspace = found[0].workspace_id
            kept = [secret, *self._open_endpoint(workspace, endpoint_id, found[0].secrets)][:SECRETS_KEPT]
            uow.write(_CHANGE.values(secrets=self._seal_endpoint(workspace, endpoint_id, kept)), {"b_id": endpoint_id})

        self._write(run)
        return secret

    def update_endpoint(self, endpoint_id: str, *, url: str | None = None) -> None:
        if url is not None:
            self._change_endpoint(endpoint_id, {"url": url})

    def enable_endpoint(self, endpoint_id: str) -> None:
        self._change_endpoint(endpoint_id, {"enabled": True, "disabled_reason": None, "failing_since": None})

    def disable_endpoint(self, endpoint_id: str, reason: str) -> None:
        """No new callback is made for it until it is enabled again."""
        self._change_endpoint(endpoint_id, {"enabled": False, "disabled_reason": reason})

    def endpoint_failing_since(self, endpoint_id: str, since: datetime | None) -> None:
        """When the run of failures began; None ends it."""
        self._change_endpoint(endpoint_id, {"failing_since": since})

    def delete_endpoint(self, endpoint_id: str) -> bool:
        def run(uow: UnitOfWork) -> bool:
            return any(touch(uow, row.workspace_id) for row in uow.write(_DELETE, {"b_id": endpoint_id}))

        return self._write(run)

    def _seal_endpoint(self, workspace_id: str, endpoint_id: str, values: Sequence[str]) -> str:
        return self._vault.seal(json.dumps(list(values)), _place(workspace_id, endpoint_id))

    def _open_endpoint(self, workspace_id: str, endpoint_id: str, sealed: str) -> tuple[str, ...]:
        return tuple(json.loads(self._vault.open(sealed, _place(workspace_id, endpoint_id))))

    def _change_endpoint(self, endpoint_id: str, values: Mapping[str, object]) -> None:
        change = _CHANGE.values(**values).returning(callback_endpoints.c.workspace_id)

        def run(uow: UnitOfWork) -> None:
            for row in uow.write(change, {"b_id": endpoint_id}):
                touch(uow, row.workspace_id)

        self._write(run)


def _place(workspace_id: str, endpoint_id: str) -> str:
    return place(workspace_id, "callback_endpoints", endpoint_id, "secrets")
