"""What a helpdesk answers instead of doing it, or never answers: the error says who must act and what is certain."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from handoff_sync.contract.connector import Finding
from handoff_sync.contract.deadline import within
from handoff_sync.errors import (
    HandoffError,
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    UnrecognisedPayload,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import WORDS, Bench
from tests.contract.suite.operations import OPERATIONS, Outcome, Sort, Trials, says_something
from tests.contract.suite.parts import awake

LONGEST_WAIT_S: Final = 3600.0
_ON_TICKET: Final = frozenset({"append", "note", "set_status", "set_assignee", "set_tags"})


def credentials_that_are_refused_stop_the_connection(bench: Bench) -> None:
    """401 and 403 at any call of any operation is VendorAuthError: a person must act."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (401, 403)):
        assert type(outcome.error) is VendorAuthError, outcome
    ticket = bench.opened("hs:acme:fresh")
    for status in (401, 403):  # also where a fresh token can be had, and is refused as well
        bench.spoil(FaultKind.STATUS, "reading", status=status, count=None)
        assert type(_error_of(lambda: bench.another().read(ticket, None))) is VendorAuthError, status
        bench.desk.simulator.faults.clear()


def what_is_refused_is_refused_for_good(bench: Bench) -> None:
    """400 and 422 are VendorRejected, unless they concern something that the operation can do without."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (400, 422)):
        _is_refused(outcome)


def what_is_not_there_is_gone(bench: Bench) -> None:
    """404 and 410 at a write to a ticket are TicketGone; a reading says `deleted`, or looks again to be sure."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (404, 410)):
        if outcome.operation.name == "read" and outcome.call == 0:
            deleted = getattr(outcome.result, "deleted", False)
            assert deleted or isinstance(outcome.error, VendorRejected | VendorDown), outcome
        elif outcome.operation.name in _ON_TICKET and outcome.call == 0:
            assert isinstance(outcome.error, TicketGone), outcome
        elif outcome.error is None or not isinstance(outcome.error, VendorDown):
            _is_refused(outcome)


def a_conflict_is_no_success(bench: Bench) -> None:
    """409 is refused, or tried again, and nobody's credentials are blamed for it."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (409,)):
        if outcome.call == 0:
            assert isinstance(outcome.error, VendorRejected | VendorDown | OutcomeUnknown), outcome


def a_limit_ends_the_call_with_the_wait(bench: Bench) -> None:
    """429 at any call of any operation is RateLimited with Retry-After kept, at once, and no call follows."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (429,), headers={"Retry-After": "7"}):
        assert isinstance(outcome.error, RateLimited), outcome
        assert outcome.error.retry_after_s == 7, outcome
        assert outcome.error.scope in ("connection", "ticket")
        assert outcome.calls == outcome.call + 1, f"{outcome}: it went on after the limit"


def a_wait_is_kept_and_bounded(bench: Bench) -> None:
    """Retry-After may be a number or a date; without one, or with nonsense, the wait is ours and within an hour."""
    trials, soon = Trials(bench), format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    told = {
        "7": (7, 7),
        "0": (0, LONGEST_WAIT_S),
        soon: (60, 91),
        past: (0, LONGEST_WAIT_S),
        "99999999": (600, LONGEST_WAIT_S),
    }
    nonsense = (None, "", "soon", "-5", "NaN", "1e999", "7 apples", "\u0667")
    with awake():
        for operation in (each for each in OPERATIONS if each.name in ("open", "append", "read")):
            for value, (least, most) in {**told, **dict.fromkeys(nonsense, (0.1, LONGEST_WAIT_S))}.items():
                headers = {} if value is None else {"Retry-After": value}
                outcome = trials.once(operation, bench.connector, FaultKind.STATUS, 0, status=429, headers=headers)
                assert outcome is not None and isinstance(outcome.error, RateLimited), outcome
                assert least <= outcome.error.retry_after_s <= most, f"{outcome}, Retry-After {value!r}"


