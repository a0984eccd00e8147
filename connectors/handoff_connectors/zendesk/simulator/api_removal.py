"""Endpoints that delete, restore, mark as spam and merge tickets."""

from __future__ import annotations

import secrets
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors, render, ticket_removal
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.api import Request, Table, endpoint
from handoff_connectors.zendesk.simulator.api_tickets import live_ticket
from handoff_connectors.zendesk.simulator.model import Ticket
from handoff_connectors.zendesk.simulator.paging import page
from handoff_sync.simulator.endpoints import Answer

REMOVAL: Final = Table()


@endpoint(REMOVAL, "DELETE", "/tickets/{id}", "tickets")
def delete(request: Request) -> Answer:
    request.limit("tickets-delete", request.account.settings.limits.ticket_delete)
    ticket_removal.delete(request.account, request.origin, live_ticket(request))
    return Answer(204)


@endpoint(REMOVAL, "GET", "/deleted_tickets", "tickets")
def list_deleted(request: Request) -> Answer:
    account = request.account
    request.limit("deleted-tickets", account.settings.limits.deleted_tickets)
    gone = [t for t in account.tickets.values() if t.deleted_at is not None and not t.scrubbed]
    body, _ = page(request.call, request.base, "deleted_tickets", gone, lambda t: t.id, lambda t: _shown(account, t))
    return Answer(200, body)


def _shown(account: Account, ticket: Ticket) -> dict[str, Any]:
    actor = account.users[ticket.deleted_by or ticket.submitter_id]
    return {"id": ticket.id, "subject": ticket.subject, "description": ticket.description,
            "actor": {"id": actor.id, "name": actor.name}, "deleted_at": render.time(ticket.deleted_at),
            "previous_state": ticket.status}  # fmt: skip


def _deleted_ticket(request: Request) -> Ticket:
    ticket = request.account.tickets.get(request.id)
    if ticket is None or ticket.deleted_at is None or ticket.scrubbed:
        raise api_errors.not_found()
    return ticket


@endpoint(REMOVAL, "PUT", "/deleted_tickets/{id}/restore", "tickets")
def restore(request: Request) -> Answer:
    ticket_removal.restore(request.account, request.origin, _deleted_ticket(request))
    return Answer(200, {})


@endpoint(REMOVAL, "DELETE", "/deleted_tickets/{id}", "tickets")
def purge(request: Request) -> Answer:
    ticket = _deleted_ticket(request)
    ticket_removal.purge(request.account, request.origin, ticket)
    return Answer(200, {"job_status": _job(request, [{"id": ticket.id, "success": True}])})


@endpoint(REMOVAL, "PUT", "/tickets/{id}/mark_as_spam", "tickets")
def mark_as_spam(request: Request) -> Answer:
    ticket_removal.mark_as_spam(request.account, request.origin, live_ticket(request))
    return Answer(200, {})


@endpoint(REMOVAL, "POST", "/tickets/{id}/merge", "tickets")
def merge(request: Request) -> Answer:
    """The merge happens at once; the answer shows the job as queued, as a real one is."""
    target, body = live_ticket(request), request.json()
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not all(isinstance(i, int) for i in ids) or len(ids) > 5:
        raise api_errors.invalid_attribute("ids", "an array of at most 5 integers")
    sources = [request.account.live_ticket(i) for i in ids]
    for source in sources:
        if source is None:
            raise api_errors.not_found()
        ticket_removal.merge(request.account, request.origin, source, target, body)
    results = [{"id": i, "action": "merge", "success": True} for i in ids]
    return Answer(200, {"job_status": _job(request, results)})


def _job(request: Request, results: list[dict[str, Any]]) -> dict[str, Any]:
    job_id = secrets.token_hex(16)
    url = f"{request.base}/api/v2/job_statuses/{job_id}.json"
    queued = {"id": job_id, "job_type": "Bulk ticket change", "url": url, "total": len(results), "progress": None,
              "status": "queued", "message": None, "results": None}  # fmt: skip
    done = {"progress": len(results), "status": "completed", "message": "Completed", "results": results}
    request.account.jobs[job_id] = {**queued, **done}
    return queued


@endpoint(REMOVAL, "GET", "/job_statuses/{job:text}", "tickets")
def job_status(request: Request) -> Answer:
    job = request.account.jobs.get(request.call.params["job"])
    if job is None:
        raise api_errors.not_found()
    return Answer(200, {"job_status": job})
