"""Gorgias."""

from handoff_connectors.gorgias.connector import GorgiasConnector

__all__ = ["GorgiasConnector"]
