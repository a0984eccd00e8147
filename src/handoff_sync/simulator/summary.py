"""What a demo tells at its end."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.totals import DeskTotals, Totals


def tell_summary(totals: Totals, narrator: Narrator) -> int:
    """The figures; the exit code, which is 1 where a step did not hold."""
    narrator.heading("Summary")
    desks = list(totals.desks.values())
    for name, values in _figures(totals, desks):
        narrator.say(f"  {name:<24} " + "".join(f"{value:<12}" for value in values).rstrip())
    if narrator.failed:
        narrator.say(f"\n{len(narrator.failed)} steps did not hold.", "red")
        return 1
    narrator.say("\nEvery step held.", "green")
    return 0


def _figures(totals: Totals, desks: Sequence[DeskTotals]) -> Iterator[tuple[str, list[str]]]:
    """Name and values of each line: one value, or one for each helpdesk."""
    yield "dialogues", [str(totals.dialogues)]
    for ending, count in totals.endings.items():
        yield f"questions: {ending}", [str(count)]
    yield "mails to admins", [str(totals.mails)]
    yield "replies to the customer", [str(totals.to_customer)]
    yield "AI attempts blocked", [str(totals.blocked)]
    if len(desks) > 1:
        yield "", [desk.title for desk in desks]
    yield "tickets", [str(desk.tickets) for desk in desks]
    yield "messages to the ticket", [str(desk.to_ticket) for desk in desks]
    yield "replies of its agents", [str(desk.from_agent) for desk in desks]
    if len(desks) > 1:
        yield "copies of the others'", [str(desk.copies) for desk in desks]
    times = [desk.milliseconds or [0.0] for desk in desks]
    yield "event to ticket, median", [f"{statistics.median(each):.0f} ms" for each in times]
    yield "event to ticket, longest", [f"{max(each):.0f} ms" for each in times]
