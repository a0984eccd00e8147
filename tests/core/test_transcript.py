"""Transcripts are complete, harmless, in order, and cut where a helpdesk needs it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.markup import MIN_PART_BYTES, Block, clean, escape, one_line, size, split
from handoff_sync.core.model import Attachment, AuthorClass, Customer, Message, Person, Trigger
from handoff_sync.core.transcript import (
    WHY,
    TicketHead,
    as_text,
    comment_html,
    extract,
    note_parts,
    subject,
    ticket_parts,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=400)
CUSTOMER = Customer(name="Ann Lee")


def stored(
    seq: int, text: str, author_class: AuthorClass = AuthorClass.CUSTOMER, name: str = "", kind: str = "message"
) -> StoredMessage:
    author = Person(id=f"p{seq}", name=name) if name else None
    message = Message(
        id=f"m{seq}", author_class=author_class, text=text, at=NOON + timedelta(minutes=seq), author=author
    )
    visibility = Visibility.PUBLIC if kind == "message" else Visibility.PRIVATE
    return StoredMessage(seq=seq, message=message, visibility=visibility, kind=kind)


def head(**fields: object) -> TicketHead:
    return TicketHead(customer=CUSTOMER, trigger=Trigger.CUSTOMER_REQUEST, **fields)  # type: ignore[arg-type]


def read(markup: str) -> str:
    """What a person sees: tags away, entities resolved."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup.replace("<br>", "\n")))


def test_shows_every_author_in_order_with_time() -> None:
    messages = [
        stored(1, "I want a refund"),
        stored(2, "Let me see", AuthorClass.AI),
        stored(3, "Hello, Bo here", AuthorClass.HUMAN, "Bo"),
        stored(4, "Out of office", AuthorClass.AUTOMATION),
        stored(5, "be nice", AuthorClass.HUMAN, "Cy", kind="note"),
        stored(6, "maybe so", AuthorClass.AI, kind="draft"),
        stored(7, "and now?", name="Ann L."),
    ]
    (part,) = ticket_parts(messages, head(), 60_000)
    shown = read(part[part.index("<strong>Conversation") :])
    lines = [
        "Ann Lee · 2026-03-02 12:01 UTC\nI want a refund",
        "AI · 2026-03-02 12:02 UTC\nLet me see",
        "Bo · 2026-03-02 12:03 UTC\nHello, Bo here",
        "Automation · 2026-03-02 12:04 UTC\nOut of office",
        "Note (Cy) · 2026-03-02 12:05 UTC\nbe nice",
        "AI draft, not sent · 2026-03-02 12:06 UTC\nmaybe so",
        "Ann L. · 2026-03-02 12:07 UTC\nand now?",
    ]
    assert shown == "Conversation" + "".join(lines)


def test_head_tells_why_summary_link_and_earlier_notes() -> None:
    (part,) = ticket_parts(
        [stored(1, "hi")],
        head(
            scenarios=("Refund requests over $200",),
            reason="wants <b>money</b>",
            summary="Order 7 is late.",
            link="https://handoff.example.com/s/1?a=1&b=2",
            notes=(stored(1, "knows the boss", AuthorClass.HUMAN, "Cy", kind="note"),),
        ),
        60_000,
    )
    shown = read(part)
    assert shown.index("asked for a person") < shown.index("Refund requests over $200") < shown.index("Reason: wants")
    assert shown.index("Order 7 is late.") < shown.index("knows the boss") < shown.index("Conversation")
    assert 'href="https://handoff.example.com/s/1?a=1&amp;b=2"' in part
    assert "<b>" not in part


def test_every_trigger_has_a_sentence() -> None:
    assert set(WHY) == set(Trigger)


def test_without_a_summary_the_last_public_messages_stand_in() -> None:
    messages = [stored(n, f"line {n}") for n in range(1, 10)] + [stored(10, "secret", kind="note")]
    (part,) = ticket_parts(messages, head(), 60_000)
    above = read(part[: part.index("<strong>Conversation")])
    assert "Last messages" in above and "line 9" in above and "line 4" in above
    assert "line 3" not in above and "secret" not in above
    assert extract([stored(1, "x" * 1000)], "Ann").endswith("…")


def test_a_ticket_without_messages_says_so() -> None:
    (part,) = ticket_parts([], head(), 60_000)
    assert "No messages yet." in part


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example.com", "https://x.example.com/" + "a" * 700])
def test_a_link_back_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        ticket_parts([], head(link=url), 60_000)


@pytest.mark.parametrize(
    "hostile", ["{{ticket.requester.email}}", "{% if x %}", "{{{a}}}", "}}{{", "<script>", "&amp;"]
)
def test_nothing_of_the_text_is_expanded_or_run(hostile: str) -> None:
    name = Customer(name=hostile)
    about = TicketHead(customer=name, trigger=Trigger.API, reason=hostile)
    parts = ticket_parts([stored(1, hostile)], about, 60_000)
    parts += comment_html([stored(1, hostile)], 60_000)
    parts += comment_html([stored(1, hostile), stored(2, "b")], 60_000, name)
    joined = "".join(parts)
    assert "{" not in joined and "}" not in joined and "<script" not in joined
    assert read(joined).count(hostile) >= 5


def test_line_breaks_emoji_and_right_to_left_text_stay() -> None:
    text = "שלום {עולם}\n\nfamily 👨‍👩‍👧‍👦 🇵🇹\r\nend"
    (part,) = comment_html([stored(1, text)], 60_000)
    assert part.startswith('<p dir="auto">')
    assert part.count("<br>") == 3
    assert read(part) == text.replace("\r\n", "\n")


