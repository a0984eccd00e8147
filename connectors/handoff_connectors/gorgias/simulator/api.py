"""The door of the API: recognises the caller, counts limits, finds the endpoint, words the errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from handoff_connectors.gorgias.simulator import api_errors
from handoff_connectors.gorgias.simulator.account import Account
from handoff_connectors.gorgias.simulator.auth import Authenticator, Caller
from handoff_connectors.gorgias.simulator.limits import RateLimiter
from handoff_sync.simulator.endpoints import Answer, Call, EndpointTable, HelpdeskApi

METHODS: Final = ("GET", "POST", "PUT", "DELETE")


@dataclass(slots=True)
class Request:
    """A call of a known user, with what an endpoint needs to answer it."""

    call: Call
    account: Account
    caller: Caller
    base: str
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer, also when it becomes an error."""

    @property
    def id(self) -> int:
        return int(self.call.params["id"])

    def json(self) -> Any:
        """
        Raises:
            ApiError: 400 when the body is not JSON.
        """
        try:
            return json.loads(self.call.raw or b"{}")
        except ValueError:
            raise api_errors.bad_json() from None

    def number(self, name: str) -> int | None:
        """A number from the query.

        Raises:
            ApiError: 400 when it is none.
        """
        raw = self.call.query.first(name)
        if raw is None:
            return None
        if not raw.isdigit():
            raise api_errors.invalid("Invalid parameters", {name: ["Not a valid integer."]})
        return int(raw)

    def listed(self, name: str) -> list[str]:
        """A list from the query: the name repeated, with or without brackets, or parted by commas."""
        raw = [*self.call.query.all(name), *self.call.query.all(f"{name}[]")]
        return [part.strip() for value in raw for part in value.split(",") if part.strip()]

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """
        Raises:
            ApiError: 400 for something else.
        """
        value = self.call.query.first(name) or default
        if value not in choices:
            raise api_errors.invalid("Invalid parameters", {name: [f"Must be one of: {', '.join(choices)}."]})
        return value

    def known(self, *names: str) -> None:
        """
        Raises:
            ApiError: 400 when the query holds anything else.
        """
        given = {name.removesuffix("[]") for name, _ in self.call.query.pairs()}
        if unknown := sorted(given - set(names)):
            raise api_errors.invalid("Invalid parameters", {name: ["Unknown field."] for name in unknown})


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a caller needs for it. `admin`: no other role may."""

    handler: Handler
    resource: str
    write: bool
    admin: bool = False


Table = EndpointTable[Endpoint]


def endpoint(
    table: Table, method: str, template: str, resource: str, *, admin: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler under `/api`. `resource`: what the scope is called."""

    def take(handler: Handler) -> Handler:
        table.add(method, f"/api{template}", Endpoint(handler, resource, method != "GET", admin))
        return handler

    return take


class Api(HelpdeskApi):
    """Answers calls to one account."""

    def __init__(self, account: Account, auth: Authenticator, limiter: RateLimiter, table: Table) -> None:
        super().__init__()
        self._account, self._auth, self._limiter, self._table = account, auth, limiter, table

    def respond(self, call: Call, base: str, headers: dict[str, str]) -> Answer:
        path = call.path.rstrip("/")
        self._account.agenda.run_due()
        with self._account.lock:
            match call.method, path:
                case "POST", "/oauth/token":
                    return self._token(call)
                case "GET", "/oauth/authorize":
                    return self._authorize(call)
            request, found = self._admit(call, path, base, headers)
            return found.handler(request)

    def _admit(self, call: Call, path: str, base: str, headers: dict[str, str]) -> tuple[Request, Endpoint]:
        if len(call.raw) > self._account.settings.max_request_bytes:
            raise api_errors.too_large()
        caller, limits = self._auth.identify(call.headers), self._account.settings.limits
        total = limits.api_key if caller.bucket == "api_key" else limits.oauth
        headers.update(self._limiter.hit(caller.bucket, total, limits.window_s))
        found = self._table.find(call.method, path)
        if found is None:
            other = any(self._table.find(method, path) for method in METHODS)
            raise api_errors.not_allowed() if other else api_errors.not_found()
        known, params = found
        caller.require(known.resource, known.write)
        if known.admin and caller.user.role != "admin":
            raise api_errors.forbidden()
        return Request(replace(call, params=params), self._account, caller, base, headers), known

    def _token(self, call: Call) -> Answer:
        """The body is a form, or JSON."""
        if call.headers.get("content-type", "").startswith("application/json"):
            try:
                body = json.loads(call.raw or b"{}")
            except ValueError:
                raise api_errors.bad_json() from None
        else:
            body = dict(parse_qsl(call.raw.decode("utf-8", "replace")))
        given = {str(k): str(v) for k, v in body.items()} if isinstance(body, dict) else {}
        return Answer(200, self._auth.grant(given, call.headers), {"Cache-Control": "no-store"})

    def _authorize(self, call: Call) -> Answer:
        """The merchant agrees at once."""
        query = call.query
        if query.first("client_id") != self._account.credentials.client_id or not query.first("redirect_uri"):
            raise api_errors.error(400, "invalid_request")
        back = {"code": self._auth.authorize(query.first("scope", "") or ""), "state": query.first("state", "")}
        return Answer(302, None, {"Location": f"{query.first('redirect_uri')}?{urlencode(back)}"})
