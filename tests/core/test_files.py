"""Names, types and places of files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handoff_sync.core.files import REFUSED, addressed, inert_type, is_refused, plain_type, safe_name, ticket_of
from handoff_sync.core.model import Attachment, AuthorClass, LinkRole, LinkState, Message, Session, TicketLink

AT = datetime(2026, 1, 1, tzinfo=UTC)
FILE = Attachment(name="../a.html", content_type="text/html; charset=x", size=3, url="https://acme.example.com/t/1")


def link(id: str) -> TicketLink:
    return TicketLink(id=id, connection="zd", handoff=1, key=id, state=LinkState.LINKED, role=LinkRole.PRIMARY)


def session(*links: str) -> Session:
    return Session(
        id="ses_1", workspace="w", conversation_id="c", created_at=AT, links=tuple(link(name) for name in links)
    )


def message(id: str, who: AuthorClass = AuthorClass.HUMAN) -> Message:
    return Message(id=id, author_class=who, text="", at=AT, attachments=(FILE, FILE))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("photo.png", "photo.png"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "attachment"),
        ("", "attachment"),
        (" . ", "attachment"),
        (".htaccess", "htaccess"),
        ("a\x00b\u2028c.txt", "a b c.txt"),
        ('x"; filename="y.exe', "x ; filename= y.exe"),
        ("\u202e\u2066gpj.exe", "gpj.exe"),
        ("n" * 300 + ".tar.gz", "n" * 117 + ".gz"),
        ("n" * 300, "n" * 120),
        ("\ud800.txt", "txt"),
    ],
)
def test_a_name_is_plain(given: str, made: str) -> None:
    assert safe_name(given) == made
    assert safe_name(made) == made


def test_a_type_is_one_that_a_browser_merely_shows_or_unknown() -> None:
    for kind in ("image/png", "application/pdf", "text/plain", "video/mp4"):
        assert inert_type(kind.upper() + "; q=1") == kind
    for kind in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "x", "", "image/*", "a/b\r\nX: 1"):
        assert inert_type(kind) == "application/octet-stream"
    assert plain_type("Text/HTML;x") == "text/html"


def test_what_runs_is_refused_by_name_or_type() -> None:
    for name, kind in (("a.EXE", ""), ("a.png.js", ""), ("a", "text/html; charset=utf-8"), ("a.jpg", "image/svg+xml")):
        assert is_refused(name, [kind], REFUSED), name
    assert not is_refused("exe", ["image/png"], REFUSED)
    assert not is_refused("a.exe", ["image/png"], (".com",))


def test_an_agents_message_is_known_by_its_link() -> None:
    talk = session("ses_1:1:zd", "ses_1:1:zd:2")
    found = [ticket_of(talk, message(id)) for id in ("ses_1:1:zd:35", "ses_1:1:zd:2:36", "m-1", "ses_1:1:gorgias:1")]
    assert [(place[0].id, place[1]) if place else None for place in found] == [
        ("ses_1:1:zd", "35"), ("ses_1:1:zd:2", "36"), None, None,
    ]  # fmt: skip
    assert ticket_of(talk, message("ses_1:1:zd:35", AuthorClass.CUSTOMER)) is None


def test_only_an_agents_files_get_our_addresses() -> None:
    talk = session("ses_1:1:zd")
    ours = addressed(talk, message("ses_1:1:zd:35"), "https://h.example.com").attachments
    start = "https://h.example.com/v1/sessions/ses_1/messages/ses_1%3A1%3Azd%3A35/attachments"
    assert [(f.name, f.content_type, f.url) for f in ours] == [
        ("a.html", "application/octet-stream", f"{start}/0"), ("a.html", "application/octet-stream", f"{start}/1"),
    ]  # fmt: skip
    own = message("m-1")
    assert addressed(talk, own, "https://h.example.com") is own