def a_helpdesk_in_trouble_is_asked_again(bench: Bench) -> None:
    """5xx, 408 and 425 are VendorDown for what may be repeated, OutcomeUnknown for what may have been done."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (408, 425, 500, 502, 503, 504)):
        _is_lost(bench, outcome)


def trouble_that_says_how_long_is_believed(bench: Bench) -> None:
    """503 with Retry-After: whoever may repeat is told the wait; what may have been done stays uncertain."""
    for outcome in _everywhere(bench, FaultKind.STATUS, (503,), headers={"Retry-After": "7"}):
        _is_lost(bench, outcome)
        if outcome.operation.sort is Sort.READ and outcome.call == 0:
            assert isinstance(outcome.error, VendorDown) and outcome.error.retry_after_s == 7, outcome


def a_dropped_connection_leaves_writes_uncertain(bench: Bench) -> None:
    """No answer at all, done or not: reads are VendorDown, what must not happen twice is OutcomeUnknown."""
    for applied in (False, True):
        for outcome in _everywhere(bench, FaultKind.DROP, (0,), applied=applied):
            _is_lost(bench, outcome)


def half_an_answer_is_no_answer(bench: Bench) -> None:
    """An answer that breaks off is treated as none, and never as its first half."""
    for outcome in _everywhere(bench, FaultKind.CUT, (0,)):
        _is_lost(bench, outcome)


def a_page_of_html_is_no_answer(bench: Bench) -> None:
    """A proxy's page with status 200 is never a success."""
    for outcome in _everywhere(bench, FaultKind.HTML, (200,)):
        _is_lost(bench, outcome)


def five_megabytes_are_no_answer(bench: Bench) -> None:
    """An answer longer than anything sensible is treated as none."""
    for outcome in _everywhere(bench, FaultKind.HUGE, (200,)):
        _is_lost(bench, outcome, odd=outcome.operation.name == "changed")  # a sweep may read more


def json_of_another_shape_is_no_answer(bench: Bench) -> None:
    """A list, null, a text, a number, an empty object, an empty body: unreadable, and for new things uncertain."""
    trials = Trials(bench)
    with awake():
        for body in ("[]", "null", '"ok"', "7", "{}", "", "[[[", '{"a": NaN}', "[" * 5000, '{"id": {"id": []}}'):
            for operation in OPERATIONS:
                for call in range(2):
                    outcome = trials.once(operation, bench.connector, FaultKind.BODY, call, status=200, body=body)
                    if outcome is not None:
                        _is_lost(bench, outcome, odd=True)


def values_of_other_types_are_no_answer(bench: Bench) -> None:
    """The right fields with other types in them: nothing is guessed, and nothing but our errors comes of it."""
    for outcome in _everywhere(bench, FaultKind.WARPED, (200,)):
        _is_lost(bench, outcome, odd=True)


def a_redirect_is_not_followed(bench: Bench) -> None:
    """301, 302, 303, 307 and 308 to anywhere: nobody is called there, and nothing is believed to be done."""
    elsewhere = {"Location": f"{bench.settings['base_url']}/elsewhere"}
    for outcome in _everywhere(bench, FaultKind.STATUS, (301, 302, 303, 307, 308), headers=elsewhere):
        assert not any("elsewhere" in call.path for call in bench.desk.simulator.log.all()), outcome
        _is_refused_or_lost(bench, outcome)


def a_helpdesk_that_is_not_there_has_done_nothing(bench: Bench) -> None:
    """A refused connection is VendorDown for every operation; an opening tried meanwhile is made once later."""
    trials = Trials(bench)
    asking = [operation for operation in OPERATIONS if trials.calls(operation, bench.connector)]
    cold, case = bench.another(), trials.case()
    bench.desk.stop()
    try:
        for connector, asked in ((bench.connector, asking), (cold, [OPERATIONS[0], OPERATIONS[2]])):
            for operation in asked:
                error = _error_of(lambda o=operation, c=connector: trials.plain(o, c, case))
                if operation.sort is Sort.CHECK:
                    assert error is None
                else:
                    assert isinstance(error, VendorDown), (operation.name, error)
    finally:
        bench.desk.start()
    before = len(bench.desk.ticket_ids())
    made = bench.open_again(bench.draft(case.key), case.journal, bench.another())
    assert bench.desk.ticket_ids()[before:] == (made.id,)


