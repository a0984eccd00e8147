"""Paperdesk, an invented helpdesk: what the smallest connector looks like that keeps the whole contract."""

from handoff_paperdesk.connector import PaperdeskConnector

__all__ = ["PaperdeskConnector"]
