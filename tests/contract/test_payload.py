"""JSON from outside: what may pass, and errors that say where it did not fit."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import UnrecognisedPayload

TICKET = read_json(
    b'{"ticket": {"id": 7, "key": "k", "tags": ["a", 5], "open": true, "size": 1.5, "note": null,'
    b' "at": "2026-03-02T12:00:00+02:00", "unix": 1772452800, "status": "solved"}}'
)["ticket"]


def test_values_come_out_with_their_type() -> None:
    assert TICKET["id"].integer() == 7 and TICKET["id"].identifier() == "7" and TICKET["key"].identifier() == "k"
    assert TICKET["key"].text() == "k" and TICKET["open"].boolean() is True and TICKET["size"].number() == 1.5
    assert TICKET["id"].number() == 7.0 and TICKET["note"].is_null and TICKET["note"].raw() is None
    assert TICKET["at"].time() == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert TICKET["unix"].time() == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert TICKET["status"].one_of({"solved": 1}) == 1
    assert [item.path for item in TICKET["tags"]] == ["payload.ticket.tags[0]", "payload.ticket.tags[1]"]
    assert "id" in TICKET and "nope" not in TICKET and TICKET.keys()[0] == "id"
    assert TICKET.get("note") is None and TICKET.get("nope") is None
    found = TICKET.get("key")
    assert found is not None and found.text() == "k"


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (lambda t: t["nope"], "payload.ticket.nope is missing."),
        (lambda t: t["id"].text(), "payload.ticket.id is a number, not a text."),
        (lambda t: t["open"].integer(), "payload.ticket.open is a boolean, not an integer."),
        (lambda t: t["open"].number(), "payload.ticket.open is a boolean, not a number."),
        (lambda t: t["size"].integer(), "payload.ticket.size is a number, not an integer."),
        (lambda t: t["id"].boolean(), "payload.ticket.id is a number, not true or false."),
        (lambda t: t["tags"][0], "payload.ticket.tags is a list, not an object."),
        (lambda t: t["tags"].items()[1].text(), "payload.ticket.tags[1] is a number, not a text."),
        (lambda t: t.items(), "payload.ticket is an object, not a list."),
        (lambda t: t["note"]["x"], "payload.ticket.note is null, not an object."),
        (lambda t: t["tags"].identifier(), "payload.ticket.tags is a list, not an id."),
        (lambda t: t["key"].time(), "payload.ticket.key is a text, not a time with its offset."),
        (lambda t: Wild("2026-03-02T12:00:00", "p").time(), "p is a text, not a time with its offset."),
        (lambda t: Wild(1e300, "p").time(), "p is a number, not a time with its offset."),
        (lambda t: t["status"].one_of({"open": 1, "new": 2}), "payload.ticket.status 'solved' is none of open, new."),
    ],
)
def test_errors_name_the_path(access: object, message: str) -> None:
    with pytest.raises(UnrecognisedPayload) as caught:
        access(TICKET)  # type: ignore[operator]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": 9223372036854775808}', "64 bit"),
        (b'{"a": -9223372036854775809}', "64 bit"),
        (b'{"a": ' + b"9" * 5000 + b"}", "64 bit"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "'c' twice"),
        (b'{"a\\u0000": 1, "a\\ufffd": 2}', "twice"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 100_000, "deeper|not JSON"),
        (b'{"a":' * 100_000, "deeper|not JSON"),
    ],
)
def test_hostile_json_is_refused_with_a_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(UnrecognisedPayload, match=reason):
        read_json(raw)


def test_limits_are_inclusive() -> None:
    assert read_json(b"[" * 64 + b"]" * 64).items()
    assert read_json(b"[9223372036854775807, -9223372036854775808]").items()[0].integer() == 2**63 - 1
    assert read_json(b"\xef\xbb\xbf{}").keys() == ()


def test_what_no_database_stores_is_replaced() -> None:
    read = read_json(rb'{"a\u0000": "x\u0000y\ud800z\ud83d\ude00"}')
    assert read["a\ufffd"].text() == "x\ufffdy\ufffdz\U0001f600"


def test_errors_and_representations_hold_no_values() -> None:
    secret = read_json(b'{"text": "my words"}')
    assert "words" not in repr(secret) and "words" not in repr(secret["text"])
    with pytest.raises(UnrecognisedPayload) as caught:
        secret["text"].integer()
    assert "words" not in str(caught.value)


STORABLE = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | STORABLE,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200)
@given(JSON)
def test_ordinary_json_is_read_unchanged(value: object) -> None:
    assert read_json(json.dumps(value).encode()).raw() == value


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789eE+-.\\u nulltrefas\ud800\x00', max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes | str) -> None:
    try:
        read_json(raw).raw()
    except UnrecognisedPayload as error:
        assert str(error).startswith("payload ")
