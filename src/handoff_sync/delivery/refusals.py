"""A mail server has refused an address for good: somebody else is told, once, and never in a circle."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from handoff_sync.core.effects import AlertAdmin, AlertOps, MailAdmin, MailConnectionDown
from handoff_sync.core.policy import MailKind, Recipient
from handoff_sync.errors import HandoffError
from handoff_sync.store.rows import OutboxRow
from handoff_sync.store.unit import UnitOfWork

log = structlog.get_logger(__name__)

KIND = "mail_refused"
_ToAdmin = MailAdmin | MailConnectionDown


def tell_another(uow: UnitOfWork, workspace: str, rows: Sequence[OutboxRow], error: HandoffError) -> None:
    """Tells of every mail that nobody else got, and once a day of an address whose mails others got, too.

    The news of a refusal are not passed on from admin to admin: refused themselves, they go to the operators.
    """
    recipients = uow.workspace(workspace).policy.recipients
    for row in rows:
        match row.effect:
            case MailAdmin() | MailConnectionDown() as effect:
                _tell(uow, workspace, row, effect, recipients, error)
            case AlertAdmin() as effect:
                _tell_operators(uow, workspace, effect.recipient.email, row, error)
            case _:
                log.error("alert could not be mailed", workspace=workspace, delivery=row.id, error=str(error))


def _tell(
    uow: UnitOfWork,
    workspace: str,
    row: OutboxRow,
    effect: _ToAdmin,
    recipients: Sequence[Recipient],
    error: HandoffError,
) -> None:
    refused = effect.recipient.email.lower()
    others = [other for other in recipients if other.email.lower() != refused]
    same = [other for other in others if _gets(other, effect)]
    if not others:
        _tell_operators(uow, workspace, refused, row, error)
        return
    cause = f"{refused}:{uow.now.date()}" if same else f"{refused}:{row.id}"
    news = AlertAdmin(
        recipient=(same or others)[0],
        kind=KIND,
        cause=cause,
        detail=_said(refused, error),
        session=row.session_id or "",
    )
    uow.tell(workspace, news.destination, news.key, news)


def _tell_operators(uow: UnitOfWork, workspace: str, address: str, row: OutboxRow, error: HandoffError) -> None:
    news = AlertOps(kind=KIND, cause=f"{address}:{row.id}", detail=_said(address, error))
    uow.tell(workspace, news.destination, news.key, news)


def _gets(other: Recipient, effect: _ToAdmin) -> bool:
    """Whether the other admin is mailed about the same."""
    kind = effect.kind if isinstance(effect, MailAdmin) else MailKind.CONNECTION_DOWN
    return (not other.kinds or kind in other.kinds) and (
        isinstance(effect, MailConnectionDown) or other.team in (None, effect.recipient.team)
    )


def _said(address: str, error: HandoffError) -> str:
    return f"Mail to {address} is refused. {error} Correct the address in the recipients, then repeat what is parked."
