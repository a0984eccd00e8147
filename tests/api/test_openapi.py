"""The description is valid, complete, and says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from handoff_sync.api.event_fields import INCOMING
from handoff_sync.store.codec import encode_effect
from tests.api.conftest import World
from tests.api.described import published
from tests.api.routes_of import routes


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def test_it_is_served_as_it_is_made(world: World) -> None:
    served = world.api.client.get("/openapi.json").json()
    assert served == published()
    assert (served["openapi"], served["info"]["title"]) == ("3.1.0", "handoff-sync")


def test_every_reference_leads_somewhere() -> None:
    document = published()
    for reference in _references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_schema_is_a_schema_and_every_example_fits() -> None:
    document = published()
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name == "JsonValue" or schema.get("type") or schema.get("oneOf") or schema.get("enum"), name
    body = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator({**body["schema"], "components": document["components"]})
    for example in body["examples"].values():
        validator.validate(example["value"])


def test_the_described_event_refuses_what_the_code_refuses() -> None:
    schema = {"$ref": "#/components/schemas/Event", "components": published()["components"]}
    validator = Draft202012Validator(schema)
    good = {"id": "e", "type": "pause", "conversation_id": "c", "minutes": None}
    assert validator.is_valid(good) and INCOMING.validate_python(good)
    for wrong in ({"minutes": "5"}, {"minutes": 0}, {"type": "ticket.created"}, {"unknown": 1}, {"id": ""}):
        assert not validator.is_valid(good | wrong), wrong


BODILESS = ("/retry", "/skip", "/check", "/webhook", "/rotate", "/test")
"""What is done to one thing and needs no more words."""


def test_every_operation_is_described_and_named_once(world: World) -> None:
    names: list[str] = []
    for method, path, operation in routes(world):
        names.append(operation["operationId"])
        assert operation["summary"] and operation["tags"], path
        declared = {item["name"] for item in operation.get("parameters", []) if item["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path)), path
        assert any(status.startswith("2") for status in operation["responses"]), path
        if method == "POST" and path.startswith("/v1") and not path.endswith(BODILESS):
            assert operation["requestBody"]["content"]["application/json"]["schema"], path
    assert len(names) == len(set(names))


def test_everything_under_v1_needs_a_key_and_tells_its_refusals(world: World) -> None:
    schemes = world.api.document["components"]["securitySchemes"]
    assert (schemes["apiKey"]["type"], schemes["apiKey"]["scheme"]) == ("http", "bearer")
    for _, path, operation in routes(world):
        assert ("security" in operation) is path.startswith("/v1"), path
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")) and path != "/readyz":
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (path, status)
        if "security" in operation:
            assert {"401", "403", "422", "503"} <= set(operation["responses"]), path


def test_every_callback_is_described_as_it_is_stored(world: World) -> None:
    """Every effect that a takeover and its end make for the platform fits its description."""
    world.admin.create_endpoint("ws_1", "https://platform.example.com/callbacks")
    id = world.says()["id"]
    for action, body in (("message", {"text": "Hi"}), ("resume", {"summary": "Done."}), ("resolve", {})):
        assert world.act(id, action, **body).status_code == 200
    seen = set()
    for row in world.reads.deliveries("ws_1", limit=200).items:
        stored = json.loads(encode_effect(row.effect))
        name = stored.pop("type")
        if name not in world.api.document["webhooks"]:
            continue
        seen.add(name)
        schema = world.api.document["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["schema"]
        data = stored | {"session_id": row.session_id, "conversation_id": "c1"}
        world.api.validate({"type": name, "timestamp": "2026-11-21T00:00:00Z", "data": data}, schema)
        assert set(data) == set(schema["properties"]["data"]["properties"])
    assert {"ai_mode.changed", "message.deliver", "session.changed", "handback.context"} <= seen


def test_no_shape_of_the_framework_shows() -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(published()["components"]["schemas"])
