"""What the mails say and how they look."""

from __future__ import annotations

import html as html_module
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, meta

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.model import AuthorClass, Message
from handoff_sync.emails.letters import (
    AdminJoined,
    Alert,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    Handover,
    Letter,
    Line,
    Reminder,
    TicketFailed,
    TicketLine,
    excerpt,
)
from handoff_sync.emails.render import render, template_folder

ANN = Conversation(
    session_url="https://handoff.example.com/s/1",
    customer_name="Ann Lee",
    why="The customer asked for a person.",
    scenarios=("Refund requests over $200",),
    reason="wants\nmoney",
    summary="Order 7 is late.",
    excerpt=(Line(author="Ann Lee", at="2026-03-02 12:00 UTC", text="hello\nthere"),),
    tickets=(TicketLine(title="Zendesk", url="https://acme.example.com/7"), TicketLine(title="Gorgias")),
)


def letters(conversation: Conversation = ANN, words: str = "Bo") -> list[Letter]:
    """One of every kind, with `words` wherever a name or text of others can stand."""
    return [
        Handover(conversation=conversation),
        DecisionNeeded(conversation=conversation, expires_at="2026-03-02 12:30 UTC"),
        *(
            Decided(conversation=conversation, outcome=outcome, decided_by=words, decided_at="2026-03-02 12:10 UTC")
            for outcome in DecidedAs
        ),
        Reminder(conversation=conversation, waiting_minutes=5),
        TicketFailed(conversation=conversation, helpdesk="Zendesk", reason=words),
        Alert(title=words, detail=words, todo=words, url="https://handoff.example.com"),
        AdminJoined(customer_name=words, human_name=words, workspace_name=words),
    ]


def ids(letter: Letter) -> str:
    return letter.template


