"""Hostile payloads hurt only themselves (G21): each is refused with a problem, none with a 5xx, none comes back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import LIMITS, World, running

JSON = {"Content-Type": "application/json"}
CANARY = "c4n4ry-do-not-repeat-me"

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "two documents": b"{}{}",
    "trailing comma": b'{"id": 1,}',
    "single quotes": b"{'id': 'x'}",
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-16": '{"id": "x"}'.encode("utf-16"),
    "overlong UTF-8": b'{"id": "\xc0\xaf"}',
    "raw control character": b'{"id": "a\x00b"}',
    "half an escape": b'{"id": "\\u12"}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    "65 levels": b"[" * 65 + b"]" * 65,
    "NaN": b'{"epoch": NaN}',
    "Infinity": b'{"epoch": Infinity}',
    "float that overflows": b'{"epoch": 1e999}',
    "huge integer": b'{"epoch": ' + b"9" * 50_000 + b"}",
    "65 bit integer": b'{"epoch": 18446744073709551616}',
    "key twice": b'{"id": "a", "id": "b"}',
    "key twice, written differently": b'{"id": "a", "\\u0069d": "b"}',
    "YAML": b"id: x\ntype: customer.message\n",
    "XML": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
}

EVENT: dict[str, Any] = {
    "id": "e",
    "type": "customer.message",
    "conversation_id": "c",
    "message": {"id": "m", "text": CANARY},
}


def _with_file(count: int = 1, **more: Any) -> dict[str, Any]:
    file = {"name": "x", "url": "https://example.com/x"} | more
    return EVENT | {"message": EVENT["message"] | {"attachments": [file] * count}}


WRONG: dict[str, Any] = {
    "null": None,
    "a list": [EVENT],
    "a number": 1,
    "a text": CANARY,
    "no fields": {},
    "unknown type": EVENT | {"type": CANARY},
    "type is a list": EVENT | {"type": [CANARY]},
    "type is an object": EVENT | {"type": {"a": CANARY}},
    "internal type": EVENT | {"type": "ticket.created"},
    "timer": EVENT | {"type": "timer.fired", "kind": "pause", "epoch": 0},
    "unknown field": EVENT | {"workspace": "ws_2"},
    "field named like a dunder": EVENT | {"__class__": CANARY},
    "id too long": EVENT | {"id": "x" * 201},
    "id empty": EVENT | {"id": ""},
    "id a number": EVENT | {"id": 5},
    "id with line break": EVENT | {"id": "a\nb"},
    "conversation with NUL": EVENT | {"conversation_id": "a\x1f"},
    "message missing": {key: value for key, value in EVENT.items() if key != "message"},
    "message a text": EVENT | {"message": CANARY},
    "text a number": EVENT | {"message": {"id": "m", "text": 7}},
    "text too long": EVENT | {"message": {"id": "m", "text": "x" * 600_000}},
    "time without zone": EVENT | {"at": "2026-01-01T00:00:00"},
    "time before the calendar": EVENT | {"at": "0001-01-01T00:00:00+14:00"},
    "time after the calendar": EVENT | {"at": "9999-12-31T23:59:59-14:00"},
    "time as a number": EVENT | {"at": 1e18},
    "time as text": EVENT | {"at": CANARY},
    "address without @": EVENT | {"customer": {"email": CANARY}},
    "address with line break": EVENT | {"customer": {"email": "a@example.com\nBcc: b@example.com"}},
    "verified as text": EVENT | {"customer": {"email_verified": "yes"}},
    "script as attachment": _with_file(url="javascript:alert(1)"),
    "file as attachment": _with_file(url="file:///etc/passwd"),
    "negative size": _with_file(size=-1),
    "51 attachments": _with_file(count=51),
    "pause for ever and a day": {"id": "e", "type": "pause", "conversation_id": "c", "minutes": 10**12},
    "pause backwards": {"id": "e", "type": "pause", "conversation_id": "c", "minutes": -5},
    "pause as text": {"id": "e", "type": "pause", "conversation_id": "c", "minutes": "5"},
    "pause true": {"id": "e", "type": "pause", "conversation_id": "c", "minutes": True},
    "claim by nobody": {"id": "e", "type": "claim", "conversation_id": "c"},
    "no label": {"id": "e", "type": "label.changed", "conversation_id": "c"},
    "51 labels": {"id": "e", "type": "label.changed", "conversation_id": "c", "add": [str(n) for n in range(51)]},
    "label with a bar of line breaks": {"id": "e", "type": "label.changed", "conversation_id": "c", "add": ["a\r\n"]},
    "unknown mode": {"id": "e", "type": "handoff.requested", "conversation_id": "c", "mode": CANARY},
    "trigger of our own": {"id": "e", "type": "handoff.requested", "conversation_id": "c", "trigger": "reopen"},
    "customer as author of a human message": EVENT | {"type": "human.message", "author_class": "customer"},
    "human without a name": EVENT | {"type": "human.message"},
    "no epoch": EVENT | {"type": "ai.message.proposed"},
    "health of nothing": {"id": "e", "type": "health.changed", "conversation_id": "c"},
}


TEXTS = [
    "\x00",
    "a\x00b",
    "\\ud800",
    "<script>alert(1)</script>",
    "'; DROP TABLE sessions; --",
    "{{7*7}}${7*7}",
    "\u202eevil\u2066",
    "\ufeff\u200b",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 500,
    "Z\u0351\u036b\u0343" * 2_000,
    "\r\nBcc: someone@example.com\r\n",
    "",
]
QUERIES = [
    "limit=0",
    "limit=201",
    "limit=abc",
    "status=closed",
    "phase=%F0%9F%92%A9",
    "needs_human=maybe",
    "text=%00",
    "conversation_id=",
    "label=" + "x" * 101,
    "unknown=1",
]
CURSORS = [
    "x",
    "%00",
    "A" * 600,
    "MjAyNi0wMS0wMVQwMDowMDowMB9h",  # a time without zone
    "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",  # a number of 24 digits
    "LTE",  # -1
]
PATHS = [
    "/v1/sessions/%00",
    "/v1/sessions/%ff",
    "/v1/sessions/" + "x" * 201,
    "/v1/deliveries/9223372036854775808",
    "/v1/deliveries/-1",
    "/v1/deliveries/1.5",
    "/v1/sessions/..%2f..%2fetc",
    "//v1/sessions",
    "/v1/%2e%2e/metrics",
]


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all of them: a payload that harms would be seen by those that come after it."""
    path = tmp_path_factory.mktemp("hostile") / "handoff.db"
    shutil.copyfile(sqlite_template, path)
    with running(f"sqlite:///{path}") as world:
        yield world


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_json_of_ours_is_refused(world: World, kind: str) -> None:
    for path in ("/v1/events", "/v1/conversations/c/gate", "/v1/conversations/c/actions/extend"):
        answer = world.api.post(path, content=UNREADABLE[kind], headers=JSON)
        if kind == "nothing" and path.endswith("gate"):
            assert answer.status_code == 200  # a question without a message
        else:
            assert answer.status_code in (400, 422), answer.text
    _unharmed(world)


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_event_is_refused_and_not_repeated(world: World, kind: str) -> None:
    answer = world.api.call("POST", "/v1/events", content=json.dumps(WRONG[kind]), headers=JSON)
    assert answer.status_code in (413, 422), answer.text
    assert CANARY not in answer.text
    if answer.status_code == 422 and isinstance(WRONG[kind], dict):
        assert answer.json()["errors"]
    in_a_batch = world.api.post("/v1/events", {"events": [WRONG[kind]]})
    assert in_a_batch.status_code == 413 or in_a_batch.json()["results"][0]["status"] == "rejected"
    assert CANARY not in in_a_batch.text
    _unharmed(world)


