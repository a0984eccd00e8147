"""Endpoints of customers, users, teams, surveys and the account itself."""

from __future__ import annotations

from typing import Any, Final

from handoff_connectors.gorgias.simulator import api_errors, people, render
from handoff_connectors.gorgias.simulator.api import Request, Table, endpoint
from handoff_connectors.gorgias.simulator.fields import faults, parse
from handoff_connectors.gorgias.simulator.model import Customer, Survey
from handoff_connectors.gorgias.simulator.paging import page
from handoff_connectors.gorgias.simulator.schemas import CUSTOMER, SURVEY
from handoff_sync.simulator.endpoints import Answer

PEOPLE: Final = Table()
ORDERS: Final = ("created_datetime:asc", "created_datetime:desc", "updated_datetime:asc", "updated_datetime:desc")
MERGE_SETTING: Final = "ticket-merging"
"""Gorgias does not document the name of this setting's type; it is known by the shape of its data."""


def _customer(request: Request, customer_id: int | None) -> Customer:
    found = request.account.customers.get(customer_id or 0)
    if found is None:
        raise api_errors.not_found()
    return found


def _customer_body(request: Request, msg: str, customer: Customer | None = None) -> dict[str, Any]:
    """
    Raises:
        ApiError: 400 for wrong fields, 409 when an address belongs to another customer.
    """
    given = request.json()
    if wrong := faults(CUSTOMER, given):
        raise api_errors.invalid(msg, wrong)
    if people.taken(request.account, given, customer):
        raise api_errors.exists()
    return dict(given)


@endpoint(PEOPLE, "POST", "/customers", "customers")
def create(request: Request) -> Answer:
    given = _customer_body(request, "Failed to create customer")
    customer = request.account.new_customer()
    people.write(request.account, customer, given)
    return Answer(201, render.customer(customer))


@endpoint(PEOPLE, "GET", "/customers", "customers")
def list_customers(request: Request) -> Answer:
    request.known("cursor", "limit", "email", "external_id", "name", "language", "timezone", "view_id", "channel_type",
                  "channel_address", "order_by")  # fmt: skip
    name, _, direction = request.choice("order_by", ORDERS, ORDERS[1]).partition(":")
    found = [customer for customer in request.account.customers.values() if _wanted(request, customer)]
    by = "created_at" if name == "created_datetime" else "updated_at"
    return Answer(200, page(request.call, found, lambda c: (getattr(c, by).timestamp(), c.id), render.customer,
                            falling=direction == "desc"))  # fmt: skip


def _wanted(request: Request, customer: Customer) -> bool:
    query = request.call.query
    if (email := query.first("email")) is not None and (customer.email or "") != email.lower():
        return False
    kind, address = query.first("channel_type"), query.first("channel_address")
    if address is not None and not any(c.address == address and kind in (None, c.type) for c in customer.channels):
        return False
    return all(getattr(customer, name) == query.first(name) for name in ("external_id", "name", "language", "timezone")
               if query.first(name) is not None)  # fmt: skip


@endpoint(PEOPLE, "GET", "/customers/{id}", "customers")
def show(request: Request) -> Answer:
    return Answer(200, render.customer(_customer(request, request.id)))


@endpoint(PEOPLE, "PUT", "/customers/{id}", "customers")
def update(request: Request) -> Answer:
    customer = _customer(request, request.id)
    people.write(request.account, customer, _customer_body(request, "Failed to update customer", customer))
    return Answer(202, render.customer(customer))


@endpoint(PEOPLE, "DELETE", "/customers/{id}", "customers")
def delete(request: Request) -> Answer:
    """Not possible while the customer has tickets."""
    customer = _customer(request, request.id)
    if any(ticket.customer_id == customer.id for ticket in request.account.live_tickets()):
        raise api_errors.error(400, "The customer has tickets.")
    del request.account.customers[customer.id]
    return Answer(204)


@endpoint(PEOPLE, "PUT", "/customers/merge", "customers")
def merge(request: Request) -> Answer:
    source, target = (_customer(request, request.number(name)) for name in ("source_id", "target_id"))
    if source is target:
        raise api_errors.invalid("Failed to merge customers", {"source_id": ["Must differ from target_id."]})
    people.merge(request.account, source, target)
    return Answer(202, render.customer(target))


