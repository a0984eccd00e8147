"""Intercom as a connector: the contract's methods, each put together from the rooms beside this one."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO, ClassVar

from pydantic import BaseModel

from handoff_connectors.intercom import attachments
from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.converting import Converter
from handoff_connectors.intercom.doctor import Doctor
from handoff_connectors.intercom.duplicates import Duplicates
from handoff_connectors.intercom.furnishing import Furnisher
from handoff_connectors.intercom.mapping import number, tags_of
from handoff_connectors.intercom.opening import Opener
from handoff_connectors.intercom.people import People
from handoff_connectors.intercom.reading import Reader
from handoff_connectors.intercom.replying import Replier
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.states import States
from handoff_connectors.intercom.sweeping import Sweeper
from handoff_connectors.intercom.tags import Tags
from handoff_connectors.intercom.threads import Threads
from handoff_connectors.intercom.webhook import read_webhook
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


class IntercomConnector:
    """One Intercom workspace."""

    kind: ClassVar[str] = "intercom"
    title: ClassVar[str] = "Intercom"
    settings_model: ClassVar[type[BaseModel]] = IntercomSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        max_comment_bytes=14_000,  # no limit is documented (IC-6)
        ticket_updates=None,
        settle_s=60.0,
        idempotency_s=None,
        cannot={
            Feature.IDEMPOTENT_CREATION: "Intercom has no key: they are found by a word in their first message.",
            Feature.FOLLOW_UP: "A conversation never becomes final: a contact's reply opens it again.",
            Feature.FINAL_STATUS: "A conversation never becomes final: a contact's reply opens it again.",
            Feature.WAITING_CUSTOMER: "A conversation is open, snoozed or closed; only tickets wait.",
            Feature.PRIORITY: "Version 2.16 sets no priority through the API; it stands in the first note.",
            Feature.PUBLIC_WORDS: "They would reach the customer twice; they become internal notes.",
            Feature.RESTORE: "Who deletes a conversation deletes it for good.",
            Feature.LONG_HISTORY: "A conversation shows its newest 500 parts; a reading further behind misses some.",
            Feature.INSTALL_WEBHOOK: "Webhooks are set in the Developer Hub by hand; the API cannot.",
            Feature.SIGNED_TIME: "Intercom signs no time: a repeated webhook makes us read again, no more.",
        },
    )
    file_rule: ClassVar[FileRule] = attachments.RULE
    budgets: ClassVar[tuple[Budget, ...]] = (
        Budget(name="*", limit=1500, window_s=10),  # of 1,666, a sixth of 10,000 a minute (IC-16)
        Budget(name="sweep", limit=150, window_s=10),
    )

    def __init__(self, settings: IntercomSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings = settings
        self._api = IntercomApi(settings, credentials, limiter)
        self._people = People(self._api, settings)
        self._tags = Tags(self._api, self._people)
        threads = Threads(self._api)
        duplicates = Duplicates(self._api, self._people)
        furnisher = Furnisher(self._api, self._people, threads, self._tags, settings)
        converter = Converter(self._api, self._people, duplicates, settings)
        self._states = States(self._api, self._people)
        self._opener = Opener(self._api, self._people, duplicates, furnisher, converter, settings)
        self._replier = Replier(self._api, self._people, threads, self._states)
        self._reader = Reader(self._api, self._people, threads, settings)
        self._sweeper = Sweeper(self._api, duplicates, settings)
        self._doctor = Doctor(self._api, self._people, settings)

    # --- writing -----------------------------------------------------------------------------------

    @one_operation
    def open(self, draft: TicketDraft, journal: Journal) -> TicketRef:
        return self._opener.open(draft, journal)

    @one_operation
    def find(self, external_id: str) -> TicketRef | None:
        return self._opener.find(external_id)

    @one_operation
    def append(self, ticket: str, comment: CommentDraft, journal: Journal) -> CommentRef:
        return self._replier.append(number("conversation", ticket), comment, journal)

    @one_operation
    def find_appended(self, ticket: str, marker: str) -> CommentRef | None:
        return self._replier.find_appended(number("conversation", ticket), marker)

    @one_operation
    def set_status(self, ticket: str, status: TicketStatus, marker: str) -> None:
        self._states.set(number("conversation", ticket), status)

    @one_operation
    def set_assignee(self, ticket: str, agent_id: str | None, marker: str) -> None:
        wanted = number("teammate", agent_id) if agent_id is not None else None
        self._states.assign(number("conversation", ticket), wanted)

    @one_operation
    def set_tags(self, ticket: str, add: tuple[str, ...], remove: tuple[str, ...], marker: str) -> None:
        shown = self._api.kinds.tags(ticket, self._api.conversation(number("conversation", ticket)))
        has = tags_of(shown) if shown is not None else None
        self._tags.add(ticket, add, has or {})
        self._tags.remove(ticket, remove, has)

    # --- reading -----------------------------------------------------------------------------------

    @one_operation
    def read(self, ticket: str, cursor: str | None) -> TicketSnapshot:
        return self._reader.read(number("conversation", ticket), cursor)

    @one_operation
    def changed(self, cursor: str | None, now: datetime) -> ChangedTickets:
        return self._sweeper.changed(cursor, now)

    # --- files -------------------------------------------------------------------------------------

    def upload(self, file: LocalFile) -> str:
        """Files go only along with a reply."""
        return ""

    @one_operation
    def download(self, ticket: str, comment: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        return attachments.download(self._api, _conversation(ticket), comment, number, into, max_bytes)

    # --- webhooks ----------------------------------------------------------------------------------

    def verify_webhook(self, request: WebhookRequest) -> WebhookHint:
        secrets = self._api.tokens.signing_secrets()
        hint, arrival = read_webhook(request, secrets, self._settings.workspace_id)
        if arrival is not None:
            self._opener.arrivals.put(arrival.word, arrival.conversation)
        return hint

    # --- setting up --------------------------------------------------------------------------------

    @one_operation
    def check(self) -> tuple[Finding, ...]:
        return self._doctor.check()

    @one_operation
    def install_webhook(self, url: str) -> InstalledWebhook:
        return self._doctor.install(url)

    def close(self) -> None:
        self._api.close()


def _conversation(ticket: str) -> str:
    return number("conversation", ticket)
