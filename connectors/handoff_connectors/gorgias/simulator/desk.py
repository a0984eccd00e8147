"""The simulated Gorgias as one object: start it, use it, spoil it, look into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from handoff_connectors.gorgias.simulator import remote
from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.agents import AgentActions
from handoff_connectors.gorgias.simulator.api import Api
from handoff_connectors.gorgias.simulator.app import all_endpoints, build
from handoff_connectors.gorgias.simulator.auth import Authenticator
from handoff_connectors.gorgias.simulator.hooks import HookHub
from handoff_connectors.gorgias.simulator.limits import RateLimiter
from handoff_connectors.gorgias.simulator.pages import GorgiasPages
from handoff_connectors.gorgias.simulator.seed import Credentials
from handoff_connectors.gorgias.simulator.settings import Limits, SimulatorSettings
from handoff_connectors.gorgias.simulator.state import SimulatorState
from handoff_sync.simulator.agent_routes import agent_routes
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.control import Control, control_routes
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.simulator.webhook_faults import WebhookFaults
from handoff_sync.simulator.webhooks import WebhookSender


class GorgiasSimulator(AgentActions):
    """A Gorgias account on a loopback port. Nothing is kept once the object is gone; `stop` and `start` keep it.

    The agents' doings (`reply`, `assign`, `snooze`, ...) are methods. `clock`, `faults` and `webhook_faults` make
    trouble; `state` tells what happened; `settings` may be changed at any time.
    """

    def __init__(
        self,
        domain: str = "acme",
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        settings: SimulatorSettings | None = None,
    ) -> None:
        self.settings = settings or SimulatorSettings()
        self.settings.domain = domain
        if limits is not None:
            self.settings.limits = limits
        self._settings_at_start = replace(self.settings)
        self.clock, self.faults, self.log = SimulatorClock(), Faults(), RequestLog()
        self.account = Account(self.settings, self.clock)
        super().__init__(self.account)
        self.auth, self.limiter = Authenticator(self.account), RateLimiter(self.clock)
        self._hub = HookHub(self.account)
        self.state = SimulatorState(self.account, self.log)
        self.api = Api(self.account, self.auth, self.limiter, all_endpoints())
        control = Control(self.faults, self.log, self.clock, self.webhooks, lambda: self.state.as_dict(), self.reset,
                          self.apply_settings, self.act)  # fmt: skip
        routes = [*control_routes(control), *agent_routes(GorgiasPages(self.account, self))]
        app = build(self.api, self.faults, self.log, self.clock, domain, routes)
        self._server = LoopbackServer(app, host, port)

    @property
    def domain(self) -> str:
        return self.settings.domain

    @property
    def base_url(self) -> str:
        """Address of this server, in place of https://{domain}.gorgias.com. Without a slash at the end."""
        return self._server.base_url

    @property
    def agent_url(self) -> str:
        return f"{self.base_url}/agent"

    @property
    def credentials(self) -> Credentials:
        return self.account.credentials

    @property
    def webhooks(self) -> WebhookSender:
        return self._hub.sender

    @property
    def webhook_faults(self) -> WebhookFaults:
        return self._hub.sender.faults

    def start(self) -> GorgiasSimulator:
        """Serve in a thread of this process."""
        self._server.start()
        self._hub.sender.start()
        self.account.agenda.start()
        return self

    def stop(self) -> None:
        """Stop answering and sending; the account stays as it is."""
        self.account.agenda.stop()
        self._hub.sender.stop()
        self._server.stop()

    def wait(self) -> None:
        self._server.wait()

    def __enter__(self) -> GorgiasSimulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def reset(self) -> None:
        """A fresh account at the same address, with the settings of the start; no faults, real time."""
        with self.account.lock:
            for field in fields(self.settings):
                setattr(self.settings, field.name, getattr(self._settings_at_start, field.name))
            self.webhooks.clear()
            self.faults.clear()
            self.clock.reset()
            self.account.reset()
            self.auth.reset()
            self.limiter.clear()
            self.log.clear()

    def act(self, action: str, arguments: Mapping[str, Any]) -> None:
        """An agent's action by name, for the control API."""
        remote.act(self, action, arguments)

    def apply_settings(self, wanted: Mapping[str, Any]) -> None:
        with self.account.lock:
            remote.apply_settings(self.settings, wanted)
