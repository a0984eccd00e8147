"""Names as headers: whatever a customer is called, no mail has a header that we did not write."""

from __future__ import annotations

import email
import random
from datetime import UTC, datetime
from email.policy import compat32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.emails.message import Envelope, build_message, message_id
from handoff_sync.emails.render import Rendered, render
from tests.emails.letters import LANGUAGES, full_of, letters

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OURS = sorted([
    "from", "to", "subject", "date", "message-id", "list-id", "auto-submitted", "x-auto-response-suppress",
    "references", "in-reply-to", "mime-version", "content-type", "content-language",
])  # fmt: skip
NAMES = [
    "=?utf-8?q?x=0d=0aBcc:_a@b.c?=",
    "=?utf-8?b?eA0KQmNjOiBhQGIuYw==?=",
    "=?=?utf-8?q??q?=0d=0aBcc:_a@b.c?=",
    "x\r\nBcc: a@b.c",
    "x\nBcc: a@b.c\n\nbody",
    "x\rBcc: a@b.c",
    "x\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029Bcc: a@b.c",
    "n" * 10_000,
    "👩🏽‍💻" * 2_000,
    "a\u0301" * 3_000,
    "\ud800 \udfff\ud83d",
    "\x00\x00Bcc: a@b.c\x00",
    "\u202eMOC.ELPMAXE@NNA\u2066",
    '"Ann" <a@b.c>, Bo <c@d.e>',
    'Ann\\"; <>,:@()[]',
    "<a@b.c>",
    "",
    " \t ",
    "ש" * 200,
    "日本" * 90 + "=?utf-8?q?=0d=0a?=",
]
PIECES = [
    *"aB é日👋ש\r\n\t\x00\x85\u2028\ud800\"\\,;:<>@=?()[].'_&%+-\u202e\u0301",
    *NAMES[:7],
    "=0D=0A",
    "?=",
    "x" * 80,
]


def check(rendered: Rendered, name: str, workspace: str, key: str) -> None:
    """The bytes, read again by a parser that knows nothing of us, hold our headers and no other, each once."""
    envelope = Envelope(
        key=key,
        sender="Help <help@example.com>",
        recipient="bo@example.com",
        recipient_name=name,
        workspace=workspace,
        thread=(key, "s1"),
    )
    raw = build_message(rendered, envelope, NOW).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    assert sorted(line.split(b":")[0].decode().lower() for line in lines if line[:1] not in b" \t") == OURS
    assert b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines) and max(map(len, lines)) <= 998
    sent = email.message_from_bytes(raw, policy=compat32)
    assert sorted(name.lower() for name in sent) == OURS
    assert sent["Message-ID"] == message_id(key, "help@example.com") and len(sent["Message-ID"]) <= 60
    assert all(len(one) <= 60 for one in sent["References"].split())
    assert "bcc" not in sent and sent["To"].endswith("<bo@example.com>") and sent["To"].count("@example.com>") == 1


@pytest.mark.parametrize("words", NAMES, ids=range(len(NAMES)))
def test_no_letter_gets_a_header_from_a_name(words: str) -> None:
    for number, letter in enumerate(letters(full_of(words), words)):
        check(render(letter, LANGUAGES[number % 3]), words, words, words)


def test_ten_thousand_random_texts_add_no_header() -> None:
    """Four in each mail, one in every field of the header that others fill."""
    rng = random.Random(13)
    texts = ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 30))) for _ in range(10_000)]
    for subject, name, workspace, key in zip(*[iter(texts)] * 4, strict=True):
        rendered = Rendered(subject=f"Still waiting: {subject}", text="x\n", html="<p>x</p>", language="en")
        check(rendered, name, workspace, key)


@settings(max_examples=150, deadline=None)
@given(words=st.text(alphabet=st.characters(exclude_categories=()), max_size=300))
def test_any_text_at_all_adds_no_header(words: str) -> None:
    check(Rendered(subject=words or "x", text="x\n", html="<p>x</p>", language="en"), words, words, words)
