"""The feature table: what the installed connectors can do, side by side, and why one cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handoff_sync.contract.connector import Budget, Capabilities
from handoff_sync.contract.features import Feature

Row = tuple[str, Sequence[str]]


def markdown(connectors: Mapping[str, type[Any]]) -> str:
    """A table with a column for each connector, and below it the reasons, numbered as the cells name them."""
    columns = [connectors[kind] for kind in sorted(connectors)]
    reasons: list[str] = []
    rows = [*_figures(columns), *((feature.value, _cells(feature, columns, reasons)) for feature in Feature)]
    head = ["", *(column.title for column in columns)]
    lines = [_line(head), _line(["---"] * len(head)), *(_line([name, *cells]) for name, cells in rows), ""]
    return "\n".join(lines + [f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)]) + "\n"


def figures(capabilities: Capabilities, budgets: Sequence[Budget]) -> dict[str, str]:
    """The limits of one connector, in words."""
    updates, key_s = capabilities.ticket_updates, capabilities.idempotency_s
    return {
        "largest comment": f"{capabilities.max_comment_bytes:,} bytes",
        "writes to one ticket": f"{updates.limit} in {updates.window_s} s" if updates is not None else "no limit",
        "calls of a connection": next((f"{b.limit} in {b.window_s} s" for b in budgets if b.name == "*"), "no limit"),
        "a key is remembered": f"{key_s:.0f} s" if key_s is not None else "–",
        "an uncertain creation is looked up after": f"{capabilities.settle_s:.0f} s",
    }


def _figures(columns: Sequence[type[Any]]) -> list[Row]:
    each = [figures(column.capabilities, column.budgets) for column in columns]
    return [(name, [one[name] for one in each]) for name in each[0]] if each else []


def _cells(feature: Feature, columns: Sequence[type[Any]], reasons: list[str]) -> list[str]:
    """ "yes", or "no" with the number of the reason; the same words are one reason."""
    cells = []
    for column in columns:
        reason = column.capabilities.cannot.get(feature)
        if reason is not None and reason not in reasons:
            reasons.append(reason)
        cells.append("yes" if reason is None else f"no ({reasons.index(reason) + 1})")
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
