"""What can be done to tickets, with the rules of the helpdesk. Both the API and the agent page work through it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from handoff_connectors.gorgias.simulator import api_errors, merging, messages, people
from handoff_connectors.gorgias.simulator.account import Account, new_context
from handoff_connectors.gorgias.simulator.fields import Schema, faults, parse
from handoff_connectors.gorgias.simulator.happening import Snapshot, events_of, triggers_of
from handoff_connectors.gorgias.simulator.model import Change, Message, Ticket, User
from handoff_connectors.gorgias.simulator.schemas import CREATE_TICKET, MESSAGE, UPDATE_TICKET

CREATED: Final = "ticket-created"
SAID: Final = "ticket-message-created"
PLAIN: Final = ("channel", "via", "external_id", "language", "meta", "priority", "subject", "from_agent", "split_from")
TIMES: Final = {"opened_datetime": "opened_at", "closed_datetime": "closed_at",
                "last_message_datetime": "last_message_at",
                "last_received_message_datetime": "last_received_at"}  # fmt: skip


def create(account: Account, caller: User, given: Any) -> Ticket:
    """Open a ticket.

    Raises:
        ApiError: 400 with everything that is wrong.
    """
    _check(account, CREATE_TICKET, given, "Failed to create ticket")
    wrong = {str(place): found for place, message in enumerate(given["messages"])
             if (found := messages.person_faults(account, message, bool(given.get("customer"))
                                                 or _customer_ref(given) is not None))}  # fmt: skip
    customer_ref = _customer_ref(given)
    if wrong or customer_ref is None:
        raise api_errors.invalid("Failed to create ticket", {"messages": wrong or {"0": messages.NO_SENDER}})
    now, first = account.clock.now(), given["messages"][0]
    customer = people.customer_of(account, customer_ref)
    ticket = Ticket(id=account.new_ticket_id(), customer_id=customer.id, channel=first["channel"],
                    via=first.get("via") or "api", from_agent=first["from_agent"], made_at=now,
                    created_at=_time(given, "created_datetime") or now, updated_at=now)  # fmt: skip
    account.tickets[ticket.id] = ticket
    account.creations.append(given.get("external_id"))
    for message in given["messages"]:
        messages.add(account, caller, ticket, message)
    apply(account, ticket, given)
    merging.consider(account, ticket)
    _tell_of_new(account, caller, ticket)
    return ticket


def _customer_ref(given: dict[str, Any]) -> dict[str, Any] | None:
    """Who the ticket is from: as said, else whoever wrote, else whoever is written to."""
    if given.get("customer"):
        return dict(given["customer"])
    for name, from_agent in (("sender", False), ("receiver", True)):
        for message in given["messages"]:
            if message["from_agent"] is from_agent and message.get(name):
                return dict(message[name])
    return None


def _tell_of_new(account: Account, caller: User, ticket: Ticket) -> None:
    context, nothing = new_context(), Snapshot.of(Ticket(
        id=0, customer_id=ticket.customer_id, channel="", via="", from_agent=False, created_at=ticket.created_at,
        updated_at=ticket.created_at, made_at=ticket.made_at, status=ticket.status))  # fmt: skip
    given = [type_ for type_ in events_of(nothing, Snapshot.of(ticket)) if type_ != "ticket-updated"]
    account.announce(Change(ticket=ticket, events=(CREATED, *given), triggers=frozenset({CREATED}),
                            user_id=caller.id, context=context))  # fmt: skip
    for message in list(ticket.messages):
        tell_of_message(account, ticket, message, caller.id, context)


def tell_of_message(account: Account, ticket: Ticket, message: Message, user_id: int | None, context: str) -> None:
    account.announce(Change(ticket=ticket, events=(SAID,), triggers=frozenset({SAID}), user_id=user_id,
                            context=context, message=message))  # fmt: skip


def update(account: Account, caller: User, ticket: Ticket, given: Any) -> None:
    """Change a ticket's fields.

    Raises:
        ApiError: 400 with everything that is wrong.
    """
    _check(account, UPDATE_TICKET, given, "Failed to update ticket")
    before = Snapshot.of(ticket)
    if given.get("customer"):
        ticket.customer_id = people.customer_of(account, given["customer"]).id
    apply(account, ticket, given)
    finish(account, ticket, before, caller.id)


def add_message(account: Account, caller: User, ticket: Ticket, given: Any) -> Message:
    """Add a message through the API.

    Raises:
        ApiError: 400 with everything that is wrong.
    """
    wrong = faults(MESSAGE, given) or messages.person_faults(account, given, True)
    if wrong:
        raise api_errors.invalid("Failed to create ticket message", wrong)
    before = Snapshot.of(ticket)
    message = messages.add(account, caller, ticket, given)
    if not message.from_agent and account.settings.api_message_reopens:
        reopen(account, ticket)
    context = new_context()
    tell_of_message(account, ticket, message, caller.id, context)
    finish(account, ticket, before, caller.id, context)
    return message


def change_message(account: Account, ticket: Ticket, message: Message, given: Any) -> None:
    """Change a message. Nobody is told: there is no trigger for it.

    Raises:
        ApiError: 400 with everything that is wrong.
    """
    wrong = faults(MESSAGE, given)
    if isinstance(given, dict) and "via" not in given:
        wrong["via"] = ["Missing data for required field."]
    if wrong:
        raise api_errors.invalid("Failed to update ticket message", wrong)
    message.channel, message.via = given["channel"], given["via"]
    message.public = given.get("public", message.public)
    messages.write(message, given)
    account.touch(ticket)


def reopen(account: Account, ticket: Ticket) -> None:
    """What a customer's message does to a closed or snoozed ticket."""
    if ticket.snooze_at is not None and not account.settings.reply_ends_snooze:
        return
    ticket.snooze_at = ticket.closed_at = None
    ticket.status = "open"


