"""References to people in bodies: found, made or renamed, as Gorgias does with nested objects."""

from __future__ import annotations

from typing import Any

from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.fields import Faults
from handoff_connectors.gorgias.simulator.model import Customer, User


def customer_faults(account: Account, given: dict[str, Any] | None) -> Faults:
    """What is wrong with a reference to a customer."""
    if given and "id" in given and given["id"] not in account.customers:
        return {"id": [f"Customer {given['id']} does not exist."]}
    return None


def user_faults(account: Account, given: dict[str, Any] | None) -> Faults:
    """What is wrong with a reference to somebody of the helpdesk."""
    if not given:
        return None
    if "id" in given:
        return None if given["id"] in account.users else {"id": [f"User {given['id']} does not exist."]}
    return None if account.user_by_email(given.get("email")) else {"email": ["User does not exist."]}


def user_of(account: Account, given: dict[str, Any] | None, otherwise: User) -> User:
    if not given:
        return otherwise
    found = account.users.get(given["id"]) if "id" in given else account.user_by_email(given.get("email"))
    return found or otherwise


def customer_of(account: Account, given: dict[str, Any]) -> Customer:
    """The customer of a reference without faults: by id, by address, by external id, or a new one.

    Whatever else the reference holds is written into the customer: a name renames.
    """
    customer = _found(account, given) or account.new_customer()
    write(account, customer, {key: value for key, value in given.items() if key != "id"})
    return customer


def _found(account: Account, given: dict[str, Any]) -> Customer | None:
    if "id" in given:
        return account.customers[given["id"]]
    if email := given.get("email"):
        return account.customer_by_email(email)
    wanted = given.get("external_id")
    return next((c for c in account.customers.values() if wanted and c.external_id == wanted), None)


def taken(account: Account, given: dict[str, Any], customer: Customer | None = None) -> bool:
    """Whether an e-mail address of a body belongs to another customer. External ids need not be unique."""
    contacts = [c["address"] for c in given.get("channels") or [] if c["type"] == "email"]
    owners = (account.customer_by_email(email) for email in filter(None, [given.get("email"), *contacts]))
    return any(owner is not None and owner is not customer for owner in owners)


def write(account: Account, customer: Customer, given: dict[str, Any]) -> None:
    """Take over what a body says about a customer."""
    for name in ("external_id", "language", "timezone", "note", "meta"):
        if name in given:
            setattr(customer, name, given[name])
    _write_name(customer, given)
    if "email" in given:
        customer.email = (given["email"] or "").lower() or None
        customer.channels = [c for c in customer.channels if c.type != "email"]
        if customer.email:
            customer.channels.append(account.new_contact("email", customer.email, True))
    if given.get("channels") is not None:
        customer.channels = [account.new_contact(c["type"], c["address"], bool(c.get("preferred")))
                             for c in given["channels"]]  # fmt: skip
        email = next((c.address.lower() for c in customer.channels if c.type == "email"), None)
        customer.email = email or customer.email
    if given:
        customer.updated_at = account.clock.now()


def _write_name(customer: Customer, given: dict[str, Any]) -> None:
    if "name" in given:
        customer.name = given["name"] or ""
        customer.firstname, _, customer.lastname = customer.name.partition(" ")
    if "firstname" in given or "lastname" in given:
        customer.firstname = given.get("firstname", customer.firstname) or ""
        customer.lastname = given.get("lastname", customer.lastname) or ""
        customer.name = given.get("name") or f"{customer.firstname} {customer.lastname}".strip()


def merge(account: Account, source: Customer, target: Customer) -> None:
    """`source` is gone afterwards; what it had is the target's, unless that has it already."""
    for name in ("email", "external_id", "language", "timezone", "note", "meta", "name", "firstname", "lastname"):
        if not getattr(target, name):
            setattr(target, name, getattr(source, name))
    known = {(contact.type, contact.address) for contact in target.channels}
    target.channels += [c for c in source.channels if (c.type, c.address) not in known]
    target.updated_at = account.clock.now()
    del account.customers[source.id]
    for ticket in account.tickets.values():
        if ticket.customer_id == source.id:
            ticket.customer_id = target.id
        for message in ticket.messages:
            if not message.from_agent and message.sender_id == source.id:
                message.sender_id = target.id
            if message.receiver_id == source.id:
                message.receiver_id = target.id
