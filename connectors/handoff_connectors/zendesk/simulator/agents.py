"""What agents do in the helpdesk, as methods: the same rules as the API, seen from the agent's screen."""

from __future__ import annotations

import copy
import html
import mimetypes
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from handoff_connectors.zendesk.simulator import ticket_desk, ticket_removal
from handoff_connectors.zendesk.simulator.account import Account, StoredFile
from handoff_connectors.zendesk.simulator.comments import store_file
from handoff_connectors.zendesk.simulator.model import WEB_VIA, Comment, Ticket
from handoff_connectors.zendesk.simulator.ticket_desk import Origin
from handoff_connectors.zendesk.simulator.ticket_fields import Wanted, read_tags

RULE: Final = -1
"""Stands as the author of what the account's own rules do."""


class AgentActions:
    """Each method takes the ticket's id and the agent by name, first name or address.

    Raises `KeyError` for an unknown ticket or agent and `ApiError` for what Zendesk would refuse. Safe from any thread.
    """

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def base_url(self) -> str:
        """What the addresses of attached files start with."""
        return f"https://{self._account.settings.subdomain}.zendesk.com"

    def reply(
        self,
        ticket_id: int | str,
        text: str,
        public: bool = True,
        agent: str = "Dana",
        files: Mapping[str, bytes] | None = None,
        status: str | None = None,
    ) -> Comment:
        """Write a comment and set `status`; a new ticket becomes open, as the agent's screen submits it.

        `files`: content by name.
        """
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            uploads = [self._upload(name, content) for name, content in (files or {}).items()]
            comment = {"html_body": _as_html(text), "public": public, "uploads": uploads}
            values: dict[str, Any] = {"comment": comment}
            if status is not None or ticket.status == "new":
                values["status"] = status or "open"
            self._update(ticket, agent, values)
            return ticket.comments[-1]

    def note(self, ticket_id: int | str, text: str, agent: str = "Dana") -> Comment:
        return self.reply(ticket_id, text, public=False, agent=agent)

    def customer_reply(self, ticket_id: int | str, text: str) -> Comment:
        """The requester answers by mail: a public comment that reopens the ticket."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            requester = self._account.users[ticket.requester_id]
            email = {"channel": "email", "source": {"from": {"address": requester.email, "name": requester.name},
                                                    "to": {}, "rel": None}}  # fmt: skip
            wanted = Wanted({"comment": {"html_body": _as_html(text), "public": True}})
            ticket_desk.update(self._account, Origin(requester, email), ticket, wanted)
            return ticket.comments[-1]

    def rule_comment(self, ticket_id: int | str, text: str) -> Comment:
        """A trigger or automation of the account answers the customer."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            ticket_desk.update(self._account, self._rule(), ticket, Wanted({"comment": _public(text)}))
            return ticket.comments[-1]

    def rule_status(self, ticket_id: int | str, status: str) -> None:
        """A trigger or automation of the account sets the status."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            values: dict[str, Any] = {"status": status}
            if ticket.assignee_id is None:
                values["assignee_id"] = self._account.agent("Dana").id
            ticket_desk.update(self._account, self._rule(), ticket, Wanted(values))

    def program_comment(self, ticket_id: int | str, text: str) -> Comment:
        """Another program that signs in as the connector's user answers the customer."""
        with self._account.lock:
            ticket, origin = self._ticket(ticket_id), Origin(self._account.connector, client="another program")
            ticket_desk.update(self._account, origin, ticket, Wanted({"comment": _public(text)}))
            return ticket.comments[-1]

    def stranger(self, name: str) -> Ticket:
        """Somebody new writes to the helpdesk."""
        with self._account.lock:
            origin, wanted = Origin(self._account.add_user(name, "end-user")), {"comment": _public("Hello?")}
            return ticket_desk.create(self._account, origin, Wanted(wanted))[0]

    def assign(self, ticket_id: int | str, to: str | None = "Dana", agent: str | None = None) -> None:
        """Give the ticket to somebody; `to` None takes the assignee off. `agent` is who does it, else the assignee."""
        with self._account.lock:
            assignee = self._account.agent(to) if to else None
            self._update(self._ticket(ticket_id), agent or to or "Dana",
                         {"assignee_id": assignee.id if assignee else None})  # fmt: skip

    def assign_group(self, ticket_id: int | str, group: str, agent: str = "Dana") -> None:
        with self._account.lock:
            found = next(g for g in self._account.groups.values() if g.name.lower() == group.lower())
            self._update(self._ticket(ticket_id), agent, {"group_id": found.id, "assignee_id": None})

    def set_status(self, ticket_id: int | str, status: str, agent: str = "Dana") -> None:
        """Set new, open, pending, hold, solved or closed. Solving an unassigned ticket assigns it to the agent."""
        with self._account.lock:
            ticket = self._ticket(ticket_id)
            values: dict[str, Any] = {"status": status}
            if status in ("solved", "closed") and ticket.assignee_id is None:
                values["assignee_id"] = self._account.agent(agent).id
            self._update(ticket, agent, values)

    def close(self, ticket_id: int | str, agent: str = "Dana") -> None:
        self.set_status(ticket_id, "closed", agent)

    def add_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        self._tags(ticket_id, list(tags), "add", agent)

    def remove_tags(self, ticket_id: int | str, *tags: str, agent: str = "Dana") -> None:
        self._tags(ticket_id, list(tags), "remove", agent)

    def merge(self, source: int | str, target: int | str, agent: str = "Dana") -> None:
        """Close `source` in favour of `target`."""
        with self._account.lock:
            origin = self._origin(agent)
            ticket_removal.merge(self._account, origin, self._ticket(source), self._ticket(target), {})

    def delete(self, ticket_id: int | str, agent: str = "Dana") -> None:
        with self._account.lock:
            ticket_removal.delete(self._account, self._origin(agent), self._ticket(ticket_id))

    def restore(self, ticket_id: int | str, agent: str = "Dana") -> None:
        with self._account.lock:
            ticket = self._account.tickets[int(ticket_id)]
            if ticket.deleted_at is not None and not ticket.scrubbed:
                ticket_removal.restore(self._account, self._origin(agent), ticket)

    def purge(self, ticket_id: int | str, agent: str = "Yuki") -> None:
        """Delete a deleted ticket for good."""
        with self._account.lock:
            ticket_removal.purge(self._account, self._origin(agent), self._account.tickets[int(ticket_id)])

    def mark_as_spam(self, ticket_id: int | str, agent: str = "Dana") -> None:
        with self._account.lock:
            ticket_removal.mark_as_spam(self._account, self._origin(agent), self._ticket(ticket_id))

    def make_private(self, ticket_id: int | str, comment_id: int, agent: str = "Dana") -> None:
        with self._account.lock:
            ticket_desk.make_private(self._account, self._origin(agent), self._ticket(ticket_id), comment_id)

    def _tags(self, ticket_id: int | str, tags: list[str], how: str, agent: str) -> None:
        with self._account.lock:
            ticket_desk.change_tags(self._account, self._origin(agent), self._ticket(ticket_id), read_tags(tags), how)

    def _upload(self, name: str, content: bytes) -> str:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return store_file(self._account, self.base_url, name, StoredFile(kind, content))[0]

    def _update(self, ticket: Ticket, agent: str, values: dict[str, Any]) -> None:
        ticket_desk.update(self._account, self._origin(agent), ticket, Wanted(values))

    def _rule(self) -> Origin:
        nobody = replace(self._account.connector, id=RULE, name="System", emails=[])
        return Origin(nobody, {"channel": "rule", "source": {"from": {"title": "A rule"}, "to": {}, "rel": "trigger"}})

    def _origin(self, agent: str) -> Origin:
        return Origin(self._account.agent(agent), copy.deepcopy(WEB_VIA), "agent page")

    def _ticket(self, ticket_id: int | str) -> Ticket:
        ticket = self._account.live_ticket(int(ticket_id))
        if ticket is None:
            raise KeyError(f"No ticket {ticket_id} in the simulated Zendesk.")
        return ticket


def _public(text: str) -> dict[str, Any]:
    return {"html_body": _as_html(text), "public": True}


def _as_html(text: str) -> str:
    """What an agent typed, as the agent's editor sends it: text, with its line breaks."""
    paragraphs = [p for p in text.replace("\r\n", "\n").split("\n\n") if p.strip()]
    return "".join(f"<p>{html.escape(p.strip(), quote=False).replace(chr(10), '<br>')}</p>" for p in paragraphs)
