"""Tickets that become one: by an agent, or by the account itself."""

from __future__ import annotations

from datetime import timedelta

from handoff_connectors.gorgias.simulator import messages
from handoff_connectors.gorgias.simulator.account import Account, new_context
from handoff_connectors.gorgias.simulator.model import Change, Ticket


def merge(account: Account, source: Ticket, target: Ticket, user_id: int | None) -> None:
    """`source` lives on in `target`: messages and tags move, its external id is lost, its address leads to the target.

    Raises:
        ValueError: both are the same ticket.
    """
    if source is target:
        raise ValueError("A ticket cannot be merged into itself.")
    for message in source.messages:
        messages.put(account, target, message)
    source.messages = []
    target.tags = list(dict.fromkeys([*target.tags, *source.tags]))
    source.merged_into = target.id
    account.touch(source)
    account.touch(target)
    context = new_context()
    for ticket, triggers in ((source, frozenset[str]()), (target, frozenset({"ticket-updated"}))):
        account.announce(Change(ticket=ticket, events=("ticket-merged",), triggers=triggers, user_id=user_id,
                                context=context))  # fmt: skip


def consider(account: Account, ticket: Ticket) -> None:
    """Maybe fold a new ticket into an older one, a moment after it was made."""
    if account.settings.auto_merge and _eligible(account, ticket):
        due = account.clock.now() + timedelta(seconds=account.settings.auto_merge_delay_s)
        account.agenda.at(due, lambda: _auto_merge(account, ticket))


def _auto_merge(account: Account, ticket: Ticket) -> None:
    since = ticket.made_at - timedelta(days=account.settings.merging_window_days)
    others = [other for other in account.live_tickets()
              if other.customer_id == ticket.customer_id and other.id < ticket.id and other.made_at >= since
              and _eligible(account, other)]  # fmt: skip
    if others and _open(ticket):
        merge(account, ticket, others[0], None)


def _open(ticket: Ticket) -> bool:
    return ticket.status == "open" and ticket.merged_into is None and ticket.deleted_at is None


def _eligible(account: Account, ticket: Ticket) -> bool:
    settings = account.settings
    excluded = {account.tags[tag].name for tag in ticket.tags} & set(settings.auto_merge_excluded_tags)
    return _open(ticket) and ticket.channel in settings.auto_merge_channels and not excluded
