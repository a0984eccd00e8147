"""Hostile bodies at the administration hurt only themselves (G21), and no secret comes back (G18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

CANARY = "c4n4ry-secret-value"
STRANGE: dict[str, Any] = {
    "NUL": "a\x00b",
    "half a character": "\ud800",
    "line separators": "a\u2028b\nc",
    "markup": "<script>alert(1)</script>",
    "a header": "a\r\nBcc: eve@example.com",
    "very long": "x" * 60_000,
    "empty": "",
    "null": None,
    "a number": 2**63,
    "a float": 1e300,
    "a list": [[]],
    "deep": {"a": {"b": {"c": {"d": 1}}}},
    "dunder": {"__class__": "x", "__proto__": {}},
}


def _bodies(value: Any) -> list[tuple[str, str, Any]]:
    """Every place of the administration into which a caller can put something."""
    name = value if isinstance(value, str) else "x"
    return [
        ("PATCH", "workspace", {"name": value}),
        ("PATCH", "workspace", {"policy": value}),
        ("PATCH", "workspace", {"policy": {name: value}}),
        ("PATCH", "workspace", {"policy": {"recipients": [value]}}),
        ("PATCH", "workspace", {"policy": {"recipients": [{"email": value, "name": value, "language": value}]}}),
        ("PATCH", "workspace", {"policy": {"scenarios": [{"title": value, "instruction": value, "tags": [value]}]}}),
        ("PATCH", "workspace", {"policy": {"customer_notice": {"on_join": {name: value}}}}),
        ("PATCH", "workspace", {"policy": {"connections": [{"connection": value, "custom_fields": value}]}}),
        ("PATCH", "workspace", {"policy": {"chat_url": value, "timezone": value, "pause_presets": [value]}}),
        ("PATCH", "workspace", {"teams": {name: value}}),
        ("PATCH", "workspace", {"teams": {"sales": {name: value, "handover_mode": value}}}),
        ("POST", "workspace/preset", {"preset": value}),
        ("PUT", "members/a@example.com", {"name": value, "teams": [value], "language": value}),
        ("PUT", "members/a@example.com", {"name": "A", "language": value}),
        ("POST", "connections", {"kind": value, "name": value, "settings": {name: value}, "secrets": {}}),
        ("POST", "connections", {"kind": "zendesk", "name": "Z", "settings": {"subdomain": value}, "secrets": value}),
        ("PATCH", "connections/{connection}", {"settings": {name: value, "subdomain": value}}),
        ("PATCH", "connections/{connection}", {"enabled": value}),
        ("POST", "callbacks", {"url": value}),
        ("POST", "keys", {"name": value, "scopes": [value], "expires_at": value}),
    ]


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_is_sent_is_taken_or_refused_and_the_workspace_stays_readable(any_world: World, name: str) -> None:
    world = any_world
    for method, path, body in _bodies(STRANGE[name]):
        target = f"/v1/admin/{path.format(connection=world.connection.id)}"
        answer = world.api.call(method, target, content=_json(body), headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (method, path, answer.text)
        assert len(answer.content) < 400_000
    for path in ("workspace", "members", "connections", "callbacks", "keys"):
        assert world.api.get(f"/v1/admin/{path}").status_code == 200
    assert world.api.get("/v1/scenarios?team=sales").status_code == 200
    assert world.says()["phase"] == "ai"


def _json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "zendesk", "name": "Z", "settings": {"token": CANARY}, "secrets": {}},
        {"kind": "zendesk", "name": "Z", "settings": {"subdomain": "!", "client_secret": CANARY}, "secrets": {}},
        {"kind": "zendesk", "name": "Z", "settings": {"subdomain": "!"}, "secrets": {"client_secret": CANARY}},
        {"kind": "zendesk", "name": "Z", "settings": {}, "secrets": {"wrong": CANARY}},
        {"kind": "zendesk", "name": "Z", "settings": {}, "secrets": [CANARY]},
        {"kind": "zendesk", "name": "Z", "settings": {}, "secrets": {"client_secret": {"inner": CANARY}}},
        {"kind": "zendesk", "name": "Z", "settings": {}, "secrets": {"client_secret": CANARY * 2_000}},
        {"kind": "zendesk", "name": "Z", "secret": CANARY},
        {"kind": "none", "name": "Z", "settings": {}, "secrets": {"token": CANARY}},
    ],
)
def test_a_refused_connection_does_not_repeat_its_secrets(
    world: World, body: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = world.api.post("/v1/admin/connections", body)
    assert answer.status_code == 422 and CANARY not in answer.text
    patch = {name: body[name] for name in ("settings", "secrets") if name in body}
    changed = world.api.call("PATCH", f"/v1/admin/connections/{world.connection.id}", json=patch)
    assert CANARY not in changed.text
    assert CANARY not in capsys.readouterr().out


def test_no_list_of_the_administration_holds_a_secret(world: World) -> None:
    """Keys, signing secrets and credentials of the whole workspace against every answer that only reads."""
    world.admin.save_connection_secrets(world.connection.id, {"token": CANARY})
    _, signing = world.admin.create_endpoint("ws_1", "https://chat.example.com/")
    key = world.admin.create_api_key("ws_1", "platform", ("events",)).key
    read = [path for path, ops in world.api.document["paths"].items() if path.startswith("/v1/admin") and "get" in ops]
    texts = [world.api.get(path.format(email="x@example.com", connection_id=world.connection.id)).text for path in read]
    assert len(texts) >= 9
    for secret in (CANARY, signing, key, str(world.api.key), world.connection.hook_token):
        assert not any(secret in text for text in texts)
