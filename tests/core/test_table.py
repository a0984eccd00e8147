"""Every phase × event has one defined result (domain.md section 6, I4).

A cell names the verdict, the row, and the phase where it changes: `T22:human` applied, `=` unchanged, `-` ignored,
`!` refused, `+` belongs to a new session; the gate's answers are written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest

from handoff_sync.core.events import Event
from handoff_sync.core.model import Phase
from tests.core.every_event import EVERY
from tests.core.talk import PHASES, Talk, fresh, said_of

SHORT = {
    Phase.AI: "ai",
    Phase.AI_DECIDING: "dec",
    Phase.WAITING: "wait",
    Phase.HUMAN: "human",
    Phase.STOPPED: "stop",
    Phase.RESOLVED: "res",
    Phase.ARCHIVED: "arch",
}

# A session that starts with the event; then, each with a ticket from a handoff: with the AI again, a decision pending,
# waiting, held by Ana, stopped, resolved, archived. Timers are given an hour to become due.
TABLE = """
event                          | new       ai        dec       wait      human     stop      res       arch
session.started                | T1        =T1       =T1       =T1       =T1       =T1       =T1       +T7
session.superseded             | -T6       -T6       -T6       -T6       -T6       -T6       T6        T6
customer.message               | T1        T2        T3        T4        T4        T4        T5:human  +T7
customer.end_human             | =T46      =T46      =T46      T46:ai    T46:ai    -T46      -T46      -T46
ai.message.proposed            | allow:T8  allow:T8  allow:T8  block:T10 block:T10 block:T10 block:T10 block:T10
ai.message.proposed stale      | block:T10 block:T10 block:T10 block:T10 block:T10 block:T10 block:T10 block:T10
ai.message.sent                | T1        T8        T8        T8        T8        T8        T8        T8
human.message                  | T41:human T41:human T41:human T40:human T40       T40:human !T40      !T40
human.message automation       | T42       T42       T42       T42       T42       T42       T42       T42
handoff.requested manual       | T11:wait  T11:wait  T13:wait  T15       T15       T16:wait  T17:wait  !T17
handoff.requested semi         | T12:dec   T12:dec   =T14      T15       T15       T16:wait  -T17      -T17
handoff.requested automatic    | T11:wait  T11:wait  T13:wait  T15       T15       T16:wait  -T17      -T17
handoff.requested manual_only  | -T11      -T11      -T11      T15       T15       T16:wait  -T17      -T17
decision.accepted              | !T21      !T21      T18:wait  !T21      !T21      !T21      !T21      !T21
decision.declined              | !T21      !T21      T19:ai    !T21      !T21      !T21      !T21      !T21
decision.undone                | !T68      !T68      !T68      !T68      !T68      !T68      !T68      !T68
pause by a member              | T22:human T22:human T23:human T24       T24       !T22      !T22      !T22
pause by the system            | T22:wait  T22:wait  T23:wait  T24       T24       !T22      !T22      !T22
extend                         | !T25      !T25      !T25      !T25      !T25      !T25      !T25      !T25
resume                         | =T30      =T30      =T30      T27:ai    T27:ai    T29:ai    !T27      !T27
stop                           | T31:stop  T31:stop  T31:stop  T31:stop  T31:stop  =T31      !T31      !T31
reset                          | T32       T32       T32:ai    T32:ai    T32:ai    T29:ai    T33       !T32
claim                          | T37:human T37:human T37:human T34:human !T35      !T34      !T34      !T34
claim by force                 | T37:human T37:human T37:human T34:human T35       !T34      !T34      !T34
assign a person                | T37:human T37:human T37:human T36:human T36       !T34      !T34      !T34
assign an AI                   | =T30      =T30      =T30      T39:ai    T39:ai    !T39      !T39      !T39
unassign                       | !T38      !T38      !T38      =T38      T38:wait  !T38      !T38      !T38
copilot.set on                 | !T43      !T43      !T43      T43       T43       !T43      !T43      !T43
copilot.set off                | !T43      !T43      !T43      =T43      =T43      !T43      !T43      !T43
note.added                     | T67       T67       T67       T67       T67       T67       T67       T67
label.changed                  | T67       T67       T67       T67       T67       T67       T67       T67
resolve                        | T44:res   T44:res   T44:res   T44:res   T44:res   T44:res   =T44      !T44
archive                        | T45:arch  T45:arch  T45:arch  T45:arch  T45:arch  T45:arch  T45:arch  =T45
timer pause                    | -T26      -T26      -T26      -T26      -T26      -T26      -T26      -T26
timer decision                 | -T20      -T20      T20:ai    -T20      -T20      -T20      -T20      -T20
timer decision_reminder        | -T48      -T48      T48       -T48      -T48      -T48      -T48      -T48
timer claim_reminder           | -T48      -T48      -T48      T48       -T48      -T48      -T48      -T48
timer claim_timeout            | -T49      -T49      -T49      -T49      -T49      -T49      -T49      -T49
timer solved_grace             | -T57      -T57      -T57      -T57      -T57      -T57      -T57      -T57
ticket.created                 | -T52      =T65      =T65      =T65      =T65      =T65      =T65      =T65
ticket.create_failed           | -T53      =T53      =T53      =T53      =T53      =T53      =T53      =T53
ticket.status open             | -T57      =T65      =T65      =T65      =T65      =T65      T61:human T61
ticket.status pending          | -T57      T58       T58       T58       T58       T58       T61:human T61
ticket.status solved           | -T57      T57       T57       T57       T57       T57       =T65      =T65
ticket.status closed           | -T57      T59       T59       T59:res   T59:res   T59       T59       T59
ticket.assigned                | -T54      -T54      -T54      T54:human T54       -T54      -T54      -T54
ticket.assigned nobody         | -T54      -T54      -T54      =T38      T38:wait  -T54      -T54      -T54
ticket.public_reply            | -T55      T62       T62       T40:human T40       T40:human T62       T62
ticket.public_reply automation | -T55      T42       T42       T42       T42       T42       T42       T42
ticket.note                    | -T56      T56       T56       T56       T56       T56       T56       T56
ticket.tag                     | -T67      T67       T67       T67       T67       T67       T67       T67
ticket.merged                  | -T63      T63       T63       T63       T63       T63       T63       T63
ticket.deleted                 | -T64      T64       T64       T64       T64       T64       T64       T64
health.changed down            | T66       T66       T66       T66       T66       T66       T66       T66
health.changed up              | =T66      =T66      =T66      =T66      =T66      =T66      =T66      =T66
"""

STARTS: tuple[Callable[[], Talk], ...] = (fresh, *PHASES.values())
NAMES = ("new", *SHORT.values())


def rows() -> dict[str, tuple[str, ...]]:
    lines = [line.split("|") for line in TABLE.strip().splitlines()]
    return {name.strip(): tuple(cells.split()) for name, cells in lines}


CASES = [
    pytest.param(event, start, cell, id=f"{event} in {name}")
    for event, cells in rows().items()
    if event != "event"
    for start, name, cell in zip(STARTS, NAMES, cells, strict=True)
]


@pytest.mark.parametrize(("event", "start", "cell"), CASES)
def test_every_pair_has_its_result(event: str, start: Callable[[], Talk], cell: str) -> None:
    talk = start()
    before = talk.phase
    if event.startswith("timer"):
        talk.wait(hours=1)
    outcome = talk.send(EVERY[event](talk.session))
    said = said_of(outcome).removesuffix(f" {outcome.session.phase}").replace(" ", ":")
    if outcome.session.phase is not before:
        said += f":{SHORT[outcome.session.phase]}"
    assert said == cell


def test_the_table_holds_every_kind_of_event() -> None:
    assert set(EVERY) == set(rows()) - {"event"}
    kinds = {kind.__dataclass_fields__["type"].default for kind in get_args(Event)}
    sampled = {make(fresh().session).type for make in EVERY.values()}
    assert sampled == kinds


def test_what_changes_nothing_says_why() -> None:
    for make in EVERY.values():
        for start in STARTS:
            talk = start()
            before = talk.session
            outcome = talk.send(make(before))
            if outcome.session == before and said_of(outcome)[0] in "=-!":
                (entry,) = outcome.timeline
                assert outcome.code and outcome.detail
                assert entry.data["cause"] == outcome.code
                assert not outcome.effects and not outcome.messages and not outcome.pause_log


SETTLED = (
    "session.started", "customer.end_human", "decision.accepted", "decision.declined", "pause by a member", "resume",
    "stop", "claim", "assign a person", "assign an AI", "unassign", "copilot.set on", "label.changed", "resolve",
    "archive", "ticket.created", "ticket.status solved", "ticket.status closed", "ticket.assigned", "ticket.tag",
    "ticket.merged", "ticket.deleted", "health.changed down",
)  # fmt: skip


@pytest.mark.parametrize("event", SETTLED)
def test_what_is_so_already_happens_no_second_time(event: str) -> None:
    """I5: even when a caller repeats it under another name."""
    for start in STARTS:
        talk = start()
        talk.send(EVERY[event](talk.session))
        settled = talk.session
        again = talk.send(EVERY[event](talk.session))
        assert again.session == settled and not again.effects
