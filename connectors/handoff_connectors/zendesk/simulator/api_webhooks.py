"""Endpoints that administer webhooks and triggers."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from handoff_connectors.zendesk.simulator import api_errors, render, triggers
from handoff_connectors.zendesk.simulator.api import Request, Table, endpoint
from handoff_connectors.zendesk.simulator.events import KNOWN
from handoff_connectors.zendesk.simulator.hooks import FROM_TRIGGERS, TEST_SECRET, new_ulid, request_headers
from handoff_connectors.zendesk.simulator.model import Invocation, Trigger, Webhook
from handoff_connectors.zendesk.simulator.paging import page
from handoff_sync.simulator.endpoints import Answer
from handoff_sync.simulator.webhooks import Attempt, Outgoing, deliver

HOOKS: Final = Table()
PLAIN: Final = ("name", "endpoint", "http_method", "request_format", "status", "description", "subscriptions",
                "authentication", "custom_headers")  # fmt: skip
REQUIRED: Final = ("name", "endpoint", "http_method", "request_format", "status")


def new_secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _limit(request: Request) -> None:
    request.limit("webhooks", request.account.settings.limits.webhooks)


def _given(request: Request) -> dict[str, Any]:
    body = request.json()
    given = body.get("webhook") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise api_errors.webhook_invalid("InvalidWebhook", "Invalid request", "webhook must be an object")
    return given


def _check(given: dict[str, Any]) -> None:
    """
    Raises:
        ApiError: 400 for an unusable endpoint, an unknown event, or events mixed with triggers.
    """
    url = urlsplit(str(given.get("endpoint", "https://example.com")))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise api_errors.webhook_invalid("InvalidEndpoint", "Invalid endpoint", "endpoint must be a URL")
    if given.get("status", "active") not in ("active", "inactive"):
        raise api_errors.webhook_invalid("InvalidStatus", "Invalid status", "status must be active or inactive")
    wanted = set(given.get("subscriptions") or [])
    if FROM_TRIGGERS in wanted and len(wanted) > 1:
        text = f"{FROM_TRIGGERS} cannot be combined with events"
        raise api_errors.webhook_invalid("InvalidSubscription", "Invalid subscription", text)
    if unknown := sorted(
        name for name in wanted - KNOWN - {FROM_TRIGGERS} if name.startswith("zen:event-type:ticket.")
    ):
        text = f"unknown event {', '.join(unknown)}"
        raise api_errors.webhook_invalid("InvalidSubscription", "Invalid subscription", text)
    if wanted & KNOWN and (given.get("http_method", "POST"), given.get("request_format", "json")) != ("POST", "json"):
        text = "webhooks for events must use POST and json"
        raise api_errors.webhook_invalid("InvalidSubscription", "Invalid subscription", text)


def _webhook(request: Request) -> Webhook:
    _limit(request)
    found = request.account.webhooks.get(request.call.params["hook"])
    if found is None:
        raise api_errors.webhook_not_found()
    return found


@endpoint(HOOKS, "POST", "/webhooks", "webhooks", admin=True)
def create(request: Request) -> Answer:
    _limit(request)
    given = _given(request)
    if missing := [name for name in REQUIRED if not given.get(name)]:
        raise api_errors.webhook_invalid("MissingParameter", "Missing parameter", f"{', '.join(missing)} is required")
    _check(given)
    account, now = request.account, request.account.clock.now()
    known = {name: given[name] for name in PLAIN if name in given}
    webhook = Webhook(id=new_ulid(now), created_at=now, created_by=request.caller.user.id, secret=new_secret(), **known)
    account.webhooks[webhook.id] = webhook
    return Answer(201, {"webhook": render.webhook(webhook)})


@endpoint(HOOKS, "GET", "/webhooks", "webhooks", admin=True)
def list_webhooks(request: Request) -> Answer:
    _limit(request)
    name = (request.call.query.first("filter[name_contains]") or "").lower()
    status = request.call.query.first("filter[status]")
    things = [w for w in request.account.webhooks.values() if name in w.name.lower() and status in (None, w.status)]
    order = {w.id: number for number, w in enumerate(things)}
    asked = replace(request.call, query=_always_by_cursor(request))
    body, _ = page(asked, request.base, "webhooks", things, lambda w: order[w.id], render.webhook)
    return Answer(200, body)


def _always_by_cursor(request: Request) -> Any:
    query = request.call.query
    return query if query.first("page[size]") else type(query)("page[size]=100")


@endpoint(HOOKS, "GET", "/webhooks/{hook:text}", "webhooks", admin=True)
def show(request: Request) -> Answer:
    return Answer(200, {"webhook": render.webhook(_webhook(request))})


@endpoint(HOOKS, "PUT", "/webhooks/{hook:text}", "webhooks", admin=True)
@endpoint(HOOKS, "PATCH", "/webhooks/{hook:text}", "webhooks", admin=True)
def update(request: Request) -> Answer:
    webhook, given = _webhook(request), _given(request)
    _check({**{name: getattr(webhook, name) for name in PLAIN}, **given})
    if "subscriptions" in given and (FROM_TRIGGERS in given["subscriptions"]) != (
        FROM_TRIGGERS in webhook.subscriptions
    ):
        text = "a webhook for events cannot become one for triggers, nor the other way"
        raise api_errors.webhook_invalid("InvalidSubscription", "Invalid subscription", text)
    for name in PLAIN:
        if name in given:
            setattr(webhook, name, given[name])
    webhook.updated_at, webhook.updated_by = request.account.clock.now(), request.caller.user.id
    return Answer(204)


@endpoint(HOOKS, "DELETE", "/webhooks/{hook:text}", "webhooks", admin=True)
def delete(request: Request) -> Answer:
    webhook = _webhook(request)
    if any(webhook.id in map(str, a.get("value") or []) for t in request.account.triggers.values() for a in t.actions
           if a["field"] == "notification_webhook"):  # fmt: skip
        raise api_errors.webhook_invalid("WebhookInUse", "Webhook is in use", "a trigger uses this webhook")
    del request.account.webhooks[webhook.id]
    return Answer(204)


@endpoint(HOOKS, "GET", "/webhooks/{hook:text}/signing_secret", "webhooks", admin=True)
def show_secret(request: Request) -> Answer:
    return Answer(200, {"signing_secret": {"algorithm": "SHA256", "secret": _webhook(request).secret}})


@endpoint(HOOKS, "POST", "/webhooks/{hook:text}/signing_secret", "webhooks", admin=True)
def reset_secret(request: Request) -> Answer:
    webhook = _webhook(request)
    webhook.secret = new_secret()
    return Answer(201, {"signing_secret": {"algorithm": "SHA256", "secret": webhook.secret}})


@endpoint(HOOKS, "GET", "/webhooks/{hook:text}/invocations", "webhooks", admin=True)
def invocations(request: Request) -> Answer:
    things = list(_webhook(request).invocations.values())[::-1]
    order = {invocation.id: -number for number, invocation in enumerate(things)}
    asked = replace(request.call, query=_always_by_cursor(request))
    body, _ = page(asked, request.base, "invocations", things, lambda i: order[i.id], _shown)
    return Answer(200, body)


def _shown(invocation: Invocation) -> dict[str, Any]:
    at = invocation.completed_at
    return {"id": invocation.id, "status": invocation.status, "status_code": invocation.status_code,
            "latest_completed_at": render.nanoseconds(at) if at else None}  # fmt: skip


@endpoint(HOOKS, "GET", "/webhooks/{hook:text}/invocations/{invocation:text}/attempts", "webhooks", admin=True)
def attempts(request: Request) -> Answer:
    found = _webhook(request).invocations.get(request.call.params["invocation"])
    if found is None:
        raise api_errors.webhook_not_found()
    return Answer(200, {"attempts": found.attempts})


@endpoint(HOOKS, "POST", "/webhooks/test", "webhooks", admin=True, unlocked=True)
def test(request: Request) -> Answer:
    """Call an endpoint once. Without `webhook_id` the signature is made with the fixed secret for tests."""
    request.limit("webhooks-test", request.account.settings.limits.webhook_test)
    body = request.json()
    given = (body.get("request") or {}) if isinstance(body, dict) else {}
    known = request.account.webhooks.get(request.call.query.first("webhook_id") or "")
    webhook = known or Webhook(id="", name="test", endpoint="", created_at=datetime.now(UTC), created_by=0,
                               secret=TEST_SECRET)  # fmt: skip
    changes = {name: given[name] for name in ("endpoint", "http_method", "authentication") if given.get(name)}
    webhook = replace(webhook, **changes)
    _check({"endpoint": webhook.endpoint})
    payload = str(given.get("payload") or '{"test":"webhook"}\n').encode()
    number = new_ulid(datetime.now(UTC))
    outgoing = Outgoing(id=number, hook_id=webhook.id, url=webhook.endpoint, method=webhook.http_method,
                        body=lambda: payload, headers=lambda raw: {})  # fmt: skip
    attempt = Attempt(outgoing=outgoing, number=1, at=datetime.now(UTC), body=payload,
                      headers=request_headers(webhook, webhook.secret, number, payload))  # fmt: skip
    deliver(attempt, request.account.settings.webhook_timeout_s)
    if attempt.status is None:
        detail = f"no answer from the endpoint ({attempt.error})"
        raise api_errors.webhook_invalid("WebhookTestFailed", "Test failed", detail)
    headers = [{"key": key, "value": value} for key, value in attempt.answer_headers.items()]
    return Answer(200, {"response": {"headers": headers, "status_code": attempt.status, "payload": attempt.answer}})


# --- triggers --------------------------------------------------------------------------------------


def _trigger(request: Request) -> Trigger:
    found = request.account.triggers.get(request.id)
    if found is None:
        raise api_errors.not_found()
    return found


def _given_trigger(request: Request) -> dict[str, Any]:
    body = request.json()
    given = body.get("trigger") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise api_errors.invalid_attribute("trigger", "an object")
    return {name: given[name] for name in ("title", "conditions", "actions", "active", "position", "description",
                                           "category_id") if name in given}  # fmt: skip


@endpoint(HOOKS, "GET", "/triggers", "triggers")
def list_triggers(request: Request) -> Answer:
    active = request.call.query.first("active")
    things = [t for t in request.account.triggers.values() if active in (None, str(t.active).lower())]
    base = request.base
    body, _ = page(request.call, base, "triggers", things, lambda t: t.id, lambda t: render.trigger(base, t))
    return Answer(200, body)


@endpoint(HOOKS, "GET", "/triggers/{id}", "triggers")
def show_trigger(request: Request) -> Answer:
    return Answer(200, {"trigger": render.trigger(request.base, _trigger(request))})


@endpoint(HOOKS, "POST", "/triggers", "triggers", admin=True)
def create_trigger(request: Request) -> Answer:
    given, account = _given_trigger(request), request.account
    triggers.check(given)
    now, conditions = account.clock.now(), given.pop("conditions")
    given.setdefault("position", len(account.triggers) + 1)
    given.setdefault("actions", [])
    both = {"all": conditions.get("all") or [], "any": conditions.get("any") or []}
    trigger = Trigger(id=account.new_id(), created_at=now, updated_at=now, conditions=both, **given)
    account.triggers[trigger.id] = trigger
    return Answer(201, {"trigger": render.trigger(request.base, trigger)})


@endpoint(HOOKS, "PUT", "/triggers/{id}", "triggers", admin=True)
def update_trigger(request: Request) -> Answer:
    trigger, given = _trigger(request), _given_trigger(request)
    triggers.check({"title": trigger.title, "conditions": trigger.conditions, **given})
    for name, value in given.items():
        setattr(trigger, name, value)
    trigger.updated_at = request.account.clock.now()
    return Answer(200, {"trigger": render.trigger(request.base, trigger)})


@endpoint(HOOKS, "DELETE", "/triggers/{id}", "triggers", admin=True)
def delete_trigger(request: Request) -> Answer:
    del request.account.triggers[_trigger(request).id]
    return Answer(204)
