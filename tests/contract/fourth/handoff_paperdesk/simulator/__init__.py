"""A stand-in for Paperdesk over HTTP."""

from handoff_paperdesk.simulator.desk import PaperdeskDesk as Desk

__all__ = ["Desk"]
