"""Files of the chat on the way into a ticket: they never hold up the words, and nothing hostile comes of them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_connectors.zendesk.simulator.model import Comment
from handoff_sync.core.events import CustomerMessage
from handoff_sync.core.model import Attachment, AuthorClass, Message
from tests.delivery.file_server import PNG, FileServer, endless, file, file_server
from tests.delivery.rig import Rig, make_rig


@pytest.fixture
def files() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    rig = make_rig(tmp_path, simulator, private_destinations="127.0.0.0/8", attachment_max_mb=1)
    yield rig
    rig.app.stop()


def show(rig: Rig, *files: Attachment, id: str = "p-1", text: str = "Look") -> None:
    now = rig.simulator.clock.now()
    message = Message(id=id, author_class=AuthorClass.CUSTOMER, text=text, at=now, attachments=files)
    rig.apply(CustomerMessage(id=f"say-{id}", at=now, message=message))


def photo(url: str, name: str = "photo.png", kind: str = "image/png", size: int = 0) -> Attachment:
    return Attachment(name=name, content_type=kind, size=size, url=url)


def last(rig: Rig) -> Comment:
    return rig.simulator.state.comments(rig.ticket())[-1]


def attached(rig: Rig, comment: Comment) -> list[tuple[str, str, bytes]]:
    def content(url: str) -> bytes:
        return httpx.get(url.replace("https://acme.zendesk.com", rig.simulator.base_url)).content

    return [(f["file_name"], f["content_type"], content(str(f["content_url"]))) for f in comment.attachments]


@pytest.fixture
def handed_over(rig: Rig) -> Rig:
    rig.say("Help")
    rig.hand_over()
    rig.work()
    return rig


def test_a_file_stands_on_the_comment_that_says_its_message(handed_over: Rig, files: FileServer) -> None:
    rig, url = handed_over, files.has(file())
    show(rig, photo(url))
    rig.work()
    assert last(rig).plain_body == "Look\n[Attachment: photo.png, image/png, 0 bytes]"
    assert attached(rig, last(rig)) == [("photo.png", "image/png", PNG)]
    (request,) = files.asked(url)
    assert b"authorization" not in request.lower() and b"cookie" not in request.lower()


def test_several_messages_in_one_comment_bring_all_their_files(handed_over: Rig, files: FileServer) -> None:
    rig = handed_over
    for number in (1, 2):
        show(rig, photo(files.has(file(str(number).encode())), f"{number}.png"), id=f"p-{number}")
    rig.work()
    assert [name for name, _, _ in attached(rig, last(rig))] == ["1.png", "2.png"]


def test_a_new_ticket_gets_the_files_of_the_transcript_behind_its_words(rig: Rig, files: FileServer) -> None:
    """The newest ten; the ticket is there before the first of them is asked for."""
    seen: list[int] = []

    def give(peer: object) -> None:
        seen.append(len(rig.simulator.state.tickets))
        peer.sendall(file(b"x"))  # type: ignore[attr-defined]

    for number in range(1, 13):
        show(rig, photo(files.has(give), f"{number}.png"), id=f"p-{number}")
    rig.hand_over()
    rig.work()
    first, *_ = rig.simulator.state.comments(rig.ticket())
    (note,) = [c for c in rig.simulator.state.comments(rig.ticket()) if c.attachments]
    assert "12.png" in first.plain_body and not first.attachments
    assert [name for name, _, _ in attached(rig, note)] == [f"{number}.png" for number in range(3, 13)]
    assert not note.public and note.plain_body.startswith("Files of the conversation")
    assert seen == [1] * 10


def test_a_talk_without_files_costs_no_further_call(handed_over: Rig) -> None:
    kinds = [row.kind for row in handed_over.app.reads.deliveries(handed_over.workspace).items]
    assert "ticket.open" in kinds and "ticket.attach" not in kinds


HOSTILE = {
    "an endless stream": (endless, "it is larger than 1 MB"),
    "announced too large": (file(b"x", content_length="5000000000"), "it is larger than 1 MB"),
    "nothing announced": (
        b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n" + bytes(2_000_000),
        "it is larger than 1 MB",
    ),
    "a compressed bomb": (
        file(gzip.compress(bytes(3_000_000)), content_encoding="gzip"),
        "its server sends it compressed only",
    ),
    "a way inside": (file(b"", status=302, location="http://169.254.169.254/latest"), "its address leads elsewhere"),
    "a way to itself": (file(b"", status=301, location="/f1"), "its address leads elsewhere"),
    "a login page": (file(b"<html>", kind="text/html; charset=utf-8"), "files of this type are not passed on"),
    "gone": (file(b"no", status=404), "it is not there any more"),
    "locked": (file(b"no", status=403), "its server wants credentials for it, or its address has expired"),
    "nothing in it": (file(b""), "it is empty"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_had_stands_in_the_text_with_the_reason(case: str, handed_over: Rig, files: FileServer) -> None:
    rig, (said, reason) = handed_over, HOSTILE[case]
    url = files.has(said)
    show(rig, photo(url, size=10))
    rig.work()
    assert last(rig).plain_body == f"Look\n[Attachment: photo.png, image/png, 10 bytes; not attached: {reason}] {url}"
    assert not last(rig).attachments and not rig.parked()
    assert len(files.asked(url)) == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "its address is not a public one with https"),
        ("https://10.1.2.3/a.png", "its address is not a public one with https"),
        ("https://[::ffff:127.0.0.1]:1/a.png", None),
        ("http://192.0.2.1/a.png", "its address is not a public one with https"),
        ("https://user:secret@127.0.0.1/a.png", "its address is not a public one with https"),
        ("ftp://127.0.0.1/a.png", "its address is not a public one with https"),
        ("https://exa mple/a.png", None),
    ],
)
def test_addresses_that_may_not_be_called_are_not(handed_over: Rig, url: str, reason: str | None) -> None:
    rig = handed_over
    show(rig, photo(url))
    for _ in range(4):
        rig.work()
        rig.advance(60)
    assert "Look" in last(rig).plain_body and "; not attached: " in last(rig).plain_body
    assert reason is None or reason in last(rig).plain_body
    assert not last(rig).attachments


@pytest.mark.parametrize(
    ("name", "kind"),
    [("run.EXE", "image/png"), ("page", "text/html"), ("a.svg", "image/png"), ("x.exe .", "image/png")],
)
def test_what_runs_is_not_even_fetched(handed_over: Rig, files: FileServer, name: str, kind: str) -> None:
    url = files.has(file())
    show(handed_over, photo(url, name, kind))
    handed_over.work()
    assert "not attached: files of this type are not passed on" in last(handed_over).plain_body
    assert files.asked(url) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ('a"b\r\nX-Evil: 1.png', "a b X-Evil 1.png"),
        ("\u202egnp.exe.jpg", "gnp.exe.jpg"),
        ("🙂 صورة.png", "🙂 صورة.png"),
        ("a" * 10_000 + ".png", "a" * 116 + ".png"),
        ("...", "attachment"),
    ],
)
def test_a_name_is_one_plain_name(handed_over: Rig, files: FileServer, name: str, there: str) -> None:
    show(handed_over, photo(files.has(file()), name))
    handed_over.work()
    assert [name for name, _, _ in attached(handed_over, last(handed_over))] == [there]


@pytest.mark.parametrize(
    "said", [file(b"busy", status=503), file(b"cut", content_length="500"), b"", b"no HTTP\r\n\r\n"]
)
def test_a_file_server_that_is_away_gets_three_tries_and_the_words_go_on(
    handed_over: Rig, files: FileServer, said: bytes
) -> None:
    rig, url = handed_over, files.has(said)
    show(rig, photo(url))
    for tries in (1, 2):
        rig.work()
        assert len(files.asked(url)) == tries and "Look" not in last(rig).plain_body
        rig.advance(31)
    rig.work()
    assert "not attached: it could not be fetched" in last(rig).plain_body and len(files.asked(url)) == 3
    assert not rig.parked()


def test_a_file_that_comes_at_the_second_try_is_attached(handed_over: Rig, files: FileServer) -> None:
    rig, good = handed_over, files.has(file(b"first"))
    show(rig, photo(good, "1.png"), photo(files.has(file(b"", status=500), file(b"second")), "2.png"))
    rig.work()
    rig.advance(6)
    rig.work()
    assert [content for _, _, content in attached(rig, last(rig))] == [b"first", b"second"]
    assert len(files.asked(good)) == 1  # what was laid down is not fetched again


def test_a_lost_answer_attaches_nothing_twice(handed_over: Rig, files: FileServer) -> None:
    rig, url = handed_over, files.has(file())
    before = len(rig.simulator.state.comments(rig.ticket()))
    rig.simulator.faults.lose_answer(method="PUT")
    show(rig, photo(url))
    for _ in range(3):
        rig.work()
        rig.advance(120)
    assert len(rig.simulator.state.comments(rig.ticket())) == before + 1
    assert attached(rig, last(rig)) == [("photo.png", "image/png", PNG)]
    assert len(files.asked(url)) == 1


def test_an_upload_that_waited_too_long_is_made_again(handed_over: Rig, files: FileServer) -> None:
    rig, url = handed_over, files.has(file())
    rig.simulator.faults.fail(503, method="PUT", retry_after_s=3500)
    show(rig, photo(url))
    rig.work()
    rig.advance(3600)
    rig.work()
    assert attached(rig, last(rig)) == [("photo.png", "image/png", PNG)]
    assert len(files.asked(url)) == 2


@pytest.mark.parametrize("status", [413, 422, 403])
def test_a_helpdesk_that_takes_no_file_gets_the_words(handed_over: Rig, files: FileServer, status: int) -> None:
    rig = handed_over
    rig.simulator.faults.fail(status, method="POST", path="/uploads", count=2)  # once more with a fresh token
    show(rig, photo(files.has(file())))
    rig.work()
    assert "not attached: the helpdesk does" in last(rig).plain_body and not rig.parked()
    connection = rig.app.admin.connection(rig.connection)
    assert connection is not None and connection.stopped_reason is None


def test_a_comment_that_is_refused_with_its_files_is_said_without(handed_over: Rig, files: FileServer) -> None:
    rig = handed_over
    rig.simulator.faults.fail(422, method="PUT")
    show(rig, photo(files.has(file())))
    rig.work()
    assert "not attached: the helpdesk does not take it" in last(rig).plain_body and not rig.parked()


def test_switched_off_a_file_is_its_address(tmp_path: Path, simulator: ZendeskSimulator, files: FileServer) -> None:
    rig = make_rig(tmp_path, simulator, private_destinations="127.0.0.0/8", attachment_max_mb=0)
    url = files.has(file())
    show(rig, photo(url))
    rig.hand_over()
    rig.work()
    show(rig, photo(url), id="p-2")
    rig.work()
    assert last(rig).plain_body == f"Look\n[Attachment: photo.png, image/png, 0 bytes] {url}"
    assert files.asked(url) == [] and not rig.parked()
    rig.app.stop()
