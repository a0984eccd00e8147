"""The state of one simulated Gorgias account."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from handoff_connectors.gorgias.simulator import seed
from handoff_connectors.gorgias.simulator.agenda import Agenda
from handoff_connectors.gorgias.simulator.model import (
    Change,
    Contact,
    Customer,
    Event,
    Integration,
    Message,
    Survey,
    Tag,
    Team,
    Ticket,
    User,
)
from handoff_connectors.gorgias.simulator.settings import SimulatorSettings
from handoff_sync.simulator.clock import SimulatorClock

FIRST_TICKET_ID: Final = 170_000_011
FIRST_MESSAGE_ID: Final = 480_000_001
FIRST_EVENT_ID: Final = 3_900_000_001
FIRST_CUSTOMER_ID: Final = 91_000_412
FIRST_ID: Final = 51_200_700
ACCOUNT_AGE: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that left the helpdesk by itself. `ticket_id` None: to the admin, about the account."""

    ticket_id: int | None
    message_id: int | None
    to: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file."""

    content_type: str
    content: bytes


class Account:
    """Everything the helpdesk knows. Hold `lock` while reading or changing it."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        self.lock = threading.RLock()
        self.settings, self.clock = settings, clock
        self.agenda = Agenda(clock, self.lock)
        self.credentials = seed.Credentials()
        self.listeners: list[Callable[[Change], None]] = []
        self.reset()

    def reset(self) -> None:
        """A fresh account with the people of `seed`. Listeners stay."""
        self.agenda.clear()
        self._ids = itertools.count(FIRST_ID)
        self._customer_ids = itertools.count(FIRST_CUSTOMER_ID)
        self._ticket_ids = itertools.count(FIRST_TICKET_ID, 3)
        self._message_ids = itertools.count(FIRST_MESSAGE_ID, 7)
        self._event_ids = itertools.count(FIRST_EVENT_ID, 11)
        self._changes = itertools.count(1)
        self.version = 0
        self.users: dict[int, User] = {}
        self.teams: dict[int, Team] = {}
        self.tags: dict[int, Tag] = {}
        self.customers: dict[int, Customer] = {}
        self.tickets: dict[int, Ticket] = {}
        self.events: list[Event] = []
        self.integrations: dict[int, Integration] = {}
        self.surveys: dict[int, Survey] = {}
        self.files: dict[str, StoredFile] = {}
        self.mails: list[SentMail] = []
        self.creations: list[str | None] = []
        self.written: list[str] = []
        self._seed()

    def _seed(self) -> None:
        self.created_at = now = self.clock.now() - ACCOUNT_AGE
        for first, last, email, role in seed.PEOPLE:
            user = User(id=self.new_id(), firstname=first, lastname=last, email=email, role=role, created_at=now)
            self.users[user.id] = user
        for name, emails in seed.TEAMS:
            members = tuple(user.id for user in self.users.values() if user.email in emails)
            team = Team(id=self.new_id(), name=name, member_ids=members, created_at=now)
            self.teams[team.id] = team
        for name in seed.TAGS:
            self.tag(name).created_at = now
        self.mail_integration_id, self.rule_id = self.new_id(), self.new_id()
        self.merge_setting_id = self.new_id()

    # --- numbers ---------------------------------------------------------------------------------

    def new_id(self) -> int:
        return next(self._ids)

    def new_ticket_id(self) -> int:
        return next(self._ticket_ids)

    def new_message_id(self) -> int:
        return next(self._message_ids)

    # --- people ----------------------------------------------------------------------------------

    def user_by_email(self, email: str | None) -> User | None:
        wanted = (email or "").lower()
        return next((user for user in self.users.values() if user.email == wanted), None)

    @property
    def connector(self) -> User:
        """The admin that the service works as."""
        user = self.user_by_email(self.credentials.email)
        assert user is not None
        return user

    @property
    def bot(self) -> User:
        user = self.user_by_email(seed.BOT_EMAIL)
        assert user is not None
        return user

    def staff(self) -> list[User]:
        return [user for user in self.users.values() if user.active]

    def agent(self, name_or_id: str | int) -> User:
        """An agent by id, name, first name or address.

        Raises:
            KeyError: nobody of that name.
        """
        wanted = str(name_or_id).strip().lower()
        for user in self.staff():
            if wanted in {str(user.id), user.name.lower(), user.firstname.lower(), user.email}:
                return user
        names = ", ".join(user.name for user in self.staff())
        raise KeyError(f"No agent {name_or_id!r} in the simulated Gorgias; there are {names}.")

    def new_customer(self) -> Customer:
        now = self.clock.now()
        customer = Customer(id=next(self._customer_ids), created_at=now, updated_at=now)
        self.customers[customer.id] = customer
        return customer

    def new_contact(self, type_: str, address: str, preferred: bool) -> Contact:
        return Contact(id=self.new_id(), type=type_, address=address, preferred=preferred, created_at=self.clock.now())

    def customer_by_email(self, email: str | None) -> Customer | None:
        wanted = (email or "").lower()
        return next((c for c in self.customers.values() if wanted and (c.email or "").lower() == wanted), None)

    # --- tickets ---------------------------------------------------------------------------------

    def tag(self, name: str) -> Tag:
        """The tag of a name; made when there is none."""
        found = next((tag for tag in self.tags.values() if tag.name == name), None)
        if found is None:
            found = Tag(id=self.new_id(), name=name, decoration=None, created_at=self.clock.now())
            self.tags[found.id] = found
        return found

    def live_tickets(self) -> Iterator[Ticket]:
        """All but deleted and merged ones; trashed ones are live."""
        return (t for t in self.tickets.values() if t.deleted_at is None and t.merged_into is None)

    def touch(self, ticket: Ticket) -> None:
        """Note that the ticket changed."""
        ticket.updated_at = self.clock.now()
        ticket.change_number = next(self._changes)
        self.version += 1

    def messages(self) -> Iterator[Message]:
        return (message for ticket in self.live_tickets() for message in ticket.messages)

    # --- history ---------------------------------------------------------------------------------

    def announce(self, change: Change) -> None:
        """Write a change into the history and tell whoever listens."""
        for type_ in change.events:
            about_message = type_ == "ticket-message-created" and self.settings.message_event_object != "Ticket"
            object_id = change.message.id if about_message and change.message else change.ticket.id
            self.events.append(
                Event(
                    id=next(self._event_ids),
                    type=type_,
                    object_type="TicketMessage" if about_message else "Ticket",
                    object_id=object_id,
                    user_id=change.user_id,
                    context=change.context,
                    created_at=self.clock.now(),
                )
            )
        for listener in list(self.listeners):
            listener(change)


def new_context() -> str:
    """What the events of one write have in common."""
    return str(uuid.uuid4())
