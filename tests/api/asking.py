"""A service at which people are asked to decide: customers talk, an AI asks, and every recipient has a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from handoff_sync.bootstrap import build
from handoff_sync.core import events as ev
from handoff_sync.core.model import Actor, ActorKind, AuthorClass, Customer, Message, Person, Session, Trigger
from handoff_sync.core.policy import Mode, Policy, Recipient
from handoff_sync.secret_keys import new_key
from handoff_sync.service.apply import Applied, on_conversation, on_session
from handoff_sync.service.decision_links import DecisionLinks
from handoff_sync.settings import load_settings
from handoff_sync.store.admin import Admin
from handoff_sync.store.committer import Committer
from handoff_sync.store.reads import Reads
from handoff_sync.web import make_app

HTTPS = "https://handoff.example.com"
ANA = Recipient(email="ana@example.com", name="Ana Admin")
BEN = Recipient(email="ben@example.com", name="Ben Boss", language="pt-BR")
EVA = Recipient(email="eva@example.com", name="Eva", language="es")
POLICY = Policy(
    handover_mode=Mode.SEMI_AUTOMATIC, recipients=(ANA, BEN, EVA), chat_url="https://chat.example.com/{conversation_id}"
)
KIM = Customer(external_id="c-1", name="Kim Customer", email="kim@example.com", email_verified=True)
AI = Actor(kind=ActorKind.AI, id="bot", name="Robo", via="api")


@dataclass
class Clock:
    """Real time that a test can push on, or stop."""

    ahead: timedelta = timedelta()
    stopped: datetime | None = None

    def now(self) -> datetime:
        return (self.stopped or datetime.now(UTC)) + self.ahead

    def on(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class Asking:
    """`public_url` is what the page takes for its own origin."""

    committer: Committer
    admin: Admin
    reads: Reads
    app: FastAPI
    links: DecisionLinks
    clock: Clock
    public_url: str
    count: int = 0

    # --- what happens to sessions ---------------------------------------------------------------------------------

    def _ids(self) -> dict[str, Any]:
        self.count += 1
        return {"id": f"e{self.count}", "at": self.clock.now()}

    def tell(self, event: ev.Event, conversation: str = "c1", workspace: str = "ws_1") -> Applied:
        return self.committer.run(on_conversation(workspace, conversation, event, customer=KIM))

    def says(
        self,
        text: str,
        by: AuthorClass = AuthorClass.CUSTOMER,
        conversation: str = "c1",
        workspace: str = "ws_1",
    ) -> Session:
        ids = self._ids()
        author = Person(id="bot", name="Robo") if by is AuthorClass.AI else None
        message = Message(id=f"m{self.count}", author_class=by, text=text, at=ids["at"], author=author)
        event: ev.Event = ev.CustomerMessage(**ids, message=message)
        if by is AuthorClass.AI:
            event = ev.AiMessageSent(**ids, actor=AI, message=message)
        applied = self.tell(event, conversation, workspace)
        assert applied.session is not None
        return applied.session

    def ask(self, conversation: str = "c1", workspace: str = "ws_1", **fields: Any) -> Session:
        """The customer says something, and the AI asks for a person."""
        self.says("Where is my order 77?", conversation=conversation, workspace=workspace)
        known = {"trigger": Trigger.SCENARIO, "scenario": "Refunds", "reason": "Asked three times"} | fields
        applied = self.tell(ev.HandoffRequested(**self._ids(), actor=AI, **known), conversation, workspace)
        assert applied.session is not None and applied.session.decision is not None
        return applied.session

    def act(self, session: Session, event: type[Any], actor: Actor | None = None, **fields: Any) -> Applied:
        known = {"actor": actor} if actor is not None else {}
        return self.committer.run(on_session(session.workspace, session.id, event(**self._ids(), **known, **fields)))

    def session(self, session: Session) -> Session:
        found = self.reads.session_by_id(session.id)
        assert found is not None
        return found

    # --- people at their browsers ---------------------------------------------------------------------------------

    def link(self, session: Session, recipient: Recipient = ANA) -> str:
        """The path of the recipient's link."""
        url, _ = self.links.decision_url(self.session(session), len(self.session(session).handoffs), recipient)
        return url.removeprefix(self.public_url)

    def code(self, session: Session, recipient: Recipient = ANA) -> str:
        return self.links.decision_url(self.session(session), len(session.handoffs), recipient)[1]

    def browser(self) -> Browser:
        """Somebody's own browser: no cookies yet."""
        client = TestClient(self.app, base_url=self.public_url, follow_redirects=False)
        return Browser(client, self.clock)


NONCE = re.compile(r'name="nonce" value="([^"]+)"')


@dataclass
class Browser:
    """Sends forms as browsers do: with origin, site and cookies."""

    client: TestClient
    clock: Clock

    def open(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def nonce(self, path: str) -> str:
        found = NONCE.search(self.open(path).text)
        assert found is not None, "no form"
        return found[1]

    def send(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        known = {"origin": "null", "sec-fetch-site": "same-origin"} | given
        return self.client.post(path, data=fields, headers=known)

    def decide(self, path: str, choice: str, look_s: float = 5, **fields: str) -> Any:
        """Opens the page, looks at it for a while, and answers."""
        nonce = self.nonce(path)
        self.clock.on(seconds=look_s)
        return self.send(path, {"nonce": nonce, "choice": choice, **fields})


@contextmanager
def asking(url: str, policy: Policy = POLICY, public_url: str = HTTPS, **changes: Any) -> Iterator[Asking]:
    """Two workspaces, ws_1 and ws_2, on this database; policy settings may be changed. Nothing is delivered."""
    clock = Clock()
    settings = load_settings(database_url=url, secret_keys=new_key(), public_url=public_url, disk_floor_mb=0)
    parts = build(settings, clock=clock.now)
    app = make_app(parts, workers=False)
    app.state.deps = replace(app.state.deps, clock=clock.now)
    parts.start(workers=False, sweeper=False)
    try:
        for number in ("1", "2"):
            parts.admin.create_workspace(f"Shop {number}", replace(policy, **changes), id=f"ws_{number}")
        yield Asking(parts.committer, parts.admin, parts.reads, app, parts.decision_links, clock, public_url)
    finally:
        parts.stop()
