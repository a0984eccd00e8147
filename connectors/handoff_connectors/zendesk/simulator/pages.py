"""The account as the agent page shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.agents import AgentActions
from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_connectors.zendesk.simulator.model import Audit, Comment, Ticket
from handoff_connectors.zendesk.simulator.ticket_removal import MERGE_TAG
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

LABELS: Final = {"new": "New", "open": "Open", "pending": "Pending", "hold": "On hold", "solved": "Solved",
                 "closed": "Closed", "deleted": "Deleted"}  # fmt: skip
NEXT: Final = {"open": "Open", "pending": "Pending", "hold": "On hold", "solved": "Solve", "closed": "Close"}


class ZendeskPages:
    """Implements `AgentDesk`."""

    name = "Zendesk"
    words = Words(deleting="It goes to the deleted tickets, from where it can be restored.")

    def __init__(self, account: Account, agents: AgentActions) -> None:
        self._account, self._do = account, agents

    def agents(self) -> list[Person]:
        """Everybody but the connector, which is no person."""
        with self._account.lock:
            people = [u for u in self._account.staff() if u.id != self._account.connector.id]
        return [Person(str(user.id), user.name) for user in people]

    def version(self) -> int:
        return self._account.version

    def rows(self) -> list[TicketRow]:
        with self._account.lock:
            tickets = sorted(self._account.tickets.values(), key=lambda t: t.change_number, reverse=True)
            return [self._row(ticket) for ticket in tickets if not ticket.scrubbed]

    def view(self, ticket_id: str) -> TicketView | None:
        with self._account.lock:
            ticket = self._account.tickets.get(int(ticket_id)) if ticket_id.isdigit() else None
            return None if ticket is None or ticket.scrubbed else self._view(ticket)

    def act(self, ticket_id: str, action: str, form: Mapping[str, str], agent_id: str) -> None:
        do = self._forms(form, agent_id).get(action)
        if do is None:
            raise Refused("The agent page has no such button.")
        try:
            do(ticket_id)
        except ApiError as error:
            raise Refused(error.reason) from error
        except (KeyError, ValueError) as error:
            raise Refused("The ticket, or what was chosen, does not exist any more.") from error

    def _forms(self, form: Mapping[str, str], agent: str) -> dict[str, Callable[[str], object]]:
        text, do = form.get("text", "").strip(), self._do
        return {
            "reply": lambda ticket: self._reply(ticket, form, agent),
            "customer": lambda ticket: do.customer_reply(ticket, text),
            "assign": lambda ticket: do.assign(ticket, form.get("assignee") or None, agent=agent),
            "status": lambda ticket: do.set_status(ticket, form.get("value", ""), agent=agent),
            "merge": lambda ticket: do.merge(ticket, form.get("target", ""), agent=agent),
            "delete": lambda ticket: do.delete(ticket, agent=agent),
            "restore": lambda ticket: do.restore(ticket, agent=agent),
        }

    def _reply(self, ticket: str, form: Mapping[str, str], agent: str) -> None:
        text = form.get("text", "").strip()
        if not text:
            raise Refused("Write something first.")
        self._do.reply(ticket, text, public=form.get("public", "yes") == "yes", agent=agent)
        if then := form.get("then"):
            self._do.set_status(ticket, then, agent=agent)

    # --- showing ---------------------------------------------------------------------------------

    def _name(self, user_id: int | None) -> str:
        user = self._account.users.get(user_id or 0)
        return user.shown_name if user else "Nobody"

    def _row(self, ticket: Ticket) -> TicketRow:
        status = ticket.shown_status
        return TicketRow(
            id=str(ticket.id),
            subject=ticket.subject or "(no subject)",
            requester=self._name(ticket.requester_id),
            status=Status(LABELS[status], Tone(status)),
            updated_at=ticket.changed_at,
            assignee=self._name(ticket.assignee_id) if ticket.assignee_id else None,
            preview=ticket.comments[-1].plain_body if ticket.comments else "",
            comments=len(ticket.comments),
        )

    def _view(self, ticket: Ticket) -> TicketView:
        offered = [s for s in NEXT if s != ticket.status] if ticket.status != "closed" and not ticket.deleted_at else []
        if ticket.status == "solved":
            offered.remove("open")
        choices = [StatusChoice("status", s, NEXT[s], Tone(s)) for s in offered]
        if ticket.status == "solved" and not ticket.deleted_at:
            choices.insert(0, StatusChoice("status", "open", "Reopen", Tone.OPEN))
        return TicketView(
            row=self._row(ticket),
            entries=tuple(self._entries(ticket)),
            tags=tuple(ticket.tags),
            facts=tuple(self._facts(ticket)),
            assignee_id=str(ticket.assignee_id or ""),
            choices=tuple(choices),
            after_reply=tuple(choice for choice in choices if choice.value != "closed"),
            locked=_lock_reason(ticket),
            deleted=ticket.deleted_at is not None,
            can_merge=ticket.status != "closed",
            merged_into=_merged_into(ticket),
        )

    def _facts(self, ticket: Ticket) -> list[tuple[str, str]]:
        requester = self._account.users[ticket.requester_id]
        group = self._account.groups.get(ticket.group_id or 0)
        facts = [("Requester", requester.name), ("E-mail", requester.email), ("Priority", ticket.priority),
                 ("Group", group.name if group else None), ("External id", ticket.external_id)]  # fmt: skip
        return [(name, value) for name, value in facts if value]

    def _entries(self, ticket: Ticket) -> list[Entry]:
        comments = {comment.audit_id: comment for comment in ticket.comments}
        entries: list[Entry] = []
        for audit in ticket.audits:
            if (comment := comments.get(audit.id)) is not None:
                entries.append(self._comment(comment))
            entries += self._happened(audit)
        return entries

    def _comment(self, comment: Comment) -> Entry:
        author = self._account.users[comment.author_id]
        kind = EntryKind.REPLY if author.is_staff else EntryKind.CUSTOMER
        return Entry(
            id=str(comment.id),
            kind=kind if comment.public else EntryKind.NOTE,
            author=author.shown_name,
            at=comment.created_at,
            text=comment.plain_body,
            via={"api": "via API", "email": "by mail"}.get(comment.via["channel"], ""),
            attachments=tuple(str(a["file_name"]) for a in comment.attachments),
        )

    def _happened(self, audit: Audit) -> list[Entry]:
        """Changes worth a line: status and assignee."""
        found = [(e, self._sentence(audit, e)) for e in audit.events if e["type"] == "Change"]
        return [
            Entry(id=str(event["id"]), kind=EntryKind.EVENT, author="", at=audit.created_at, text=sentence)
            for event, sentence in found
            if sentence
        ]

    def _sentence(self, audit: Audit, event: dict[str, Any]) -> str:
        who, value = self._name(audit.author_id), event.get("value")
        match event["field_name"]:
            case "status":
                return f"{who} set the status to {LABELS[str(value)]}"
            case "assignee_id":
                return f"{who} assigned it to {self._name(int(value))}" if value else f"{who} took the assignee off"
            case _:
                return ""


def _merged_into(ticket: Ticket) -> str | None:
    """The ticket in which a closed one goes on; its last comment says so."""
    if MERGE_TAG not in ticket.tags:
        return None
    sources = (audit.via.get("source", {}) for audit in reversed(ticket.audits))
    return next((str(source["from"]["ticket_id"]) for source in sources if source.get("rel") == "merge"), None)


def _lock_reason(ticket: Ticket) -> str | None:
    if ticket.deleted_at is not None:
        return "This ticket is deleted."
    if _merged_into(ticket) is not None:
        return "This ticket is closed: it was merged into another one."
    if ticket.status == "closed":
        return "This ticket is closed. It can be read but not changed; a new message becomes a follow-up ticket."
    return None
