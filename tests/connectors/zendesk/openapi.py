"""Zendesk's own description of its API, as a judge of requests and answers.

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
FILE = SHARED / "specs" / "zendesk-oas.yaml.gz"

EMPTY_IS_NULL = {
    # Recorded answers of a real account have null where the description says text or number.
    "TicketObject": ["assignee_id", "external_id", "forum_topic_id", "group_id", "organization_id", "priority",
                     "problem_id", "recipient", "satisfaction_rating", "subject", "raw_subject", "ticket_form_id",
                     "type"],
    "UserForAdmin": ["last_login_at", "signature", "default_group_id", "email"],
    "TriggerObject": ["description"],
    "AttachmentBaseObject": ["width", "height"],
}  # fmt: skip

EXTRA = {
    # In recorded answers, though not in the description.
    "TicketObject": {"fields"},
}

MISSING_ON_PURPOSE = {
    # Described, but absent from recorded answers of ordinary accounts.
    "TicketObject": {"collaborators", "via_id", "macro_ids", "via_followup_source_id"},
    "UserForAdmin": {"chat_only", "remote_photo_url"},
    "TicketCommentObject": {"uploads"},
}

NOT_JUDGED = {
    ("PUT", "/api/v2/deleted_tickets/{}/restore"): "described as text, recorded as {}",
    ("PUT", "/api/v2/tickets/{}/mark_as_spam"): "described as text; taken to be like restore",
}


@cache
def description() -> dict[str, Any]:
    """The corrected description with `nullable` turned into JSON Schema."""

    class Loader(yaml.CSafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader)
    _correct(loaded["components"]["schemas"])
    _nullable(loaded)
    return loaded


def _correct(schemas: dict[str, Any]) -> None:
    for name, fields in EMPTY_IS_NULL.items():
        for field in fields:
            schemas[name]["properties"][field]["nullable"] = True
    ticket = schemas["TicketObject"]["properties"]
    ticket["status"]["enum"] = [*ticket["status"]["enum"], "deleted"]  # exports show deleted tickets
    ticket["custom_fields"]["items"]["properties"]["value"] = {}  # null, text, number, truth or list
    # The description takes the definition of a field for the value of one.
    pair = {"type": "object", "properties": {"id": {"type": "integer"}, "value": {}}, "required": ["id", "value"]}
    schemas["TicketUpdateInput"]["properties"]["custom_fields"]["items"] = pair
    # What is written into an audit: `value` may be text, number, null or a list of tags.
    schemas["AuditObject"]["properties"]["events"]["items"]["properties"]["value"] = {}
    # A page by cursor has no `before_cursor`/`after_url` at the beginning and end: null in recorded answers.
    export = schemas["CursorBasedExportIncrementalTicketsResponse"]["properties"]
    for field in ("before_url", "before_cursor", "after_url", "after_cursor"):
        export[field]["nullable"] = True


def _nullable(node: Any) -> None:
    if isinstance(node, dict):
        if node.pop("nullable", False) is True:
            if isinstance(node.get("type"), str):
                node["type"] = [node["type"], "null"]
            if "enum" in node:
                node["enum"] = [*node["enum"], None]
        for value in node.values():
            _nullable(value)
    elif isinstance(node, list):
        for value in node:
            _nullable(value)


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    plain_first = sorted(description()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), path) for path in plain_first]


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What is described for a call; None when nothing is (webhooks, for example)."""
    for pattern, template in _paths():
        if pattern.fullmatch(path.removesuffix(".json")):
            found: dict[str, Any] | None = description()["paths"][template].get(method.lower())
            return found
    return None


def request_mistakes(method: str, path: str, body: bytes) -> list[str]:
    """What is wrong with a request's JSON body."""
    described = operation(method, path)
    content = (described or {}).get("requestBody", {}).get("content", {}).get("application/json")
    return _mistakes(content["schema"], json.loads(body)) if content and body else []


def answer_mistakes(method: str, path: str, status: int, body: bytes) -> list[str]:
    """What is wrong with a successful answer; an undescribed status counts as a mistake."""
    described = operation(method, path)
    if described is None or status >= 400 or (method, re.sub(r"\d+", "{}", path).replace("v{}", "v2")) in NOT_JUDGED:
        return []
    answer = described["responses"].get(str(status))
    if answer is None:
        return [f"{status} is not described, only {', '.join(described['responses'])}"]
    content = answer.get("content", {}).get("application/json")
    return _mistakes(content["schema"], json.loads(body)) if content and body else []


def _mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {"$ref": "#/rest", "rest": schema, "components": description()["components"]}
    validator = jsonschema.Draft202012Validator(whole)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def described_fields(schema: str) -> set[str]:
    """The fields that an answer may have."""
    return {name for name, field in _properties(description()["components"]["schemas"][schema])
            if not field.get("writeOnly")}  # fmt: skip


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        yield from _properties(description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        yield from _properties(part)
    yield from schema.get("properties", {}).items()