def finish(account: Account, ticket: Ticket, before: Snapshot, user_id: int | None, context: str = "",
           extra: tuple[str, ...] = ()) -> None:  # fmt: skip
    """Tell of everything that changed since `before`; of nothing when nothing did."""
    events = (*extra, *events_of(before, Snapshot.of(ticket), by_itself="ticket-self-unsnoozed" in extra))
    if events:
        account.touch(ticket)
        account.announce(Change(ticket=ticket, events=events, triggers=triggers_of(events), user_id=user_id,
                                context=context or new_context()))  # fmt: skip


def apply(account: Account, ticket: Ticket, given: dict[str, Any]) -> None:
    """Take over the fields of a faultless body."""
    for name in PLAIN:
        if name in given and (given[name] is not None or name not in ("channel", "via", "from_agent")):
            setattr(ticket, name, given[name])
    for name, field in TIMES.items():
        if name in given:
            setattr(ticket, field, _time(given, name))
    for name in ("assignee_user", "assignee_team"):
        if name in given:
            setattr(ticket, f"{name}_id", (given[name] or {}).get("id"))
    if "tags" in given:
        set_tags(account, ticket, [account.tag(tag["name"]).id for tag in given["tags"] or []])
    if "custom_fields" in given:
        ticket.custom_fields = {pair["id"]: pair["value"] for pair in given["custom_fields"] or []}
    ticket.is_unread = given.get("is_unread", ticket.is_unread)
    _apply_state(account, ticket, given)
    account.touch(ticket)


def _apply_state(account: Account, ticket: Ticket, given: dict[str, Any]) -> None:
    if "status" in given:
        set_status(account, ticket, given["status"], _time(given, "closed_datetime"))
    if "spam" in given:
        put_aside(ticket, bool(given["spam"]), ticket.spam)
        ticket.spam = bool(given["spam"])
    if "trashed_datetime" in given:
        trashed_at = _time(given, "trashed_datetime")
        put_aside(ticket, trashed_at is not None, ticket.trashed_at is not None)
        ticket.trashed_at = trashed_at
    if "snooze_datetime" in given:
        snooze(account, ticket, _time(given, "snooze_datetime"))


def set_status(account: Account, ticket: Ticket, status: str, closed_at: datetime | None = None) -> None:
    if status != ticket.status:
        ticket.closed_at = (closed_at or account.clock.now()) if status == "closed" else None
    ticket.status = status


def put_aside(ticket: Ticket, aside: bool, was_aside: bool) -> None:
    """Trash and spam count as closed; what comes back is open."""
    if aside != was_aside:
        ticket.status = "closed" if aside else "open"


def set_tags(account: Account, ticket: Ticket, tag_ids: list[int]) -> None:
    ticket.tags = list(dict.fromkeys(tag_ids))


def snooze(account: Account, ticket: Ticket, until: datetime | None) -> None:
    """Lay a ticket aside until then; None ends it, which leaves the status as it is."""
    ticket.snooze_at = until
    if until is None:
        return
    if account.settings.snoozed_is_closed:
        set_status(account, ticket, "closed")
    account.agenda.at(until, lambda: _wake(account, ticket, until))


def _wake(account: Account, ticket: Ticket, until: datetime) -> None:
    if ticket.snooze_at != until or ticket.deleted_at is not None or ticket.merged_into is not None:
        return
    before = Snapshot.of(ticket)
    ticket.snooze_at = ticket.closed_at = None
    ticket.status = "open"
    finish(account, ticket, before, None, extra=("ticket-self-unsnoozed",))


def _check(account: Account, schema: Schema, given: Any, msg: str) -> None:
    wrong = faults(schema, given)
    if not wrong:
        found = {
            "channel": messages.channel_faults(account, given.get("channel")),
            "customer": people.customer_faults(account, given.get("customer")),
            "assignee_user": _unknown(given, "assignee_user", account.users),
            "assignee_team": _unknown(given, "assignee_team", account.teams),
        }
        wrong = {name: fault for name, fault in found.items() if fault}
    if wrong:
        raise api_errors.invalid(msg, wrong)


def _unknown(given: dict[str, Any], name: str, known: dict[int, Any]) -> dict[str, list[str]] | None:
    wanted = (given.get(name) or {}).get("id")
    return None if wanted is None or wanted in known else {"id": [f"{wanted} does not exist."]}


def _time(given: dict[str, Any], name: str) -> datetime | None:
    return parse(given[name]) if given.get(name) else None
