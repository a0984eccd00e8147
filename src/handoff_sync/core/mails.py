"""Effects that are mails. Admins have one lane each, whatever session it is about; a customer has that of the session.

The destination of a lane to a person begins with `mail:`; that of a customer is `mail`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from handoff_sync.core.model import Decision, Person
from handoff_sync.core.policy import MailKind, Recipient

MAIL: Final = "mail"
OPERATORS: Final = f"{MAIL}:operators"
"""Whoever looks after the installation; only its settings know their address."""


def mail_lane(address: str) -> str:
    """The destination of everything that is mailed to one person."""
    return f"{MAIL}:{address.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToRecipient:
    """What is mailed to an admin."""

    recipient: Recipient

    @property
    def destination(self) -> str:
        return mail_lane(self.recipient.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAdmin(_ToRecipient):
    """`decision`: what a `decided` mail tells of, as it was then. `again`: the version that makes a further mail."""

    kind: MailKind
    handoff: int
    detail: str = ""
    decision: Decision | None = None
    again: int = 0
    type: Literal["mail.admin"] = "mail.admin"

    @property
    def key(self) -> str:
        first = f"mail:{self.handoff}:{self.kind}:{self.recipient.email}"
        return f"{first}:{self.again}" if self.again else first


@dataclass(frozen=True, slots=True, kw_only=True)
class MailConnectionDown(_ToRecipient):
    """A helpdesk takes nothing since `since`, which names the outage: one mail for each. `said` is the last error.

    `stopped`: nothing is tried until a person acts. It concerns no session.
    """

    connection: str
    since: datetime
    said: str
    stopped: bool = False
    type: Literal["mail.connection_down"] = "mail.connection_down"

    @property
    def key(self) -> str:
        return f"down:{self.connection}:{self.since.isoformat()}:{self.recipient.email.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAdmin(_ToRecipient):
    """Something that an admin must see, in words of ours. `session` is set where it is about one."""

    kind: str
    cause: str
    detail: str = ""
    session: str = ""
    type: Literal["alert.admin"] = "alert.admin"

    @property
    def key(self) -> str:
        return f"alert:{self.kind}:{self.cause}:{self.recipient.email.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCustomer:
    """An admin has joined; sent only to an address that the platform vouches for."""

    handoff: int
    human: Person
    type: Literal["mail.customer"] = "mail.customer"

    @property
    def key(self) -> str:
        return f"mail:{self.handoff}:admin_joined"

    @property
    def destination(self) -> str:
        return MAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOps:
    """Something an operator must see. `cause` makes it happen once; the detail holds no customer words."""

    kind: str
    cause: str
    detail: str = ""
    type: Literal["alert.ops"] = "alert.ops"

    @property
    def key(self) -> str:
        return f"alert:{self.kind}:{self.cause}"

    @property
    def destination(self) -> str:
        return OPERATORS


MailEffect = MailAdmin | MailConnectionDown | AlertAdmin | MailCustomer | AlertOps
