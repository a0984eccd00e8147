"""A simulated Zendesk: the real one's paths, answers, limits, webhooks and moods, over HTTP, without an account."""

from __future__ import annotations

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_connectors.zendesk.simulator.front_desk import ZendeskDesk as Desk
from handoff_connectors.zendesk.simulator.seed import Credentials
from handoff_connectors.zendesk.simulator.settings import Limits, SimulatorSettings

__all__ = ["Credentials", "Desk", "Limits", "SimulatorSettings", "ZendeskSimulator"]
