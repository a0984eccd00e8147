"""The door of the API: recognises the caller, counts limits, finds the endpoint, words the errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.account import Account
from handoff_connectors.zendesk.simulator.auth import Authenticator, Caller
from handoff_connectors.zendesk.simulator.limits import MINUTE, LimitReached, RateLimiter, account_headers, refused
from handoff_connectors.zendesk.simulator.ticket_desk import Origin
from handoff_sync.simulator.endpoints import Answer, Call, EndpointTable, HelpdeskApi

TOO_MANY = "Number of allowed API requests per minute exceeded"


@dataclass(slots=True)
class Request:
    """A call of a known user, with what an endpoint needs to answer it."""

    call: Call
    account: Account
    caller: Caller
    limiter: RateLimiter
    base: str
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer, also when it becomes an error."""

    @property
    def origin(self) -> Origin:
        return Origin(self.caller.user, client=self.call.headers.get("user-agent", ""))

    @property
    def id(self) -> int:
        return int(self.call.params["id"])

    def json(self) -> Any:
        """
        Raises:
            ApiError: 400 when the body is not JSON.
        """
        if not self.call.raw:
            return {}
        try:
            return json.loads(self.call.raw)
        except ValueError:
            raise api_errors.bad_json() from None

    def limit(
        self, name: str, total: int | None, *, key: Any = None, seconds: float = MINUTE, text: str = TOO_MANY
    ) -> None:
        """Count the call against a limit of this endpoint.

        Raises:
            ApiError: 429.
        """
        try:
            room = self.limiter.hit(name, key, total, seconds)
        except LimitReached as reached:
            raise refused(reached.room, f"zendesk-ratelimit-{name}", text) from None
        if room is not None:
            self.headers[f"zendesk-ratelimit-{name}"] = room.header()

    def warn_of(self, dropped: list[str], action: str) -> None:
        """Say which keys of the body were dropped."""
        if dropped:
            names = ", ".join(json.dumps(name) for name in dropped)
            self.headers["x-zendesk-api-warn"] = (
                f'{{:allowed_parameters=>{{:controller=>"tickets", :action=>"{action}", '
                f":unpermitted_keys=>[{names}], :invalid_values=>[]}}}}"
            )


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a caller needs for it. `unlocked`: makes outgoing calls and must not hold up the account meanwhile."""

    handler: Handler
    resource: str
    write: bool
    admin: bool = False
    unlocked: bool = False


Table = EndpointTable[Endpoint]


def endpoint(
    table: Table, method: str, template: str, resource: str, *, admin: bool = False, unlocked: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler under `/api/v2`."""

    def take(handler: Handler) -> Handler:
        write = method != "GET"
        table.add(method, f"/api/v2{template}", Endpoint(handler, resource, write, admin, unlocked))
        return handler

    return take


class Api(HelpdeskApi):
    """Answers calls to one account."""

    def __init__(self, account: Account, auth: Authenticator, limiter: RateLimiter, table: Table) -> None:
        super().__init__()
        self._account, self._auth, self._limiter, self._table = account, auth, limiter, table

    def is_slow(self, call: Call) -> bool:
        """Whether the answer needs an outgoing call and so a thread of its own."""
        found = self._table.find(call.method, _without_suffix(call.path))
        return found is not None and found[0].unlocked

    def respond(self, call: Call, base: str, headers: dict[str, str]) -> Answer:
        path = _without_suffix(call.path)
        if path == "/oauth/tokens" and call.method == "POST":
            return self._token(call)
        if path.startswith("/attachments/token/") and call.method == "GET":
            return self._file(path.split("/")[3])
        with self._account.lock:
            request, found = self._admit(call, path, base, headers)
            if not found.unlocked:
                return found.handler(request)
        return found.handler(request)

    def _file(self, key: str) -> Answer:
        file = self._account.files.get(key)
        if file is None:
            raise api_errors.not_found()
        return Answer(200, file.content, {"Content-Disposition": "attachment"}, file.content_type)

    def _token(self, call: Call) -> Answer:
        """The body may be JSON or a form."""
        body: Any
        if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            body = dict(parse_qsl(call.raw.decode("utf-8", "replace")))
        else:
            try:
                body = json.loads(call.raw or b"{}")
            except ValueError:
                raise api_errors.bad_json() from None
        with self._account.lock:
            return Answer(201, self._auth.grant(body))

    def _admit(self, call: Call, path: str, base: str, headers: dict[str, str]) -> tuple[Request, Endpoint]:
        caller = self._auth.identify(call.headers)
        try:
            headers.update(account_headers(self._limiter.hit("account", None, self._account.settings.limits.account)))
        except LimitReached as reached:
            headers.update(account_headers(reached.room))
            raise refused(reached.room, None, TOO_MANY) from None
        found = self._table.find(call.method, path)
        if found is None:
            raise api_errors.no_such_endpoint()
        known, params = found
        caller.require(known.resource, known.write)
        if not caller.user.is_staff or (known.admin and caller.user.role != "admin"):
            raise api_errors.forbidden()
        return Request(replace(call, params=params), self._account, caller, self._limiter, base, headers), known


def _without_suffix(path: str) -> str:
    """`.json` is optional at the end of a path."""
    return path.removesuffix(".json").rstrip("/")
