"""Intercom."""

from handoff_connectors.intercom.connector import IntercomConnector

__all__ = ["IntercomConnector"]