def test_more_bytes_than_allowed_are_refused_however_they_come(world: World) -> None:
    big = json.dumps(EVENT | {"message": {"id": "m", "text": "x" * LIMITS.max_body_bytes}}).encode()

    def pieces() -> Any:
        for start in range(0, len(big), 10_000):
            yield big[start : start + 10_000]

    for content in (big, pieces()):
        answer = world.api.post("/v1/events", content=content, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    _unharmed(world)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "x"])
def test_only_json_is_read(world: World, kind: str) -> None:
    answer = world.api.post("/v1/events", content=json.dumps(EVENT).encode(), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_json")


def test_any_text_of_a_customer_is_taken_and_given_back_as_text(any_world: World) -> None:
    for number, text in enumerate(TEXTS):
        said = {"id": f"m{number}", "text": text}
        body = json.dumps(EVENT | {"id": f"e{number}", "message": said}).replace("\\\\ud800", "\\ud800")
        answer = any_world.api.post("/v1/events", content=body.encode(), headers=JSON)
        assert answer.status_code == 200, answer.text
    session = answer.json()["session"]["id"]
    stored = [line["text"] for line in any_world.api.get(f"/v1/sessions/{session}/transcript").json()["items"]]
    assert stored == [text.replace("\x00", "\ufffd").replace("\\ud800", "\ufffd") for text in TEXTS]


def test_a_query_that_makes_no_sense_is_refused_or_passed_over(any_world: World) -> None:
    for path in ("/v1/sessions", "/v1/pause-logs", "/v1/deliveries"):
        for query in QUERIES:
            assert any_world.api.get(f"{path}?{query}").status_code in (200, 422), (path, query)


def test_a_cursor_that_we_did_not_give_is_refused(any_world: World) -> None:
    for path in ("/v1/sessions", "/v1/pause-logs", "/v1/deliveries"):
        for cursor in CURSORS:
            answer = any_world.api.get(f"{path}?cursor={cursor}")
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor"), (path, cursor)


def test_a_search_takes_its_text_literally(any_world: World) -> None:
    any_world.says("nothing special")
    for wild in ("%", "\\", "_%", "' OR 1=1 --"):
        answer = any_world.api.call("GET", "/v1/sessions", params={"text": wild})
        assert answer.json()["items"] == [], wild
    assert len(any_world.api.call("GET", "/v1/sessions", params={"text": "SPECIAL"}).json()["items"]) == 1


def test_a_path_that_makes_no_sense_is_refused(any_world: World) -> None:
    for path in PATHS:
        assert any_world.api.call("GET", path).status_code in (404, 422), path


def _unharmed(world: World) -> None:
    """The others go on as before."""
    world.says(conversation="another")
