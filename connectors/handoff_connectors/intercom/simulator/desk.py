"""The simulated Intercom as one object: start it, use it, spoil it, look into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from handoff_connectors.intercom.simulator import remote
from handoff_connectors.intercom.simulator.agents import AgentActions
from handoff_connectors.intercom.simulator.api import Api
from handoff_connectors.intercom.simulator.app import all_endpoints, build
from handoff_connectors.intercom.simulator.auth import Authenticator
from handoff_connectors.intercom.simulator.hooks import TOPICS, HookHub
from handoff_connectors.intercom.simulator.limits import RateLimiter
from handoff_connectors.intercom.simulator.pages import IntercomPages
from handoff_connectors.intercom.simulator.seed import Credentials
from handoff_connectors.intercom.simulator.settings import Limits, SimulatorSettings
from handoff_connectors.intercom.simulator.state import SimulatorState
from handoff_connectors.intercom.simulator.talk import wake_due
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.agent_routes import agent_routes
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.control import Control, control_routes
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.request_log import RequestLog
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.simulator.webhook_faults import WebhookFaults
from handoff_sync.simulator.webhooks import WebhookSender


class IntercomSimulator(AgentActions):
    """An Intercom workspace on a loopback port. Nothing is kept once the object is gone; `stop` and `start` keep it.

    The agents' doings (`reply`, `assign`, `close`, ...) are methods. `clock`, `faults` and `webhook_faults` make
    trouble; `state` tells what happened; `settings` may be changed at any time. All regions are this one address.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        settings: SimulatorSettings | None = None,
    ) -> None:
        self.settings = settings or SimulatorSettings()
        if limits is not None:
            self.settings.limits = limits
        self._settings_at_start = replace(self.settings)
        self.clock, self.faults, self.log = SimulatorClock(), Faults(), RequestLog()
        self.workspace = Workspace(self.settings, self.clock)
        super().__init__(self.workspace)
        self.auth, self.limiter = Authenticator(self.workspace), RateLimiter(self.clock)
        self._hub = HookHub(self.workspace)
        self.state = SimulatorState(self.workspace, self.log)
        self.api = Api(self.workspace, self.auth, self.limiter, all_endpoints())
        self.clock.on_advance(self._wake)
        control = Control(self.faults, self.log, self.clock, self.webhooks, lambda: self.state.as_dict(), self.reset,
                          self.apply_settings, self.act)  # fmt: skip
        routes = [*control_routes(control), *agent_routes(IntercomPages(self.workspace, self))]
        app = build(self.api, self.auth, self.settings, self.faults, self.log, self.clock, routes)
        self._server = LoopbackServer(app, host, port)

    @property
    def app_id(self) -> str:
        """The workspace's id, which also names it in webhooks."""
        return self.settings.app_id

    @property
    def base_url(self) -> str:
        """Address of this server, in place of https://api.intercom.io. Without a slash at the end."""
        return self._server.base_url

    @property
    def agent_url(self) -> str:
        return f"{self.base_url}/agent"

    @property
    def credentials(self) -> Credentials:
        return self.workspace.credentials

    @property
    def webhooks(self) -> WebhookSender:
        return self._hub.sender

    @property
    def webhook_faults(self) -> WebhookFaults:
        return self._hub.sender.faults

    def set_webhook(self, url: str, topics: Iterable[str] = TOPICS) -> None:
        """What a person does in the Developer Hub, for which there is no API. The address must answer HEAD.

        Raises:
            ValueError: it does not.
        """
        self._hub.subscribe(url, topics)

    def ping(self) -> None:
        """Send the periodic sign of life."""
        self._hub.ping()

    def start(self) -> IntercomSimulator:
        """Serve in a thread of this process."""
        self._server.start()
        self._hub.sender.start()
        return self

    def stop(self) -> None:
        """Stop answering and sending; the workspace stays as it is."""
        self._hub.sender.stop()
        self._server.stop()

    def wait(self) -> None:
        self._server.wait()

    def __enter__(self) -> IntercomSimulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def reset(self) -> None:
        """A fresh workspace at the same address, with the settings of the start; no webhook, no faults, real time."""
        with self.workspace.lock:
            for field in fields(self.settings):
                setattr(self.settings, field.name, getattr(self._settings_at_start, field.name))
            self._hub.unsubscribe()
            self.webhooks.clear()
            self.faults.clear()
            self.clock.reset()
            self.workspace.reset()
            self.auth.reset()
            self.limiter.clear()
            self.log.clear()

    def act(self, action: str, arguments: Mapping[str, Any]) -> None:
        """An agent's action by name, for the control API."""
        remote.act(self, action, arguments)

    def apply_settings(self, wanted: Mapping[str, Any]) -> None:
        with self.workspace.lock:
            remote.apply_settings(self.settings, wanted)

    def _wake(self) -> None:
        with self.workspace.lock:
            wake_due(self.workspace)
