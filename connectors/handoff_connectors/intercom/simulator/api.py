"""How a call becomes an answer: format, version, who calls, limits, scope, endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from handoff_connectors.intercom.simulator import api_errors, versions
from handoff_connectors.intercom.simulator.api_errors import ApiError
from handoff_connectors.intercom.simulator.auth import Authenticator, Caller
from handoff_connectors.intercom.simulator.limits import LimitReached, RateLimiter
from handoff_connectors.intercom.simulator.model import Actor, Admin, Contact, Conversation
from handoff_connectors.intercom.simulator.talk import wake_due
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.endpoints import Answer, Call, EndpointTable, HelpdeskApi

TOKENS = "/auth/eagle/token"
ACCEPTED = ("application/json", "*/*", "application/*")


@dataclass(slots=True)
class Request:
    """A call of a known app, with what an endpoint needs to answer it."""

    call: Call
    workspace: Workspace
    caller: Caller
    limiter: RateLimiter
    base: str
    version: tuple[int, int]
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer, also when it becomes an error."""

    def json(self) -> dict[str, Any]:
        """
        Raises:
            ApiError: 400 when the body is not a JSON object.
        """
        return _object(self.call.raw)

    @property
    def as_text(self) -> bool:
        return self.call.query.first("display_as") == "plaintext"

    def conversation(self) -> Conversation:
        """
        Raises:
            ApiError: 404, or 429 for a write where conversations have a limit of their own.
        """
        return self._limited(self.workspace.callable(self.call.params["id"]))

    def ticket(self) -> Conversation:
        """As `conversation`, for one that is a ticket."""
        return self._limited(self.workspace.ticket(self.call.params["id"]))

    def _limited(self, found: Conversation | None) -> Conversation:
        if found is None:
            raise api_errors.not_found()
        if self.call.method != "GET":
            self._limit_writes(found)
        return found

    def _limit_writes(self, conversation: Conversation) -> None:
        try:
            self.limiter.hit(conversation.id, self.workspace.settings.limits.per_conversation)
        except LimitReached as reached:
            raise api_errors.too_many_requests(reached.room.headers()) from None

    def contact(self) -> Contact:
        """
        Raises:
            ApiError: 404, or 410 for one who was merged into another.
        """
        return self.readable(self.workspace.contacts.get(self.call.params["id"]))

    def readable(self, contact: Contact | None) -> Contact:
        if contact is None or contact.deleted:
            raise api_errors.user_not_found()
        if contact.merged_into is not None:
            raise api_errors.merged(self.workspace.canonical(contact).id)
        return contact

    def admin(self, body: dict[str, Any]) -> Admin:
        """The teammate that a body names; ids may be text or number.

        Raises:
            ApiError: 400 nobody is named; 404 there is no such teammate.
        """
        if body.get("admin_id") in (None, ""):
            raise api_errors.missing("admin_id")
        found = self.workspace.admins.get(str(body["admin_id"]))
        if found is None:
            raise api_errors.admin_not_found()
        return found

    def actor(self, body: dict[str, Any]) -> Actor:
        return Actor(self.admin(body).author, via_api=True)


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a caller needs for it. `since`: the first version that has it; `paid`: needs a plan with API access."""

    handler: Handler
    scope: str
    since: tuple[int, int] = (1, 0)
    paid: bool = False


Table = EndpointTable[Endpoint]


def endpoint(
    table: Table, method: str, template: str, scope: str, *, since: tuple[int, int] = (1, 0)
) -> Callable[[Handler], Handler]:
    def take(handler: Handler) -> Handler:
        table.add(method, template, Endpoint(handler, scope, since, template.startswith("/conversations")))
        return handler

    return take


class Api(HelpdeskApi):
    """Answers calls to one workspace."""

    def __init__(self, workspace: Workspace, auth: Authenticator, limiter: RateLimiter, table: Table) -> None:
        super().__init__()
        self._workspace, self._auth, self._limiter, self._table = workspace, auth, limiter, table

    def respond(self, call: Call, base: str, headers: dict[str, str]) -> Answer:
        if call.path.startswith("/attachments/") and call.method == "GET":
            return self._file(call.path.rsplit("/", 1)[1])
        _check_accept(call.headers.get("accept"))
        with self._workspace.lock:
            if (call.method, call.path) == ("POST", TOKENS):
                return Answer(200, self._auth.exchange(_object(call.raw)))
            wake_due(self._workspace)
            request, found = self._admit(call, base, headers)
            return found.handler(request)

    def _file(self, token: str) -> Answer:
        file = self._workspace.files.get(token)
        if file is None:
            raise api_errors.not_found()
        return Answer(200, file.content, {"Content-Disposition": "attachment"}, file.content_type)

    def _admit(self, call: Call, base: str, headers: dict[str, str]) -> tuple[Request, Endpoint]:
        caller, wanted = self._auth.identify(call.headers), self._workspace.settings
        self._count(headers)
        named, version = versions.spoken(call.headers.get("intercom-version"), wanted.app_version)
        headers["Intercom-Version"] = named
        found = self._table.find(call.method, call.path.rstrip("/"))
        if found is None:
            raise api_errors.not_found()
        known, params = found
        if version < known.since:
            raise api_errors.version_lacks_it()
        caller.require(known.scope)
        if known.paid and wanted.plan_restricted:
            raise api_errors.plan_restricted()
        call = replace(call, params=params)
        return Request(call, self._workspace, caller, self._limiter, base, version, headers), known

    def _count(self, headers: dict[str, str]) -> None:
        try:
            room = self._limiter.hit("app", self._workspace.settings.limits.app)
        except LimitReached as reached:
            raise api_errors.rate_limited(reached.room.limit, reached.room.headers()) from None
        if room is not None:
            headers.update(room.headers())


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise api_errors.bad_request("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise api_errors.bad_request("The request body must be a JSON object")
    return body


def _check_accept(given: str | None) -> None:
    """
    Raises:
        ApiError: 406, the caller does not take JSON.
    """
    kinds = [kind.partition(";")[0].strip() for kind in (given or "").split(",")]
    if not any(kind in ACCEPTED for kind in kinds):
        raise ApiError(
            406, "media_type_not_acceptable", "The Accept header should send a media type of application/json"
        )
