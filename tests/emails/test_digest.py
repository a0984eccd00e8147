"""Many mails to one person become few, and nobody is left out."""

from __future__ import annotations

import html as html_module
from dataclasses import replace

import pytest

from handoff_sync.core.markup import escape, size
from handoff_sync.core.model import Trigger
from handoff_sync.core.policy import MailKind
from handoff_sync.emails.digest import brief, digests
from handoff_sync.emails.letters import DecidedAs, DigestItem
from handoff_sync.emails.render import render
from tests.emails.letters import LANGUAGES, Page

FILLERS = ["", "'" * 10_000, "👋" * 2_500, "<b>&amp;" * 300, "ש" * 5_000, "\u202e" * 3_000, "\ud800\x00" * 50]


def many(count: int, filler: str = "") -> list[DigestItem]:
    kinds = [MailKind.HANDOVER, MailKind.DECISION_NEEDED, MailKind.REMINDER]
    return [
        DigestItem(
            kind=kinds[n % 3],
            customer_name=f"C{n:04} {filler}",
            scenarios=(filler,) if filler else (),
            trigger=Trigger.SCENARIO,
            waiting_since="2026-03-02 12:00 UTC",
            url=f"https://handoff.example.com/decide/{n:032}",
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("filler", "language"), list(zip(FILLERS, LANGUAGES * 3, strict=False)), ids=range(len(FILLERS))
)
def test_a_thousand_customers_stand_in_three_mails_of_less_than_a_hundred_kilobytes(filler: str, language: str) -> None:
    mails = [render(letter, language) for letter in digests(many(1_000, filler), filler)]
    assert len(mails) <= 3
    for mail in mails:
        assert len(mail.html.encode()) < 100_000 and len(mail.text.encode()) < 100_000
    texts, pages = "".join(mail.text for mail in mails), "".join(mail.html for mail in mails)
    for item in many(1_000):
        assert item.customer_name.strip() in texts and item.customer_name.strip() in pages
        assert item.url in texts and item.url in pages


def test_long_addresses_make_more_mails_and_none_too_large() -> None:
    items = [replace(item, url=f"https://x.example.com/{'&' * 90}{n}") for n, item in enumerate(many(1_000, "'" * 99))]
    mails = digests(items)
    assert sum(len(mail.items) for mail in mails) == 1_000
    assert all(len(render(mail).html.encode()) < 100_000 for mail in mails)


def test_what_waits_for_somebody_stands_first_and_keeps_its_order() -> None:
    items = [
        DigestItem(kind=MailKind.DECIDED, customer_name="Old", outcome=DecidedAs.ACCEPTED, by="Bo"),
        DigestItem(kind=MailKind.HANDOVER, customer_name="Ann"),
        DigestItem(kind="alert", title="Disk"),
        DigestItem(kind=MailKind.DECISION_NEEDED, customer_name="Cy"),
        DigestItem(kind=MailKind.HANDOVER, customer_name="Dan"),
    ]
    (letter,) = digests(items, "Acme")
    assert [item.customer_name or item.title for item in letter.items] == ["Cy", "Ann", "Dan", "Disk", "Old"]
    text = render(letter).text
    assert "Handed over to you (2)\n\n- Ann\n- Dan\n" in text and "- Old · a person takes over: Bo" in text
    assert text.index("Should a person") < text.index("Handed over") < text.index("For operators (1)\n\n- Disk")


def test_the_code_of_strict_mode_is_named_and_never_cut_off() -> None:
    item = DigestItem(kind=MailKind.DECISION_NEEDED, customer_name="Ann", code="K7Q2MX", scenarios=("Refund " * 20,))
    for language, called in {"en": "your code", "pt": "seu código", "es": "tu código"}.items():
        mail = render(digests([item])[0], language)
        assert f"- Ann · {called}: K7Q2MX · Refund" in mail.text and f"{called}: K7Q2MX · Refund" in mail.html
    bare = replace(item, scenarios=())
    assert "- Ann · your code: K7Q2MX\n" in render(digests([bare])[0]).text


def test_each_mail_says_which_one_it_is() -> None:
    mails = digests(many(1_000))
    assert [mail.part for mail in mails] == list(range(1, len(mails) + 1))
    assert {(mail.parts, mail.total) for mail in mails} == {(len(mails), 1_000)}
    assert render(mails[1]).subject == f"Customers need your help (1000 notices) · Mail 2 of {len(mails)}"
    assert render(digests(many(1))[0], "pt").subject == "Clientes precisam da sua ajuda (1 aviso)"
    assert digests([]) == ()


def test_lines_are_links_in_a_list() -> None:
    (letter,) = digests(many(6))
    page = Page(render(letter).html)
    assert len(page.all("li")) == 6 and [link["href"] for link in page.all("a")] == [item.url for item in letter.items]
    assert all(name == {} for name in page.all("bdi"))


@pytest.mark.parametrize("text", ["", "short", "x" * 90, "👋" * 90, "'" * 90, "{}" * 40, "ש" * 50])
def test_brief_counts_bytes_as_html(text: str) -> None:
    assert size(escape(brief(text, 48))) <= 48
    assert text.startswith(html_module.unescape(brief(text, 48)).removesuffix("…"))
