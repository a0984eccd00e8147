"""Zendesk Support."""

from handoff_connectors.zendesk.connector import ZendeskConnector

__all__ = ["ZendeskConnector"]
