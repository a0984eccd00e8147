"""What every connector that takes and gives files must do, against its own simulated helpdesk over real sockets."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from handoff_sync.contract.connector import CommentDraft, Requester, TicketDraft
from handoff_sync.contract.files import GivesFiles, LocalFile, TakesFiles
from handoff_sync.core.model import Customer
from handoff_sync.errors import FileTooLarge, FileUnavailable, OutcomeUnknown
from tests.connectors.zendesk.conftest import MemoryJournal

ANA = Requester(
    external_id="acme:c-1", customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True)
)
DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help: Ana Example",
    requester=ANA,
    html="<p>The customer asked for a person.</p>",
    tags=("handoff-sync",),
)
SAID = CommentDraft(marker="m-1/1", html="<p>Look at this</p>", public=True, author=ANA)
NOTE = CommentDraft(marker="m-2/1", html="<p>Files of the conversation</p>", public=False)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
"""Longer than a piece, and no whole number of groups in base64."""


def local(name: str = "photo.png", content: bytes = PNG, kind: str = "image/png") -> LocalFile:
    return LocalFile(name=name, content_type=kind, size=len(content), content=io.BytesIO(content))


@dataclass
class FileBench:
    """One connector with its helpdesk. `shown` are the files of the newest comment as (name, content); `reply` writes
    as an agent and returns the comment's id; `hide` takes a comment out of the customer's sight."""

    connector: Any
    shown: Callable[[str], list[tuple[str, bytes]]]
    reply: Callable[[str, dict[str, bytes], bool], str]
    hide: Callable[[str, str], None]
    lose_next_answer: Callable[[], object]
    count: Callable[[str], int]
    """How many comments the ticket holds."""

    def ticket(self) -> str:
        ref = self.connector.open(DRAFT, MemoryJournal())
        return str(ref.id)

    def laid_down(self, files: Sequence[LocalFile]) -> tuple[LocalFile, ...]:
        return tuple(replace(file, receipt=self.connector.upload(file)) for file in files)

    def fetched(self, ticket: str, comment: str, number: int = 0, most: int = 1_000_000) -> tuple[str, bytes]:
        into = io.BytesIO()
        told = self.connector.download(ticket, comment, number, into, most)
        return told.name, into.getvalue()


class FileClauses:
    """A test file of a connector inherits these and brings the fixture `bench`."""

    def test_it_says_that_it_can(self, bench: FileBench) -> None:
        assert isinstance(bench.connector, TakesFiles) and isinstance(bench.connector, GivesFiles)
        assert 0 < bench.connector.file_rule.max_bytes <= bench.connector.file_rule.max_total_bytes

    def test_a_customers_files_stand_on_their_comment_byte_for_byte(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        files = bench.laid_down([local(), local("empty line.txt", b"\n", "text/plain"), local("ünï 🙂.pdf", b"%PDF")])
        bench.connector.append(ticket, replace(SAID, files=files), MemoryJournal())
        assert bench.shown(ticket) == [("photo.png", PNG), ("empty line.txt", b"\n"), ("ünï 🙂.pdf", b"%PDF")]

    def test_a_note_of_ours_takes_files_too(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        bench.connector.append(ticket, replace(NOTE, files=bench.laid_down([local()])), MemoryJournal())
        assert bench.shown(ticket) == [("photo.png", PNG)]

    def test_a_lost_answer_puts_nothing_there_twice(self, bench: FileBench) -> None:
        ticket, journal = bench.ticket(), MemoryJournal()
        comment = replace(SAID, files=bench.laid_down([local()]))
        bench.lose_next_answer()
        before = bench.count(ticket)
        with pytest.raises(OutcomeUnknown):
            bench.connector.append(ticket, comment, journal)
        found = bench.connector.find_appended(ticket, comment.marker)
        if found is None:
            again = replace(SAID, files=bench.laid_down([local()]))
            bench.connector.append(ticket, again, journal)
        assert bench.count(ticket) == before + 1
        assert bench.shown(ticket) == [("photo.png", PNG)]

    def test_an_agents_file_is_read_as_it_is(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        comment = bench.reply(ticket, {"terms.pdf": b"%PDF-1.7", "photo.png": PNG}, True)
        read = next(c for c in bench.connector.read(ticket, None).comments if c.id == comment)
        assert [file.name for file in read.attachments] == ["terms.pdf", "photo.png"]
        assert bench.fetched(ticket, comment, 0) == ("terms.pdf", b"%PDF-1.7")
        assert bench.fetched(ticket, comment, 1) == ("photo.png", PNG)

    def test_a_notes_file_is_never_given_out(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        note = bench.reply(ticket, {"salary.pdf": b"%PDF"}, False)
        with pytest.raises(FileUnavailable):
            bench.fetched(ticket, note)

    def test_what_was_hidden_since_is_not_given_out(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        comment = bench.reply(ticket, {"terms.pdf": b"%PDF"}, True)
        bench.hide(ticket, comment)
        with pytest.raises(FileUnavailable):
            bench.fetched(ticket, comment)

    def test_what_is_not_there_is_unavailable(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        comment = bench.reply(ticket, {"terms.pdf": b"%PDF"}, True)
        for wrong, number in ((comment, 1), ("999999999", 0)):
            with pytest.raises(FileUnavailable):
                bench.fetched(ticket, wrong, number)

    def test_a_file_over_the_limit_ends_early(self, bench: FileBench) -> None:
        ticket = bench.ticket()
        comment = bench.reply(ticket, {"big.bin": bytes(200_000)}, True)
        with pytest.raises(FileTooLarge):
            bench.fetched(ticket, comment, most=199_999)
        assert bench.fetched(ticket, comment, most=200_000)[1] == bytes(200_000)
