"""Webhooks of helpdesks: believed only when signed, stored before they are answered, kept when unreadable."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from handoff_sync.store.tables import inbox
from tests.api.conftest import LIMITS, World, signature

BODY = json.dumps({"id": "d1", "tickets": ["7"]}).encode()


def send(world: World, body: bytes, sign: str | None = None, token: str | None = None) -> Any:
    headers = {"X-Signature": signature(body) if sign is None else sign, "Content-Type": "application/json"}
    return world.api.with_key(None).call(
        "POST", f"/hooks/{token or world.connection.hook_token}", content=body, headers=headers
    )


def stored(world: World) -> list[Any]:
    with world.reads._db.read.connect() as connection:
        return list(connection.execute(select(inbox.c.event_id, inbox.c.result, inbox.c.raw)))


def test_a_signed_webhook_is_stored_once(any_world: World) -> None:
    answers = [send(any_world, BODY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json()["result"] for answer in answers] == ["taken", "duplicate", "duplicate"]
    assert len(stored(any_world)) == 1


def test_what_does_not_concern_us_is_answered_and_remembered(world: World) -> None:
    body = json.dumps({"id": "d2", "tickets": [], "ignored": "a test"}).encode()
    assert send(world, body).json() == {"result": "ignored"}


@pytest.mark.parametrize("sign", ["", "0" * 64, "x"])
def test_a_wrong_signature_is_refused_and_leaves_nothing(world: World, sign: str) -> None:
    answer = send(world, BODY, sign)
    assert (answer.status_code, answer.json()["code"]) == (401, "webhook_refused")
    assert stored(world) == []


def test_the_signature_is_checked_over_the_bytes_as_they_came(world: World) -> None:
    spaced = b'{ "id" : "d3",\n"tickets":["7"] }'
    assert send(world, spaced).json() == {"result": "taken"}
    assert send(world, spaced, signature(json.dumps(json.loads(spaced)).encode())).status_code == 401


def test_two_signatures_are_no_signature(world: World) -> None:
    good = signature(BODY)
    answer = world.api.client.post(
        f"/hooks/{world.connection.hook_token}", content=BODY, headers=[("x-signature", good), ("x-signature", good)]
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"id": 1}', b"\xff\xfe", b"[" * 50_000, b'{"id": "d", "tickets": 5}']
)
def test_what_is_signed_but_unreadable_is_kept_for_a_person(any_world: World, body: bytes) -> None:
    answer = send(any_world, body)
    assert (answer.status_code, answer.json()) == (200, {"result": "unreadable"})
    assert [row.raw for row in stored(any_world)] == [body]


def test_what_cannot_be_stored_comes_again(world: World) -> None:
    """Zendesk repeats after 409, 429 and 503 only."""
    world.switches.full = True
    for body in (BODY, b"{"):
        answer = send(world, body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_stored")
    world.switches.full = False
    assert send(world, BODY).json() == {"result": "taken"}


@pytest.mark.parametrize("token", ["unknown", "x" * 201, "..%2f", "%00"])
def test_an_address_that_nobody_gave_is_nothing(world: World, token: str) -> None:
    assert send(world, BODY, token=token).status_code in (404, 422)


def test_a_connection_that_is_switched_off_takes_nothing(world: World) -> None:
    world.admin.update_connection(world.connection.id, enabled=False)
    assert send(world, BODY).status_code == 404


def test_too_large_a_webhook_is_refused(world: World) -> None:
    answer = send(world, b"x" * (LIMITS.max_body_bytes + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_the_address_answers_those_who_only_look(world: World) -> None:
    api = world.api.with_key(None)
    assert api.call("HEAD", f"/hooks/{world.connection.hook_token}").status_code == 200
    assert api.call("HEAD", "/hooks/unknown").status_code == 404
    assert api.call("GET", f"/hooks/{world.connection.hook_token}").status_code == 405
