"""A simulated Gorgias: the real one's paths, answers, limits, webhooks and moods, over HTTP, without an account."""

from __future__ import annotations

from handoff_connectors.gorgias.simulator.desk import GorgiasSimulator
from handoff_connectors.gorgias.simulator.front_desk import GorgiasDesk as Desk
from handoff_connectors.gorgias.simulator.seed import Credentials
from handoff_connectors.gorgias.simulator.settings import Limits, SimulatorSettings

__all__ = ["Credentials", "Desk", "GorgiasSimulator", "Limits", "SimulatorSettings"]
