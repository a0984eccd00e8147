"""Many mails that wait for one person become few. What goes into which is written down before the first is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handoff_sync.core.effects import AlertAdmin, MailAdmin, MailConnectionDown
from handoff_sync.emails.digest import digests
from handoff_sync.emails.letters import Digest, DigestItem
from handoff_sync.store.rows import OutboxRow

PLAN: Final = "digest"
"""The line of the first row's journal that holds the plan."""
MOST_ROWS: Final = 1000
MOST_MAILS: Final = 3
"""More than these wait for the next digest."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of each mail, by id."""

    mails: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> frozenset[int]:
        return frozenset(id for mail in self.mails for id in mail)

    def written(self) -> str:
        return json.dumps(self.mails)


def plan_of(journal: Mapping[str, str]) -> Plan | None:
    """What an earlier attempt has planned."""
    text = journal.get(PLAN)
    return Plan(tuple(tuple(map(int, mail)) for mail in json.loads(text))) if text is not None else None


def begun(row: OutboxRow) -> bool:
    """Whether an attempt to mail it has been made, of which it may be unknown what came of it."""
    return any(name in row.journal for name in ("sent", "resent", PLAN))


def fit(rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
    """Those that may go into a new digest: none that has been begun by itself or in an earlier one."""
    head = rows[0]
    taken = {id for row in rows if row is not head and (plan := plan_of(row.journal)) for id in plan.rows}
    return tuple(
        row
        for row in rows
        if row is head
        or (
            row.id not in taken
            and not begun(row)
            and isinstance(row.effect, MailAdmin | MailConnectionDown | AlertAdmin | type(head.effect))
        )
    )


def new_plan(items: Mapping[int, DigestItem]) -> Plan:
    """Which row's line goes into which mail; what does not fit into the first mails is left out."""
    rows = {id(item): row for row, item in items.items()}
    made = digests(tuple(items.values()))[:MOST_MAILS]
    return Plan(tuple(tuple(rows[id(item)] for item in mail.items) for mail in made))


def mail(plan: Plan, part: int, items: Mapping[int, DigestItem], total: int, workspace_name: str) -> Digest:
    """The mail number `part`, counted from 1."""
    lines = tuple(items[row] for row in plan.mails[part - 1] if row in items)
    return Digest(items=lines, total=total, part=part, parts=len(plan.mails), workspace_name=workspace_name)


def left(rows: Iterable[OutboxRow], plan: Plan) -> tuple[OutboxRow, ...]:
    """The plan's rows that still wait; people may have skipped some."""
    return tuple(row for row in rows if row.id in plan.rows)
