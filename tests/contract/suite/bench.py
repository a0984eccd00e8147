"""The bench on which a connector is tried: its own simulated helpdesk over real sockets, and what the service lends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NoReturn

import pytest

from handoff_sync.contract.connector import (
    Capabilities,
    CommentDraft,
    CommentRef,
    Connector,
    Journal,
    Requester,
    TicketComment,
    TicketDraft,
    TicketRef,
    TicketSnapshot,
    WebhookRequest,
)
from handoff_sync.contract.features import Feature
from handoff_sync.core.model import AuthorClass, Customer, Message
from handoff_sync.errors import OutcomeUnknown, VendorDown
from handoff_sync.simulator.desk import Desk
from handoff_sync.simulator.faults import Fault, FaultKind
from tests.contract.suite.parts import MemoryJournal, Spending, StoredSecrets

CANARY = "c4n4ry"
"""Stands in every secret of a bench; no error, log or journal may show it."""
WORDS = "words-of-a-customer"
"""Stand in every text that a bench sends; no error or log may show them."""

ANA = Requester(
    external_id="acme:c-1", customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True)
)
MINUTES_OF_PATIENCE = 10


class Bench:
    """One connector kind and its helpdesk. `make` builds the connector: class or broken copy of it."""

    def __init__(self, desk: Desk, make: Callable[..., Connector]) -> None:
        self.desk = desk
        self.capabilities: Capabilities = make.capabilities  # type: ignore[attr-defined]
        self.secrets = StoredSecrets(desk.access.secrets)
        self.settings: dict[str, object] = {**desk.access.settings, **desk.hurried}
        self.spending = Spending()
        self.journal = MemoryJournal()
        self._make = make
        self._made: list[Connector] = []
        self._first: Connector | None = None

    def close(self) -> None:
        for connector in self._made:
            connector.close()

    # --- connectors --------------------------------------------------------------------------------

    @property
    def connector(self) -> Connector:
        """The one of this process."""
        if self._first is None:
            self._first = self.another()
        return self._first

    def another(self, **settings: object) -> Connector:
        """A connector of the same connection in another process: same secrets and settings, nothing remembered."""
        model = self._make.settings_model  # type: ignore[attr-defined]
        made = self._make(model.model_validate({**self.settings, **settings}), self.secrets, self.spending)
        self._made.append(made)
        return made

    def needs(self, feature: Feature) -> None:
        """Ends the clause where the helpdesk cannot do it, with the reason that the capabilities give."""
        if not self.capabilities.can(feature):
            self.exempt(feature)

    def exempt(self, feature: Feature) -> NoReturn:
        pytest.skip(f"{self.desk.title}, {feature.value}: {self.capabilities.cannot[feature]}")

    # --- drafts --------------------------------------------------------------------------------------

    def draft(self, external_id: str = "hs:acme:1", **fields: Any) -> TicketDraft:
        """A ticket with a transcript of two messages."""
        said = (
            Message(id="m-1", author_class=AuthorClass.CUSTOMER, text=f"{WORDS} one", at=_at(1)),
            Message(id="m-2", author_class=AuthorClass.AI, text=f"{WORDS} two", at=_at(2)),
        )
        whole = TicketDraft(
            external_id=external_id,
            subject="Customer needs your help: Ana Example",
            requester=ANA,
            html=f'<p dir="auto"><strong>Conversation</strong></p><p dir="auto">{WORDS} one</p>'
            f'<p dir="auto">{WORDS} two</p>',
            tags=("handoff-sync", "human-handoff"),
            said=said,
        )
        return replace(whole, **fields)

    def words(self, marker: str = "m-1", text: str = f"{WORDS} again", **fields: Any) -> CommentDraft:
        """What the customer says."""
        return replace(CommentDraft(marker=marker, html=f'<p dir="auto">{text}</p>', public=True, author=ANA), **fields)

    def remark(self, marker: str = "n-1", text: str = "a note of ours", **fields: Any) -> CommentDraft:
        """An internal note of ours."""
        return replace(CommentDraft(marker=marker, html=f'<p dir="auto">{text}</p>', public=False), **fields)

    # --- as the service does ---------------------------------------------------------------------------

    def opened(self, external_id: str = "hs:acme:1", connector: Connector | None = None, **fields: Any) -> str:
        """The id of a ticket that was opened."""
        return (connector or self.connector).open(self.draft(external_id, **fields), MemoryJournal()).id

    def persist(self, attempt: Callable[[], Any]) -> Any:
        """The attempt's result; where it says "later", time passes and it is made again."""
        waited = 0.0
        while True:
            try:
                return attempt()
            except VendorDown as later:
                wait = max(later.retry_after_s or 1.0, 0.1)
                waited += wait
                if waited > MINUTES_OF_PATIENCE * 60:
                    raise
                self.pass_time(wait)

    def open_again(self, draft: TicketDraft, journal: Journal, connector: Connector) -> TicketRef:
        """What delivery does after an uncertain end: settle, look, adopt or open again, until it is certain."""
        for _ in range(5):
            self.pass_time(self.capabilities.settle_s + 1)
            try:
                found = self.persist(lambda: connector.find(draft.external_id))
                if found is not None:
                    return found
                return self.persist(lambda: connector.open(draft, journal))
            except OutcomeUnknown:
                continue
        raise AssertionError("The outcome stays unknown.")

    def append_again(self, ticket: str, comment: CommentDraft, journal: Journal, connector: Connector) -> CommentRef:
        """What delivery does after an uncertain end: look for the marker, append if it is not there."""
        found = self.persist(lambda: connector.find_appended(ticket, comment.marker))
        return found or self.persist(lambda: connector.append(ticket, comment, journal))

    def read(self, ticket: str, cursor: str | None = None, connector: Connector | None = None) -> TicketSnapshot:
        return self.persist(lambda: (connector or self.connector).read(ticket, cursor))

    def heard(self, ticket: str, cursor: str | None = None) -> list[TicketComment]:
        """What a reading would relay to the customer: the service's own allow-list."""
        comments = self.read(ticket, cursor).comments
        return [comment for comment in comments if comment.public and comment.author == "agent"]

    def pass_time(self, seconds: float) -> None:
        self.desk.simulator.clock.advance(seconds)

    def spoil(self, kind: FaultKind, call: str = "opening", **fields: Any) -> Fault:
        """Something goes wrong with the next call of this kind: opening, appending, reading or any."""
        if call != "any":
            where = getattr(self.desk, call)
            fields = {"method": where.method, "path": where.path, **fields}
        return self.desk.simulator.faults.add(Fault(kind=kind, **fields))

    def texts(self, ticket: str) -> str:
        """Everything that stands on a ticket."""
        return "\n".join(comment.text for comment in self.desk.ticket(ticket).comments)

    # --- webhooks ----------------------------------------------------------------------------------------

    @contextmanager
    def listening(self) -> Iterator[Webhooks]:
        """An address that the helpdesk calls from now on; the connector has installed it."""
        with taking_webhooks() as hooks:
            installed = self.connector.install_webhook(hooks.url)
            self.remember(installed.changes)
            self.desk.set_webhook(hooks.url)
            yield hooks

    def remember(self, changes: Mapping[str, str]) -> None:
        """What an installation changed is stored; `connector` is made anew."""
        sealed = {name: value for name, value in changes.items() if "secret" in name or "token" in name}
        self.secrets.secrets = {**self.secrets.secrets, **sealed}
        self.settings |= {name: value for name, value in changes.items() if name not in sealed}
        self._first = None


class Webhooks:
    """What came, in order."""

    def __init__(self, url: str, came: list[WebhookRequest]) -> None:
        self.url = url
        self.came = came


@contextmanager
def taking_webhooks() -> Iterator[Webhooks]:
    """Takes every webhook in with a 200, as our service does."""
    came: list[WebhookRequest] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.append(WebhookRequest(headers, body, datetime.now(UTC)))
            self._good()

        def do_HEAD(self) -> None:
            self._good()

        do_GET = do_HEAD

        def _good(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Webhooks(f"http://127.0.0.1:{server.server_port}/hooks/1", came)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _at(minute: int) -> datetime:
    return datetime(2026, 3, 2, 9, minute, tzinfo=UTC)
