"""A Gorgias that answers what a test scripts, byte for byte, over a real socket; and one that is simulated."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_connectors.gorgias.simulator import GorgiasSimulator, Limits, SimulatorSettings
from tests.connectors.zendesk.conftest import Heard, answer
from tests.contract.suite.parts import MemoryJournal, Spending, StoredSecrets
from tests.loopback import Server, serve

Said = bytes | Callable[[socket.socket], None]

ME = {"id": 900, "name": "Connector", "email": "bot@example.com", "role": {"name": "admin"}}
DANA = {"id": 500, "firstname": "Dana", "lastname": "Miller", "name": "Dana Miller", "email": "dana@example.com",
        "role": {"name": "agent"}}  # fmt: skip
CUSTOMER = {"id": 700, "name": "Ana Example", "external_id": "acme:c-1", "email": None}


def rows(*found: object, cursor: str | None = None) -> bytes:
    """A page of a list."""
    return answer(200, {"object": "list", "data": list(found), "meta": {"next_cursor": cursor}})


class Script:
    """Answers by the start of `METHOD /path`, the longest that fits; several answers are given in turn."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Said]] = {}
        self.raw: list[bytes] = []
        self.server: Server | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return self.server.url

    @property
    def heard(self) -> list[Heard]:
        assert self.server is not None
        return [_heard(raw) for raw in self.server.requests]

    def to(self, call: str) -> list[Heard]:
        """What was heard of calls such as `POST /api/tickets`, exactly."""
        return [h for h in self.heard if f"{h.method} {h.target.partition('?')[0]}" == call]

    def say(self, call: str, *answers: Said) -> None:
        self.answers[call] = list(answers)

    def __call__(self, peer: socket.socket) -> None:
        assert self.server is not None
        now = _heard(self.server.requests[-1])
        fitting = [call for call in self.answers if f"{now.method} {now.target}".startswith(call)]
        if not fitting:
            peer.sendall(answer(418, {"error": {"msg": f"nothing is scripted for {now.method} {now.target}"}}))
            peer.close()
            return
        waiting = self.answers[max(fitting, key=len)]
        said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if callable(said):
            said(peer)
        else:
            peer.sendall(said)
        peer.close()  # every scripted answer ends its connection


def _heard(raw: bytes) -> Heard:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (re.split(": *", line, maxsplit=1) for line in lines)}
    method, target, _ = first.split(" ")
    return Heard(method, target, headers, body)


@pytest.fixture
def gorgias() -> Iterator[Script]:
    """Knows who we are, and one customer and agent."""
    script = Script()
    with serve(script) as server:
        script.server = server
        script.say("GET /api/users/0", answer(200, ME))
        script.say("GET /api/users/500", answer(200, DANA))
        script.say("GET /api/customers", rows(CUSTOMER))
        script.say("GET /api/events", rows())
        yield script


@pytest.fixture
def secrets() -> StoredSecrets:
    return StoredSecrets(api_key="key-canary", webhook_secret="hook-canary")


@pytest.fixture
def spending() -> Spending:
    return Spending()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


def scripted(gorgias: Script, secrets: StoredSecrets, limiter: Spending | None = None, **more: Any) -> GorgiasConnector:
    chosen = {"domain": "acme", "email": "bot@example.com", "base_url": gorgias.url, **more}
    return GorgiasConnector(GorgiasSettings.model_validate(chosen), secrets, limiter or Spending())


@pytest.fixture
def connector(gorgias: Script, secrets: StoredSecrets, spending: Spending) -> Iterator[GorgiasConnector]:
    made = scripted(gorgias, secrets, spending)
    yield made
    made.close()


# --- the simulated one ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[GorgiasSimulator]:
    with GorgiasSimulator(limits=Limits.off()) as simulator:
        yield simulator


_OPEN: list[GorgiasConnector] = []


@pytest.fixture
def desk(running: GorgiasSimulator) -> Iterator[GorgiasSimulator]:
    """A fresh account without limits and delays; starting a server takes longer than most tests."""
    running.reset()
    fresh = SimulatorSettings(limits=Limits.off(), list_lag_s=0.0, event_lag_s=0.0)
    for field in fields(fresh):
        setattr(running.settings, field.name, getattr(fresh, field.name))
    yield running
    while _OPEN:
        _OPEN.pop().close()


def connect(desk: GorgiasSimulator, **settings: object) -> GorgiasConnector:
    """A connector that ends with the fixture `desk`."""
    known = desk.credentials
    chosen = {"domain": "acme", "email": known.email, "client_id": known.client_id, "base_url": desk.base_url,
              **settings}  # fmt: skip
    secrets = StoredSecrets(api_key=known.api_key, client_secret=known.client_secret, refresh_token=known.refresh_token)
    made = GorgiasConnector(GorgiasSettings.model_validate(chosen), secrets, Spending())
    _OPEN.append(made)
    return made


@pytest.fixture
def bot(desk: GorgiasSimulator) -> GorgiasConnector:
    return connect(desk)


def decoded(heard: Heard) -> Any:
    return json.loads(heard.body)
