"""Rates: ours are kept before a call is made, theirs are believed, and nobody sleeps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest

from handoff_sync.contract.connector import Requester
from handoff_sync.core.model import Customer
from handoff_sync.errors import RateLimited, VendorAuthError
from handoff_sync.simulator.faults import FaultKind
from handoff_sync.simulator.request_log import LoggedRequest, RequestLog
from tests.contract.suite.bench import Bench
from tests.contract.suite.operations import OPERATIONS, Trials
from tests.contract.suite.parts import Budgets, MemoryJournal, Spending, awake

WAIT_S: Final = 12.5
_SIGN_IN: Final = ("/oauth/", "/auth/")


def the_accounts_limit_pauses_the_connection(bench: Bench) -> None:
    """The account's calls are used up: RateLimited for the connection, at once; after the wait it goes on."""
    ticket = bench.opened()
    bench.read(ticket)
    bench.desk.limit_calls(24)
    with awake():
        limited = _limited(lambda: bench.connector.read(ticket, None), 40)
        assert limited.scope == "connection"
        assert 0 < limited.retry_after_s <= 600
        before = len(_calls(bench))
        _limited(lambda: bench.connector.append(ticket, bench.words(), MemoryJournal()), 1)
        assert len(_calls(bench)) == before + 1, "one call each, and no second try"
        bench.pass_time(limited.retry_after_s)
        bench.persist(lambda: bench.connector.append(ticket, bench.words("m-later"), MemoryJournal()))


def a_tickets_limit_parks_its_lane_alone(bench: Bench) -> None:
    """Where writes to one ticket are limited, that ticket waits as long as it must and the others go on."""
    limit = bench.capabilities.ticket_updates
    if limit is None:
        return
    bench.desk.simulator.reset()
    one, other = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    for number in range(limit.limit):
        bench.connector.append(one, bench.words(f"m-{number}"), MemoryJournal())
    with awake():
        limited = _limited(lambda: bench.connector.append(one, bench.words("m-more"), MemoryJournal()), 3)
        assert limited.scope == "ticket"
        assert limited.retry_after_s <= limit.window_s
        bench.connector.append(other, bench.words("m-other"), MemoryJournal())
        bench.pass_time(limited.retry_after_s + 1)
        bench.connector.append(one, bench.words("m-more"), MemoryJournal())


def every_call_is_paid_for_before_it_is_made(bench: Bench) -> None:
    """As many calls as were spent, each spent first, also where one is made again with a fresh token."""
    trials = Trials(bench)
    for operation in OPERATIONS:
        for warm in (False, True):
            log = bench.desk.simulator.log
            till = bench.spending = _Till(log)
            connector = bench.another()
            if warm:
                trials.plain(operation, connector)
            before, paid = len(_calls(bench)), len(till.spent)
            trials.plain(operation, connector)
            assert len(_calls(bench)) - before == len(till.spent) - paid, f"{operation.name}: calls and budget differ"
            assert till.unpaid == [], operation.name
    till = bench.spending = _Till(bench.desk.simulator.log)
    connector, ticket = bench.another(), trials.case().ticket
    connector.read(ticket, None)
    before, paid = len(_calls(bench)), len(till.spent)
    bench.spoil(FaultKind.STATUS, "reading", status=401)
    with suppress(VendorAuthError):  # where no fresh token can be had
        connector.read(ticket, None)
    assert len(_calls(bench)) - before == len(till.spent) - paid, "the second try of a call with a fresh token"


def a_used_up_budget_sends_nothing(bench: Bench) -> None:
    """Our own budget ends in the middle of an operation: RateLimited with its wait, and not one call more."""
    trials = Trials(bench)
    connector = bench.connector
    for operation in OPERATIONS:
        trials.calls(operation, connector)
        for allowed in itertools.count():
            before = len(_calls(bench))
            bench.spending.left, bench.spending.wait_s = allowed, WAIT_S
            error = None
            try:
                with awake():
                    trials.plain(operation, connector)
            except RateLimited as limited:
                error = limited
            left, bench.spending.left = bench.spending.left, math.inf
            made = len(_calls(bench)) - before
            assert made == allowed - left, f"{operation.name}: {made} calls of {allowed}"
            assert error is None or error.retry_after_s == WAIT_S, operation.name
            if left > 0:
                assert error is None
                break


def a_burst_stays_below_the_plan(bench: Bench) -> None:
    """Hundreds of calls at once, by the declared budgets and under the real limits: nothing has to be refused."""
    bench.desk.simulator.reset()
    budgets = type(bench.connector).budgets
    assert any(budget.name == "*" for budget in budgets)
    bench.spending = Budgets(budgets, lambda: bench.desk.simulator.clock.now().timestamp())
    connector = bench.another()
    tickets = []
    for number in range(12):
        somebody = Requester(external_id=f"acme:c-{number}", customer=Customer(name=f"Customer {number}"))
        draft, journal = bench.draft(f"hs:acme:{number}", requester=somebody), MemoryJournal()
        tickets.append(bench.persist(lambda d=draft, j=journal: connector.open(d, j)).id)
    for _ in range(12):
        for ticket in tickets:
            bench.read(ticket, connector=connector)
    for number, ticket in enumerate(tickets * 9):
        comment, journal = bench.words(f"m-{number}"), MemoryJournal()
        bench.persist(lambda t=ticket, c=comment, j=journal: connector.append(t, c, j))
    for _ in range(12):
        bench.persist(lambda: connector.changed(None, bench.desk.simulator.clock.now()))
        bench.persist(lambda: connector.find("hs:acme:1"))
    refused = [f"{call.method} {call.path}" for call in bench.desk.simulator.log.all() if call.status == 429]
    assert refused == [], refused[:5]


# --- counting -------------------------------------------------------------------------------------------


class _Till(Spending):
    """Notes whenever more calls were made than were paid for."""

    def __init__(self, log: RequestLog) -> None:
        super().__init__()
        self._log = log
        self._start = len(_but_sign_in(log.all()))
        self.unpaid: list[str] = []

    def spend(self, name: str) -> None:
        if len(_but_sign_in(self._log.all())) - self._start > len(self.spent):
            self.unpaid.append(name)
        super().spend(name)


def _calls(bench: Bench) -> list[LoggedRequest]:
    return _but_sign_in(bench.desk.simulator.log.all())


def _but_sign_in(calls: list[LoggedRequest]) -> list[LoggedRequest]:
    """Tokens have limits of their own."""
    return [call for call in calls if not any(word in call.path for word in _SIGN_IN)]


def _limited(attempt: Callable[[], object], tries: int) -> RateLimited:
    """The limit that one of so many attempts meets."""
    with pytest.raises(RateLimited) as caught:
        for _ in range(tries):
            attempt()
    return caught.value
