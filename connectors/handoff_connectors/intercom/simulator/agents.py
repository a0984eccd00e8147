"""What teammates and customers do in the helpdesk, as methods: the same rules as the API, seen from the screen."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from handoff_connectors.intercom.simulator import attachments, changes, people, talk, tickets
from handoff_connectors.intercom.simulator.model import PRIORITIES, STATES, Actor, Contact, Conversation, Part, Ticket
from handoff_connectors.intercom.simulator.text import from_text
from handoff_connectors.intercom.simulator.workspace import Workspace

HOUR_S: Final = 3600
WORDS: Final = {"solved": "closed", "pending": "snoozed", "hold": "snoozed"}
"""Other helpdesks' words for a state, for tests and demos that know several."""


class AgentActions:
    """Each method takes the conversation's id and the teammate by name, first name or address.

    Raises `KeyError` for an unknown conversation or person, `ValueError` for a word that Intercom does not know and
    `ApiError` for what it would refuse. Safe from any thread.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @property
    def base_url(self) -> str:
        """What the addresses of attached files start with."""
        return ""

    # --- words -----------------------------------------------------------------------------------

    def reply(
        self,
        ticket_id: int | str,
        text: str,
        public: bool = True,
        agent: str = "Dana",
        files: Mapping[str, bytes] | None = None,
    ) -> Part:
        """Write to the customer, or a note for the team. `files`: content by name."""
        with self._workspace.lock:
            conversation, actor = self._conversation(ticket_id), self._actor(agent)
            attached = [attachments.stored(self._workspace, self.base_url, name, content)
                        for name, content in (files or {}).items()]  # fmt: skip
            say = talk.admin_comment if public else talk.admin_note
            return say(self._workspace, conversation, actor, from_text(text), attachments=attached)

    def note(self, ticket_id: int | str, text: str, agent: str = "Dana") -> Part:
        return self.reply(ticket_id, text, public=False, agent=agent)

    def note_and_reopen(self, ticket_id: int | str, text: str, agent: str = "Dana") -> Part:
        """A note that opens the conversation; its kind of part is one of its own."""
        with self._workspace.lock:
            conversation = self._conversation(ticket_id)
            part = talk.admin_note(self._workspace, conversation, self._actor(agent), from_text(text))
            part.part_type = "note_and_reopen"
            talk.reopen(self._workspace, conversation, self._actor(agent))
            return part

    def customer_reply(self, ticket_id: int | str, text: str) -> Part:
        """The customer writes in Intercom's own Messenger or by mail, past our chat."""
        with self._workspace.lock:
            conversation = self._conversation(ticket_id)
            contact = self._workspace.contacts[conversation.contact_ids[0]]
            return talk.contact_reply(self._workspace, conversation, contact, from_text(text), via_api=False)

    def bot_reply(self, ticket_id: int | str, text: str) -> Part:
        """A bot or workflow of the workspace answers the customer."""
        with self._workspace.lock:
            return talk.bot_reply(self._workspace, self._conversation(ticket_id), text)

    def part_of(
        self,
        ticket_id: int | str,
        text: str,
        agent: str = "Dana",
        part_type: str = "comment",
        author_type: str = "admin",
        by_ai: bool = False,
    ) -> Part:
        """A part of any kind and author, also of those that Intercom has yet to invent."""
        with self._workspace.lock:
            author = replace(self._workspace.admin(agent).author, type=author_type)
            return talk.add_part(self._workspace, self._conversation(ticket_id), Actor(author), part_type,
                                 body=from_text(text), by_ai=by_ai)  # fmt: skip

    def workflow_close(self, ticket_id: int | str) -> None:
        """A workflow of the workspace closes the conversation."""
        with self._workspace.lock:
            talk.close(self._workspace, self._conversation(ticket_id), Actor(self._workspace.bot))

    def stranger(self, name: str) -> Conversation:
        """Somebody new writes to the helpdesk."""
        with self._workspace.lock:
            contact = people.create(self._workspace, {"role": "lead", "name": name})
            return talk.start(self._workspace, contact, "Hello?")

    def quick_reply(self, ticket_id: int | str, *choices: str, agent: str = "Dana") -> Part:
        with self._workspace.lock:
            options = [{"text": choice, "uuid": str(uuid.uuid4())} for choice in choices]
            return talk.quick_reply(self._workspace, self._conversation(ticket_id), self._actor(agent), options)

    # --- state and assignment --------------------------------------------------------------------

    def set_status(
        self, ticket_id: int | str, status: str, agent: str = "Dana", snooze_s: int = HOUR_S, text: str = ""
    ) -> None:
        """Set open, closed or snoozed. `text`: a last word for the customer, only with closed."""
        wanted = WORDS.get(status, status)
        if wanted not in STATES:
            raise ValueError(f"Intercom knows the states {', '.join(STATES)}, not {status!r}.")
        with self._workspace.lock:
            conversation, actor = self._conversation(ticket_id), self._actor(agent)
            if wanted == "closed":
                talk.close(self._workspace, conversation, actor, from_text(text) or None)
            elif wanted == "open":
                talk.reopen(self._workspace, conversation, actor)
            else:
                talk.snooze(self._workspace, conversation, actor, self._workspace.now() + snooze_s)

    def convert(self, ticket_id: int | str, type_id: str = "53", agent: str = "Dana") -> Ticket:
        """Make a ticket of a conversation, with the button of the inbox."""
        with self._workspace.lock:
            kind = self._workspace.ticket_types[type_id]
            return tickets.convert(self._workspace, self._conversation(ticket_id), self._actor(agent), kind)

    def set_ticket_state(self, ticket_id: int | str, label: str, agent: str = "Dana") -> None:
        """By the label that people see, or by category."""
        with self._workspace.lock:
            states = self._workspace.ticket_states.values()
            state = next((s for s in states if label in (s.label, s.category)), None)
            if state is None:
                raise ValueError(f"The simulated Intercom has no ticket state {label!r}.")
            tickets.set_state(self._workspace, self._conversation(ticket_id), self._actor(agent), state)

    def close(self, ticket_id: int | str, agent: str = "Dana", text: str = "") -> None:
        """Close, with or without a last word."""
        self.set_status(ticket_id, "closed", agent, text=text)

    def open(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self.set_status(ticket_id, "open", agent)

    def snooze(self, ticket_id: int | str, seconds: int = HOUR_S, agent: str = "Dana") -> None:
        self.set_status(ticket_id, "snoozed", agent, seconds)

    def assign(self, ticket_id: int | str, to: str | None = "Dana", agent: str | None = None, text: str = "") -> None:
        """Give it to somebody; `to` None takes the teammate off. `agent` is who does it, else the new one. `text`
        goes along; nobody knows for sure who may read it.
        """
        with self._workspace.lock:
            assignee = int(self._workspace.admin(to).id) if to else 0
            talk.assign(self._workspace, self._conversation(ticket_id), self._actor(agent or to or "Dana"), "admin",
                        assignee, from_text(text) or None)  # fmt: skip

    def assign_team(self, ticket_id: int | str, team: str | None, agent: str = "Dana") -> None:
        """Give it to a team; None takes the team off."""
        with self._workspace.lock:
            wanted = int(self._workspace.team(team).id) if team else 0
            talk.assign(self._workspace, self._conversation(ticket_id), self._actor(agent), "team", wanted)

    def set_priority(self, ticket_id: int | str, priority: str, agent: str = "Dana") -> None:
        if priority not in PRIORITIES:
            raise ValueError(f"Intercom knows the priorities {', '.join(PRIORITIES)}, not {priority!r}.")
        with self._workspace.lock:
            changes.set_priority(self._workspace, self._conversation(ticket_id), self._actor(agent), priority)

    def mark_read(self, ticket_id: int | str) -> None:
        with self._workspace.lock:
            changes.mark_read(self._workspace, self._conversation(ticket_id))

    # --- everything else -------------------------------------------------------------------------

    def add_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        with self._workspace.lock:
            for name in tags:
                changes.attach_tag(self._workspace, self._conversation(ticket_id), self._actor(agent),
                                   self._workspace.tag_named(name))  # fmt: skip

    def remove_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        with self._workspace.lock:
            for name in tags:
                changes.detach_tag(self._workspace, self._conversation(ticket_id), self._actor(agent),
                                   self._workspace.tag_named(name))  # fmt: skip

    def set_attribute(self, ticket_id: int | str, name: str, value: Any) -> None:
        with self._workspace.lock:
            changes.set_attributes(self._workspace, self._conversation(ticket_id), {name: value})

    def redact(self, ticket_id: int | str, part_id: str) -> None:
        """Take the words of a part away."""
        with self._workspace.lock:
            changes.redact_part(self._workspace, self._conversation(ticket_id), str(part_id))

    def merge(self, source: int | str, target: int | str, agent: str = "Dana") -> None:
        """Close `source` in favour of `target`."""
        with self._workspace.lock:
            primary = self._workspace.live(str(target))
            changes.merge(self._workspace, self._conversation(source), primary, self._actor(agent))

    def delete(self, ticket_id: int | str, agent: str = "Dana") -> None:
        """For good; there is no way back."""
        with self._workspace.lock:
            self._actor(agent)
            changes.delete(self._workspace, self._conversation(ticket_id))

    def add_contact(self, role: str = "user", **details: Any) -> Contact:
        """A person whom the helpdesk knows already: external_id, email, name, phone."""
        with self._workspace.lock:
            return people.create(self._workspace, {"role": role, **details})

    def join(self, ticket_id: int | str, contact_id: str, agent: str = "Dana") -> None:
        """Another customer takes part in the conversation from now on."""
        with self._workspace.lock:
            contact = self._workspace.contacts[contact_id]
            changes.attach_contact(self._workspace, self._conversation(ticket_id), self._actor(agent), contact)

    def merge_contacts(self, lead: str, user: str) -> Contact:
        """The lead turns out to be the user."""
        with self._workspace.lock:
            contacts = self._workspace.contacts
            return people.merge(self._workspace, contacts.get(lead), contacts.get(user), validate=False)

    def archive_contact(self, contact_id: str) -> None:
        with self._workspace.lock:
            people.archive(self._workspace, self._workspace.contacts[contact_id])

    def block_contact(self, contact_id: str) -> None:
        with self._workspace.lock:
            people.block(self._workspace, self._workspace.contacts[contact_id])

    def delete_contact(self, contact_id: str) -> None:
        with self._workspace.lock:
            people.delete(self._workspace, self._workspace.contacts[contact_id])

    def _actor(self, agent: str) -> Actor:
        return Actor(self._workspace.admin(agent).author)

    def _conversation(self, ticket_id: int | str) -> Conversation:
        talk.wake_due(self._workspace)
        conversation = self._workspace.live(str(ticket_id)) or self._workspace.ticket(str(ticket_id))
        if conversation is None:
            raise KeyError(f"No conversation {ticket_id} in the simulated Intercom.")
        return conversation
