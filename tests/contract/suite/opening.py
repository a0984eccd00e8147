"""Opening a ticket: with everything, and once."""

from __future__ import annotations

import pytest

from handoff_sync.contract.connector import Requester
from handoff_sync.contract.features import Feature
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.errors import HandoffError, OutcomeUnknown, VendorRejected
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import ANA, WORDS, Bench
from tests.contract.suite.parts import MemoryJournal


def opens_with_the_transcript(bench: Bench) -> None:
    """A new ticket has the whole transcript in order, the subject, the tags and the customer, and is open."""
    ref = bench.connector.open(bench.draft(), bench.journal)
    ticket = bench.desk.ticket(ref.id)
    whole = bench.texts(ref.id)
    assert whole.index(f"{WORDS} one") < whole.index(f"{WORDS} two")
    assert ticket.subject == "Customer needs your help: Ana Example"
    assert ticket.requester_name == "Ana Example"
    assert {"handoff-sync", "human-handoff"} <= set(ticket.tags)
    assert ticket.status is TicketStatus.OPEN
    assert ticket.assignee is None
    assert ref.url is None or ref.url.startswith("http")


def shows_the_customer_nothing_of_ours(bench: Bench) -> None:
    """The transcript stands where only the team reads it: what is public are words of the customer, if anything."""
    ticket = bench.desk.ticket(bench.opened())
    public = [comment for comment in ticket.comments if comment.public]
    assert all(comment.by_customer for comment in public)
    assert not any(f"{WORDS} two" in comment.text for comment in public), "the AI's words"


def opens_for_anybody(bench: Bench) -> None:
    """A customer without name, address and id gets a ticket too, and two of them are two people."""
    nobody = Requester(external_id="acme:conversation-1", customer=Customer())
    other = Requester(external_id="acme:conversation-2", customer=Customer(email="ana@example.com"))
    first, second = bench.opened(requester=nobody), bench.opened("hs:acme:2", requester=other)
    assert bench.desk.ticket(first).requester_name
    assert first != second
    assert len(bench.desk.ticket_ids()) == 2


def finds_it_by_our_external_id(bench: Bench) -> None:
    """After the settle time every process finds the ticket by our external id, and only that one."""
    made, other = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    bench.pass_time(bench.capabilities.settle_s + 1)
    process = bench.another()
    found = bench.persist(lambda: process.find("hs:acme:1"))
    assert found is not None and found.id == made
    assert bench.persist(lambda: process.find("hs:acme:2")).id == other
    assert bench.persist(lambda: process.find("hs:acme:3")) is None


def makes_one_ticket_however_often_it_is_asked(bench: Bench) -> None:
    """The same external id and journal again, in this process or another, is the same ticket."""
    draft = bench.draft()
    first = bench.connector.open(draft, bench.journal)
    bench.pass_time(bench.capabilities.settle_s + 1)
    again = bench.persist(lambda: bench.connector.open(draft, bench.journal))
    elsewhere = bench.persist(lambda: bench.another().open(draft, bench.journal))
    assert first.id == again.id == elsewhere.id
    assert bench.desk.ticket_ids() == (first.id,)
    assert bench.texts(first.id).count(f"{WORDS} two") == 1


def makes_one_ticket_when_the_answer_is_lost(bench: Bench) -> None:
    """The helpdesk did it and the answer never came, in five ways: another process ends with that one ticket."""
    ways = (
        (FaultKind.DROP, {}),
        (FaultKind.CUT, {}),
        (FaultKind.HTML, {}),
        (FaultKind.STATUS, {"status": 502}),
        (FaultKind.STATUS, {"status": 504}),
    )
    for number, (kind, fields) in enumerate(ways):
        draft, journal = bench.draft(f"hs:acme:{number}"), MemoryJournal()
        bench.spoil(kind, applied=True, **fields)
        with pytest.raises(OutcomeUnknown):
            bench.another().open(draft, journal)
        assert len(bench.desk.ticket_ids()) == number + 1, (kind, "the fault did not apply")
        ref = bench.open_again(draft, journal, bench.another())
        assert ref.id == bench.desk.ticket_ids()[-1]
        assert len(bench.desk.ticket_ids()) == number + 1, (kind, fields, "a second ticket")
        _is_whole(bench, ref.id)


def makes_the_ticket_when_the_request_was_lost(bench: Bench) -> None:
    """The helpdesk never did it: the repeat makes the one ticket."""
    for number, kind in enumerate((FaultKind.DROP, FaultKind.HTML)):
        draft, journal = bench.draft(f"hs:acme:{number}"), MemoryJournal()
        bench.spoil(kind, applied=False)
        with pytest.raises(OutcomeUnknown):
            bench.connector.open(draft, journal)
        assert len(bench.desk.ticket_ids()) == number
        ref = bench.open_again(draft, journal, bench.another())
        assert len(bench.desk.ticket_ids()) == number + 1
        _is_whole(bench, ref.id)


