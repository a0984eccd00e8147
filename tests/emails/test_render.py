"""What the mails say."""

from __future__ import annotations

import html as html_module
import re
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.model import AuthorClass, Message, Trigger
from handoff_sync.core.policy import MailKind, OnDecisionExpiry
from handoff_sync.emails.filters import PLACEHOLDER
from handoff_sync.emails.letters import (
    AdminJoined,
    ConnectionDown,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    Handover,
    Letter,
    Line,
    TicketFailed,
    excerpt,
)
from handoff_sync.emails.render import render
from handoff_sync.emails.samples import samples
from handoff_sync.emails.templates import template_folder
from handoff_sync.emails.words import read_words, texts_of, words_file
from tests.emails.letters import ANN, DECIDE, LANGUAGES, Page, about_a_session, full_of, ids, letters, seen

FIRST_LINE = {
    "en": "You have a new conversation from {}.",
    "pt": "Você tem uma nova conversa de {}.",
    "es": "Tienes una conversación nueva de {}.",
}
NOBODY = {"en": "an unknown customer", "pt": "um cliente desconhecido", "es": "un cliente desconocido"}


def test_the_subject_of_a_handover_is_the_same_for_everyone() -> None:
    assert render(Handover(conversation=ANN)).subject == "Customer needs your help"
    assert render(Handover(conversation=ANN), "pt").subject == "Um cliente precisa da sua ajuda"
    assert render(Handover(conversation=ANN), "es").subject == "Un cliente necesita tu ayuda"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["Ann Lee", "", "  \n", "\u202e"])
def test_handover_says_who_it_is(language: str, name: str) -> None:
    mail = render(Handover(conversation=replace(ANN, customer_name=name)), language)
    said = FIRST_LINE[language].format(name if name == "Ann Lee" else NOBODY[language])
    assert mail.text.splitlines()[0] == said and said in seen(mail.html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", about_a_session(), ids=ids)
def test_both_parts_state_every_fact(letter: Letter, language: str) -> None:
    mail = render(letter, language)
    assert mail.subject and mail.language == language
    facts = ["Ann Lee", "ann@example.com", "web", "Refund requests", "wants", "Order 7", "12:01", "hello", "Acme"]
    facts += ["https://chat.example.com/1", "https://acme.example.com/7", "Zendesk", "Gorgias"]
    facts.append(read_words(template_folder() / words_file(language))["shared"]["trigger"]["customer_request"])
    match letter:
        case Decided(outcome=DecidedAs.EXPIRED):
            pass
        case Decided():
            facts += ["Bo", "12:10", {"en": "by mail", "pt": "por e-mail", "es": "por correo"}[language]]
        case DecisionNeeded(again=False):
            facts += ["12:30", "K 7 Q 2 M X", DECIDE]
        case _:
            pass
    whole = html_module.unescape(mail.html)
    for fact in facts:
        assert fact in mail.text and fact in whole


@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_facts_leave_no_empty_titles(language: str) -> None:
    shared = read_words(template_folder() / words_file(language))["shared"]
    for letter in letters(Conversation(), ""):
        mail = render(letter, language)
        for title in ("why", "scenario", "reason", "summary", "links", "messages", "waiting_since"):
            assert f"{shared[title]}:" not in mail.text and f">{shared[title]}<" not in mail.html
        assert "None" not in mail.text and "\n\n\n" not in mail.text and "()" not in mail.text
        assert "{" not in mail.text and mail.subject


def test_a_decision_mail_has_one_button_and_it_decides_nothing() -> None:
    letter = DecisionNeeded(
        conversation=ANN, decision_url=DECIDE, expires_at="12:30", on_expiry=OnDecisionExpiry.KEEP_AI
    )
    mail = render(letter)
    buttons = [link for link in Page(mail.html).all("a") if "min-height" in (link["style"] or "")]
    assert [button["href"] for button in buttons] == [DECIDE]
    assert "Review and decide" in seen(mail.html) and "Opening the link decides nothing." in mail.text
    assert "until 12:30. If nobody decides, the AI goes on alone." in mail.text
    assert "Your code" not in mail.text
    assert "a person is called in" in render(replace(letter, on_expiry=OnDecisionExpiry.HAND_OVER)).text
    assert "until someone decides" in render(replace(letter, expires_at="")).text
    assert render(replace(letter, again=True)).subject == "Still open: should a person take over? Ann Lee"


def test_only_an_open_question_leads_back_to_the_decision() -> None:
    for outcome in DecidedAs:
        mail = render(Decided(conversation=ANN, outcome=outcome, decision_url=DECIDE))
        assert (DECIDE in mail.text) == (outcome is DecidedAs.UNDONE)


def test_a_helpdesk_without_a_name_is_called_in_the_readers_language() -> None:
    said = {language: render(TicketFailed(conversation=ANN), language).text for language in LANGUAGES}
    assert "the helpdesk" in said["en"] and "o helpdesk" in said["pt"] and "la mesa de ayuda" in said["es"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_dead_connection_says_what_waits_and_what_to_do(language: str) -> None:
    down = ConnectionDown(connection="Acme desk", since="12:00", said="timeout", waiting=12)
    mail, stopped = render(down, language), render(replace(down, stopped=True, waiting=1, todo="New token."), language)
    for fact in ("Acme desk", "12:00", "timeout", "12 "):
        assert fact in mail.text and fact in seen(mail.html)
    assert "`handoff-sync doctor`" in stopped.text and "New token." in stopped.text
    assert "`handoff-sync doctor`" not in mail.text and re.search(r"\n    1 \w", stopped.text)


def test_a_customer_reads_no_word_of_ours() -> None:
    for language in LANGUAGES:
        mail = render(AdminJoined(), language)
        assert "handoff" not in (mail.subject + mail.text + seen(mail.html)).lower()


# --- languages -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "written"),
    [("pt-BR", "pt"), ("pt_PT", "pt"), ("PT", "pt"), ("es-419", "es"), ("en-GB", "en"), ("xx", "en"), ("", "en"),
     ("../etc", "en"), ("p", "en"), ("pt\x00", "en"), ("*", "en")],
)  # fmt: skip
def test_a_language_falls_back_to_its_base_and_then_to_english(wanted: str, written: str) -> None:
    assert render(Handover(conversation=ANN), wanted).language == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_words_to_fill_in(language: str) -> None:
    ours = dict(texts_of(read_words(template_folder() / words_file(language))))
    english = dict(texts_of(read_words(template_folder() / words_file("en"))))
    assert list(ours) == list(english)
    for key, text in ours.items():
        assert isinstance(text, str) and text.strip() == text and text
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(str(english[key]))), key
        same = {"shared.via.console", "alert.subject"}
        assert language == "en" or text != english[key] or key in same, key


