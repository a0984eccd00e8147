"""The HTTP API of a simulated Paperdesk."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final, Self

from handoff_paperdesk.simulator.account import STAFF, US, Account, Ticket, refusal
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.endpoints import Answer, Call, EndpointTable, HelpdeskApi
from handoff_sync.simulator.fault_middleware import ErrorAnswer
from handoff_sync.simulator.remote import RateLimits

TOKEN: Final = "paperdesk-simulated-token"
PAGE: Final = 100
MAX_TEXT: Final = 50_000

Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Limits(RateLimits):
    """Calls of the account in any window; None: as many as you like."""

    calls: int | None = 100
    window_s: int = 60

    @classmethod
    def off(cls) -> Self:
        return cls(calls=None)


@dataclass(slots=True)
class Settings:
    """What this Paperdesk is like. Search and changes tell everything `lag_s` late; tickets themselves do not."""

    limits: Limits = Limits()
    lag_s: float = 5.0


class PaperdeskApi(HelpdeskApi):
    def __init__(self, account: Account, settings: Settings, clock: SimulatorClock) -> None:
        super().__init__()
        self._account, self._settings, self._clock = account, settings, clock
        self._calls: deque[float] = deque()
        self._table: EndpointTable[Endpoint] = EndpointTable()
        for method, template, endpoint in (
            ("GET", "/v1/me", self._me),
            ("GET", "/v1/hook", self._hook),
            ("PUT", "/v1/hook", self._put_hook),
            ("GET", "/v1/changes", self._changes),
            ("GET", "/v1/tickets", self._search),
            ("POST", "/v1/tickets", self._open),
            ("GET", "/v1/tickets/{id}", self._show),
            ("PATCH", "/v1/tickets/{id}", self._update),
            ("POST", "/v1/tickets/{id}/labels", self._label),
            ("POST", "/v1/tickets/{id}/slips", self._slip),
        ):
            self._table.add(method, template, endpoint)

    def forget(self) -> None:
        self._calls.clear()

    def respond(self, call: Call, base: str, headers: dict[str, str]) -> Answer:
        with self._account.lock:
            if call.headers.get("authorization") != f"Bearer {TOKEN}":
                raise refusal(401, "no such token")
            self._count()
            found = self._table.find(call.method, call.path)
            if found is None:
                raise refusal(404, "no such address")
            return found[0](replace(call, params=found[1]))

    def _count(self) -> None:
        limits, now = self._settings.limits, self._clock.unix()
        while self._calls and self._calls[0] <= now - limits.window_s:
            self._calls.popleft()
        if limits.calls is not None and len(self._calls) >= limits.calls:
            wait_s = math.ceil(self._calls[0] + limits.window_s - now)
            raise refusal(429, "too many calls", {"Retry-After": str(wait_s)})
        self._calls.append(now)

    # --- endpoints ------------------------------------------------------------------------------

    def _me(self, call: Call) -> Answer:
        return Answer(body={**asdict(US), "rights": ["read", "write", "hooks"]})

    def _hook(self, call: Call) -> Answer:
        return Answer(body={"hook": asdict(self._account.hook) if self._account.hook is not None else None})

    def _put_hook(self, call: Call) -> Answer:
        return Answer(body={"hook": asdict(self._account.put_hook(_text(_body(call), "url")))})

    def _changes(self, call: Call) -> Answer:
        until = self._clock.now() - timedelta(seconds=self._settings.lag_s)
        shown = [(number, at, ticket) for number, at, ticket in self._account.feed if at <= until]
        after = _number(call, "after")
        if after is None:
            since = _number(call, "since") or 0
            after = max((number for number, at, _ in shown if at.timestamp() < since), default=0)
        new = [(number, ticket) for number, _, ticket in shown if number > after]
        page = [{"no": number, "ticket": ticket} for number, ticket in new[:PAGE]]
        return Answer(body={"changes": page, "next": page[-1]["no"] if page else after, "more": len(new) > PAGE})

    def _search(self, call: Call) -> Answer:
        until = self._clock.now() - timedelta(seconds=self._settings.lag_s)
        ref = call.query.first("ref") or ""
        found = [t for t in self._account.tickets.values() if t.ref == ref and t.opened <= until and not t.gone]
        return Answer(body={"tickets": [{"id": ticket.id, "title": ticket.title} for ticket in found[:PAGE]]})

    def _open(self, call: Call) -> Answer:
        body = _body(call)
        person, slip = body.get("customer"), body.get("slip")
        if not isinstance(person, dict) or not isinstance(slip, dict):
            raise refusal(422, "customer and slip are needed")
        text, title, ref = _text(slip, "text"), _text(body, "title"), _text(body, "ref")
        customer = self._account.customer(_text(person, "ref"), _text(person, "name"), person.get("email"))
        ticket = self._account.open(US, title, customer, ref)
        ticket.labels = [str(label) for label in body.get("labels", [])]
        self._account.slip(ticket, US, text, bool(slip.get("public")), slip.get("ref"))
        return Answer(201, {"id": ticket.id})

    def _show(self, call: Call) -> Answer:
        ticket, after = self._ticket(call), _number(call, "after") or 0
        new = [entry for entry in ticket.entries if entry["no"] > after]
        holder = asdict(ticket.holder) if ticket.holder is not None else None
        return Answer(
            body={
                "id": ticket.id,
                "title": ticket.title,
                "state": ticket.state,
                "holder": holder,
                "labels": ticket.labels,
                "merged_into": ticket.merged_into,
                "updated_at": ticket.entries[-1]["at"],
                "entries": new[:PAGE],
                "more": len(new) > PAGE,
            }
        )

    def _update(self, call: Call) -> Answer:
        ticket, body = self._ticket(call), _body(call)
        if "state" in body:
            self._account.set_state(ticket, US, _text(body, "state"))
        if "holder" in body:
            holder = STAFF.get(body["holder"]) if body["holder"] is not None else None
            if body["holder"] is not None and holder is None:
                raise refusal(422, "nobody has this id")
            self._account.hold(ticket, US, holder)
        return Answer(body={"id": ticket.id, "state": ticket.state})

    def _label(self, call: Call) -> Answer:
        ticket, body = self._ticket(call), _body(call)
        self._account.label(ticket, US, map(str, body.get("add", [])), map(str, body.get("remove", [])))
        return Answer(body={"id": ticket.id, "labels": ticket.labels})

    def _slip(self, call: Call) -> Answer:
        ticket, body = self._ticket(call), _body(call)
        by = ticket.customer if body.get("as_customer") else US
        entry = self._account.slip(ticket, by, _text(body, "text"), bool(body.get("public")), body.get("ref"))
        return Answer(201, {"no": entry["no"]})

    def _ticket(self, call: Call) -> Ticket:
        ticket = self._account.tickets.get(int(call.params["id"]))
        if ticket is None or ticket.gone:
            raise refusal(404, "no such ticket")
        return ticket


def error_answer(status: int) -> ErrorAnswer:
    return ErrorAnswer("application/json; charset=utf-8", json.dumps({"error": f"status {status}"}).encode())


def _body(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.raw)
    except ValueError:
        raise refusal(400, "the body is no JSON") from None
    if not isinstance(body, dict):
        raise refusal(400, "the body is no object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise refusal(422, f"{name} must be a text of 1 to {MAX_TEXT} characters")
    return value


def _number(call: Call, name: str) -> int | None:
    value = call.query.first(name)
    if value is not None and not (value.isascii() and value.isdigit()):
        raise refusal(400, f"{name} must be a number")
    return int(value) if value is not None else None