def notes_what_it_sends_before_it_sends(bench: Bench) -> None:
    """A journal without an entry means that nothing can have reached the helpdesk; no words or secrets stand in it."""
    journal, seen = _Watched(bench), []
    journal.seen = seen
    bench.connector.open(bench.draft(), journal)
    assert seen and seen[0] == 0, "the first entry is written before any ticket is there"
    bench.spoil(FaultKind.STATUS, "any", status=503, count=None)
    refused = MemoryJournal()
    with pytest.raises(HandoffError):
        bench.another().open(bench.draft("hs:acme:2"), refused)
    for value in (*journal.kept.values(), *refused.kept.values()):
        assert not any(secret in value for secret in bench.secrets.secrets.values())


def an_unknown_group_costs_nobody_the_handoff_in_silence(bench: Bench) -> None:
    """A group that is not there is either refused for good, and nothing is made, or the ticket says what was wanted."""
    bench.needs(Feature.GROUP)
    try:
        made = bench.connector.open(bench.draft(group="999999999"), bench.journal)
    except VendorRejected:
        assert bench.desk.ticket_ids() == ()
    else:
        assert "999999999" in bench.texts(made.id)


def a_group_gets_the_ticket(bench: Bench) -> None:
    """The group that a policy names has the ticket from the start."""
    bench.needs(Feature.GROUP)
    ticket = bench.desk.ticket(bench.opened(group=bench.desk.group))
    assert ticket.group == bench.desk.group


def a_priority_is_set_or_told(bench: Bench) -> None:
    """`high` is set; where there are no priorities, agents read it. An unknown one is refused for good."""
    made = bench.opened(priority="high")
    if not bench.capabilities.can(Feature.PRIORITY):
        assert "high" in bench.texts(made)
        bench.exempt(Feature.PRIORITY)
    assert bench.desk.ticket(made).priority == "high"
    with pytest.raises(VendorRejected):
        bench.connector.open(bench.draft("hs:acme:2", priority="yesterday"), bench.journal)


def custom_fields_are_filled(bench: Bench) -> None:
    """The text that a policy gives for a field stands in that field."""
    bench.needs(Feature.CUSTOM_FIELDS)
    ticket = bench.desk.ticket(bench.opened(custom_fields={bench.desk.custom_field: "gold"}))
    assert ticket.custom_fields.get(bench.desk.custom_field) == "gold"


def customers_are_told_apart_by_their_id(bench: Bench) -> None:
    """Two customers of one name are two; one customer is the same in a later talk, from another process too."""
    twins = [Requester(external_id=f"acme:twin-{n}", customer=Customer(name="Kim Lee")) for n in (1, 2)]
    first, second = (bench.opened(f"hs:acme:{n}", requester=twin) for n, twin in enumerate(twins))
    again = bench.opened("hs:acme:again", bench.another(), requester=twins[0])
    ids = [bench.desk.ticket(made).requester_id for made in (first, second, again)]
    assert ids[0] == ids[2] != ids[1]


def a_look_up_can_be_believed_after_the_settle_time(bench: Bench) -> None:
    """With the helpdesk as slow as it may be: what was made and never answered is found, and not made again."""
    bench.desk.simulator.reset()
    draft = bench.draft()
    bench.spoil(FaultKind.DROP, applied=True)
    with pytest.raises(OutcomeUnknown):
        bench.persist(lambda: bench.another().open(draft, bench.journal))
    ref = bench.open_again(draft, bench.journal, bench.another())
    assert bench.desk.ticket_ids() == (ref.id,)


def keeps_long_ids_and_texts(bench: Bench) -> None:
    """An external id of 180 characters is found again, and the largest allowed comment arrives to its last word."""
    long_id = "hs:" + "x" * 177
    room = bench.capabilities.max_comment_bytes
    html = '<p dir="auto">' + "y" * (room - 60) + " the-last-word</p>"
    made = bench.opened(long_id, html=html, said=(), requester=ANA)
    assert "the-last-word" in bench.texts(made)
    bench.pass_time(bench.capabilities.settle_s + 1)
    found = bench.persist(lambda: bench.another().find(long_id))
    assert found is not None and found.id == made


class _Watched(MemoryJournal):
    """Counts the tickets that are there whenever something is written down."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._desk = bench.desk
        self.seen: list[int] = []

    def put(self, name: str, value: str) -> None:
        self.seen.append(len(self._desk.ticket_ids()))
        super().put(name, value)


def _is_whole(bench: Bench, ticket: str) -> None:
    whole = bench.texts(ticket)
    assert whole.count(f"{WORDS} two") == 1, "the transcript stands there once"
    assert "human-handoff" in bench.desk.ticket(ticket).tags
