"""Gorgias as a connector: the contract's methods, each put together from the rooms beside this one."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, ClassVar

from pydantic import BaseModel

from handoff_connectors.gorgias import attachments
from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.appending import Appender
from handoff_connectors.gorgias.changes import Feed
from handoff_connectors.gorgias.doctor import Doctor
from handoff_connectors.gorgias.faults import FieldsRefused
from handoff_connectors.gorgias.mapping import TO_GORGIAS, id_of, to_tag
from handoff_connectors.gorgias.opening import Opener
from handoff_connectors.gorgias.people import People
from handoff_connectors.gorgias.reading import Reader
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_connectors.gorgias.talk import ROOM_BYTES
from handoff_connectors.gorgias.webhook import read_webhook
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
from handoff_sync.contract.files import FileRule, LocalFile
from handoff_sync.core.model import Attachment, TicketStatus

_SECRETS = ("webhook_secret", "webhook_secret_previous")


class GorgiasConnector:
    """One Gorgias account."""

    kind: ClassVar[str] = "gorgias"
    title: ClassVar[str] = "Gorgias"
    settings_model: ClassVar[type[BaseModel]] = GorgiasSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_comment_bytes=60_000 - ROOM_BYTES,  # no limit is documented, but 413 is
        ticket_updates=None,
        settle_s=60.0,
        idempotency_s=None,
        cannot={
            Feature.IDEMPOTENT_CREATION: "Gorgias knows no idempotency key: what is uncertain is looked up after 60 s.",
            Feature.FOLLOW_UP: "A closed ticket can always be opened again, so it needs no follow-up.",
            Feature.FINAL_STATUS: "A closed ticket can always be opened again, so it counts as solved.",
            Feature.WAITING_CUSTOMER: "Gorgias knows only open and closed: such a ticket stays open.",
            Feature.SOLVED_MEANS_DONE: "Agents press Send & Close with every answer: a close is no end of the work.",
            Feature.SET_ON_HOLD: "A snooze needs an end, which agents choose: we leave the ticket open.",
            Feature.SIGNED_BODY: "Gorgias signs no webhooks: a secret header proves them; the ticket is read again.",
            Feature.SIGNED_TIME: "Gorgias signs no time: a repeated webhook makes us read the ticket again, no more.",
            Feature.CHANGED_BY: "Events that say who closed or assigned a ticket come late: then nobody is named.",
        },
    )
    file_rule: ClassVar[FileRule] = attachments.RULE
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(name="*", limit=30, window_s=16),  # of 32, which the merchant's other integrations share
        Budget(name="events", limit=6, window_s=16),
    )

    def __init__(self, settings: GorgiasSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings = settings
        self._credentials = credentials
        self._api = GorgiasApi(settings, credentials, limiter)
        self._people = People(self._api, settings)
        self._opener = Opener(self._api, self._people, settings)
        self._appender = Appender(self._api, self._people)
        self._reader = Reader(self._api, self._people, settings)
        self._feed = Feed(self._api)
        self._doctor = Doctor(self._api, self._people, settings, self._webhook_secrets)

    # --- writing -----------------------------------------------------------------------------------

    @one_operation
    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        return self._opener.open(draft, journal)

    @one_operation
    def find(self, external_id: str) -> TicketRef | None:
        return self._opener.find(external_id)

    @one_operation
    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        return self._appender.append(ticket, comment)

    @one_operation
    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        return self._appender.find(ticket, marker)

    @one_operation
    def set_status(self, ticket: str, status: TicketStatus, marker: str) -> None:
        """A snooze would contradict either status, so it ends (quirk GO-6)."""
        self._api.update_ticket(ticket, {"status": TO_GORGIAS[status], "snooze_datetime": None})

    @one_operation
    def set_assignee(self, ticket: str, agent_id: str | None, marker: str) -> None:
        """Which of two ways takes an assignee away is not documented (quirk GO-16)."""
        if agent_id is not None:
            self._api.update_ticket(ticket, {"assignee_user": {"id": id_of("agent", agent_id)}})
            return
        try:
            self._api.update_ticket(ticket, {"assignee_user": None})
        except FieldsRefused:
            self._api.update_ticket(ticket, {"assignee_user": {"id": None}})

    @one_operation
    def set_tags(self, ticket: str, add: tuple[str, ...], remove: tuple[str, ...], marker: str) -> None:
        """Adds and removes, never replaces: tags in a change of the ticket would replace all (quirk GO-17)."""
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
        return self._feed.changed(cursor, now)

    # --- files -------------------------------------------------------------------------------------

    @one_operation
    def upload(self, file: LocalFile) -> str:
        return attachments.upload(self._api, file)

    @one_operation
    def download(self, ticket: str, comment: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        return attachments.download(self._api, ticket, comment, number, into, max_bytes)

    # --- webhooks ----------------------------------------------------------------------------------

    def verify_webhook(self, request: WebhookRequest) -> WebhookHint:
        return read_webhook(request, self._webhook_secrets())

    # --- setting up --------------------------------------------------------------------------------

    @one_operation
    def check(self) -> tuple[Finding, ...]:
        return self._doctor.check()

    @one_operation
    def install_webhook(self, url: str) -> InstalledWebhook:
        return self._doctor.install(url)

    def close(self) -> None:
        self._api.close()

    def _webhook_secrets(self) -> tuple[str, ...]:
        stored = self._credentials.current()
        configured = {name: getattr(self._settings, name) for name in _SECRETS}
        found = (
            stored.get(name) or (secret.get_secret_value() if secret is not None else "")
            for name, secret in configured.items()
        )
        return tuple(secret for secret in found if secret)
