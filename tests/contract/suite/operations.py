"""Everything that the service asks of a connector, and each of it spoiled at its first call, its second, and so on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from handoff_sync.contract.connector import Connector
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import HandoffError
from handoff_sync.simulator.faults import FaultKind
from handoff_sync.simulator.request_log import LoggedRequest
from tests.contract.suite.bench import Bench
from tests.contract.suite.parts import MemoryJournal

HOOK: Final = "http://127.0.0.1:9/hooks/c4n4ry-path"
"""Where nobody listens; the path is as secret as a password."""


class Sort(StrEnum):
    """What a lost answer means."""

    READ = "changes nothing"
    ONCE = "must not happen twice"
    AGAIN = "may happen twice"
    CHECK = "tells of its failures in findings"


@dataclass(slots=True)
class Case:
    """What one try of an operation is about. `other` is a ticket whose status may change."""

    ticket: str
    other: str
    agent: str
    number: int
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    @property
    def key(self) -> str:
        return f"hs:acme:case-{self.number}"


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    sort: Sort
    run: Callable[[Bench, Connector, Case], object]


OPERATIONS: Final = (
    Operation("open", Sort.ONCE, lambda bench, c, case: c.open(bench.draft(case.key), case.journal)),
    Operation("find", Sort.READ, lambda bench, c, case: c.find("hs:acme:known")),
    Operation("append", Sort.ONCE, lambda bench, c, case: c.append(case.ticket, bench.words(case.key), case.journal)),
    Operation("note", Sort.ONCE, lambda bench, c, case: c.append(case.ticket, bench.remark(case.key), case.journal)),
    Operation("find_appended", Sort.READ, lambda bench, c, case: c.find_appended(case.ticket, "said")),
    Operation("set_status", Sort.AGAIN, lambda bench, c, case: c.set_status(case.other, _rest(case), case.key)),
    Operation("set_assignee", Sort.AGAIN, lambda bench, c, case: c.set_assignee(case.ticket, _who(case), case.key)),
    Operation("set_tags", Sort.AGAIN,
              lambda bench, c, case: c.set_tags(case.ticket, (f"tag-{case.number}",), ("human-handoff",), case.key)),
    Operation("read", Sort.READ, lambda bench, c, case: c.read(case.ticket, None)),
    Operation("changed", Sort.READ, lambda bench, c, case: c.changed(None, bench.desk.simulator.clock.now())),
    Operation("check", Sort.CHECK, lambda bench, c, case: c.check()),
    Operation("install_webhook", Sort.AGAIN, lambda bench, c, case: c.install_webhook(f"{HOOK}-{case.number}")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended whose calls from `call` on were spoiled. `hit` is the first of those."""

    operation: Operation
    call: int
    hit: LoggedRequest
    calls: int
    result: object
    error: HandoffError | None
    case: Case

    def __str__(self) -> str:
        ended = f"{type(self.error).__name__}: {self.error}" if self.error is not None else f"returned {self.result!r}"
        return f"{self.operation.name}, spoiled from its call {self.call} ({self.hit.method} {self.hit.path}): {ended}"


class Trials:
    """Operations on tickets that are ready for them. `warm`: the connector knows already what it looks up once."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._numbers = itertools.count()
        self._ticket = bench.opened("hs:acme:known")
        bench.connector.append(self._ticket, bench.words("said"), MemoryJournal())
        bench.desk.assign(self._ticket, bench.desk.agent_name)
        holder = bench.read(self._ticket).assignee
        assert holder is not None, "the agent holds the ticket"
        self._agent = holder.id
        self._other = bench.opened("hs:acme:other")
        bench.pass_time(bench.capabilities.settle_s + 1)

    def case(self) -> Case:
        return Case(self._ticket, self._other, self._agent, next(self._numbers))

    def plain(self, operation: Operation, connector: Connector, case: Case | None = None) -> object:
        """Without trouble."""
        return operation.run(self._bench, connector, case or self.case())

    def calls(self, operation: Operation, connector: Connector) -> int:
        """How many calls it makes once the connector knows what it looks up once."""
        log = self._bench.desk.simulator.log
        for _ in range(2):  # what is assigned or tagged once is taken back
            before = len(log.all())
            self.plain(operation, connector)
        return len(log.all()) - before

    def spoiled(
        self, operation: Operation, kind: FaultKind, connector: Connector | None = None, **fields: object
    ) -> Iterator[Outcome]:
        """Tries with all calls spoiled from the first on, from the second on, …; ends when no call is left to spoil."""
        warm = connector or self._bench.connector
        self.calls(operation, warm)
        for call in itertools.count():
            outcome = self.once(operation, warm, kind, call, **fields)
            if outcome is None:
                return
            yield outcome

    def once(
        self, operation: Operation, connector: Connector, kind: FaultKind, call: int, **fields: object
    ) -> Outcome | None:
        """One try, spoiled from `call` on; None when it needed fewer calls. Only our errors may come out of it."""
        simulator, case = self._bench.desk.simulator, self.case()
        before = len(simulator.log.all())
        fault = self._bench.spoil(kind, "any", count=None, skip=call, **fields)
        result: object = None
        error: HandoffError | None = None
        try:
            result = operation.run(self._bench, connector, case)
        except HandoffError as ours:
            error = ours
        except Exception as foreign:
            raise AssertionError(f"{operation.name}, {kind} at call {call}: {type(foreign).__name__}") from foreign
        finally:
            simulator.faults.clear()
        made = simulator.log.all()[before:]
        if fault.hits == 0:
            return None
        return Outcome(operation, call, made[call], len(made), result, error, case)


def says_something(bench: Bench, outcome: Outcome) -> bool:
    """Whether the first spoiled call was the one that makes the ticket, or says something on it."""
    where = bench.desk.opening if outcome.operation.name == "open" else bench.desk.appending
    return outcome.hit.method == where.method and re.search(where.path, outcome.hit.path) is not None


def _rest(case: Case) -> TicketStatus:
    return TicketStatus.SOLVED if case.number % 2 else TicketStatus.OPEN


def _who(case: Case) -> str | None:
    return case.agent if case.number % 2 else None
