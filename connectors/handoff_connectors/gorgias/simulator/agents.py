"""What agents and customers do in the helpdesk, as methods: the same rules as the API, seen from the screen."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handoff_connectors.gorgias.simulator import merging, messages, ticket_desk
from handoff_connectors.gorgias.simulator.account import Account, StoredFile, new_context
from handoff_connectors.gorgias.simulator.api_messages import store_file
from handoff_connectors.gorgias.simulator.happening import Snapshot
from handoff_connectors.gorgias.simulator.model import NOTE, Message, Ticket, User

DAY_S = 86_400.0


class AgentActions:
    """Each method takes the ticket's id and the agent by name, first name or address.

    Raises `KeyError` for an unknown ticket or agent. Safe from any thread.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def base_url(self) -> str:
        """What the addresses of attached files start with."""
        return f"https://{self._account.settings.domain}.gorgias.com"

    # --- saying something ------------------------------------------------------------------------

    def reply(
        self,
        ticket_id: int | str,
        text: str,
        public: bool = True,
        agent: str = "Dana",
        files: Mapping[str, bytes] | None = None,
        channel: str | None = None,
        close: bool = False,
    ) -> Message:
        """Answer the customer, or write a note. `close`: the button "Send & Close". `files`: content by name.

        Without `channel` the composer picks one: the ticket's own, or mail where the customer has an address.
        """
        with self._account.lock:
            ticket, who = self._ticket(ticket_id), self._account.agent(agent)
            before = Snapshot.of(ticket)
            chosen = (channel or self._channel(ticket)) if public else NOTE
            said: dict[str, Any] = {"channel": chosen, "via": "helpdesk" if public else NOTE, "from_agent": True,
                                    "public": public, "sender": {"id": who.id}, "body_text": text,
                                    "body_html": messages.as_html(text),
                                    "attachments": [self._upload(n, c) for n, c in (files or {}).items()]}  # fmt: skip
            if public:
                said["receiver"] = {"id": ticket.customer_id}
            return self._say(ticket, who, said, before, close=close)

    def note(self, ticket_id: int | str, text: str, agent: str = "Dana") -> Message:
        return self.reply(ticket_id, text, public=False, agent=agent)

    def rule_reply(self, ticket_id: int | str, text: str) -> Message:
        """A rule of the merchant answers by itself."""
        with self._account.lock:
            ticket, bot = self._ticket(ticket_id), self._account.bot
            before = Snapshot.of(ticket)
            said = {"channel": self._channel(ticket), "via": "rule", "from_agent": True, "public": True,
                    "sender": {"id": bot.id}, "body_text": text}  # fmt: skip
            message = messages.add(self._account, bot, ticket, said)
            message.rule_id = self._account.rule_id
            self._tell(ticket, message, None, before)
            return message

    def rule_status(self, ticket_id: int | str, status: str) -> None:
        """A rule of the merchant sets the status."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            before = Snapshot.of(ticket)
            ticket_desk.set_status(self._account, ticket, status)
            ticket_desk.finish(self._account, ticket, before, None)

    def stranger(self, name: str) -> Ticket:
        """Somebody new writes to the helpdesk."""
        with self._account.lock:
            customer = self._account.new_customer()
            customer.name = name
            said = {"channel": "contact_form", "via": "form", "from_agent": False, "sender": {"id": customer.id},
                    "body_text": "Hello?"}  # fmt: skip
            return ticket_desk.create(self._account, self._account.connector, {"messages": [said]})

    def customer_reply(self, ticket_id: int | str, text: str) -> Message:
        """The customer writes on a real channel: a closed ticket opens again, a snooze may end."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            before = Snapshot.of(ticket)
            somebody = self._account.customers[ticket.customer_id]
            channel = "email" if somebody.email else ticket.channel
            said = {"channel": channel, "via": channel, "from_agent": False, "body_text": text}
            message = messages.add(self._account, self._account.connector, ticket, said)
            ticket_desk.reopen(self._account, ticket)
            self._tell(ticket, message, None, before)
            return message

    def delete_message(self, ticket_id: int | str, message_id: int) -> None:
        """Take a message away for good."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            ticket.messages.remove(self._message(ticket, message_id))
            self._account.touch(ticket)

    def make_public(self, ticket_id: int | str, message_id: int, public: bool = True) -> None:
        """Turn a note into a message, or the other way. Nobody is told."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            self._message(ticket, message_id).public = public
            self._account.touch(ticket)

    # --- moving the ticket -----------------------------------------------------------------------

    def assign(self, ticket_id: int | str, to: str | None = "Dana", agent: str | None = None) -> None:
        """Give the ticket to somebody; `to` None takes the assignee off. `agent` is who does it, else the assignee."""
        with self._account.lock:
            user = self._account.agent(to) if to else None
            self._update(ticket_id, agent or to or "Dana", {"assignee_user": {"id": user.id} if user else None})

    def assign_team(self, ticket_id: int | str, team: str | None, agent: str = "Dana") -> None:
        with self._account.lock:
            found = [t.id for t in self._account.teams.values() if team and t.name.lower() == team.lower()]
            if team and not found:
                raise KeyError(f"No team {team!r} in the simulated Gorgias.")
            self._update(ticket_id, agent, {"assignee_team": {"id": found[0]} if found else None})

    def set_status(self, ticket_id: int | str, status: str, agent: str = "Dana") -> None:
        """Set open or closed. Opening ends a snooze."""
        wanted: dict[str, Any] = {"status": status}
        self._update(ticket_id, agent, wanted | ({"snooze_datetime": None} if status == "open" else {}))

    def close(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self.set_status(ticket_id, "closed", agent)

    def reopen(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self.set_status(ticket_id, "open", agent)

    def snooze(self, ticket_id: int | str, seconds: float = DAY_S, agent: str = "Dana") -> None:
        """Lay the ticket aside; it comes back by itself."""
        until = self._account.clock.now() + timedelta(seconds=float(seconds))
        self._update(ticket_id, agent, {"snooze_datetime": until.isoformat()})

    def delete(self, ticket_id: int | str, agent: str = "Dana") -> None:
        """Put the ticket into the trash."""
        self._update(ticket_id, agent, {"trashed_datetime": self._account.clock.now().isoformat()})

    trash = delete

    def restore(self, ticket_id: int | str, agent: str = "Dana") -> None:
        """Take the ticket out of the trash."""
        self._update(ticket_id, agent, {"trashed_datetime": None})

    def purge(self, ticket_id: int | str) -> None:
        """Delete the ticket for good."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            ticket.deleted_at = self._account.clock.now()
            self._account.touch(ticket)

    def spam(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self._update(ticket_id, agent, {"spam": True})

    def unspam(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self._update(ticket_id, agent, {"spam": False})

    def merge(self, source: int | str, target: int | str, agent: str = "Dana") -> None:
        """Fold `source` into `target`; whoever asks for it is sent there."""
        with self._account.lock:
            who = self._account.agent(agent)
            merging.merge(self._account, self._ticket(source), self._ticket(target), who.id)

    def add_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        self._retag(ticket_id, agent, lambda now: [*now, *(self._account.tag(name).id for name in tags)])

    def remove_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        self._retag(ticket_id, agent, lambda now: [tag for tag in now if self._account.tags[tag].name not in tags])

    # --- how -------------------------------------------------------------------------------------

    def _say(self, ticket: Ticket, who: User, said: dict[str, Any], before: Snapshot, *, close: bool) -> Message:
        message = messages.add(self._account, who, ticket, said)
        if message.channel == "email":
            message.integration_id = self._account.mail_integration_id
        if message.public:
            ticket.opened_at = ticket.opened_at or self._account.clock.now()
            if ticket.assignee_user_id is None and self._account.settings.auto_assign_to_responder:
                ticket.assignee_user_id = who.id
        if close:
            ticket_desk.set_status(self._account, ticket, "closed")
        self._tell(ticket, message, who.id, before)
        return message

    def _tell(self, ticket: Ticket, message: Message, user_id: int | None, before: Snapshot) -> None:
        context = new_context()
        ticket_desk.tell_of_message(self._account, ticket, message, user_id, context)
        ticket_desk.finish(self._account, ticket, before, user_id, context)

    def _channel(self, ticket: Ticket) -> str:
        customer = self._account.customers.get(ticket.customer_id)
        mailed = customer is not None and customer.email and self._account.settings.mail_from_api_tickets
        return "email" if ticket.channel == "api" and mailed else ticket.channel

    def _update(self, ticket_id: int | str, agent: str, values: dict[str, Any]) -> None:
        with self._account.lock:
            ticket_desk.update(self._account, self._account.agent(agent), self._ticket(ticket_id), values)

    def _retag(self, ticket_id: int | str, agent: str, change: Any) -> None:
        with self._account.lock:
            ticket, who = self._ticket(ticket_id), self._account.agent(agent)
            before = Snapshot.of(ticket)
            ticket_desk.set_tags(self._account, ticket, change(ticket.tags))
            ticket_desk.finish(self._account, ticket, before, who.id)

    def _upload(self, name: str, content: bytes) -> dict[str, object]:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return store_file(self._account, self.base_url, name, StoredFile(kind, content))

    def _message(self, ticket: Ticket, message_id: int) -> Message:
        found = next((message for message in ticket.messages if message.id == int(message_id)), None)
        if found is None:
            raise KeyError(f"No message {message_id} in ticket {ticket.id}.")
        return found

    def _ticket(self, ticket_id: int | str) -> Ticket:
        ticket = self._account.tickets.get(int(ticket_id))
        if ticket is None or ticket.deleted_at is not None or ticket.merged_into is not None:
            raise KeyError(f"No ticket {ticket_id} in the simulated Gorgias.")
        return ticket
