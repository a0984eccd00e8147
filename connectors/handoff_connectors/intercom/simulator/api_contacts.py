"""Endpoints of contacts."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from handoff_connectors.intercom.simulator import api_errors, people, render, search
from handoff_connectors.intercom.simulator.api import Request, Table, endpoint
from handoff_connectors.intercom.simulator.indexing import contact_document
from handoff_connectors.intercom.simulator.model import Contact
from handoff_connectors.intercom.simulator.paging import asked_page, page, size_of
from handoff_connectors.intercom.simulator.search import CONTACT_FIELDS, Kind
from handoff_sync.simulator.endpoints import Answer

CONTACTS: Final = Table()
PER_PAGE: Final = 50


def _shown(request: Request, contact: Contact) -> Answer:
    return Answer(200, render.contact(request.workspace.settings.app_id, contact))


@endpoint(CONTACTS, "POST", "/contacts", "write_users")
def create(request: Request) -> Answer:
    return _shown(request, people.create(request.workspace, request.json()))


@endpoint(CONTACTS, "GET", "/contacts", "read_users")
def list_contacts(request: Request) -> Answer:
    query = request.call.query
    found = [c for c in request.workspace.contacts_there() if not c.archived]
    return _list(request, found, size_of(query.first("per_page"), PER_PAGE), query.first("starting_after"))


@endpoint(CONTACTS, "POST", "/contacts/search", "read_users")
def search_contacts(request: Request) -> Answer:
    """New and changed contacts appear after a lag."""
    body, workspace = request.json(), request.workspace
    fits = search.predicate(body.get("query"), {**CONTACT_FIELDS, "custom_attributes.*": Kind.TEXT},
                            workspace.settings.timezone)  # fmt: skip
    until = workspace.clock.unix() - workspace.settings.search_lag_s
    known = [c for c in workspace.contacts_there() if not c.archived and c.changed_at <= until]
    found = [contact for contact in known if fits(contact_document(contact))]
    return _list(request, found, *asked_page(body, PER_PAGE))


def _list(request: Request, found: list[Contact], size: int, after: Any) -> Answer:
    shown, pages, total = page(found, lambda c: (c.created_at, c.id), size, after)
    rendered = [render.contact(request.workspace.settings.app_id, contact) for contact in shown]
    return Answer(200, {"type": "list", "data": rendered, "total_count": total, "pages": pages})


@endpoint(CONTACTS, "GET", "/contacts/find_by_external_id/{external_id:text}", "read_users")
def find_by_external_id(request: Request) -> Answer:
    """Users only, never leads; for one who was merged 410."""
    wanted = unquote(request.call.params["external_id"])
    found = [c for c in request.workspace.contacts.values() if c.external_id == wanted and not c.deleted]
    merged = [c for c in found if c.merged_into is not None]
    users = [c for c in found if c.role == "user" and not c.archived]
    return _shown(request, request.readable(next(iter([*users, *merged]), None)))


@endpoint(CONTACTS, "POST", "/contacts/merge", "write_users")
def merge(request: Request) -> Answer:
    body, contacts = request.json(), request.workspace.contacts
    source, target = contacts.get(str(body.get("from"))), contacts.get(str(body.get("into")))
    validate = body.get("skip_duplicate_validation") is not True
    return _shown(request, people.merge(request.workspace, source, target, validate))


@endpoint(CONTACTS, "GET", "/contacts/{id:text}", "read_users")
def show(request: Request) -> Answer:
    contact = request.contact()
    if contact.archived and not request.workspace.settings.archived_contacts_readable:
        raise api_errors.user_not_found()
    return _shown(request, contact)


@endpoint(CONTACTS, "PUT", "/contacts/{id:text}", "write_users")
def update(request: Request) -> Answer:
    contact = request.contact()
    people.update(request.workspace, contact, request.json())
    return _shown(request, contact)


@endpoint(CONTACTS, "DELETE", "/contacts/{id:text}", "write_users")
def delete(request: Request) -> Answer:
    contact = request.contact()
    people.delete(request.workspace, contact)
    return Answer(200, render.contact_reference(contact, deleted=True))


@endpoint(CONTACTS, "POST", "/contacts/{id:text}/archive", "write_users")
def archive(request: Request) -> Answer:
    contact = request.contact()
    people.archive(request.workspace, contact)
    return Answer(200, render.contact_reference(contact, archived=True))


@endpoint(CONTACTS, "POST", "/contacts/{id:text}/unarchive", "write_users")
def unarchive(request: Request) -> Answer:
    contact = request.workspace.contacts.get(request.call.params["id"])
    if contact is None or contact.deleted:
        raise api_errors.user_not_found()
    people.unarchive(request.workspace, contact)
    return Answer(200, render.contact_reference(contact, archived=False))


@endpoint(CONTACTS, "POST", "/contacts/{id:text}/block", "write_users")
def block(request: Request) -> Answer:
    contact = request.contact()
    people.block(request.workspace, contact)
    return Answer(200, render.contact_reference(contact, blocked=True))
