"""The rule of all kill tests: one ticket for each talk, the transcript once, each message once and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from handoff_sync.simulator.desk import Desk
from tests.e2e.stand import Stand, until, words

HEADING = "Conversation"
"""Begins the transcript. Above it, and before its comment, may stand an extract of the last words."""


def everything_arrived(stand: Stand, talks: Mapping[str, int], seconds: float = 120.0) -> None:
    """`talks` have this many messages each; they, and nothing else, reach the helpdesk in time and exactly once."""
    try:
        until("all messages stand on their tickets", lambda: _all_there(stand, talks), seconds)
        stand.idle(seconds)
    except AssertionError as late:
        waiting = [stand.get(f"/v1/deliveries?status={status}")["items"] for status in ("pending", "parked")]
        raise AssertionError(f"{late} {waiting}\n{stand.logs()}") from late
    parked = stand.get("/v1/deliveries?status=parked")["items"]
    assert parked == [], parked
    assert doubled(stand.desk) == {}, doubled(stand.desk)
    tickets = {talk: stand.ticket_of(talk) for talk in talks}
    made = Counter(stand.desk.ticket_ids())  # those too that were deleted or merged away
    assert made == Counter(tickets.values()), (made, tickets)
    for talk, messages in talks.items():
        ticket = tickets[talk]
        assert ticket is not None
        said_once(stand.desk, ticket, [words(talk, number) for number in range(1, messages + 1)])


def _all_there(stand: Stand, talks: Mapping[str, int]) -> bool:
    texts = "\n".join(c.text for ticket in stand.desk.ticket_ids() for c in stand.desk.ticket(ticket).comments)
    return all(words(talk, number) in texts for talk, messages in talks.items() for number in range(1, messages + 1))


def said_once(desk: Desk, ticket: str, messages: list[str]) -> None:
    """The ticket was furnished to the end and says these messages, in this order, and nothing twice."""
    shown = desk.ticket(ticket)
    texts = [comment.text for comment in shown.comments]
    assert len(set(texts)) == len(texts), texts
    transcripts = [place for place, text in enumerate(texts) if HEADING in text]
    assert len(transcripts) == 1, texts
    before, after = texts[: transcripts[0]], texts[transcripts[0] :]
    said = "\n".join(after).split(HEADING, 1)[1]
    assert [said.count(message) for message in messages] == [1] * len(messages), texts
    places = [said.index(message) for message in messages]
    assert places == sorted(places), texts
    assert len(before) <= 1, texts
    assert shown.subject == "Customer needs your help: Ana Ruiz"
    assert {"handoff-sync", "human-handoff"} <= set(shown.tags)


def doubled(desk: Desk) -> dict[str, int]:
    """What was written twice under one mark of ours, where the helpdesk keeps such marks."""
    state = cast(Any, desk.simulator).state
    marks = Counter(getattr(state, "markers", {})) + Counter(getattr(state, "creations", {}))
    return {str(mark): times for mark, times in marks.items() if times > 1}
