"""A webhook is a hint: forged, replayed, doubled, reordered, late or lost, the end is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.core.policy import Mode, Policy
from tests.e2e.live import Live, live
from tests.e2e.stand import until

POLICY = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0)


@pytest.fixture
def simulator() -> Iterator[ZendeskSimulator]:
    simulator = ZendeskSimulator()
    simulator.start()
    simulator.apply_settings({"export_withheld_s": 0})
    yield simulator
    simulator.stop()


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def story(service: Live) -> dict[str, Any]:
    """A handoff from the first word to the solved ticket; what is left of it in the end."""
    simulator = service.simulator
    service.say(1)
    ticket = service.hand_over()
    simulator.assign(ticket, "Dana")
    simulator.reply(ticket, "First answer")
    simulator.note(ticket, "INTERNAL: never show this")
    simulator.reply(ticket, "Second answer")
    service.say(2)
    until("the answers arrived", lambda: len(answers(service)) == 2)
    # Words of the customer that arrive after the solving reopen the ticket, and rightly so.
    until("the customer's words arrived", lambda: "<<words 2>>" in "\n".join(simulator.state.texts(ticket)))
    simulator.set_status(ticket, "solved")
    until("the session is resolved", lambda: service.session()["phase"] == "resolved")
    return ending(service)


def answers(service: Live) -> list[str]:
    return [m["text"] for m in service.transcript() if m["author_class"] == "human" and m["visibility"] == "public"]


def ending(service: Live) -> dict[str, Any]:
    session = service.session()
    public = sorted(m["text"] for m in service.transcript() if m["visibility"] == "public")
    delivered = [m["text"] for m in service.transcript() if m["kind"] == "message" and m["visibility"] == "public"]
    return {
        "phase": session["phase"],
        "public": public,
        "answers": answers(service),
        "copies": max(delivered.count(text) for text in delivered),
        "tickets": len(service.simulator.state.tickets),
        "end": session["handoff"]["end_reason"],
    }


EXPECTED = {
    "phase": "resolved",
    "public": ["<<words 1>>", "<<words 2>>", "First answer", "Second answer"],
    "answers": ["First answer", "Second answer"],
    "copies": 1,
    "tickets": 1,
    "end": "ticket_solved",
}

FAULTS: dict[str, Callable[[ZendeskSimulator], None]] = {
    "none": lambda s: None,
    "doubled": lambda s: s.webhook_faults.double(100),
    "reordered": lambda s: s.webhook_faults.reorder(4),
    "late": lambda s: s.webhook_faults.delay(0.7, 100),
    "half lost": lambda s: s.webhook_faults.lose(6),
    "all lost": lambda s: s.webhook_faults.lose(10_000),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_webhooks_the_end_is_the_same(
    tmp_path: Path, simulator: ZendeskSimulator, database: str, fault: str
) -> None:
    with live(tmp_path, simulator, POLICY, database_url=database, poll_interval_s=0.5) as service:
        FAULTS[fault](simulator)
        assert story(service) == EXPECTED


def test_a_forged_or_replayed_webhook_changes_nothing(tmp_path: Path, simulator: ZendeskSimulator) -> None:
    with live(tmp_path, simulator, POLICY, poll_interval_s=300) as service:
        assert story(service) == EXPECTED
        until("all is quiet", lambda: simulator.webhooks.wait_idle() and not service.app.reads.due_lanes(1))
        delivered = list(simulator.webhooks.attempts)
        before, looks = service.session(), reads(simulator)
        for attempt in delivered:
            body, headers = attempt.body, dict(attempt.headers)
            assert post(service, body, headers) == 200, "a true copy is taken and known"
            assert post(service, body, {**headers, "X-Zendesk-Webhook-Signature": "bm90IGEgc2lnbmF0dXJl"}) == 401
            assert post(service, body[:-2] + b" }", headers) == 401
            assert post(service, body, {k: v for k, v in headers.items() if "signature" not in k.lower()}) == 401
        forged = json.dumps({"type": "zen:event-type:ticket.status_changed", "id": "x", "detail": {"id": "1"}}).encode()
        assert post(service, forged, {"Content-Type": "application/json"}) == 401
        assert service.session() == before
        assert reads(simulator) == looks, "a replayed delivery does not even make us look"


def test_an_unguessable_address_is_all_that_answers(tmp_path: Path, simulator: ZendeskSimulator) -> None:
    with live(tmp_path, simulator, POLICY) as service:
        assert httpx.post(f"{service.url}/hooks/guess", content=b"{}").status_code == 404


def post(service: Live, body: bytes, headers: dict[str, str]) -> int:
    return httpx.post(service.hook_url, content=body, headers=headers, timeout=10).status_code


def reads(simulator: ZendeskSimulator) -> int:
    return len([r for r in simulator.state.requests("GET") if "/comments" in r.path])


def test_a_message_repeated_under_a_new_event_id_opens_nothing_again(
    tmp_path: Path, simulator: ZendeskSimulator, database: str
) -> None:
    with live(tmp_path, simulator, POLICY, database_url=database) as service:
        assert story(service) == EXPECTED
        again = service.send(
            id="again",
            type="customer.message",
            conversation_id="talk",
            message={"id": "m-1", "text": "<<words 1>>"},
        )
        assert (again["verdict"], again["code"]) == ("unchanged", "known_message")
        until("all is quiet", lambda: simulator.webhooks.wait_idle() and not service.app.reads.due_lanes(1))
        assert ending(service) == EXPECTED
        assert simulator.state.tickets[0].status == "solved"
