"""Messages on the wire: the headers we meant, whatever names and subjects try."""

from __future__ import annotations

import email
import random
from datetime import UTC, datetime
from email.policy import compat32, default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.emails.headers import header_safe
from handoff_sync.emails.message import Envelope, TextFile, build_message, message_id
from handoff_sync.emails.render import Rendered
from handoff_sync.errors import ConfigurationError, VendorRejected

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAMES = [
    "auto-submitted", "content-language", "content-type", "date", "from", "list-id", "message-id", "mime-version",
    "subject", "to", "x-auto-response-suppress",
]  # fmt: skip


def words(subject: str = "Customer needs your help") -> Rendered:
    return Rendered(subject=subject, text="Hello é\n.\n", html="<p>Hello é</p>", language="en")


def envelope(**fields: object) -> Envelope:
    basis: dict[str, object] = {"key": "s1:mail:1:handover:bo@example.com", "sender": "help@example.com"}
    return Envelope(**(basis | {"recipient": "bo@example.com"} | fields))  # type: ignore[arg-type]


def test_an_automatic_mail_says_so() -> None:
    raw = build_message(words(), envelope(workspace="Acme 1", recipient_name="Bo"), NOW).as_bytes()
    sent = email.message_from_bytes(raw, policy=default)
    assert sorted(name.lower() for name, _ in sent.items()) == NAMES
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert sent["List-Id"] == "<acme-1.handoff-sync.example.com>"
    assert sent["Subject"] == "Customer needs your help"
    assert sent["To"] == "Bo <bo@example.com>" and sent["From"] == "help@example.com"
    assert sent["Date"].datetime == NOW
    assert all(byte < 128 for byte in raw) and max(map(len, raw.split(b"\r\n"))) <= 998
    plain, rich = sent.iter_parts()
    assert plain.get_content().splitlines() == ["Hello é", "."]
    assert rich.get_content_type() == "text/html" and "Hello é" in rich.get_content()


def test_the_message_id_follows_from_the_key() -> None:
    first = build_message(words(), envelope(), NOW)["Message-ID"]
    again = build_message(words("other words"), envelope(recipient_name="x"), NOW)["Message-ID"]
    other = build_message(words(), envelope(key="s2"), NOW)["Message-ID"]
    assert first == again == message_id(envelope().key, "help@example.com") != other


@pytest.mark.parametrize(
    "domain", ["a.io", "mail.customer-service.north.example-company.com", "x" * 63 + ".com", "x" * 63]
)
def test_a_message_id_is_short_whatever_the_domain(domain: str) -> None:
    made = message_id("k" * 500, f"help@{domain}")
    assert len(made) <= 60 and made.startswith("<") and made.endswith(">") and made.count("@") == 1


def test_only_the_last_three_mails_of_a_thread_are_named() -> None:
    sent = build_message(words(), envelope(thread=("a", "b", "c", "d")), NOW)
    named = [message_id(key, "help@example.com") for key in "bcd"]
    assert sent["References"] == " ".join(named) and sent["In-Reply-To"] == named[-1]
    assert "References" not in build_message(words(), envelope(), NOW)


def test_a_transcript_goes_along_as_text() -> None:
    made = build_message(
        words(), envelope(), NOW, [TextFile(name="transcript.txt", text="Ann:\nשלום\x00\n" + "x" * 2000)]
    )
    (file,) = email.message_from_bytes(made.as_bytes(), policy=default).iter_attachments()
    assert file.get_filename() == "transcript.txt" and file.get_content_type() == "text/plain"
    assert file.get_content().splitlines() == ["Ann:", "שלום\ufffd", "x" * 2000]


def test_a_sender_with_a_name() -> None:
    sent = build_message(words(), envelope(sender="Häuser & Co <help@example.com>"), NOW).as_bytes()
    assert email.message_from_bytes(sent, policy=default)["From"].addresses[0].display_name == "Häuser & Co"


@pytest.mark.parametrize(
    "sender", ["", "help", "a@b@c", "Help <help at example.com>", "help@example.com\r\nBcc: x@y.z"]
)
def test_a_sender_that_is_no_address_is_a_setting_to_correct(sender: str) -> None:
    with pytest.raises(ConfigurationError, match="mail_from"):
        build_message(words(), envelope(sender=sender), NOW)


@pytest.mark.parametrize(
    "recipient",
    ["", "bo", "bo@", "@x.com", "bö@example.com", "a@b.c, d@e.f", "a@b.c\r\nBcc: x@y.z", "<a@b.c>", "a b@c.d"],
)
def test_a_recipient_that_is_no_address_is_rejected(recipient: str) -> None:
    with pytest.raises(VendorRejected):
        build_message(words(), envelope(recipient=recipient), NOW)


def test_encoded_words_of_others_are_taken_apart() -> None:
    assert "=?" not in header_safe("=?utf-8?q?=0D=0ABcc:_x=40y.z?=")
    assert "=?" not in header_safe("==??==???=?")
    assert header_safe("a\r\nBcc: x@y.z\x00\x1b") == "a Bcc: x@y.z"


HOSTILE = "aB é日👋ש\r\n\t\x00\x85\u2028\ud800\"\\,;:<>@=?()[].'_&%+-\u202e"


def _sent(subject: str, name: str) -> None:
    message = build_message(words(subject), envelope(recipient_name=name), NOW)
    raw = message.as_bytes()
    sent = email.message_from_bytes(raw, policy=compat32)
    assert sorted(key.lower() for key, _ in sent.items()) == NAMES
    assert raw.lower().count(b"\nbcc") == 0
    head = raw.partition(b"\r\n\r\n")[0]
    assert b"\r" not in head.replace(b"\r\n", b"") and b"\n" not in head.replace(b"\r\n", b"")


PIECES = [*HOSTILE, "\r\nBcc: x@y.z", "=?utf-8?q?", "=0D=0A", "?=", "=?utf-8?b?DQpCY2M6IHhAeS56?=", "\n ", "x" * 80]


def test_ten_thousand_hostile_texts_become_harmless() -> None:
    rng = random.Random(11)
    for _ in range(10_000):
        safe = header_safe("".join(rng.choice(PIECES) for _ in range(rng.randrange(40))))
        assert "=?" not in safe and safe.isprintable() and len(safe) <= 150


@settings(max_examples=150, deadline=None)
@given(subject=st.text(max_size=200), name=st.text(max_size=100))
def test_any_subject_and_name_arrive_as_they_are_meant(subject: str, name: str) -> None:
    message = build_message(words(subject), envelope(recipient_name=name), NOW)
    assert message["Subject"] == header_safe(subject)
    _sent(subject, name)
