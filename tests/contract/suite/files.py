"""Files of the chat that stand on the ticket, and files of agents that reach the chat."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from handoff_sync.contract.connector import Connector
from handoff_sync.contract.features import Feature
from handoff_sync.contract.files import GivesFiles, LocalFile, TakesFiles
from handoff_sync.errors import FileTooLarge, FileUnavailable, OutcomeUnknown
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import Bench
from tests.contract.suite.parts import PNG, MemoryJournal, local_file


def says_whether_it_takes_and_gives(bench: Bench) -> None:
    """A connector that takes or gives files has the methods for it and sane limits; one without says why."""
    takes, gives = isinstance(bench.connector, TakesFiles), isinstance(bench.connector, GivesFiles)
    assert takes is bench.capabilities.can(Feature.FILES_TO_TICKET)
    assert gives is bench.capabilities.can(Feature.FILES_TO_CHAT)
    if isinstance(bench.connector, TakesFiles):
        assert 0 < bench.connector.file_rule.max_bytes <= bench.connector.file_rule.max_total_bytes


def customers_files_stand_on_their_comment(bench: Bench) -> None:
    """Byte for byte, in order, under their names, beside the words."""
    bench.needs(Feature.FILES_TO_TICKET)
    ticket = bench.opened()
    files = _laid_down(
        bench, [local_file(), local_file("empty line.txt", b"\n", "text/plain"), local_file("ünï 🙂.pdf", b"%PDF")]
    )
    bench.connector.append(ticket, bench.words(files=files), MemoryJournal())
    assert bench.desk.files(ticket) == (("photo.png", PNG), ("empty line.txt", b"\n"), ("ünï 🙂.pdf", b"%PDF"))
    assert bench.desk.ticket(ticket).comments[-1].by_customer


def notes_of_ours_take_files_too(bench: Bench) -> None:
    """The files of the talk before the handoff stand on an internal note."""
    bench.needs(Feature.FILES_TO_TICKET)
    ticket = bench.opened()
    bench.connector.append(ticket, bench.remark(files=_laid_down(bench, [local_file()])), MemoryJournal())
    assert bench.desk.files(ticket) == (("photo.png", PNG),)
    assert not bench.desk.ticket(ticket).comments[-1].public


def a_lost_answer_puts_no_file_there_twice(bench: Bench) -> None:
    """As with words alone: what was sent is found, and not sent again."""
    bench.needs(Feature.FILES_TO_TICKET)
    ticket, journal = bench.opened(), MemoryJournal()
    before = len(bench.desk.ticket(ticket).comments)
    bench.spoil(FaultKind.DROP, "appending", applied=True)
    with pytest.raises(OutcomeUnknown):
        bench.connector.append(ticket, bench.words(files=_laid_down(bench, [local_file()])), journal)
    bench.append_again(ticket, bench.words(files=_laid_down(bench, [local_file()])), journal, bench.another())
    assert len(bench.desk.ticket(ticket).comments) == before + 1
    assert bench.desk.files(ticket) == (("photo.png", PNG),)


def an_agents_files_are_fetched_as_they_are(bench: Bench) -> None:
    """Every process gives them out, byte for byte, by the comment that is read."""
    bench.needs(Feature.FILES_TO_CHAT)
    ticket = bench.opened()
    bench.desk.reply(ticket, "Here", {"terms.pdf": b"%PDF-1.7", "photo.png": PNG})
    comment = bench.heard(ticket)[-1]
    assert [file.name for file in comment.attachments] == ["terms.pdf", "photo.png"]
    for connector in (bench.connector, bench.another()):
        assert _fetched(connector, ticket, comment.id, 0) == ("terms.pdf", b"%PDF-1.7")
        assert _fetched(connector, ticket, comment.id, 1) == ("photo.png", PNG)


def internal_files_are_never_given_out(bench: Bench) -> None:
    """Neither a note's, nor those of a comment that was taken out of the customer's sight since."""
    bench.needs(Feature.FILES_TO_CHAT)
    ticket = bench.opened()
    bench.desk.note(ticket, "For us", {"salary.pdf": b"%PDF"})
    bench.desk.reply(ticket, "Oh no", {"terms.pdf": b"%PDF"})
    note, reply = bench.read(ticket).comments[-2:]
    assert _fetched(bench.connector, ticket, reply.id)[0] == "terms.pdf"
    bench.desk.take_back(ticket, reply.id)
    for comment in (note, reply):
        with pytest.raises(FileUnavailable):
            _fetched(bench.connector, ticket, comment.id)


def what_is_not_there_is_unavailable(bench: Bench) -> None:
    """A number beyond the comment's files, and a comment that is none."""
    bench.needs(Feature.FILES_TO_CHAT)
    ticket = bench.opened()
    bench.desk.reply(ticket, "Here", {"terms.pdf": b"%PDF"})
    comment = bench.heard(ticket)[-1]
    for wrong, number in ((comment.id, 1), ("999999999", 0)):
        with pytest.raises(FileUnavailable):
            _fetched(bench.connector, ticket, wrong, number)


def a_file_over_the_limit_ends_early(bench: Bench) -> None:
    """Whatever size the helpdesk names: what comes is counted."""
    bench.needs(Feature.FILES_TO_CHAT)
    ticket = bench.opened()
    bench.desk.reply(ticket, "Here", {"big.bin": bytes(200_000)})
    comment = bench.heard(ticket)[-1]
    with pytest.raises(FileTooLarge):
        _fetched(bench.connector, ticket, comment.id, most=199_999)
    assert _fetched(bench.connector, ticket, comment.id, most=200_000)[1] == bytes(200_000)


def _laid_down(bench: Bench, files: Sequence[LocalFile]) -> tuple[LocalFile, ...]:
    connector = bench.connector
    assert isinstance(connector, TakesFiles)
    return tuple(replace(file, receipt=connector.upload(file)) for file in files)


def _fetched(
    connector: Connector, ticket: str, comment: str, number: int = 0, most: int = 1_000_000
) -> tuple[str, bytes]:
    assert isinstance(connector, GivesFiles)
    into = io.BytesIO()
    told = connector.download(ticket, comment, number, into, most)
    return told.name, into.getvalue()
