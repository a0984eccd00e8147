"""Zendesk Support as a connector: the contract's methods, each put together from the rooms beside this one."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, ClassVar

from pydantic import BaseModel

from handoff_connectors.zendesk import attachments
from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.doctor import Doctor
from handoff_connectors.zendesk.faults import FieldsRefused
from handoff_connectors.zendesk.mapping import (
    TO_ZENDESK,
    agent_number,
    comment_fields,
    comment_id_of,
    in_the_name_of,
    mark,
    marker_of,
    to_tag,
)
from handoff_connectors.zendesk.opening import Opener
from handoff_connectors.zendesk.people import People
from handoff_connectors.zendesk.reading import Reader
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_connectors.zendesk.webhook import read_webhook
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
from handoff_sync.contract.files import FileRule, LocalFile
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import OutcomeUnknown, UnrecognisedPayload, VendorRejected

START_BEFORE_S = 120
"""The export keeps back its newest minute and refuses a start within it (quirk ZD-18)."""

RESTART_BEFORE_S = 86_400
"""How far back to begin again when Zendesk no longer takes a cursor. What is read twice changes nothing."""

_LONGEST_TIME = 12
_SECRETS = ("signing_secret", "signing_secret_previous")


class ZendeskConnector:
    """One Zendesk account."""

    kind: ClassVar[str] = "zendesk"
    title: ClassVar[str] = "Zendesk"
    settings_model: ClassVar[type[BaseModel]] = ZendeskSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_comment_bytes=60_000,  # 64 kB, cut without an error, less what we and Zendesk wrap around it (ZD-13)
        ticket_updates=Budget(name="ticket_updates", limit=30, window_s=600),
        settle_s=60.0,
        idempotency_s=7200.0,
    )
    file_rule: ClassVar[FileRule] = attachments.RULE
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(name="*", limit=360, window_s=60),  # of 400: the account's other programs live from the same limit
        Budget(name="ticket_update", limit=95, window_s=60),
        Budget(name="ticket_list", limit=90, window_s=60),
        Budget(name="incremental", limit=6, window_s=60),  # of 10, shared with every other export of the account
        Budget(name="users", limit=1, window_s=1),
    )

    def __init__(self, settings: ZendeskSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings = settings
        self._credentials = credentials
        self._api = ZendeskApi(settings, credentials, limiter)
        self._people = People(self._api)
        self._opener = Opener(self._api, self._people, settings)
        self._reader = Reader(self._api, self._people, settings)
        self._doctor = Doctor(self._api, settings, self._signing_secrets)

    # --- writing -----------------------------------------------------------------------------------

    @one_operation
    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        return self._opener.open(draft, journal)

    @one_operation
    def find(self, external_id: str) -> TicketRef | None:
        return self._opener.find(external_id)

    @one_operation
    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        """An author is the ticket's requester, whoever agents have made that by now (quirk ZD-12)."""
        author = self._people.requester_of(ticket) if comment.author is not None else None
        if author is not None and author == self._people.us:
            return self._append_as_us(ticket, comment)
        try:
            return self._comment(ticket, comment, {"comment": _said(comment, comment.html, author)})
        except FieldsRefused as refused:
            if author is None or not {"author", "author_id", "requester", "comment"} & set(refused.fields):
                raise
            return self._append_as_us(ticket, comment)

    def _append_as_us(self, ticket: str, comment: CommentDraft) -> CommentRef:
        """What the customer says, posted by us; as ours does not reopen the ticket, the status says it."""
        name = comment.author.display_name if comment.author is not None else ""
        said = _said(comment, in_the_name_of(name, comment.html), None)
        return self._comment(ticket, comment, {"comment": said, "status": "open"})

    def _comment(self, ticket: str, comment: CommentDraft, changes: dict[str, object]) -> CommentRef:
        """Not repeatable: a PUT that may have been done is looked for before it is sent again (quirk ZD-5)."""
        answer = self._api.update_ticket(ticket, {**changes, "metadata": mark(comment.marker)}, repeatable=False)
        try:
            made = comment_id_of(answer["audit"])
        except UnrecognisedPayload:
            made = None
        if made is None:
            raise OutcomeUnknown("Zendesk took a comment without saying its id.")
        return CommentRef(id=made)

    @one_operation
    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        wanted = mark(marker)
        for audit in self._api.audits(ticket):
            made = comment_id_of(audit) if marker_of(audit) in wanted.values() else None
            if made is not None:
                return CommentRef(id=made)
        return None

    @one_operation
    def set_status(self, ticket: str, status: TicketStatus, marker: str) -> None:
        """A ticket cannot be solved without an assignee: then the connector user becomes it (quirk ZD-19)."""
        changes: dict[str, object] = {"status": TO_ZENDESK[status], "metadata": mark(marker)}
        try:
            self._api.update_ticket(ticket, changes, repeatable=True)
        except FieldsRefused as refused:
            done = status in (TicketStatus.SOLVED, TicketStatus.CLOSED)
            if not done or not {"assignee", "assignee_id"} & set(refused.fields):
                raise
            self._api.update_ticket(ticket, {**changes, "assignee_id": self._people.us}, repeatable=True)

    @one_operation
    def set_assignee(self, ticket: str, agent_id: str | None, marker: str) -> None:
        number = agent_number(agent_id) if agent_id is not None else None
        self._api.update_ticket(ticket, {"assignee_id": number, "metadata": mark(marker)}, repeatable=True)

    @one_operation
    def set_tags(self, ticket: str, add: tuple[str, ...], remove: tuple[str, ...], marker: str) -> None:
        """Adds and removes, never replaces; these calls take no marker, but tags make no events of a person (ZD-20)."""
        if add:
            self._api.add_tags(ticket, tuple(to_tag(tag) for tag in add))
        if remove:
            self._api.remove_tags(ticket, tuple(to_tag(tag) for tag in remove))

    # --- reading -----------------------------------------------------------------------------------

    @one_operation
    def read(self, ticket: str, cursor: str | None) -> TicketSnapshot:
        return self._reader.read(ticket, cursor)

    @one_operation
    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        """Until the export has given a cursor, ours is the time from which it was asked."""
        kind, _, place = (cursor or "").partition(":")
        asked = kind == "from" and place.isascii() and place.isdigit() and len(place) <= _LONGEST_TIME
        start = int(place) if asked else int(now.timestamp()) - (RESTART_BEFORE_S if cursor else START_BEFORE_S)
        try:
            page = self._api.export(place if kind == "after" else None, start)
        except VendorRejected:
            if kind != "after":
                raise
            start = int(now.timestamp()) - RESTART_BEFORE_S  # the cursor is not taken any more
            page = self._api.export(None, start)
        ids = dict.fromkeys(ticket["id"].identifier() for ticket in page["tickets"])
        after = page.get("after_cursor")
        following = f"after:{after.text()}" if after is not None else f"from:{start}"
        more = not page["end_of_stream"].boolean() and following != cursor
        return ChangedTickets(ids=tuple(ids), cursor=following, more=more)

    # --- files -------------------------------------------------------------------------------------

    @one_operation
    def upload(self, file: LocalFile) -> str:
        return attachments.upload(self._api, file)

    @one_operation
    def download(self, ticket: str, comment: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        return attachments.download(self._api, ticket, comment, number, into, max_bytes)

    # --- webhooks ----------------------------------------------------------------------------------

    def verify_webhook(self, request: WebhookRequest) -> WebhookHint:
        return read_webhook(request, self._signing_secrets())

    # --- setting up --------------------------------------------------------------------------------

    @one_operation
    def check(self) -> tuple[Finding, ...]:
        return self._doctor.check()

    @one_operation
    def install_webhook(self, url: str) -> InstalledWebhook:
        return self._doctor.install(url)

    def close(self) -> None:
        self._api.close()

    def _signing_secrets(self) -> tuple[str, ...]:
        stored = self._credentials.current()
        configured = {name: getattr(self._settings, name) for name in _SECRETS}
        found = (
            stored.get(name) or (secret.get_secret_value() if secret is not None else "")
            for name, secret in configured.items()
        )
        return tuple(secret for secret in found if secret)


def _said(comment: CommentDraft, markup: str, author: int | None) -> dict[str, object]:
    return comment_fields(markup, public=comment.public, author_id=author) | attachments.tokens_of(comment.files)
