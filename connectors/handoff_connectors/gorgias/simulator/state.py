"""What a test or a person may want to know about the account: the control API's `state`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from handoff_connectors.gorgias.simulator import render
from handoff_connectors.gorgias.simulator.account import Account, SentMail
from handoff_connectors.gorgias.simulator.model import Customer, Event, Integration, Message, Ticket, User
from handoff_sync.simulator.request_log import LoggedRequest, RequestLog


class SimulatorState:
    """A view of the account. Objects are the live ones: read them, do not change them."""

    def __init__(self, account: Account, log: RequestLog) -> None:
        self._account, self._log = account, log

    @property
    def tickets(self) -> list[Ticket]:
        """All tickets, trashed, deleted and merged ones too, oldest first."""
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

    def messages(self, ticket_id: int | str, public: bool | None = None) -> list[Message]:
        """Messages of a ticket, oldest first; only public ones or only notes when asked."""
        with self._account.lock:
            return [m for m in self.ticket(ticket_id).messages if public in (None, not m.is_note)]

    def texts(self, ticket_id: int | str, public: bool | None = None) -> list[str]:
        return [message.body_text for message in self.messages(ticket_id, public)]

    def tags(self, ticket_id: int | str) -> list[str]:
        with self._account.lock:
            return [self._account.tags[tag_id].name for tag_id in self.ticket(ticket_id).tags]

    @property
    def creations(self) -> Counter[str | None]:
        """How many tickets were ever made per external id. More than 1 is a doubled ticket."""
        with self._account.lock:
            return Counter(self._account.creations)

    @property
    def markers(self) -> Counter[str]:
        """How many messages were ever written per external id. More than 1 is a doubled write."""
        with self._account.lock:
            return Counter(self._account.written)

    @property
    def users(self) -> list[User]:
        with self._account.lock:
            return list(self._account.users.values())

    @property
    def customers(self) -> list[Customer]:
        with self._account.lock:
            return list(self._account.customers.values())

    def customer(self, customer_id: int) -> Customer:
        return self._account.customers[customer_id]

    @property
    def integrations(self) -> list[Integration]:
        with self._account.lock:
            return list(self._account.integrations.values())

    @property
    def events(self) -> list[Event]:
        """The history, oldest first, without the delay that the API has."""
        with self._account.lock:
            return list(self._account.events)

    @property
    def mails(self) -> list[SentMail]:
        """Mails that Gorgias sent by itself: to customers, and to the admin about an integration."""
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
                "tickets": [self._ticket(ticket) for ticket in account.tickets.values()],
                "customers": [render.customer(customer) for customer in account.customers.values()],
                "users": [render.user(account, user) for user in account.users.values()],
                "integrations": [
                    {**render.integration(account, i), "failures": i.failures} for i in account.integrations.values()
                ],
                "events": [render.event(event) for event in account.events],
                "creations": [{"external_id": k, "count": n} for k, n in self.creations.items()],
                "markers": dict(self.markers),
                "mails": [{"ticket_id": m.ticket_id, "to": m.to, "subject": m.subject} for m in account.mails],
            }
        if requests:
            shown["requests"] = [entry.as_dict() for entry in self._log.all()]
        return shown

    def _ticket(self, ticket: Ticket) -> dict[str, Any]:
        return {**render.ticket(self._account, ticket), "merged_into": ticket.merged_into,
                "deleted_datetime": render.moment(ticket.deleted_at)}  # fmt: skip