def test_what_no_database_and_no_helpdesk_takes_is_replaced() -> None:
    assert clean("a\x00b\x1bc\ud800d\x85e\u2028f\ufffeg") == "a\ufffdb\ufffdc\ufffdd\ne\nf\ufffdg"
    assert clean("\ud83d\ude00") == "😀"


def test_several_messages_carry_their_author_and_a_single_one_does_not() -> None:
    (alone,) = comment_html([stored(1, "one")], 60_000, CUSTOMER)
    (both,) = comment_html([stored(1, "one").message, stored(2, "two").message], 60_000, CUSTOMER)
    assert read(alone) == "one"
    assert read(both) == "Ann Lee · 2026-03-02 12:01 UTC\noneAnn Lee · 2026-03-02 12:02 UTC\ntwo"


def test_a_note_of_ours_stands_above_its_messages() -> None:
    (part,) = note_parts("Back to the <AI>\nby Bo", [stored(1, "one")], 60_000, CUSTOMER)
    assert read(part) == "Back to the <AI>\nby BoAnn Lee · 2026-03-02 12:01 UTC\none"
    assert note_parts("x" * 3000, [], 1024)[1].startswith('<p dir="auto">(continued)')


def test_plain_text_has_authors_breaks_and_attachments() -> None:
    file = Attachment(name="a.pdf", content_type="application/pdf", size=9, url="https://x.example.com/a")
    message = Message(id="m", author_class=AuthorClass.CUSTOMER, text="see\nthis", at=NOON, attachments=(file,))
    assert as_text([message, stored(2, "ok", AuthorClass.AI)], CUSTOMER) == (
        "Ann Lee, 2026-03-02 12:00 UTC:\nsee\nthis\n[Attachment: a.pdf, application/pdf, 9 bytes] https://x.example.com/a"
        "\n\nAI, 2026-03-02 12:02 UTC:\nok"
    )


# --- splitting ---------------------------------------------------------------------------------


def test_a_long_message_is_continued_visibly() -> None:
    parts = ticket_parts([stored(1, "word " * 2000)], head(summary="s"), 4096)
    assert len(parts) > 2
    assert all("(continued)" in part for part in parts[1:]) and "(continued)" not in parts[0]
    assert all("Ann Lee" in part for part in parts[1:])


def test_short_messages_are_not_cut() -> None:
    messages = [stored(n, f"<{n}>" * 40) for n in range(1, 60)]
    parts = ticket_parts(messages, head(summary="s"), 4096)
    assert len(parts) > 2 and "(continued)" not in "".join(parts)
    assert all(part.startswith("<p") and part.endswith("</p>") for part in parts)


def test_a_cut_falls_behind_white_space_and_never_inside_a_drawn_character() -> None:
    for part in split([Block(text="lorem ipsum " * 500)], 1024)[:-1]:
        assert part.endswith(" </p>")
    family = "👨‍👩‍👧‍👦"
    for part in split([Block(text=family * 300)], 1024):
        assert read(part).removeprefix("(continued)\n").replace(family, "") == ""


def test_a_limit_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1024"):
        split([], 1023)
    with pytest.raises(ValueError, match="markup"):
        split([Block(text="x" * 3000, before="<p>" + "y" * 2000)], 1024)


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(ANY_TEXT | ANY_TEXT.map(lambda text: text * 20), max_size=8),
    limit=st.integers(MIN_PART_BYTES, 5000),
)
def test_split_keeps_every_character_within_the_limit(texts: list[str], limit: int) -> None:
    blocks = [Block(text=clean(text), before="<p>", again="<p><i></i>", after="</p>") for text in texts]
    parts = split(blocks, limit)
    assert all(0 < size(part) <= limit for part in parts)
    assert all(part.startswith("<p>") and part.endswith("</p>") for part in parts)
    joined = "".join(parts).replace("</p><p><i></i>", "")
    assert joined == "".join(f"<p>{escape(clean(text))}</p>" for text in texts)


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, name=ANY_TEXT, reason=ANY_TEXT, limit=st.integers(MIN_PART_BYTES, 3000))
def test_any_text_makes_well_formed_parts(text: str, name: str, reason: str, limit: int) -> None:
    about = TicketHead(customer=Customer(name=name), trigger=Trigger.API, reason=reason)
    for part in ticket_parts([stored(1, text, name=name), stored(2, text * 9)], about, limit):
        assert size(part) <= limit
        assert not re.search(r"<(?!/?(p|strong|bdi|br|a)\b)", part)
        assert part.count("<p ") + part.count("<p>") == part.count("</p>")
        assert "{" not in part


# --- subject -----------------------------------------------------------------------------------


def test_subject_names_the_customer_or_a_visitor() -> None:
    template = "Customer needs your help: {name}"
    assert subject(template, CUSTOMER) == "Customer needs your help: Ann Lee"
    for nobody in (Customer(), Customer(name="  \n "), Customer(email="ann@example.com")):
        assert subject(template, nobody) == "Customer needs your help: a visitor"
    assert subject("", CUSTOMER) == "Customer needs your help"


def test_a_long_name_is_shortened_and_the_template_stays() -> None:
    made = subject("{name} needs help (chat)", Customer(name="n" * 500))
    assert len(made) <= 150 and made.endswith("… needs help (chat)")


@given(template=ANY_TEXT, name=ANY_TEXT)
def test_a_subject_is_one_short_line(template: str, name: str) -> None:
    made = subject(template + "{name}", Customer(name=name))
    assert 0 < len(made) <= 150
    assert made.splitlines() == [made]
    assert made == one_line(made, 150)
