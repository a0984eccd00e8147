"""What a story counts for its summary."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class DeskTotals:
    """What the summary tells of one helpdesk."""

    title: str
    tickets: int = 0
    to_ticket: int = 0
    from_agent: int = 0
    copies: int = 0
    milliseconds: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Totals:
    """What the summary tells. `desks` by kind, in their order; `endings` counts how questions to admins ended."""

    dialogues: int = 0
    to_customer: int = 0
    blocked: int = 0
    mails: int = 0
    endings: dict[str, int] = field(default_factory=dict)
    desks: dict[str, DeskTotals] = field(default_factory=dict)
