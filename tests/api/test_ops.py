"""Alive, ready, figures; and what every answer has in common."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from handoff_sync.api.deps import Check, Health
from tests.api.conftest import World, signature


def test_alive_says_nothing_but_that(world: World) -> None:
    assert world.api.with_key(None).get("/livez").json() == {"status": "ok"}


@pytest.mark.parametrize(("health", "status"), [(Health.OK, 200), (Health.DEGRADED, 200), (Health.DOWN, 503)])
def test_ready_is_as_bad_as_its_worst_part(world: World, health: Health, status: int) -> None:
    world.switches.checks = [Check(name="database", health=Health.OK), Check(name="broker", health=health, detail="d")]
    answer = world.api.client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (status, health)
    assert answer.json()["checks"][1] == {"name": "broker", "status": health, "detail": "d"}


def test_figures_count_what_happened(world: World) -> None:
    session = world.says()
    world.act(session["id"], "stop")
    world.api.post("/v1/conversations/c1/gate", {"message": {"id": "ai", "text": "x"}})
    body = b'{"id": "d", "tickets": []}'
    for sign in (signature(body), "wrong"):
        world.api.client.post(f"/hooks/{world.connection.hook_token}", content=body, headers={"x-signature": sign})
    text = world.api.get("/metrics").text
    for line in (
        'handoff_events_total{type="customer.message",verdict="applied"} 1.0',
        'handoff_events_total{type="ai.message.proposed",verdict="block"} 1.0',
        "handoff_ai_attempts_blocked_total 1.0",
        'handoff_webhooks_total{kind="zendesk",result="taken"} 1.0',
        'handoff_webhooks_total{kind="zendesk",result="refused"} 1.0',
        "handoff_deliveries_parked 0.0",
        'handoff_request_seconds_count{method="POST",route="/v1/events",status="200"} 1.0',
    ):
        assert line in text
    assert "handoff_lanes_due" in text


def test_figures_name_nobody(world: World) -> None:
    session = world.says()
    world.api.get(f"/v1/sessions/{session['id']}")
    world.api.get("/v1/nonsense/of/somebody")
    text = world.api.get("/metrics").text
    for word in (session["id"], "c1", "ws_1", "somebody", world.connection.hook_token):
        assert word not in text


def test_logs_name_the_route_and_no_words_of_anybody(world: World) -> None:
    with capture_logs() as lines:
        world.says("my own words")
        world.api.call("GET", "/v1/sessions", params={"text": "my own words"})
        world.api.with_key(None).call("POST", f"/hooks/{world.connection.hook_token}", content=b"{}")
    assert [line["route"] for line in lines] == ["/v1/events", "/v1/sessions", "/hooks/{hook_token}"]
    assert {name for line in lines for name in line} == {
        "event", "log_level", "method", "route", "status", "duration_ms", "request_id", "workspace", "key",
    }  # fmt: skip
    assert "my own words" not in str(lines) and str(world.api.key) not in str(lines)
    assert world.connection.hook_token not in str(lines)


def test_what_we_did_not_foresee_is_a_500_that_tells_nothing(world: World) -> None:
    world.switches.fault = RuntimeError("words of a customer")
    with capture_logs() as lines:
        answer = world.api.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "words" not in answer.text and "words" not in str(lines)
    failed = next(line for line in lines if line["event"] == "failed")
    assert failed["error"] == "RuntimeError" and "readyz" in failed["where"]
    assert failed["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/nonsense", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("DELETE", "/v1/sessions", 405, "method_not_allowed"),
        ("PUT", "/v1/events", 405, "method_not_allowed"),
        ("TRACE", "/livez", 405, "method_not_allowed"),
    ],
)
def test_nonsense_gets_a_problem_too(world: World, method: str, path: str, status: int, code: str) -> None:
    answer = world.api.call(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 405:
        assert answer.headers["allow"]


def test_behind_https_browsers_are_told_to_stay_there(world: World) -> None:
    assert world.api.get("/livez").headers["strict-transport-security"].startswith("max-age=")