def test_the_words_know_every_trigger_kind_and_outcome() -> None:
    words = read_words(template_folder() / words_file("en"))
    assert set(words["shared"]["trigger"]) == set(Trigger)
    assert set(words["shared"]["author"]) == set(AuthorClass)
    assert set(words["digest"]["kinds"]) == {*MailKind, "alert"}
    assert set(words["decided"]["lead"]) == set(words["digest"]["outcome"]) == set(DecidedAs)
    assert set(words) == {"shared", *samples()}


def test_an_author_without_a_name_is_called_in_the_readers_language() -> None:
    line = Line(author="Customer", at="12:00", text="olá", role=AuthorClass.CUSTOMER, named=False)
    for language, called in (("en", "Customer"), ("pt", "Cliente"), ("es", "Cliente")):
        mail = render(Handover(conversation=replace(ANN, excerpt=(line,))), language)
        assert f"{called}, 12:00:" in mail.text and f"{called} · 12:00" in seen(mail.html)


# --- words of others -----------------------------------------------------------------------------


@given(words=st.text(alphabet=st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=12, deadline=None)
def test_words_of_others_neither_run_nor_break_the_page(words: str) -> None:
    hostile = f"<script>alert(1)</script><img src=x onerror=1>{{{{7*7}}}}{{name}}\r\nBcc: a@b.c {words}"
    for letter in letters(full_of(hostile), hostile):
        mail = render(letter)
        page = Page(mail.html)
        assert not {"script", "img", "b"} & {tag for tag, _ in page.tags}
        assert all((link["href"] or "").startswith("https://") for link in page.all("a"))
        assert mail.subject.splitlines() == [mail.subject]
        assert "\nBcc" not in mail.text
        mail.html.encode()


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", 'https://x/"><b>', "https://x\n.example.com", "https://" + "x" * 700]
)
def test_what_is_no_address_of_the_web_is_no_link(url: str) -> None:
    mail = render(Handover(conversation=Conversation(session_url=url, chat_url=url)))
    assert Page(mail.html).all("a") == [] and url not in mail.text


@pytest.mark.parametrize("filler", ["'", "👋", "<", "x ", "ש", "\u0301"])
def test_a_mail_stays_below_a_hundred_kilobytes(filler: str) -> None:
    long = filler * 10_000
    message = Message(id="m", author_class=AuthorClass.CUSTOMER, text=long, at=datetime(2026, 3, 2, tzinfo=UTC))
    stored = [StoredMessage(seq=n, message=message, visibility=Visibility.PUBLIC) for n in range(1, 40)]
    for letter in letters(replace(full_of(long), excerpt=excerpt(stored, long)), long):
        mail = render(letter)
        assert len(mail.html.encode()) < 100_000 and len(mail.text.encode()) < 100_000


def test_right_to_left_names_keep_their_direction_to_themselves() -> None:
    mail = render(Handover(conversation=replace(ANN, customer_name="דנה", reason="שלום")))
    page = Page(mail.html)
    assert all(name.get("dir") == "auto" for name in page.all("bdi"))
    assert any(paragraph.get("dir") == "auto" for paragraph in page.all("p"))
    assert mail.text.splitlines()[0] == "You have a new conversation from \u2068דנה\u2069."
    assert "\u2068" not in render(Handover(conversation=ANN)).text


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
    text = "14 [card ending in 1111]"
    assert lines[-1] == Line(author="Ann", at="2026-03-02 12:00 UTC", text=text, role=AuthorClass.CUSTOMER)
    assert excerpt(spoken)[-1].named is False


def test_every_letter_has_a_sample() -> None:
    assert {letter.template for letter in letters()} == set(samples())
    for letter in samples().values():
        assert all(spec.name in type(letter).__slots__ for spec in fields(letter))
