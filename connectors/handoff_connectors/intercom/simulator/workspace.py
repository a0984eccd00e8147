"""The state of one simulated Intercom workspace."""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from handoff_connectors.intercom.simulator import seed
from handoff_connectors.intercom.simulator.indexing import index
from handoff_connectors.intercom.simulator.model import (
    Admin,
    Attribute,
    Author,
    Contact,
    Conversation,
    Happened,
    Part,
    Subscription,
    Tag,
    Team,
    TicketState,
    TicketType,
)
from handoff_connectors.intercom.simulator.settings import SimulatorSettings
from handoff_sync.simulator.clock import SimulatorClock

FIRST_CONVERSATION: Final = 215_474_300_000_101
FIRST_PART: Final = 45_763_812_001
FIRST_MESSAGE: Final = 403_918_330
FIRST_ADMIN: Final = 991_267_401
FIRST_TEAM: Final = 5_017_691
FIRST_TICKET_TYPE: Final = 53
FIRST_TICKET_STATE: Final = 7493
FIRST_TAG: Final = 7_522_901
TICKET_TOPICS: Final = {
    "conversation.user.replied": "ticket.contact.replied",
    "conversation.admin.replied": "ticket.admin.replied",
    "conversation.admin.noted": "ticket.note.created",
    "conversation.admin.assigned": "ticket.admin.assigned",
    "conversation.admin.open.assigned": "ticket.admin.assigned",
    "conversation.admin.closed": "ticket.closed",
    "conversation.admin.snoozed": "ticket.admin.snoozed",
    "conversation.admin.unsnoozed": "ticket.admin.unsnoozed",
}
BOT_ID: Final = "991267400"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attached file, to be fetched by its secret token."""

    name: str
    content_type: str
    content: bytes


class Workspace:
    """Everything the helpdesk knows. Hold `lock` while reading or changing it."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        self.lock = threading.RLock()
        self.settings, self.clock = settings, clock
        self.credentials = seed.Credentials()
        self.listeners: list[Callable[[Happened], None]] = []
        self.bot = Author("bot", BOT_ID, seed.BOT_NAME, seed.BOT_EMAIL)
        self.subscription: Subscription | None = None
        self.reset()

    def reset(self) -> None:
        """A fresh workspace with the people of `seed`. Listeners and the app's webhook stay."""
        self._conversation_ids = itertools.count(FIRST_CONVERSATION, 3)
        self._part_ids = itertools.count(FIRST_PART, 2)
        self._message_ids = itertools.count(FIRST_MESSAGE)
        self._tag_ids = itertools.count(FIRST_TAG)
        self._attribute_ids = itertools.count(1)
        self._ticket_numbers = itertools.count(22)
        self._contact_ids = itertools.count(1)
        self._changes = itertools.count(1)
        self.version = 0
        self.contacts: dict[str, Contact] = {}
        self.conversations: dict[str, Conversation] = {}
        self.admins: dict[str, Admin] = {}
        self.teams: dict[str, Team] = {}
        self.tags: dict[str, Tag] = {}
        self.attributes: dict[int, Attribute] = {}
        self.ticket_types: dict[str, TicketType] = {}
        self.ticket_states: dict[str, TicketState] = {}
        self.files: dict[str, StoredFile] = {}
        self._seed()

    def _seed(self) -> None:
        for number, name in enumerate(seed.TEAMS):
            team = Team(id=str(FIRST_TEAM + number), name=name)
            self.teams[team.id] = team
        for number, (name, email, team_name) in enumerate(seed.PEOPLE):
            admin = Admin(id=str(FIRST_ADMIN + number), name=name, email=email)
            team = self.team(team_name)
            team.admin_ids.append(int(admin.id))
            admin.team_ids.append(int(team.id))
            self.admins[admin.id] = admin
        for name in seed.TAGS:
            self.tag_named(name)
        for number, (category, label) in enumerate(seed.TICKET_STATES):
            state = TicketState(id=str(FIRST_TICKET_STATE + number), category=category, label=label)
            self.ticket_states[state.id] = state
        for number, (name, category, archived) in enumerate(seed.TICKET_TYPES):
            kind = TicketType(id=str(FIRST_TICKET_TYPE + number), name=name, category=category, archived=archived,
                              state_ids=tuple(self.ticket_states), created_at=self.now())  # fmt: skip
            self.ticket_types[kind.id] = kind

    # --- numbers ---------------------------------------------------------------------------------

    def now(self) -> int:
        return int(self.clock.unix())

    def new_contact_id(self) -> str:
        """24 hexadecimal digits, of which the first 8 are the time."""
        return f"{self.now():08x}1bb69f9f{next(self._contact_ids):08x}"

    def new_message_id(self) -> str:
        return str(next(self._message_ids))

    def new_part_id(self) -> str:
        return str(next(self._part_ids))

    def new_conversation_id(self) -> str:
        return str(next(self._conversation_ids))

    def new_ticket_number(self) -> str:
        return str(next(self._ticket_numbers))

    def new_attribute_id(self) -> int:
        return next(self._attribute_ids)

    # --- teammates -------------------------------------------------------------------------------

    @property
    def connector(self) -> Admin:
        """The teammate that the service works as."""
        return next(admin for admin in self.admins.values() if admin.email == seed.CONNECTOR_EMAIL)

    def admin(self, name_or_id: str | int) -> Admin:
        """A teammate by id, name, first name or address.

        Raises:
            KeyError: nobody of that name.
        """
        wanted = str(name_or_id).strip().lower()
        for admin in self.admins.values():
            if wanted in {admin.id, admin.name.lower(), admin.name.split()[0].lower(), admin.email}:
                return admin
        names = ", ".join(admin.name for admin in self.admins.values())
        raise KeyError(f"No teammate {name_or_id!r} in the simulated Intercom; there are {names}.")

    def team(self, name_or_id: str | int) -> Team:
        """
        Raises:
            KeyError: no such team.
        """
        wanted = str(name_or_id).strip().lower()
        found = [team for team in self.teams.values() if wanted in (team.id, team.name.lower())]
        if not found:
            raise KeyError(f"No team {name_or_id!r} in the simulated Intercom; there are {', '.join(seed.TEAMS)}.")
        return found[0]

    # --- tags and attributes ---------------------------------------------------------------------

    def tag_named(self, name: str) -> Tag:
        """The tag of this name, whatever its case; a new one when there is none."""
        found = next((tag for tag in self.tags.values() if tag.name.lower() == name.lower()), None)
        if found is None:
            found = Tag(str(next(self._tag_ids)), name)
            self.tags[found.id] = found
        return found

    def attributes_of(self, model: str, name: str | None = None) -> list[Attribute]:
        """Attributes in use."""
        return [a for a in self.attributes.values()
                if a.model == model and not a.archived and name in (None, a.name)]  # fmt: skip

    # --- contacts --------------------------------------------------------------------------------

    def contacts_there(self) -> Iterator[Contact]:
        """All that are neither deleted nor merged away, archived ones too."""
        return (c for c in self.contacts.values() if not c.deleted and c.merged_into is None)

    def canonical(self, contact: Contact) -> Contact:
        """The contact that a merged one has become."""
        while contact.merged_into is not None:
            contact = self.contacts[contact.merged_into]
        return contact

    def touch_contact(self, contact: Contact) -> None:
        contact.changed_at = self.clock.unix()
        contact.updated_at = self.now()
        self.version += 1

    # --- conversations ---------------------------------------------------------------------------

    def live(self, conversation_id: str) -> Conversation | None:
        """The conversation unless it is deleted or unknown."""
        conversation = self.conversations.get(conversation_id)
        return None if conversation is None or conversation.deleted_at is not None else conversation

    def live_conversations(self) -> Iterator[Conversation]:
        return (c for c in self.conversations.values() if c.deleted_at is None)

    def callable(self, conversation_id: str) -> Conversation | None:
        """As `live`, for calls on conversations: a ticket may be none any more."""
        found = self.live(conversation_id)
        return None if found is not None and found.ticket and not self.settings.ticket_is_conversation else found

    def live_tickets(self) -> Iterator[Conversation]:
        return (c for c in self.live_conversations() if c.ticket is not None)

    def ticket(self, ticket_id: str) -> Conversation | None:
        """The ticket of this number, as the conversation that it was."""
        return next((c for c in self.live_tickets() if c.ticket is not None and c.ticket.id == ticket_id), None)

    def touch(self, conversation: Conversation) -> None:
        """Note that the conversation changed, for search and the agent page."""
        conversation.changed_at = self.clock.unix()
        conversation.updated_at = self.now()
        conversation.change_number = next(self._changes)
        self.version += 1
        index(self, conversation)

    def store_file(self, name: str, content_type: str, content: bytes) -> str:
        """Keep a file; returns the path it is fetched from."""
        token = secrets.token_hex(12)
        self.files[token] = StoredFile(name, content_type, content)
        return f"/attachments/{token}"

    # --- telling ---------------------------------------------------------------------------------

    def announce(self, topic: str, conversation: Conversation, *parts: Part) -> None:
        """What happens to a ticket has other topics, and for some things none."""
        if conversation.ticket is None or self.settings.ticket_tells_both or topic.startswith("ticket."):
            self.tell(Happened(topic=topic, conversation=conversation, parts=parts))
        if conversation.ticket is not None and topic in TICKET_TOPICS:
            team = topic.endswith("assigned") and any(p.assigned_to and p.assigned_to[0] == "team" for p in parts)
            named = "ticket.team.assigned" if team else TICKET_TOPICS[topic]
            self.tell(Happened(topic=named, conversation=conversation, parts=parts))

    def announce_item(self, topic: str, item: dict[str, Any]) -> None:
        self.tell(Happened(topic=topic, item=item))

    def tell(self, happened: Happened) -> None:
        for listener in list(self.listeners):
            listener(happened)