# --- the helpdesk's own people -------------------------------------------------------------------


@endpoint(PEOPLE, "GET", "/users", "users")
def list_users(request: Request) -> Answer:
    email = (request.call.query.first("email") or "").lower()
    users = [user for user in request.account.users.values() if email in ("", user.email)]
    return Answer(200, page(request.call, users, lambda u: (0.0, u.id), lambda u: render.user(request.account, u),
                            falling=False))  # fmt: skip


@endpoint(PEOPLE, "GET", "/users/{id}", "users")
def show_user(request: Request) -> Answer:
    """0 is whoever calls."""
    caller = request.caller.user.id if request.account.settings.user_zero else 0
    user = request.account.users.get(request.id or caller)
    if user is None:
        raise api_errors.not_found()
    return Answer(200, render.user(request.account, user))


@endpoint(PEOPLE, "GET", "/teams", "users")
def list_teams(request: Request) -> Answer:
    return Answer(200, page(request.call, request.account.teams.values(), lambda t: (0.0, t.id),
                            lambda t: render.team(request.account, t), falling=False))  # fmt: skip


# --- the account ---------------------------------------------------------------------------------


def _settings(request: Request) -> list[dict[str, Any]]:
    known = request.account.settings
    tickets = {"enabled": known.auto_merge, "merging_window_days": known.merging_window_days}
    hours = {"timezone": "UTC", "business_hours": [{"days": "1,2,3,4,5", "from_time": "09:00", "to_time": "17:00"}]}
    return [{"id": request.account.merge_setting_id, "type": MERGE_SETTING, "data": {"tickets": tickets}},
            {"id": request.account.merge_setting_id + 1_000, "type": "business-hours", "data": hours}]  # fmt: skip


@endpoint(PEOPLE, "GET", "/account", "account")
def show_account(request: Request) -> Answer:
    account = request.account
    return Answer(200, {"domain": account.settings.domain, "created_datetime": render.moment(account.created_at),
                        "deactivated_datetime": None, "settings": _settings(request),
                        "status": {"status": "active"}})  # fmt: skip


@endpoint(PEOPLE, "GET", "/account/settings", "account")
def list_settings(request: Request) -> Answer:
    wanted = request.call.query.first("type")
    shown = [setting for setting in _settings(request) if wanted in (None, setting["type"])]
    meta = {"prev_cursor": None, "next_cursor": None, "total_resources": None}
    return Answer(200, {"data": shown, "object": "list", "uri": request.call.path, "meta": meta})


# --- surveys -------------------------------------------------------------------------------------


@endpoint(PEOPLE, "POST", "/satisfaction-surveys", "tickets")
def create_survey(request: Request) -> Answer:
    """One per ticket."""
    account, given = request.account, request.json()
    wrong = faults(SURVEY, given)
    if not wrong and given.get("score") is not None and not 1 <= given["score"] <= 5:
        wrong = {"score": ["Must be between 1 and 5."]}
    if wrong:
        raise api_errors.invalid("Failed to create satisfaction survey", wrong)
    ticket = account.tickets.get(given["ticket_id"])
    if ticket is None or ticket.customer_id != given["customer_id"]:
        raise api_errors.not_found()
    if ticket.survey_id is not None:
        raise api_errors.exists()
    times = {name: parse(given[name]) if given.get(name) else None
             for name in ("sent_datetime", "scored_datetime", "should_send_datetime")}  # fmt: skip
    survey = Survey(id=account.new_id(), ticket_id=ticket.id, customer_id=ticket.customer_id,
                    created_at=account.clock.now(), score=given.get("score"), body_text=given.get("body_text"),
                    meta=given.get("meta"), sent_at=times["sent_datetime"], scored_at=times["scored_datetime"],
                    should_send_at=times["should_send_datetime"])  # fmt: skip
    account.surveys[survey.id], ticket.survey_id = survey, survey.id
    return Answer(201, render.survey(survey))


@endpoint(PEOPLE, "GET", "/satisfaction-surveys", "tickets")
def list_surveys(request: Request) -> Answer:
    surveys = request.account.surveys.values()
    return Answer(200, page(request.call, surveys, lambda s: (s.created_at.timestamp(), s.id), render.survey,
                            falling=True))  # fmt: skip
