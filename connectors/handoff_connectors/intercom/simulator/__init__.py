"""A simulated Intercom: the real one's paths, answers, limits, webhooks and moods, over HTTP, without a workspace."""

from __future__ import annotations

from handoff_connectors.intercom.simulator.desk import IntercomSimulator
from handoff_connectors.intercom.simulator.front_desk import IntercomDesk as Desk
from handoff_connectors.intercom.simulator.hooks import EVERY_TOPIC, TOPICS
from handoff_connectors.intercom.simulator.seed import Credentials
from handoff_connectors.intercom.simulator.settings import Limits, SimulatorSettings

__all__ = ["EVERY_TOPIC", "TOPICS", "Credentials", "Desk", "IntercomSimulator", "Limits", "SimulatorSettings"]
