"""The simulated Zendesk as one object: start it, use it, spoil it, look into it."""

from __future__ import annotations

from typing import Final

from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.agents import AgentActions
from handoff_connectors.zendesk.simulator.api import Api
from handoff_connectors.zendesk.simulator.app import all_endpoints, error_answer
from handoff_connectors.zendesk.simulator.auth import Authenticator
from handoff_connectors.zendesk.simulator.hooks import HookHub
from handoff_connectors.zendesk.simulator.limits import RateLimiter
from handoff_connectors.zendesk.simulator.pages import ZendeskPages
from handoff_connectors.zendesk.simulator.seed import Credentials
from handoff_connectors.zendesk.simulator.settings import Limits, SimulatorSettings
from handoff_connectors.zendesk.simulator.state import SimulatorState
from handoff_sync.simulator.entrance import Entrance
from handoff_sync.simulator.helpdesk import SimulatedHelpdesk, Works

ACTIONS: Final = ("reply", "note", "customer_reply", "assign", "assign_group", "set_status", "close", "merge", "delete",
                  "restore", "purge", "mark_as_spam", "make_private")  # fmt: skip


class ZendeskSimulator(SimulatedHelpdesk[SimulatorSettings], AgentActions):
    """A Zendesk account. The agents' doings (`reply`, `assign`, `set_status`, ...) are methods; `state` tells what
    happened."""

    actions = ACTIONS
    kept = frozenset({"subdomain"})

    def __init__(
        self,
        subdomain: str = "acme",
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        settings: SimulatorSettings | None = None,
    ) -> None:
        settings = settings or SimulatorSettings()
        settings.subdomain = subdomain
        SimulatedHelpdesk.__init__(self, settings, limits)
        self.account = Account(settings, self.clock)
        AgentActions.__init__(self, self.account)
        self.auth, self.limiter = Authenticator(self.account), RateLimiter(self.clock)
        self.state = SimulatorState(self.account, self.log)
        self.api = Api(self.account, self.auth, self.limiter, all_endpoints())
        works = Works(
            store=self.account,
            entrance=Entrance(
                answer=self.api.answer,
                error_answer=error_answer,
                host=f"{subdomain}.zendesk.com",
                slow=self.api.is_slow,
            ),
            sender=HookHub(self.account).sender,
            pages=ZendeskPages(self.account, self),
            state=self.state.as_dict,
            forget=(self.auth.reset, self.limiter.clear),
        )
        self.open_at(host, port, works)

    @property
    def subdomain(self) -> str:
        return self.settings.subdomain

    @property
    def credentials(self) -> Credentials:
        return self.account.credentials
