"""The simulated Gorgias as one object: start it, use it, spoil it, look into it."""

from __future__ import annotations

from typing import Final, Self

from starlette.routing import Route

from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.agents import AgentActions
from handoff_connectors.gorgias.simulator.api import Api
from handoff_connectors.gorgias.simulator.app import all_endpoints, error_answer
from handoff_connectors.gorgias.simulator.auth import Authenticator
from handoff_connectors.gorgias.simulator.hooks import HookHub
from handoff_connectors.gorgias.simulator.limits import RateLimiter
from handoff_connectors.gorgias.simulator.pages import GorgiasPages
from handoff_connectors.gorgias.simulator.seed import Credentials
from handoff_connectors.gorgias.simulator.settings import Limits, SimulatorSettings
from handoff_connectors.gorgias.simulator.state import SimulatorState
from handoff_sync.simulator.entrance import Entrance, agent_page, always
from handoff_sync.simulator.helpdesk import SimulatedHelpdesk, Works

ACTIONS: Final = ("reply", "note", "rule_reply", "customer_reply", "delete_message", "make_public", "assign",
                  "assign_team", "set_status", "close", "reopen", "snooze", "delete", "trash", "restore", "purge",
                  "spam", "unspam", "merge")  # fmt: skip


class GorgiasSimulator(SimulatedHelpdesk[SimulatorSettings], AgentActions):
    """A Gorgias account. The agents' doings (`reply`, `assign`, `snooze`, ...) are methods; `state` tells what
    happened."""

    actions = ACTIONS
    kept = frozenset({"domain"})

    def __init__(
        self,
        domain: str = "acme",
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        settings: SimulatorSettings | None = None,
    ) -> None:
        settings = settings or SimulatorSettings()
        settings.domain = domain
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
                host=f"{domain}.gorgias.com",
                slow=always,
                pages=(Route("/app/ticket/{id:int}", agent_page),),
            ),
            sender=HookHub(self.account).sender,
            pages=GorgiasPages(self.account, self),
            state=self.state.as_dict,
            forget=(self.auth.reset, self.limiter.clear),
        )
        self.open_at(host, port, works)

    @property
    def domain(self) -> str:
        return self.settings.domain

    @property
    def credentials(self) -> Credentials:
        return self.account.credentials

    def start(self) -> Self:
        super().start()
        self.account.agenda.start()
        return self

    def stop(self) -> None:
        self.account.agenda.stop()
        super().stop()
