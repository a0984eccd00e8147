"""The simulated Intercom as one object: start it, use it, spoil it, look into it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handoff_connectors.intercom.simulator.agents import AgentActions
from handoff_connectors.intercom.simulator.api import Api
from handoff_connectors.intercom.simulator.app import FOR_PEOPLE, all_endpoints, error_answer, pages
from handoff_connectors.intercom.simulator.auth import Authenticator
from handoff_connectors.intercom.simulator.hooks import TOPICS, HookHub
from handoff_connectors.intercom.simulator.limits import RateLimiter
from handoff_connectors.intercom.simulator.pages import IntercomPages
from handoff_connectors.intercom.simulator.seed import Credentials
from handoff_connectors.intercom.simulator.settings import Limits, SimulatorSettings
from handoff_connectors.intercom.simulator.state import SimulatorState
from handoff_connectors.intercom.simulator.talk import wake_due
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.entrance import Entrance
from handoff_sync.simulator.helpdesk import SimulatedHelpdesk, Works

ACTIONS: Final = ("reply", "note", "note_and_reopen", "customer_reply", "bot_reply", "set_status", "close", "open",
                  "snooze", "convert", "set_ticket_state", "assign", "assign_team", "set_priority", "mark_read",
                  "merge", "delete", "redact", "join", "merge_contacts", "archive_contact", "block_contact",
                  "delete_contact", "set_webhook", "ping")  # fmt: skip


class IntercomSimulator(SimulatedHelpdesk[SimulatorSettings], AgentActions):
    """An Intercom workspace; all regions are this one address. The agents' doings (`reply`, `assign`, `close`, ...)
    are methods; `state` tells what happened."""

    actions = ACTIONS

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits | None = None,
        settings: SimulatorSettings | None = None,
    ) -> None:
        settings = settings or SimulatorSettings()
        SimulatedHelpdesk.__init__(self, settings, limits)
        self.workspace = Workspace(settings, self.clock)
        AgentActions.__init__(self, self.workspace)
        self.auth, self.limiter = Authenticator(self.workspace), RateLimiter(self.clock)
        self._hub = HookHub(self.workspace)
        self.state = SimulatorState(self.workspace, self.log)
        self.api = Api(self.workspace, self.auth, self.limiter, all_endpoints())
        self.clock.on_advance(self._wake)
        works = Works(
            store=self.workspace,
            entrance=Entrance(
                answer=self.api.answer,
                error_answer=error_answer,
                pages=pages(self.auth, settings),
                for_people=FOR_PEOPLE,
            ),
            sender=self._hub.sender,
            pages=IntercomPages(self.workspace, self),
            state=self.state.as_dict,
            forget=(self._hub.unsubscribe, self.auth.reset, self.limiter.clear),
        )
        self.open_at(host, port, works)

    @property
    def app_id(self) -> str:
        """The workspace's id, which also names it in webhooks."""
        return self.settings.app_id

    @property
    def credentials(self) -> Credentials:
        return self.workspace.credentials

    def set_webhook(self, url: str, topics: Iterable[str] = TOPICS) -> None:
        """What a person does in the Developer Hub, for which there is no API. The address must answer HEAD.

        Raises:
            ValueError: it does not.
        """
        self._hub.subscribe(url, topics)

    def ping(self) -> None:
        """Send the periodic sign of life."""
        self._hub.ping()

    def _wake(self) -> None:
        with self.workspace.lock:
            wake_due(self.workspace)
