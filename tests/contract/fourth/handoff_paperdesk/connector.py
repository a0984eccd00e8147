"""Paperdesk behind the contract. Each method is put together from the files beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Final

from pydantic import BaseModel

from handoff_paperdesk import mapping, webhook
from handoff_paperdesk.api import PaperdeskApi
from handoff_paperdesk.settings import PaperdeskSettings
from handoff_sync.contract.connector import (
    Budget,
    Capabilities,
    ChangedTickets,
    CommentDraft,
    CommentRef,
    Credentials,
    Finding,
    InstalledWebhook,
    Journal,
    Limiter,
    TicketDraft,
    TicketRef,
    TicketSnapshot,
    WebhookHint,
    WebhookRequest,
)
from handoff_sync.contract.deadline import one_operation
from handoff_sync.contract.features import Feature
from handoff_sync.contract.payload import Wild
from handoff_sync.contract.signatures import same
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import HandoffError, TicketGone, VendorAuthError

RIGHTS: Final = ("read", "write", "hooks")
_FIRST_S: Final = 300
_AGAIN_S: Final = 6 * 3600
"""How far back a sweep begins: the first of all, and one whose cursor is none."""


class PaperdeskConnector:
    """One connection to Paperdesk."""

    kind: ClassVar[str] = "paperdesk"
    title: ClassVar[str] = "Paperdesk"
    settings_model: ClassVar[type[BaseModel]] = PaperdeskSettings
    budgets: ClassVar[tuple[Budget, ...]] = (Budget(name="*", limit=90, window_s=60),)
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_comment_bytes=48_000,
        ticket_updates=None,
        settle_s=30,
        idempotency_s=None,
        cannot={
            Feature.IDEMPOTENT_CREATION: "Paperdesk knows no idempotency key: what is uncertain is looked up.",
            Feature.FOLLOW_UP: "A ticket that is done can be opened again, so it needs no follow-up.",
            Feature.FINAL_STATUS: "A ticket that is done can be opened again, so it counts as solved.",
            Feature.WAITING_CUSTOMER: "Paperdesk knows open, parked and done: such a ticket stays open.",
            Feature.PRIORITY: "Tickets of Paperdesk have no priority.",
            Feature.GROUP: "A program cannot give a new ticket to a team.",
            Feature.CUSTOM_FIELDS: "Tickets of Paperdesk have no fields of the account's own.",
            Feature.FILES_TO_TICKET: "A program cannot put files on a slip.",
            Feature.FILES_TO_CHAT: "Files are shown to people who signed in, and to no program.",
            Feature.RESTORE: "What was thrown away is gone for good.",
        },
    )

    def __init__(self, settings: PaperdeskSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings, self._credentials = settings, credentials
        self._api = PaperdeskApi(settings, credentials, limiter)

    # --- writing --------------------------------------------------------------------------------

    @one_operation
    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        if (known := journal.get("ticket")) is not None:
            return self._ref(known)
        if journal.get("sent") is not None and (found := self.find(draft.external_id)) is not None:
            return found
        journal.put("sent", "yes")
        made = self._api.write("POST", "/v1/tickets", mapping.ticket_request(draft), _id)
        journal.put("ticket", made)
        return self._ref(made)

    @one_operation
    def find(self, external_id: str) -> TicketRef | None:
        found = [_id(each) for each in self._api.get("/v1/tickets", ref=external_id)["tickets"]]
        return self._ref(min(found, key=int)) if found else None

    @one_operation
    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        body = mapping.slip_request(comment)
        return CommentRef(
            id=self._api.write("POST", f"{_path(ticket)}/slips", body, lambda it: mapping.read_id(it["no"]))
        )

    @one_operation
    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        for page in self._pages(ticket, 0):
            for entry in page["entries"]:
                if mapping.marker_of(entry) == marker:
                    return _slip(entry)
        return None

    @one_operation
    def set_status(self, ticket: str, status: TicketStatus, marker: str) -> None:
        self._api.write("PATCH", _path(ticket), {"state": mapping.STATES[status]}, _id)

    @one_operation
    def set_assignee(self, ticket: str, agent_id: str | None, marker: str) -> None:
        holder = int(mapping.given_id(agent_id)) if agent_id is not None else None
        self._api.write("PATCH", _path(ticket), {"holder": holder}, _id)

    @one_operation
    def set_tags(self, ticket: str, add: tuple[str, ...], remove: tuple[str, ...], marker: str) -> None:
        self._api.write("POST", f"{_path(ticket)}/labels", {"add": add, "remove": remove}, _id)

    # --- reading --------------------------------------------------------------------------------

    @one_operation
    def read(self, ticket: str, cursor: str | None) -> TicketSnapshot:
        last = mapping.seen(cursor) or 0
        entries: list[Wild] = []
        try:
            for page in self._pages(ticket, last):
                entries += page["entries"]
        except TicketGone:
            return mapping.gone(ticket, cursor)
        if entries:
            last = entries[-1]["no"].integer()
        return mapping.snapshot(page, entries, last, self._url(ticket))

    def _pages(self, ticket: str, after: int) -> Iterator[Wild]:
        """The ticket with the entries after this one; the last page tells the ticket's state after all of them."""
        path, more = _path(ticket), True
        while more:
            page = self._api.get(path, after=after)
            entries = page["entries"].items()
            more = page["more"].boolean() and bool(entries)
            yield page
            after = entries[-1]["no"].integer() if entries else after

    @one_operation
    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        after = mapping.seen(cursor)
        if after is not None:
            page = self._api.get("/v1/changes", after=after)
        else:
            back_s = _FIRST_S if cursor is None else _AGAIN_S
            page = self._api.get("/v1/changes", since=int(now.timestamp()) - back_s)
        ids = dict.fromkeys(mapping.read_id(change["ticket"]) for change in page["changes"])
        return ChangedTickets(
            ids=tuple(ids), cursor=mapping.cursor(page["next"].integer()), more=page["more"].boolean()
        )

    # --- the connection itself ------------------------------------------------------------------

    def verify_webhook(self, request: WebhookRequest) -> WebhookHint:
        return webhook.verify(request, [self._secret("webhook_secret"), self._secret("webhook_secret_previous")])

    @one_operation
    def check(self) -> tuple[Finding, ...]:
        try:
            rights = [right.text() for right in self._api.get("/v1/me")["rights"]]
        except VendorAuthError as error:
            return (_finding("credentials", str(error), "Store a token of an API user that is not locked."),)
        except HandoffError as error:
            return (_finding("connection", str(error), "Check the account's name, then try again."),)
        good = Finding(name="credentials", ok=True, detail="The token is good.")
        return (good, *(_right(right, right in rights) for right in RIGHTS), self._check_webhook())

    def _check_webhook(self) -> Finding:
        todo = "Install the webhook again."
        try:
            hook = self._api.get("/v1/hook").get("hook")
            there = hook is not None and self._fits(hook, self._settings.webhook_url or "")
            same_secret = hook is not None and same(self._secret("webhook_secret"), hook["secret"].text())
        except HandoffError as error:
            return _finding("webhook", str(error), todo)
        if not there:
            return _finding("webhook", "It is missing, switched off, or sent elsewhere.", todo)
        if not same_secret:
            return _finding("webhook", "It is signed with a secret that we do not have.", todo)
        return Finding(name="webhook", ok=True, detail="It is sent to us.")

    @one_operation
    def install_webhook(self, url: str) -> InstalledWebhook:
        """An account has one webhook, and its secret can be read at any time (quirk PD-5)."""
        hook = self._api.get("/v1/hook").get("hook")
        if hook is not None and self._fits(hook, url):
            secret = hook["secret"].text()
        else:
            secret = self._api.write("PUT", "/v1/hook", {"url": url}, lambda it: it["hook"]["secret"].text())
        return InstalledWebhook(id="hook", changes={"webhook_url": url, "webhook_secret": secret})

    def close(self) -> None:
        self._api.close()

    @staticmethod
    def _fits(hook: Wild, url: str) -> bool:
        return hook["active"].boolean() and hook["url"].text() == url

    def _secret(self, name: str) -> str:
        return self._settings.secret(name, self._credentials)

    def _ref(self, ticket: str) -> TicketRef:
        return TicketRef(id=ticket, url=self._url(ticket))

    def _url(self, ticket: str) -> str:
        return f"{self._settings.origin}/tickets/{ticket}"


def _id(answer: Wild) -> str:
    return mapping.read_id(answer["id"])


def _slip(answer: Wild) -> CommentRef:
    return CommentRef(id=mapping.read_id(answer["no"]))


def _path(ticket: str) -> str:
    return f"/v1/tickets/{mapping.given_id(ticket)}"


def _right(name: str, granted: bool) -> Finding:
    if granted:
        return Finding(name=f"right {name}", ok=True, detail="Granted.")
    return _finding(f"right {name}", "Not granted.", f"Grant the API user the right “{name}”.")


def _finding(name: str, detail: str, todo: str) -> Finding:
    return Finding(name=name, ok=False, detail=detail, todo=todo)
