"""What a test or a person may want to know about the account: the control API's `state`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from handoff_connectors.zendesk.simulator import render
from handoff_connectors.zendesk.simulator.account import Account, SentMail
from handoff_connectors.zendesk.simulator.model import Comment, Ticket, User, Webhook
from handoff_sync.simulator.request_log import LoggedRequest, RequestLog


class SimulatorState:
    """A view of the account. Objects are the live ones: read them, do not change them."""

    def __init__(self, account: Account, log: RequestLog) -> None:
        self._account, self._log = account, log

    @property
    def tickets(self) -> list[Ticket]:
        """All tickets, deleted ones too, oldest first."""
        with self._account.lock:
            return list(self._account.tickets.values())

    def ticket(self, ticket_id: int | str) -> Ticket:
        """
        Raises:
            KeyError: there is none.
        """
        return self._account.tickets[int(ticket_id)]

    def by_external_id(self, external_id: str) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.external_id == external_id]

    def comments(self, ticket_id: int | str, public: bool | None = None) -> list[Comment]:
        """Comments of a ticket, oldest first; only public ones or only notes when asked."""
        with self._account.lock:
            return [c for c in self.ticket(ticket_id).comments if public in (None, c.public)]

    def texts(self, ticket_id: int | str, public: bool | None = None) -> list[str]:
        return [comment.plain_body for comment in self.comments(ticket_id, public)]

    @property
    def creations(self) -> Counter[str | None]:
        """How many tickets were ever made per external id. More than 1 is a doubled ticket."""
        with self._account.lock:
            return Counter(external_id for _, external_id in self._account.creations)

    @property
    def markers(self) -> Counter[str]:
        """How many audits carry each `hs_op` marker. More than 1 is a doubled write."""
        with self._account.lock:
            customs = [a.metadata["custom"] for t in self._account.tickets.values() for a in t.audits]
        return Counter(str(custom["hs_op"]) for custom in customs if "hs_op" in custom)

    @property
    def users(self) -> list[User]:
        with self._account.lock:
            return list(self._account.users.values())

    def user(self, user_id: int) -> User:
        return self._account.users[user_id]

    @property
    def webhooks(self) -> list[Webhook]:
        with self._account.lock:
            return list(self._account.webhooks.values())

    @property
    def mails(self) -> list[SentMail]:
        """Mails that the account's own triggers sent to requesters."""
        with self._account.lock:
            return list(self._account.mails)

    def requests(self, method: str | None = None, path_contains: str = "") -> list[LoggedRequest]:
        return self._log.all(method, path_contains)

    def as_dict(self, requests: bool = True) -> dict[str, Any]:
        """Everything, as JSON."""
        account = self._account
        with account.lock:
            shown: dict[str, Any] = {
                "now": account.clock.now().isoformat(),
                "tickets": [self._ticket(t) for t in account.tickets.values()],
                "users": [render.user("", u) for u in account.users.values()],
                "webhooks": [
                    {**render.webhook(w), "invocations": len(w.invocations)} for w in account.webhooks.values()
                ],
                "creations": [{"external_id": k, "count": n} for k, n in self.creations.items()],
                "markers": dict(self.markers),
                "mails": [{"ticket_id": m.ticket_id, "to": m.to, "subject": m.subject} for m in account.mails],
            }
        if requests:
            shown["requests"] = [entry.as_dict() for entry in self._log.all()]
        return shown

    def _ticket(self, ticket: Ticket) -> dict[str, Any]:
        shown = render.ticket(self._account, "", ticket)
        return {**shown, "comments": [render.comment(c) for c in ticket.comments],
                "audits": [render.audit(a) for a in ticket.audits]}  # fmt: skip
