"""Intercom's own description of its API, as a judge of requests and answers.

The description is kept outside of the repository; tests that need it skip where it is absent. Where it is known to
be wrong, it is corrected here, each time with the reason.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("HANDOFF_SHARED", REPOSITORY.parent / "shared"))
FILE = SHARED / "specs" / "intercom-openapi.yaml.gz"

EMPTY_IS_NULL = {
    # 0 stands for nobody by the description, null does in its examples; both are seen.
    "conversation": ["admin_assignee_id", "team_assignee_id"],
    "conversation_list_item": ["admin_assignee_id", "team_assignee_id"],
    # A contact without an address, alone or as an author; the examples have none either.
    "contact": ["email"],
    "conversation_part_author": ["email"],
}

EXTRA = {
    # In the description's own examples, though not in its schemas.
    "conversation": {"topics", "ticket"},
    "ticket_type": {"is_internal"},
    "contact": {"opted_out_subscription_types", "opted_in_subscription_types", "utm_campaign", "utm_content",
                "utm_medium", "utm_source", "utm_term", "referrer", "enabled_push_messaging"},
}  # fmt: skip

MISSING_ON_PURPOSE = {
    # Described, but absent from the description's own examples of ordinary conversations and contacts.
    "conversation": {"company", "sales_agent", "sales_agent_participated", "channel", "external_references",
                     "monitor_evaluations", "scorecards"},
    "contact": {"email_domain", "merge_history"},
    "admin": {"team_priority_level", "role"},
    "ticket": {"snoozed_until"},
    "ticket_type": set(),
}  # fmt: skip


@cache
def description() -> dict[str, Any]:
    """The corrected description with `nullable` turned into JSON Schema."""

    class Loader(yaml.CSafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader)
    _correct(loaded["components"]["schemas"])
    corrected: dict[str, Any] = _nullable(loaded)
    return corrected


def _correct(schemas: dict[str, Any]) -> None:
    for name, fields in EMPTY_IS_NULL.items():
        for field in fields:
            schemas[name]["properties"][field]["nullable"] = True
    # Described as a UUID of 24 letters, which there is none of; ids of contacts are 24 hexadecimal digits.
    sender = schemas["create_conversation_request"]["properties"]["from"]["properties"]
    sender["id"] = {"type": "string", "pattern": "^[0-9a-f]{24}$"}


def _nullable(node: Any) -> Any:
    """Null is allowed where `nullable` says so. Beside a reference the description means it but fails to say it."""
    if isinstance(node, dict):
        allowed = node.get("nullable") is True
        rest = {key: _nullable(value) for key, value in node.items() if key != "nullable" or isinstance(value, dict)}
        return {"anyOf": [rest, {"type": "null"}]} if allowed else rest
    return [_nullable(value) for value in node] if isinstance(node, list) else node


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    plain_first = sorted(description()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), path) for path in plain_first]


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What is described for a call; None when nothing is (the token exchange, for example)."""
    for pattern, template in _paths():
        if pattern.fullmatch(path):
            found: dict[str, Any] | None = description()["paths"][template].get(method.lower())
            return found
    return None


def request_mistakes(method: str, path: str, body: bytes) -> list[str]:
    """What is wrong with a request's JSON body, misspelt fields included: the description itself ignores those."""
    described = operation(method, path)
    content = (described or {}).get("requestBody", {}).get("content", {}).get("application/json")
    if content is None or not body:
        return []
    given = json.loads(body)
    known = {name for name, _ in _properties(content["schema"])}
    return [f"unknown field {name}" for name in given if name not in known] + _mistakes(content["schema"], given)


def answer_mistakes(method: str, path: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer; an undescribed success counts as a mistake, an undescribed error does not."""
    described = operation(method, path)
    if described is None:
        return []
    answer = described["responses"].get(str(status))
    if answer is None:
        return [f"{status} is not described, only {', '.join(described['responses'])}"] if status < 400 else []
    content = answer.get("content", {}).get("application/json")
    return _mistakes(content["schema"], json.loads(body)) if content and body else []


def _mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {"$ref": "#/rest", "rest": schema, "components": description()["components"]}
    validator = jsonschema.Draft202012Validator(whole)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def described_fields(schema: str) -> set[str]:
    """The fields that a thing may have."""
    return {name for name, _ in _properties(description()["components"]["schemas"][schema])}


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        yield from _properties(description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _properties(part)
    yield from schema.get("properties", {}).items()


def example(method: str, path: str, name: str) -> dict[str, Any]:
    """An answer that the description itself shows."""
    content = description()["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    shown: dict[str, Any] = content["examples"][name]["value"]
    return shown
