"""The state of one simulated Zendesk account."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from handoff_connectors.zendesk.simulator import seed
from handoff_connectors.zendesk.simulator.model import (
    Audit,
    CustomStatus,
    Group,
    Ticket,
    TicketChange,
    Trigger,
    User,
    Webhook,
)
from handoff_connectors.zendesk.simulator.settings import SimulatorSettings
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer

FIRST_ID: Final = 30_000_000_000_000
FIRST_TICKET_ID: Final = 5001
ACCOUNT_ID: Final = 18_525_119
ACCOUNT_AGE: Final = timedelta(days=400)
"""The people of a fresh account are long known, so that search finds them at once."""


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """The answer that an idempotency key stands for. `request`: the bytes it was first used with."""

    request: bytes
    answer: Answer
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that the account's own rules sent to a person."""

    ticket_id: int
    to: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file, to be fetched by its secret token."""

    content_type: str
    content: bytes


class Account:
    """Everything the helpdesk knows. Hold `lock` while reading or changing it."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        self.lock = threading.RLock()
        self.settings, self.clock = settings, clock
        self.credentials = seed.Credentials()
        self.listeners: list[Callable[[TicketChange], None]] = []
        self.reset()

    def reset(self) -> None:
        """A fresh account with the people of `seed`. Listeners stay."""
        self._ids = itertools.count(FIRST_ID, 37)
        self._ticket_ids = itertools.count(FIRST_TICKET_ID)
        self._changes = itertools.count(1)
        self.version = 0
        self.users: dict[int, User] = {}
        self.tickets: dict[int, Ticket] = {}
        self.groups: dict[int, Group] = {}
        self.statuses: dict[int, CustomStatus] = {}
        self.triggers: dict[int, Trigger] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.uploads: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, StoredFile] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.remembered: dict[str, RememberedAnswer] = {}
        self.creations: list[tuple[int, str | None]] = []
        self.mails: list[SentMail] = []
        self._by_external_id: dict[str, list[int]] = {}
        self._by_email: dict[str, int] = {}
        self._seed()

    def _seed(self) -> None:
        now = self.clock.now() - ACCOUNT_AGE
        groups = {}
        for name in seed.GROUPS:
            group = Group(id=self.new_id(), name=name, created_at=now, default=name == seed.GROUPS[0])
            groups[name] = self.groups[group.id] = group
        for name, email, role, alias, group_name in seed.PEOPLE:
            user = self.add_user(name, role, email)
            user.created_at = user.updated_at = now
            user.alias, user.verified, user.default_group_id = alias, True, groups[group_name].id
        for category, label, shown, default in seed.STATUSES:
            status = CustomStatus(id=self.new_id(), category=category, label=label, created_at=now,
                                  end_user_label=shown, default=default)  # fmt: skip
            self.statuses[status.id] = status
        self.field_ids = tuple(self.new_id() for _ in range(seed.CUSTOM_FIELDS))
        self.brand_id, self.form_id = self.new_id(), self.new_id()
        for position, rule in enumerate(deepcopy(seed.STOCK_TRIGGERS), 1):
            trigger = Trigger(id=self.new_id(), created_at=now, updated_at=now, position=position, stock=True, **rule)
            self.triggers[trigger.id] = trigger

    # --- numbers ---------------------------------------------------------------------------------

    def new_id(self) -> int:
        return next(self._ids)

    def new_ticket_id(self) -> int:
        return next(self._ticket_ids)

    # --- people ----------------------------------------------------------------------------------

    def add_user(self, name: str, role: str, email: str | None = None) -> User:
        now = self.clock.now()
        user = User(id=self.new_id(), name=name, role=role, created_at=now, updated_at=now)
        self.users[user.id] = user
        if email:
            self.add_email(user, email)
        return user

    def add_email(self, user: User, email: str) -> None:
        """A further address of a user; the first one is primary. Addresses are kept in lower case."""
        if email.lower() not in user.emails:
            user.emails.append(email.lower())
        self._by_email[email.lower()] = user.id

    def user_by_email(self, email: str | None) -> User | None:
        return self.users.get(self._by_email.get((email or "").lower(), 0))

    def user_by_external_id(self, external_id: str | None) -> User | None:
        wanted = (external_id or "").lower()
        return next((u for u in self.users.values() if wanted and (u.external_id or "").lower() == wanted), None)

    @property
    def connector(self) -> User:
        """The admin that the service works as."""
        user = self.user_by_email(self.credentials.email)
        assert user is not None
        return user

    def staff(self) -> list[User]:
        return [user for user in self.users.values() if user.is_staff and user.active]

    def agent(self, name_or_id: str | int) -> User:
        """An agent by id, name, first name, alias or address.

        Raises:
            KeyError: nobody of that name.
        """
        wanted = str(name_or_id).strip().lower()
        for user in self.staff():
            if wanted in {str(user.id), user.name.lower(), user.name.split()[0].lower(), user.shown_name.lower(),
                          *user.emails}:  # fmt: skip
                return user
        names = ", ".join(user.name for user in self.staff())
        raise KeyError(f"No agent {name_or_id!r} in the simulated Zendesk; there are {names}.")

    # --- statuses --------------------------------------------------------------------------------

    def default_status(self, category: str) -> CustomStatus:
        category = "solved" if category == "closed" else category
        return next(s for s in self.statuses.values() if s.category == category and s.default)

    # --- tickets ---------------------------------------------------------------------------------

    def add_ticket(self, ticket: Ticket) -> None:
        self.tickets[ticket.id] = ticket
        self.creations.append((ticket.id, ticket.external_id))
        self.index_external_id(ticket)

    def index_external_id(self, ticket: Ticket) -> None:
        """Remember where an external id is looked for; call it after each change of one."""
        if ticket.external_id is not None:
            ids = self._by_external_id.setdefault(ticket.external_id, [])
            if ticket.id not in ids:
                ids.append(ticket.id)

    def live_ticket(self, ticket_id: int) -> Ticket | None:
        """The ticket unless it is deleted or unknown."""
        ticket = self.tickets.get(ticket_id)
        return None if ticket is None or ticket.deleted_at is not None else ticket

    def tickets_with(self, external_id: str) -> list[Ticket]:
        ids = self._by_external_id.get(external_id, [])
        tickets = (self.live_ticket(ticket_id) for ticket_id in ids)
        return [t for t in tickets if t is not None and t.external_id == external_id]

    def live_tickets(self) -> Iterator[Ticket]:
        return (ticket for ticket in self.tickets.values() if ticket.deleted_at is None)

    def touch(self, ticket: Ticket) -> None:
        """Note that the ticket changed, for the export and the agent page."""
        ticket.changed_at = self.clock.now()
        ticket.change_number = next(self._changes)
        self.version += 1

    def new_audit(self, ticket: Ticket, author_id: int, via: dict[str, Any], metadata: dict[str, Any]) -> Audit:
        return Audit(id=self.new_id(), ticket_id=ticket.id, author_id=author_id, created_at=self.clock.now(), via=via,
                     metadata=metadata)  # fmt: skip

    def announce(self, change: TicketChange) -> None:
        for listener in list(self.listeners):
            listener(change)