class Page(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def seen(markup: str) -> str:
    """The visible words of a page, without styles."""
    return " ".join("".join(Page(re.sub(r"(?s)<style.*?</style>", "", markup)).words).split())


# --- words ---------------------------------------------------------------------------------------


def test_handover_says_exactly_what_the_admins_know() -> None:
    mail = render(Handover(conversation=ANN))
    assert mail.subject == "Customer needs your help"
    assert mail.text.splitlines()[0] == "You have a new conversation from Ann Lee."
    assert "You have a new conversation from Ann Lee." in seen(mail.html)


@pytest.mark.parametrize("name", ["", "  \n", "\x00"[:0]])
def test_an_unknown_customer_is_called_so(name: str) -> None:
    mail = render(Handover(conversation=Conversation(session_url="https://x.example.com", customer_name=name)))
    assert mail.text.splitlines()[0] == "You have a new conversation from an unknown customer."
    assert "You have a new conversation from an unknown customer." in seen(mail.html)


@pytest.mark.parametrize("letter", letters(), ids=ids)
def test_both_parts_state_the_same_facts(letter: Letter) -> None:
    mail = render(letter)
    assert mail.subject and mail.language == "en"
    facts = ["Bo"] if isinstance(letter, Alert | AdminJoined) else ["Ann Lee", "https://handoff.example.com/s/1"]
    if not isinstance(letter, Alert | AdminJoined):
        facts += ["asked for a person", "Refund requests", "wants", "Order 7", "hello", "https://acme.example.com/7"]
    if isinstance(letter, Decided):
        facts += {"accepted": ["Bo", "12:10"], "declined": ["Bo", "12:10"], "expired": ["Nobody decided"]}[
            letter.outcome
        ]
    whole = html_module.unescape(mail.html)
    for fact in facts:
        assert fact in mail.text and fact in whole


def test_missing_facts_leave_no_empty_titles() -> None:
    bare = Conversation(session_url="https://x.example.com")
    for letter in letters(bare, ""):
        mail = render(letter)
        for title in ("Why", "Scenario", "Reason", "Summary", "Tickets", "Last messages", "What to do"):
            assert f"{title}:" not in mail.text and f">{title}<" not in mail.html
        assert "None" not in mail.text and "\n\n\n" not in mail.text


def test_a_language_without_templates_falls_back_to_english() -> None:
    for language in ("xx", "pt-BR", "../etc", "", "EN", "en-GB"):
        assert render(Handover(conversation=ANN), language).language == "en"


def test_the_readme_lists_every_template_with_its_variables() -> None:
    folder = template_folder()
    documented = {
        name: set(re.findall(r"`(\w+)`", variables))
        for name, variables in re.findall(
            r"(?m)^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|$", (folder / "README.md").read_text()
        )
    }
    environment = Environment()
    environment.filters |= dict.fromkeys(("line", "lines", "indented", "weburl"), str)
    used: dict[str, set[str]] = {}
    for path in folder.glob("[a-z]*.*.*.j2"):
        name = path.name.split(".")[0]
        found = meta.find_undeclared_variables(environment.parse(path.read_text()))
        used.setdefault(name, set()).update(found - {"parts"})
    assert documented == used
    assert set(used) == {letter.template for letter in letters()}
    assert used == {
        letter.template: {name for name in type(letter).__dataclass_fields__ if name != "template"}
        for letter in letters()
    }


def test_every_mail_has_its_three_files() -> None:
    names = {path.name for path in template_folder().glob("[a-z]*.j2")}
    assert names == {f"{letter.template}.en.{part}.j2" for letter in letters() for part in ("subject", "txt", "html")}


# --- looks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", letters(), ids=ids)
def test_mail_programs_can_show_it(letter: Letter) -> None:
    markup = render(letter).html
    page = Page(markup)
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert all(table.get("role") == "presentation" for table in page.all("table"))
    assert any(table.get("width") == "600" for table in page.all("table"))
    assert len(page.all("style")) == 1 and markup.count("prefers-color-scheme: dark") == 1
    assert "{{" not in markup and "var(" not in markup
    paragraphs = page.all("p")
    assert paragraphs and all("font-size" in (paragraph.get("style") or "") for paragraph in paragraphs)
    assert not {"img", "script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    assert "url(" not in markup and "@import" not in markup and "src=" not in markup


def test_the_button_is_real_text_and_large_enough() -> None:
    page = Page(render(Handover(conversation=ANN)).html)
    (button,) = [link for link in page.all("a") if link["href"] == ANN.session_url]
    style = dict(part.split(":", 1) for part in re.sub(r"\s", "", button["style"] or "").split(";") if part)
    height = int(style["min-height"].removesuffix("px")) + 2 * int(style["padding"].split("px")[0])
    assert height >= 44 and style["display"] == "inline-block"
    assert "Open the conversation" in page.words


@given(words=st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=60, deadline=None)
def test_words_of_others_neither_run_nor_break_the_page(words: str) -> None:
    hostile = f"<script>alert(1)</script><img src=x onerror=1>{{{{7*7}}}}\r\nBcc: a@b.c {words}"
    conversation = Conversation(
        session_url="https://x.example.com",
        customer_name=hostile,
        why=hostile,
        scenarios=(hostile,),
        reason=hostile,
        summary=hostile,
        excerpt=(Line(author=hostile, at="", text=hostile),),
        tickets=(TicketLine(title=hostile, url="javascript:alert(1)"), TicketLine(title="t", url='https://x/"><b>')),
    )
    for letter in letters(conversation, hostile):
        mail = render(letter)
        tags = [tag for tag, _ in Page(mail.html).tags]
        assert not {"script", "img", "b"} & set(tags)
        assert all((link["href"] or "").startswith("https://") for link in Page(mail.html).all("a"))
        assert mail.subject.splitlines() == [mail.subject]
        assert "\nBcc" not in mail.text
        mail.html.encode()


@pytest.mark.parametrize("filler", ["'", "👋", "<", "x "])
def test_a_mail_stays_below_a_hundred_kilobytes(filler: str) -> None:
    long = filler * 50_000
    message = Message(id="m", author_class=AuthorClass.CUSTOMER, text=long, at=datetime(2026, 3, 2, tzinfo=UTC))
    stored = [StoredMessage(seq=n, message=message, visibility=Visibility.PUBLIC) for n in range(1, 40)]
    conversation = Conversation(
        session_url="https://x.example.com",
        customer_name=long,
        why=long,
        scenarios=(long,) * 9,
        reason=long,
        summary=long,
        excerpt=excerpt(stored, long),
        tickets=(TicketLine(title=long, url="https://x.example.com/" + "&" * 570),) * 40,
    )
    for letter in letters(conversation, long):
        mail = render(letter)
        assert len(mail.html.encode()) < 100_000 and len(mail.text.encode()) < 100_000


def test_right_to_left_words_find_their_own_direction() -> None:
    conversation = Conversation(session_url="https://x.example.com", customer_name="דנה", reason="שלום")
    page = Page(render(Handover(conversation=conversation)).html)
    assert all(name.get("dir") == "auto" for name in page.all("bdi"))
    assert any(paragraph.get("dir") == "auto" for paragraph in page.all("p"))
    assert "text-align: left" not in render(Handover(conversation=conversation)).html


# --- excerpt -------------------------------------------------------------------------------------


def test_an_excerpt_is_short_public_and_redacted() -> None:
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    spoken = [
        StoredMessage(
            seq=n,
            message=Message(id=f"m{n}", author_class=AuthorClass.CUSTOMER, text=f"{n} 4111111111111111", at=at),
            visibility=Visibility.PUBLIC,
        )
        for n in range(1, 15)
    ]
    note = StoredMessage(
        seq=15,
        message=Message(id="n", author_class=AuthorClass.HUMAN, text="private", at=at),
        visibility=Visibility.PRIVATE,
        kind="note",
    )
    lines = excerpt([*spoken, note], "Ann")
    assert len(lines) == 10
    assert lines[-1] == Line(author="Ann", at="2026-03-02 12:00 UTC", text="14 [card ending in 1111]")


def test_the_templates_are_found() -> None:
    assert template_folder().name == "email" and (Path(template_folder()) / "_layout.html.j2").is_file()