def an_interrupted_opening_is_made_once(bench: Bench) -> None:
    """Wherever it was interrupted and however: opening it again ends with one whole ticket."""
    trials, opening = Trials(bench), OPERATIONS[0]
    for kind, fields in ((FaultKind.DROP, {"applied": True}), (FaultKind.STATUS, {"status": 503}),
                         (FaultKind.STATUS, {"status": 429}), (FaultKind.STATUS, {"status": 401})):  # fmt: skip
        for outcome in trials.spoiled(opening, kind, **fields):
            draft = bench.draft(outcome.case.key)
            ref = bench.open_again(draft, outcome.case.journal, bench.another())
            bench.pass_time(bench.capabilities.settle_s + 1)
            found = bench.persist(lambda draft=draft: bench.another().find(draft.external_id))
            assert found is not None and found.id == ref.id, outcome
            assert bench.texts(ref.id).count(f"{WORDS} two") == 1, outcome
    whole = [bench.desk.ticket(ticket) for ticket in bench.desk.ticket_ids()]
    assert [ticket for ticket in whole if "human-handoff" not in ticket.tags] == []


def silence_ends_with_the_operation(bench: Bench) -> None:
    """No answer, or an answer that trickles in: the call ends within its time, as VendorDown or OutcomeUnknown."""
    trials = Trials(bench)
    for kind, fields in ((FaultKind.HANG, {"delay_s": 60.0, "applied": True}), (FaultKind.TRICKLE, {"delay_s": 0.05})):
        for operation in (each for each in OPERATIONS if each.name in ("append", "read")):
            trials.plain(operation, bench.connector)
            started = time.monotonic()
            with within(0.6):
                outcome = trials.once(operation, bench.connector, kind, 0, **fields)
            assert time.monotonic() - started < 4, f"{outcome}: 0.6 s were given"
            assert outcome is not None
            _is_lost(bench, outcome)


def a_check_tells_instead_of_raising(bench: Bench) -> None:
    """Whatever goes wrong, a check returns findings: one of them is not ok and says what to do."""
    for kind, statuses in (
        (FaultKind.STATUS, (401, 403, 404, 429, 500)),
        (FaultKind.HTML, (200,)),
        (FaultKind.DROP, (0,)),
    ):
        for outcome in _everywhere(bench, kind, statuses, only="check"):
            findings = outcome.result
            assert isinstance(findings, tuple) and all(isinstance(each, Finding) for each in findings), outcome
            assert any(not each.ok for each in findings), outcome
            assert all(each.ok or (each.detail and each.todo) for each in findings), outcome


# --- what an outcome must be --------------------------------------------------------------------------


def _everywhere(
    bench: Bench, kind: FaultKind, statuses: tuple[int, ...], only: str | None = None, **fields: object
) -> Iterator[Outcome]:
    """Every operation spoiled at each of its calls. What `check` makes of it has a clause of its own."""
    trials = Trials(bench)
    with awake():
        for operation in OPERATIONS:
            if operation.name == only or (only is None and operation.sort is not Sort.CHECK):
                for status in statuses:
                    yield from trials.spoiled(operation, kind, **fields, **({"status": status} if status else {}))


def _is_lost(bench: Bench, outcome: Outcome, *, odd: bool = False) -> None:
    """`odd`: it is JSON that came, so what cannot be read is told by its path, and a bare yes may do."""
    allowed: tuple[type[HandoffError], ...] = (VendorDown, UnrecognisedPayload) if odd else (VendorDown,)
    match outcome.operation.sort:
        case Sort.CHECK:
            assert outcome.error is None, outcome
        case Sort.ONCE if says_something(bench, outcome):
            assert type(outcome.error) is OutcomeUnknown, outcome
        case Sort.ONCE | Sort.AGAIN:
            assert (odd and outcome.error is None) or isinstance(outcome.error, (*allowed, OutcomeUnknown)), outcome
            assert not isinstance(outcome.error, RateLimited), outcome
        case Sort.READ:
            assert (odd and outcome.call > 0 and outcome.error is None) or isinstance(outcome.error, allowed), outcome


def _is_refused(outcome: Outcome) -> None:
    if outcome.error is None:
        assert outcome.call > 0, f"{outcome}: the whole operation was refused"
        return
    assert isinstance(outcome.error, VendorRejected | UnrecognisedPayload), outcome


def _is_refused_or_lost(bench: Bench, outcome: Outcome) -> None:
    assert outcome.error is not None, outcome
    if not isinstance(outcome.error, VendorRejected):
        _is_lost(bench, outcome)


def _error_of(attempt: Callable[[], object]) -> HandoffError | None:
    try:
        attempt()
    except HandoffError as error:
        return error
    except Exception as foreign:
        raise AssertionError(f"{type(foreign).__name__} came out of a connector") from foreign
    return None
