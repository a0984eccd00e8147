"""A simulated helpdesk as one object: start it, use it, spoil it, look into it. What is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from handoff_sync.simulator.agent_routes import agent_routes
from handoff_sync.simulator.agent_views import AgentDesk
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.control import Control, control_routes
from handoff_sync.simulator.entrance import Entrance, app
from handoff_sync.simulator.faults import Faults
from handoff_sync.simulator.remote import RateLimits, act, apply_settings
from handoff_sync.simulator.request_log import RequestLog
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.simulator.webhook_faults import WebhookFaults
from handoff_sync.simulator.webhooks import WebhookSender


class HelpdeskSettings(Protocol):
    """A dataclass: what the helpdesk is like. May be changed while it runs."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    limits: Any


class Store(Protocol):
    """Everything that the helpdesk knows."""

    @property
    def lock(self) -> AbstractContextManager[Any]: ...

    def reset(self) -> None:
        """A fresh account."""
        ...


S = TypeVar("S", bound=HelpdeskSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What a helpdesk brings of its own. `forget` makes fresh whatever is not in the store; called with its lock."""

    store: Store
    entrance: Entrance
    sender: WebhookSender
    pages: AgentDesk
    state: Callable[[], Mapping[str, Any]]
    forget: Sequence[Callable[[], None]] = ()


class SimulatedHelpdesk(Generic[S]):
    """One account on a loopback port. Nothing is kept once the object is gone; `stop` and `start` keep it.

    `clock`, `faults` and `webhook_faults` make trouble; `settings` may be changed at any time. A helpdesk calls
    `open_at` once at the end of its own `__init__`.
    """

    actions: ClassVar[tuple[str, ...]]
    """Methods that another process may call by name."""
    kept: ClassVar[frozenset[str]] = frozenset()
    """Settings that are part of the address and so cannot be changed while it runs."""

    def __init__(self, settings: S, limits: RateLimits | None = None) -> None:
        if limits is not None:
            settings.limits = limits
        self.settings = settings
        self._settings_at_start = replace(settings)
        self.clock, self.faults, self.log = SimulatorClock(), Faults(), RequestLog()

    def open_at(self, host: str, port: int, works: Works) -> None:
        """Put the parts together. Port 0 takes a free one at the first `start`."""
        self._works = works
        control = Control(
            self.faults, self.log, self.clock, works.sender, works.state, self.reset, self.apply_settings, self.act
        )
        ours = [*control_routes(control), *agent_routes(works.pages)]
        self._server = LoopbackServer(app(works.entrance, ours, self.faults, self.log, self.clock), host, port)

    @property
    def base_url(self) -> str:
        """Address of this server, in place of the helpdesk's own. Without a slash at the end."""
        return self._server.base_url

    @property
    def agent_url(self) -> str:
        return f"{self.base_url}/agent"

    @property
    def webhooks(self) -> WebhookSender:
        return self._works.sender

    @property
    def webhook_faults(self) -> WebhookFaults:
        return self._works.sender.faults

    def start(self) -> Self:
        """Serve in a thread of this process."""
        self._server.start()
        self._works.sender.start()
        return self

    def stop(self) -> None:
        """Stop answering and sending; the account stays as it is."""
        self._works.sender.stop()
        self._server.stop()

    def wait(self) -> None:
        """Block until it is stopped."""
        self._server.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def reset(self) -> None:
        """A fresh account at the same address, with the settings of the start; no faults, real time."""
        with self._works.store.lock:
            for field in fields(self.settings):
                setattr(self.settings, field.name, getattr(self._settings_at_start, field.name))
            self.webhooks.clear()
            self.faults.clear()
            self.clock.reset()
            self._works.store.reset()
            for forget in self._works.forget:
                forget()
            self.log.clear()

    def act(self, action: str, arguments: Mapping[str, Any]) -> None:
        """An agent's action by name, for the control API."""
        act(self, self.actions, action, arguments)

    def apply_settings(self, wanted: Mapping[str, Any]) -> None:
        with self._works.store.lock:
            apply_settings(self.settings, wanted, self.kept)
