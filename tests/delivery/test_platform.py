"""Callbacks: in order, each with one id for all its tries, and an endpoint in trouble holds back only itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.backoff import CALLBACK_TRIES
from tests.delivery.rig import Rig, make_rig
from tests.loopback import Server, serve


class Answers:
    """What the platform answers; `status` may be changed at any time."""

    def __init__(self) -> None:
        self.status = 200

    def __call__(self, peer: socket.socket) -> None:
        peer.sendall(f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\n\r\n".encode())


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    rig = make_rig(tmp_path, simulator, private_destinations=("127.0.0.0/8",))
    yield rig
    rig.app.stop()


@contextmanager
def platform(rig: Rig) -> Iterator[tuple[Server, Answers, str]]:
    answers = Answers()
    with serve(answers) as server:
        endpoint, secret = rig.app.admin.create_endpoint(rig.workspace, server.url)
        assert secret
        yield server, answers, endpoint.id


def received(server: Server) -> list[tuple[str, str]]:
    """Id and type of every callback, in the order in which they came."""
    out = []
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        (name,) = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"webhook-id")]
        out.append((name.decode(), str(json.loads(body)["type"])))
    return out


def parked(rig: Rig) -> list[str]:
    return [row.kind for row in rig.parked() if row.destination.startswith("platform")]


def test_callbacks_come_in_the_order_in_which_things_happened(rig: Rig) -> None:
    with platform(rig) as (server, _, _):
        rig.say("hello")
        rig.hand_over()
        rig.work()
        types = [kind for _, kind in received(server)]
    assert types[0] == "session.changed" and "ai_mode.changed" in types
    assert len(set(received(server))) == len(types)


def test_what_fails_is_tried_eight_times_over_a_day_with_one_id_and_holds_the_rest_back(rig: Rig) -> None:
    with platform(rig) as (server, answers, _):
        answers.status = 500
        rig.say("hello")
        rig.hand_over()
        rig.work()
        hours = 0
        while not parked(rig):
            hours += 1
            rig.advance(3600)
            rig.work()
        first = received(server)[:CALLBACK_TRIES]
        assert len(set(first)) == 1 and 22 <= hours <= 35
        answers.status = 200
        rig.advance(3600)
        rig.work()
        assert "ai_mode.changed" in [kind for _, kind in received(server)]
    assert parked(rig) == ["session.changed"]


def test_an_endpoint_that_says_gone_is_switched_off(rig: Rig) -> None:
    with platform(rig) as (server, answers, endpoint):
        answers.status = 410
        rig.say("hello")
        rig.hand_over()
        rig.work()
        assert len(server.requests) == 1 and len(parked(rig)) >= 2
        row = rig.app.admin.endpoint(endpoint)
        assert row is not None and not row.enabled
        rig.say("more")
        rig.work()
        assert len(server.requests) == 1


def test_an_endpoint_that_fails_for_five_days_is_switched_off(rig: Rig) -> None:
    with platform(rig) as (_, answers, endpoint):
        answers.status = 503
        for day in range(7):
            rig.say("hello", f"talk-{day}")
            for _ in range(12):
                rig.work()
                rig.advance(7200)
        row = rig.app.admin.endpoint(endpoint)
        assert row is not None and not row.enabled and row.failing_since is not None
        assert rig.simulator.clock.now() - row.failing_since > timedelta(days=5)


def test_one_success_ends_the_run_of_failures(rig: Rig) -> None:
    with platform(rig) as (_, answers, endpoint):
        answers.status = 503
        rig.say("hello")
        rig.work()
        answers.status = 200
        rig.advance(60)
        rig.work()
        row = rig.app.admin.endpoint(endpoint)
        assert row is not None and row.failing_since is None


def test_a_removed_endpoint_cancels_what_waited_for_it(rig: Rig) -> None:
    with platform(rig) as (server, answers, endpoint):
        answers.status = 503
        rig.say("hello")
        rig.work()
        rig.app.admin.delete_endpoint(endpoint)
        before = len(server.requests)
        rig.advance(60)
        rig.work()
        assert len(server.requests) == before and parked(rig) == []
    assert not rig.app.reads.deliveries(rig.workspace, status="pending").items


def test_while_secrets_change_over_either_one_verifies(rig: Rig) -> None:
    with serve() as server:
        endpoint, old = rig.app.admin.create_endpoint(rig.workspace, server.url)
        new = rig.app.admin.rotate_endpoint_secret(endpoint.id)
        rig.simulator.clock.reset()
        rig.say("hello")
        rig.work()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    headers = {name.lower(): value for name, _, value in lines}
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)


def test_one_dead_endpoint_holds_back_no_other(rig: Rig) -> None:
    with platform(rig) as (_, answers, _), serve() as well:
        answers.status = 500
        rig.app.admin.create_endpoint(rig.workspace, well.url)
        rig.say("hello")
        rig.hand_over()
        rig.work()
        assert "ai_mode.changed" in [kind for _, kind in received(well)]
    assert rig.ticket()
