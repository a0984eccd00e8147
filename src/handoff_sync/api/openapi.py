"""The API description: what FastAPI knows of the routes, and what only we know."""

from __future__ import annotations

from typing import Any, Final, get_args

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from handoff_sync.api.event_fields import Incoming
from handoff_sync.api.events import EventBatch
from handoff_sync.api.gate import GateBody
from handoff_sync.api.problems import Problem
from handoff_sync.core.effects import PlatformEffect

DESCRIPTION: Final = (
    "Between an AI chat product and the helpdesk of a team: tell what happens in a conversation, ask whether the AI "
    "may speak, hand over to people and back."
)
_REF: Final = "#/components/schemas/{model}"
_KEY: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "hsk_...",
    "description": "A key of a workspace. Scopes: events, gate, sessions:read, sessions:write, admin (includes all).",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document behind /openapi.json (OpenAPI 3.1)."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    components.setdefault("securitySchemes", {})["apiKey"] = _KEY
    schemas = components.setdefault("schemas", {})
    schemas.update(_own_schemas())
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    document["webhooks"] = {name: {"post": _callback(name, effect, schemas)} for name, effect in _callbacks()}
    for path in document["paths"].values():
        for operation in path.values():
            _without_framework_422(operation)
    return document


def _own_schemas() -> dict[str, Any]:
    """Requests that we read ourselves, and the refusals."""
    inputs: list[tuple[type[BaseModel], Any]] = [(EventBatch, "validation"), (GateBody, "validation")]
    _, definitions = models_json_schema(inputs, ref_template=_REF)
    event = TypeAdapter(Incoming).json_schema(ref_template=_REF)
    problem = Problem.model_json_schema(mode="serialization", ref_template=_REF)
    found = {**definitions["$defs"], **event.pop("$defs"), **problem.pop("$defs")}
    return found | {"Event": event, "Problem": problem}


def _callbacks() -> list[tuple[str, type[Any]]]:
    return [(effect.__dataclass_fields__["type"].default, effect) for effect in get_args(PlatformEffect)]


def _callback(name: str, effect: type[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What we POST to the platform's endpoint. Shared parts go to the components."""
    data = TypeAdapter(effect).json_schema(mode="serialization", ref_template=_REF)
    for part, schema in data.pop("$defs", {}).items():
        schemas.setdefault(part, schema)
    text = {"type": "string"}
    fields = {key: value for key, value in data["properties"].items() if key != "type"}
    fields |= {"session_id": text, "conversation_id": text}
    body = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "properties": fields, "required": sorted(fields)},
        },
    }
    return {
        "operationId": f"callback.{name}",
        "summary": f"Callback: {name}",
        "description": f"{effect.__doc__ or ''} Signed by the Standard Webhooks scheme.".strip(),
        "tags": ["callbacks"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"2XX": {"description": "Taken. Anything else is tried again."}},
    }


def _without_framework_422(operation: dict[str, Any]) -> None:
    """FastAPI adds its own error shape where a route declares none of ours."""
    refusal = operation["responses"].get("422")
    if refusal is not None and "application/problem+json" not in refusal.get("content", {}):
        del operation["responses"]["422"]
