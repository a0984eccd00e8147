"""The workspace as the agent page shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from handoff_connectors.intercom.simulator.agents import AgentActions
from handoff_connectors.intercom.simulator.api_errors import ApiError
from handoff_connectors.intercom.simulator.model import Contact, Conversation, Part
from handoff_connectors.intercom.simulator.talk import wake_due
from handoff_connectors.intercom.simulator.text import plain
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.agent_views import (
    Entry,
    EntryKind,
    Person,
    Refused,
    Status,
    StatusChoice,
    TicketRow,
    TicketView,
    Tone,
    Words,
)

TONES: Final = {"open": Tone.OPEN, "closed": Tone.SOLVED, "snoozed": Tone.HOLD, "merged": Tone.CLOSED,
                "deleted": Tone.DELETED}  # fmt: skip
LABELS: Final = {"open": "Open", "closed": "Closed", "snoozed": "Snoozed", "merged": "Merged", "deleted": "Deleted"}
LOCKED: Final = {
    "merged": "This conversation was merged into another one.",
    "deleted": "This conversation is deleted for good.",
}
BUTTONS: Final = {"open": "Reopen", "snoozed": "Snooze for an hour", "closed": "Close"}
SENTENCES: Final = {
    "close": "{who} closed it",
    "open": "{who} opened it",
    "snoozed": "{who} snoozed it",
    "unsnoozed": "{who} woke it",
    "timer_unsnooze": "The snooze is over",
    "merged_primary_conversation": "Another conversation was merged into this one",
    "merged_secondary_conversation": "It was merged into another conversation",
    "participant_added": "{who} added a participant",
    "participant_removed": "{who} removed a participant",
}


class IntercomPages:
    """Implements `AgentDesk`."""

    name = "Intercom"
    words = Words(
        thing="conversation",
        done="Closed",
        deleting="It is deleted for good: Intercom has no way back.",
        restore=None,
        merging="This conversation is closed and goes on in the other one. There is no way back.",
    )

    def __init__(self, workspace: Workspace, agents: AgentActions) -> None:
        self._workspace, self._do = workspace, agents

    def agents(self) -> list[Person]:
        """Everybody but the connector, which is no person."""
        with self._workspace.lock:
            ours = self._workspace.connector.id
            return [Person(a.id, a.name) for a in self._workspace.admins.values() if a.id != ours]

    def version(self) -> int:
        return self._workspace.version

    def rows(self) -> list[TicketRow]:
        with self._workspace.lock:
            wake_due(self._workspace)
            newest = sorted(self._workspace.conversations.values(), key=lambda c: c.change_number, reverse=True)
            return [self._row(conversation) for conversation in newest]

    def view(self, ticket_id: str) -> TicketView | None:
        with self._workspace.lock:
            conversation = self._workspace.conversations.get(ticket_id)
            return None if conversation is None else self._view(conversation)

    def act(self, ticket_id: str, action: str, form: Mapping[str, str], agent_id: str) -> None:
        do = self._forms(form, agent_id).get(action)
        if do is None:
            raise Refused("The agent page has no such button.")
        try:
            do(ticket_id)
        except ApiError as error:
            raise Refused(error.message) from error
        except (KeyError, ValueError) as error:
            raise Refused("The conversation, or what was chosen, does not exist any more.") from error

    def _forms(self, form: Mapping[str, str], agent: str) -> dict[str, Callable[[str], object]]:
        text, do = form.get("text", "").strip(), self._do
        return {
            "reply": lambda ticket: self._reply(ticket, form, agent),
            "customer": lambda ticket: do.customer_reply(ticket, text),
            "assign": lambda ticket: do.assign(ticket, form.get("assignee") or None, agent=agent),
            "status": lambda ticket: do.set_status(ticket, form.get("value", ""), agent=agent),
            "merge": lambda ticket: do.merge(ticket, form.get("target", ""), agent=agent),
            "delete": lambda ticket: do.delete(ticket, agent=agent),
        }

    def _reply(self, ticket: str, form: Mapping[str, str], agent: str) -> None:
        """Reply and close is one step, whose words are in the closing itself."""
        text, public, then = form.get("text", "").strip(), form.get("public", "yes") == "yes", form.get("then")
        if not text:
            raise Refused("Write something first.")
        if public and then == "closed":
            self._do.close(ticket, agent=agent, text=text)
            return
        self._do.reply(ticket, text, public=public, agent=agent)
        if then:
            self._do.set_status(ticket, then, agent=agent)

    # --- showing ---------------------------------------------------------------------------------

    def _contact(self, conversation: Conversation) -> Contact:
        return self._workspace.contacts[conversation.contact_ids[0]]

    def _row(self, c: Conversation) -> TicketRow:
        contact, assignee = self._contact(c), self._workspace.admins.get(str(c.admin_assignee_id))
        words = [part.body for part in c.parts if part.body]
        state = _state(c)
        preview = plain(words[-1] if words else c.source.body)
        return TicketRow(
            id=c.id,
            subject=c.title or plain(c.source.body)[:80] or "(no title)",
            requester=contact.name or contact.email or "Unknown",
            status=Status(LABELS[state], TONES[state]),
            updated_at=datetime.fromtimestamp(c.changed_at, UTC),
            assignee=assignee.name if assignee else None,
            preview=preview,
            comments=len(words) + 1,
        )

    def _view(self, c: Conversation) -> TicketView:
        deleted, locked = c.deleted_at is not None, LOCKED.get(_state(c))
        offered = [] if locked else [state for state in BUTTONS if state != c.state]
        choices = tuple(StatusChoice("status", state, BUTTONS[state], TONES[state]) for state in offered)
        return TicketView(
            row=self._row(c),
            entries=(self._first(c), *(entry for part in c.parts if (entry := self._entry(c, part)))),
            tags=tuple(applied.tag.name for applied in c.tags.values()),
            facts=tuple(self._facts(c)),
            assignee_id=str(c.admin_assignee_id or ""),
            choices=choices,
            after_reply=tuple(choice for choice in choices if choice.value != "open"),
            locked=locked,
            deleted=deleted,
            can_merge=locked is None,
            merged_into=c.merged_into,
        )

    def _facts(self, c: Conversation) -> list[tuple[str, str]]:
        contact, team = self._contact(c), self._workspace.teams.get(str(c.team_assignee_id))
        facts = [("Contact", contact.name), ("E-mail", contact.email), ("External id", contact.external_id),
                 ("Snoozed until", f"{_time(c.snoozed_until):%d %b %H:%M} UTC" if c.snoozed_until else None),
                 ("Team", team.name if team else None), ("Priority", c.priority if c.priority != "none" else None),
                 *((name, str(value)) for name, value in c.custom_attributes.items())]  # fmt: skip
        return [(name, value) for name, value in facts if value]

    def _first(self, c: Conversation) -> Entry:
        author = self._contact(c)
        return Entry(id=c.source.id, kind=EntryKind.CUSTOMER, author=author.name or author.email or "Unknown",
                     at=_time(c.created_at), text=plain(c.source.body),
                     attachments=tuple(str(a["name"]) for a in c.source.attachments))  # fmt: skip

    def _entry(self, c: Conversation, part: Part) -> Entry | None:
        who = part.author.name or part.author.email or "Unknown"
        if part.body is None:
            return self._happened(part, who)
        kind = EntryKind.CUSTOMER if part.author.id in c.contact_ids else EntryKind.REPLY
        return Entry(
            id=part.id,
            kind=kind if part.shown_to_customer else EntryKind.NOTE,
            author=who,
            at=_time(part.created_at),
            text=plain(part.body),
            via="via API" if part.app_package_code else "",
            attachments=tuple(str(a["name"]) for a in part.attachments),
        )

    def _happened(self, part: Part, who: str) -> Entry | None:
        """A line for what is worth one."""
        told = self._sentence(part, who)
        at = _time(part.created_at)
        return Entry(id=part.id, kind=EntryKind.EVENT, author="", at=at, text=told) if told else None

    def _sentence(self, part: Part, who: str) -> str:
        if part.part_type in ("assignment", "assign_and_reopen", "assign_and_unsnooze"):
            return f"{who} assigned it to {self._assignee(part)}"
        return SENTENCES.get(part.part_type, "").format(who=who)

    def _assignee(self, part: Part) -> str:
        kind, name = part.assigned_to or ("", "")
        there = self._workspace.admins if kind == "admin" else self._workspace.teams
        found = there.get(name)
        return found.name if found else "nobody"


def _state(c: Conversation) -> str:
    if c.deleted_at is not None:
        return "deleted"
    return c.state if c.merged_into is None else "merged"


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
