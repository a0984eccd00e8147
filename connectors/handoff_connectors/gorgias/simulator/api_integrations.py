"""Endpoints of HTTP integrations, which is what Gorgias calls webhooks."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from handoff_connectors.gorgias.simulator import api_errors, render
from handoff_connectors.gorgias.simulator.api import Request, Table, endpoint
from handoff_connectors.gorgias.simulator.fields import faults, parse
from handoff_connectors.gorgias.simulator.model import Integration
from handoff_connectors.gorgias.simulator.paging import page
from handoff_connectors.gorgias.simulator.schemas import GROUP_A, GROUP_B, INTEGRATION
from handoff_sync.simulator.endpoints import Answer

INTEGRATIONS: Final = Table()


def _integration(request: Request) -> Integration:
    found = request.account.integrations.get(request.id)
    if found is None:
        raise api_errors.not_found()
    return found


def _body(request: Request, msg: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body, `http` completed with what was there before.

    Raises:
        ApiError: 400 for wrong fields, or for triggers of both groups.
    """
    given = request.json()
    if before is not None and isinstance(given, dict) and isinstance(given.get("http"), dict):
        given["http"] = {**before, **given["http"]}
    wrong = faults(INTEGRATION, given) or _http_faults(given, new=before is None)
    if wrong:
        raise api_errors.invalid(msg, wrong)
    return dict(given)


def _http_faults(given: dict[str, Any], *, new: bool) -> dict[str, Any]:
    http = given.get("http")
    if http is None:
        return {"http": ["Missing data for required field."]} if new else {}
    if new and given.get("type") != "http":
        return {"type": ["Must be one of: http."]}
    if urlsplit(http["url"]).scheme not in ("http", "https"):
        return {"http": {"url": ["Not a valid URL."]}}
    if not all(isinstance(value, str) for value in (http.get("headers") or {}).values()):
        return {"http": {"headers": ["Not a valid string."]}}
    on = {name for name, wanted in (http.get("triggers") or {}).items() if wanted}
    if on & set(GROUP_A) and on & set(GROUP_B):
        return {"http": {"triggers": [f"Cannot be combined with other triggers: {', '.join(GROUP_B)}."]}}
    return {}


@endpoint(INTEGRATIONS, "POST", "/integrations", "integrations", admin=True)
def create(request: Request) -> Answer:
    account, given = request.account, _body(request, "Failed to create integration")
    now = account.clock.now()
    made = Integration(id=account.new_id(), name=given["name"], created_at=now, updated_at=now,
                       http_id=account.new_id(), http=given["http"], description=given.get("description"),
                       business_hours_id=given.get("business_hours_id"))  # fmt: skip
    account.integrations[made.id] = made
    return Answer(201, render.integration(account, made))


@endpoint(INTEGRATIONS, "GET", "/integrations", "integrations")
def list_integrations(request: Request) -> Answer:
    request.choice("type", ("http",), "http")
    listed = request.account.integrations.values()
    return Answer(200, page(request.call, listed, lambda i: (0.0, i.id),
                            lambda i: render.integration(request.account, i), falling=False))  # fmt: skip


@endpoint(INTEGRATIONS, "GET", "/integrations/{id}", "integrations")
def show(request: Request) -> Answer:
    return Answer(200, render.integration(request.account, _integration(request)))


@endpoint(INTEGRATIONS, "PUT", "/integrations/{id}", "integrations", admin=True)
def update(request: Request) -> Answer:
    """`deactivated_datetime: null` switches it on again and forgives its failures."""
    found = _integration(request)
    given = _body(request, "Failed to update integration", found.http)
    found.name, found.http = given["name"], given.get("http", found.http)
    found.description = given.get("description", found.description)
    if "deactivated_datetime" in given:
        raw = given["deactivated_datetime"]
        found.deactivated_at = parse(raw) if raw else None
        found.failures = 0
    found.updated_at = request.account.clock.now()
    return Answer(202, render.integration(request.account, found))


@endpoint(INTEGRATIONS, "DELETE", "/integrations/{id}", "integrations", admin=True)
def delete(request: Request) -> Answer:
    del request.account.integrations[_integration(request).id]
    return Answer(204)
