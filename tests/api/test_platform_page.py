"""docs/platform.md tells the truth: its requests work, its names exist, its verification verifies."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, get_args

import pytest

from handoff_sync.api.actions import ACTIONS
from handoff_sync.api.event_fields import INCOMING
from handoff_sync.contract.signatures import new_secret, sign
from handoff_sync.core.effects import PlatformEffect, SessionChange
from tests.api.conftest import World

PAGE = (Path(__file__).parents[2] / "docs" / "platform.md").read_text()


def _calls() -> list[tuple[str, dict[str, str], Any]]:
    """Path, headers and body of every curl on the page."""
    calls = []
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S):
        path = re.search(r"https://handoff\.example\.com(\S+)", block)
        body = re.search(r"-d '(.*?)'", block, re.S)
        assert path and body
        headers = dict(re.findall(r'-H "(Content-Type|Idempotency-Key): ([^"]+)"', block))
        calls.append((path[1], headers, json.loads(body[1])))
    return calls


def test_every_call_on_the_page_works(world: World) -> None:
    assert len(_calls()) == 3
    for path, headers, body in _calls():
        answer = world.api.post(path, body, headers=headers)
        assert answer.status_code == 200, (path, answer.text)


def test_the_answer_on_the_page_has_the_shape_of_ours(world: World) -> None:
    shown = re.search(r"^# (\{.*\})$", PAGE, re.M)
    assert shown
    assert set(json.loads(shown[1])) == set(world.api.post("/v1/conversations/c/gate", {}).json())


def test_every_callback_is_on_the_page() -> None:
    for effect in get_args(PlatformEffect):
        assert f"| `{effect.__dataclass_fields__['type'].default}` |" in PAGE
    for change in SessionChange:
        assert f"`{change}`" in PAGE


def test_the_callback_on_the_page_is_one_of_ours(world: World) -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE, re.S)
    assert shown
    callback = json.loads(shown[1])
    operation = world.api.document["webhooks"][callback["type"]]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    world.api.validate(callback, schema)
    assert set(callback["data"]) == set(schema["properties"]["data"]["properties"])


def test_every_action_and_every_named_event_exists() -> None:
    rows = re.findall(r"^\| (`[a-z`, ]+) \| .*\|$", PAGE.split("## 5.")[1].split("## 6.")[0], re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == set(ACTIONS)
    table = PAGE.split("| send | when |")[1].split("\n\n")[0]
    known = INCOMING.json_schema()["discriminator"]["mapping"]
    assert set(re.findall(r"^\| `([a-z._]+)`", table, re.M)) <= set(known)


@pytest.fixture
def is_ours() -> Any:
    code = re.search(r"```python\n(.*?)```", PAGE, re.S)
    assert code
    names: dict[str, Any] = {}
    exec(code[1], names)
    return names["is_ours"]


def test_the_verification_on_the_page_believes_our_signature_and_no_other(is_ours: Any) -> None:
    old, new = new_secret(), new_secret()
    body, now = b'{"type":"message.deliver"}', int(time.time())

    def headers(stamp: int, id: str = "msg_1") -> dict[str, str]:
        signature = sign(id, stamp, body, [new, old])
        return {"webhook-id": id, "webhook-timestamp": str(stamp), "webhook-signature": signature}

    assert is_ours(headers(now), body, new) and is_ours(headers(now), body, old)
    assert not is_ours(headers(now), body + b" ", new)
    assert not is_ours(headers(now) | {"webhook-id": "msg_2"}, body, new)
    assert not is_ours(headers(now - 301), body, new)
    assert not is_ours(headers(now), body, new_secret())
    assert not is_ours({}, body, new)
