"""Endpoints about people: the requester is made here, agents are looked up here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors, render
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.api import Request, Table, endpoint
from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_connectors.zendesk.simulator.api_tickets import ids_of
from handoff_connectors.zendesk.simulator.limits import LimitReached
from handoff_connectors.zendesk.simulator.model import User
from handoff_connectors.zendesk.simulator.paging import page
from handoff_connectors.zendesk.simulator.ticket_fields import Checks
from handoff_sync.simulator.endpoints import Answer

USERS: Final = Table()
PLAIN: Final = ("name", "phone", "alias", "locale", "locale_id", "notes", "details", "time_zone", "organization_id",
                "suspended", "verified", "tags", "default_group_id")  # fmt: skip


def _given(request: Request) -> dict[str, Any]:
    body = request.json()
    user = body.get("user") if isinstance(body, dict) else None
    if not isinstance(user, dict):
        raise api_errors.invalid_attribute("user", "an object")
    return user


def _shown(request: Request, user: User, status: int = 200) -> Answer:
    shown = render.user(request.base, user)
    return Answer(status, {"user": shown}, {"Location": shown["url"]} if status == 201 else {})


@endpoint(USERS, "POST", "/users/create_or_update", "users")
def create_or_update(request: Request) -> Answer:
    given, account = _given(request), request.account
    known = account.user_by_external_id(_text(given, "external_id")) or account.user_by_email(_text(given, "email"))
    _limit_upsert(request, known, given)
    if known is None:
        return _shown(request, _create(account, given), 201)
    _change(account, known, given)
    return _shown(request, known)


def _limit_upsert(request: Request, known: User | None, given: dict[str, Any]) -> None:
    """One a second for the account, five a minute for one user; the latter is refused in plain text."""
    limits, limiter = request.account.settings.limits, request.limiter
    key = known.id if known else (_text(given, "external_id"), _text(given, "email"))
    try:
        limiter.hit("user-upsert-second", None, limits.user_upsert_per_second, 1.0)
        limiter.hit("user-upsert", key, limits.user_upsert_per_user)
    except LimitReached as reached:
        who = (
            f"user email: {given.get('email')} id: {known.id if known else ''} external_id: {given.get('external_id')}"
        )
        text = f"You have exceeded the rate limit for updating a single unique user. {who}"
        raise ApiError(429, text, {"Retry-After": str(reached.room.resets_s)}, text=True) from None


@endpoint(USERS, "POST", "/users", "users")
def create(request: Request) -> Answer:
    return _shown(request, _create(request.account, _given(request)), 201)


def _create(account: Account, given: dict[str, Any]) -> User:
    checks, email = Checks(), _text(given, "email")
    if not str(given.get("name") or "").strip():
        checks.wrong("name", "Name: is too short (minimum is 1 character)", "ValueTooShort")
    if email and "@" not in email:
        checks.wrong("email", f"Email: {email} is not properly formatted")
    if email and account.user_by_email(email):
        checks.wrong("email", f"Email: {email} is already being used by another user", "DuplicateValue")
    _check_external_id(account, None, given, checks)
    checks.finish()
    role = given.get("role") if given.get("role") in ("end-user", "agent", "admin") else "end-user"
    user = account.add_user(str(given["name"]), str(role), email)
    user.verified = bool(given.get("verified"))
    _change(account, user, given)
    return user


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    return None if value in (None, "") else str(value)


def _check_external_id(account: Account, user: User | None, given: dict[str, Any], checks: Checks) -> None:
    other = account.user_by_external_id(_text(given, "external_id"))
    if other is not None and other is not user:
        checks.wrong("external_id", "External: has already been taken", "DuplicateValue")


def _change(account: Account, user: User, given: dict[str, Any]) -> None:
    checks, email = Checks(), _text(given, "email")
    _check_external_id(account, user, given, checks)
    other = account.user_by_email(email)
    if email and other is not None and other is not user:
        checks.wrong("email", f"Email: {email} is already being used by another user", "DuplicateValue")
    if "name" in given and not str(given["name"] or "").strip():
        checks.wrong("name", "Name: is too short (minimum is 1 character)", "ValueTooShort")
    checks.finish()
    for name in PLAIN:
        if name in given:
            setattr(user, name, given[name])
    if "external_id" in given:
        user.external_id = _text(given, "external_id")
    if email:
        account.add_email(user, email)
    user.updated_at = account.clock.now()


def _user(request: Request) -> User:
    user = request.account.users.get(request.id)
    if user is None:
        raise api_errors.not_found()
    return user


@endpoint(USERS, "GET", "/users/{id}", "users")
def show(request: Request) -> Answer:
    return _shown(request, _user(request))


@endpoint(USERS, "PUT", "/users/{id}", "users")
def update(request: Request) -> Answer:
    user = _user(request)
    request.limit("user-update", request.account.settings.limits.user_upsert_per_user, key=user.id)
    _change(request.account, user, _given(request))
    return _shown(request, user)


@endpoint(USERS, "DELETE", "/users/{id}", "users", admin=True)
def delete(request: Request) -> Answer:
    user = _user(request)
    user.active, user.updated_at = False, request.account.clock.now()
    return _shown(request, user)


@endpoint(USERS, "GET", "/users/me", "users")
def me(request: Request) -> Answer:
    return _shown(request, request.caller.user)


@endpoint(USERS, "GET", "/users/show_many", "users")
def show_many(request: Request) -> Answer:
    account = request.account
    if (wanted := request.call.query.first("external_ids")) is not None:
        found = [account.user_by_external_id(value) for value in wanted.split(",")[:100]]
    else:
        found = [account.users.get(i) for i in ids_of(request, "ids")]
    users = [render.user(request.base, user) for user in found if user is not None]
    return Answer(200, {"users": users, "next_page": None, "previous_page": None, "count": len(users)})


@endpoint(USERS, "GET", "/users", "users")
def list_users(request: Request) -> Answer:
    roles = {*request.call.query.all("role"), *request.call.query.all("role[]")}
    users = [u for u in request.account.users.values() if u.active and (not roles or u.role in roles)]
    body, _ = page(request.call, request.base, "users", users, lambda u: u.id, lambda u: render.user(request.base, u))
    return Answer(200, body)


@endpoint(USERS, "GET", "/users/search", "users")
def search(request: Request) -> Answer:
    """By external id or by a query of words, `email:`, `external_id:` and `role:`. New users appear after a lag."""
    account, query = request.account, request.call.query
    request.limit("search", account.settings.limits.search)
    known_since = account.clock.now() - timedelta(seconds=account.settings.search_lag_s)
    users = [u for u in account.users.values() if u.active and u.updated_at <= known_since]
    external_id = query.first("external_id")
    if external_id is not None:
        users = [u for u in users if (u.external_id or "").lower() == external_id.lower()]
    else:
        users = [u for u in users if all(_matches(u, term) for term in (query.first("query") or "").split())]
    body, _ = page(request.call, request.base, "users", users, lambda u: u.id, lambda u: render.user(request.base, u))
    return Answer(200, body)


def _matches(user: User, term: str) -> bool:
    name, colon, value = term.partition(":")
    value = value.strip('"').lower()
    match name if colon else "":
        case "email":
            return value in user.emails
        case "external_id":
            return (user.external_id or "").lower() == value
        case "role":
            return user.role == value
        case "name":
            return value in user.name.lower()
        case _:
            return term.strip('"').lower() in f"{user.name} {' '.join(user.emails)} {user.phone or ''}".lower()
