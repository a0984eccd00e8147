"""The rig at a helpdesk of any kind: people act at the desk, and what they did is noticed by sweep or webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from handoff_sync.bootstrap import App, build
from handoff_sync.contract.connector import Capabilities
from handoff_sync.contract.features import Feature
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.events import Event
from handoff_sync.core.model import SYSTEM, Actor, ActorKind, LinkState, Phase, TicketLink
from handoff_sync.core.policy import Mode, Policy, Recipient
from handoff_sync.delivery.connecting import set_up
from handoff_sync.secret_keys import new_key
from handoff_sync.service.hooks import look_again
from handoff_sync.settings import load_settings
from handoff_sync.simulator.desk import Desk, DeskComment
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.store.committer import Job
from handoff_sync.web import make_app
from tests.delivery.rig import Rig
from tests.engines import free_port
from tests.loopback import Server, serve

SWEEP_S = 300.0
"""How often the sweep looks, where it is the way to notice something."""
EVA = Actor(kind=ActorKind.MEMBER, id="m-eva", name="Eva", via="console")
POLICY = Policy(
    handover_mode=Mode.AUTOMATIC,
    claim_reminder_minutes=None,
    recipients=(Recipient(email="team@example.com"),),
)


@dataclass(slots=True)
class DeskRig(Rig):
    """One workspace, one simulated helpdesk of any kind.

    `way` is how we notice what happens there: `told` (each ticket is looked at, as after a webhook), `hooks` (by the
    helpdesk's own webhooks alone) or `sweep` (by its list of changes alone).
    """

    desk: Desk = field(kw_only=True)
    platform: Server = field(kw_only=True)
    way: str = field(kw_only=True)

    # --- what the helpdesk can do -----------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        return connector_class(self.desk.kind).capabilities

    def needs(self, feature: Feature) -> None:
        """Ends the test where the helpdesk cannot do it, with the reason that the capabilities give."""
        if not self.capabilities.can(feature):
            self.exempt(feature)

    def exempt(self, feature: Feature) -> NoReturn:
        pytest.skip(f"{self.desk.title}, {feature.value}: {self.capabilities.cannot[feature]}")

    # --- setting up -------------------------------------------------------------------------------

    def follow(self, **changes: Any) -> None:
        """Changes the policy; handoffs that run keep theirs."""
        self.app.admin.update_workspace(self.workspace, policy=replace(POLICY, **changes))

    def opened(self, talk: str = "talk") -> str:
        """A customer who spoke and was handed over; the id of their ticket."""
        self.say(f"<<first of {talk}>>", talk)
        self.hand_over(talk)
        self.work()
        return self.ticket_id(talk)

    # --- time -------------------------------------------------------------------------------------

    def notice(self) -> None:
        """What happened at the helpdesk gets to us, and everything that follows from it."""
        self.advance(1)  # nobody does two things within a second
        match self.way:
            case "hooks":
                assert self.desk.simulator.webhooks.wait_idle()  # type: ignore[attr-defined]
            case "sweep":
                self.advance(SWEEP_S)
            case _:
                self.look(*self.desk.ticket_ids())
        self.work()

    def look(self, *tickets: str) -> None:
        """As a webhook that names these tickets."""
        self.app.committer.run(Job(run=lambda uow: look_again(uow, self.connection, tickets)))
        self.work()

    def later(self, seconds: float) -> None:
        """Time passes in steps, with everything that falls due in it."""
        while seconds > 0:
            self.advance(min(seconds, 60))
            self.work()
            seconds -= 60

    # --- our side ---------------------------------------------------------------------------------

    def order(self, kind: type[Event], actor: Actor = SYSTEM, talk: str = "talk", **fields: Any) -> None:
        """An event of the console or the platform."""
        name = f"{kind.__name__}-{next(self._numbers)}"
        self.apply(kind(id=name, at=self.simulator.clock.now(), actor=actor, **fields), talk)
        self.work()

    def phase(self, talk: str = "talk") -> Phase:
        return self.session(talk).phase

    def link(self, talk: str = "talk") -> TicketLink:
        """The newest."""
        return self.session(talk).links[-1]

    def link_state(self, talk: str = "talk") -> LinkState:
        return self.link(talk).state

    def ticket_id(self, talk: str = "talk") -> str:
        remote = self.link(talk).remote_id
        assert remote is not None
        return remote

    def heard(self, talk: str = "talk") -> list[str]:
        """What the platform was told to say to the customer, in order."""
        return [
            str(told["data"]["message"]["text"])
            for told in self.told()
            if told["type"] == "message.deliver" and told["data"]["conversation_id"] == talk
        ]

    def told(self) -> list[dict[str, Any]]:
        """Every callback to the platform."""
        return [dict(json.loads(request.partition(b"\r\n\r\n")[2])) for request in self.platform.requests]

    def markers(self, talk: str = "talk") -> list[str]:
        return [m.message.text for m in self.app.reads.messages(self.session(talk).id) if m.kind == "marker"]

    def outbox(self, talk: str = "talk") -> list[Any]:
        """Every delivery of the talk's session, oldest first."""
        rows = self.app.reads.deliveries(self.workspace, limit=500).items
        session = self.session(talk).id
        return [row for row in reversed(rows) if row.session_id == session]

    def loud(self, talk: str = "talk") -> list[str]:
        """The alerts and mails about a ticket in trouble."""
        rows = [row for row in self.outbox(talk) if row.kind == "alert.ops" or "ticket_failed" in row.key]
        return [row.key.split(":")[1] if row.kind == "alert.ops" else "mail" for row in rows]

    def stuck(self) -> list[str]:
        """What waits for a person on its way to a ticket."""
        return [row.kind for row in self.parked() if row.kind.startswith("ticket.")]

    def lines(self, talk: str = "talk") -> str:
        return "\n".join(line.text for line in self.app.reads.timeline(self.session(talk).id))

    # --- the helpdesk -----------------------------------------------------------------------------

    def stranger(self) -> str:
        """A ticket that no session of ours has, with an answer on it."""
        (ticket,) = self.desk.crowd(1)
        self.desk.reply(ticket, "OLD answer of another talk")
        return ticket

    def on(self, ticket: str, text: str) -> list[DeskComment]:
        """The comments of a ticket in which the text stands."""
        return [said for said in self.desk.ticket(ticket).comments if text in said.text]

    def notes_on(self, ticket: str) -> list[str]:
        return [said.text for said in self.desk.ticket(ticket).comments if not said.public]


@contextmanager
def desk_rig(folder: Path, database: str, desk: Desk, way: str = "told", **settings: Any) -> Iterator[DeskRig]:
    """A started rig at a started desk, with a platform that takes every callback. The database is migrated."""
    url = f"http://127.0.0.1:{free_port()}"
    chosen: dict[str, Any] = {
        "data_dir": folder,
        "database_url": database,
        "secret_keys": new_key(),
        "disk_floor_mb": 0,
        "poll_interval_s": SWEEP_S if way == "sweep" else 1e6,
        "private_destinations": ("127.0.0.0/8",),
        "log_level": "error",
    }
    app = build(load_settings(**(chosen | settings)), clock=desk.simulator.clock.now)
    app.start(workers=False, sweeper=False)
    with ExitStack() as stack:
        stack.callback(app.stop)
        platform = stack.enter_context(serve())
        workspace = app.admin.create_workspace("Acme", policy=POLICY).id
        app.admin.create_endpoint(workspace, platform.url)
        if way == "hooks":
            server = LoopbackServer(make_app(app, workers=False), port=int(url.rpartition(":")[2]))
            server.start()
            stack.callback(server.stop)
            connection = _set_up(app, workspace, desk, url)
        else:
            access = desk.access
            kept = {**access.settings, **desk.hurried}
            connection = app.admin.create_connection(workspace, desk.kind, desk.title, kept, dict(access.secrets)).id
        yield DeskRig(app, desk.simulator, workspace, connection, desk=desk, platform=platform, way=way)  # type: ignore[arg-type]


def _set_up(app: App, workspace: str, desk: Desk, url: str) -> str:
    """As a person connects it, webhook and all."""
    given = {**desk.access.settings, **desk.hurried, **desk.access.secrets}
    done = set_up(app.admin, app.connections, workspace, desk.kind, desk.title, given, f"{url}/hooks")
    assert done.connection is not None, done.findings
    desk.set_webhook(f"{url}/hooks/{done.connection.hook_token}")
    return done.connection.id
