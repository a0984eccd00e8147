"""The whole delivery in one thread, on a clock that the test moves: nothing runs unless `work` is called."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.bootstrap import App, build
from handoff_sync.core.events import CustomerMessage, Event, HandoffRequested
from handoff_sync.core.model import AuthorClass, Customer, Message, Session, Trigger
from handoff_sync.core.policy import Mode, Policy
from handoff_sync.secret_keys import new_key
from handoff_sync.service.apply import Applied, on_conversation
from handoff_sync.settings import load_settings
from handoff_sync.store.migrate import migrate

ANA = Customer(external_id="u-1", name="Ana Ruiz", email="ana@example.com", email_verified=True)


@dataclass(slots=True)
class Rig:
    """One workspace, one simulated Zendesk, and the time of both."""

    app: App
    simulator: ZendeskSimulator
    workspace: str
    connection: str
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def work(self, rounds: int = 200) -> None:
        """Does everything that is due now."""
        for _ in range(rounds):
            self.app.sweeper.tick()
            due = self.app.reads.due_lanes(100)
            if not due:
                return
            for lane in due:
                self.app.runner.run(lane)
        raise AssertionError(f"Still due after {rounds} rounds: {self.app.reads.due_lanes(10)}")

    def advance(self, seconds: float) -> None:
        self.simulator.clock.advance(seconds)

    def apply(self, event: Event, conversation: str = "talk") -> Applied:
        return self.app.committer.run(on_conversation(self.workspace, conversation, event, customer=ANA))

    def say(self, text: str, conversation: str = "talk") -> Applied:
        number, now = next(self._numbers), self.simulator.clock.now()
        message = Message(id=f"m-{number}", author_class=AuthorClass.CUSTOMER, text=text, at=now)
        return self.apply(CustomerMessage(id=f"say-{number}", at=now, message=message), conversation)

    def hand_over(self, conversation: str = "talk") -> Applied:
        now, number = self.simulator.clock.now(), next(self._numbers)
        return self.apply(
            HandoffRequested(id=f"please-{number}", at=now, trigger=Trigger.CUSTOMER_REQUEST), conversation
        )

    def session(self, conversation: str = "talk") -> Session:
        session = self.app.reads.current_session(self.workspace, conversation)
        assert session is not None
        return session

    def ticket(self, conversation: str = "talk") -> int:
        remote = self.session(conversation).links[-1].remote_id
        assert remote is not None
        return int(remote)

    def parked(self) -> list[Any]:
        return list(self.app.reads.deliveries(self.workspace, status="parked").items)


def make_rig(folder: Path, simulator: ZendeskSimulator, policy: Policy | None = None, **settings: Any) -> Rig:
    """A started rig; `rig.app.stop()` ends it."""
    app = build(
        load_settings(data_dir=folder, secret_keys=new_key(), disk_floor_mb=0, **settings), clock=simulator.clock.now
    )
    migrate(app.db)
    app.start(workers=False, sweeper=False)
    policy = policy or Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0)
    workspace = app.admin.create_workspace("Acme", policy=policy).id
    known = simulator.credentials
    connection = app.admin.create_connection(
        workspace,
        "zendesk",
        "acme",
        {"subdomain": "acme", "client_id": known.client_id, "base_url": simulator.base_url},
        {"client_secret": known.client_secret},
    )
    return Rig(app, simulator, workspace, connection.id)
