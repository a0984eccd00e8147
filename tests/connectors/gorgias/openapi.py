"""The description of Gorgias' API and recorded examples, as judges of requests and answers.

Both are kept outside of the repository; tests that need them skip where they are absent. Gorgias publishes no
description itself: this one was put together from its reference, so where it is silent, the reason stands here.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("HANDOFF_SHARED", REPOSITORY.parent / "shared"))
FILE = SHARED / "specs" / "gorgias-openapi.json.gz"
EXAMPLES = SHARED / "specs" / "gorgias" / "examples.synthetic.json"
OBSERVED = SHARED / "specs" / "gorgias" / "observed-list-schemas.json"

NOT_DESCRIBED = {
    ("GET", "/api/tags"): "left out of the description, though the reference has it",
    ("DELETE", "/api/customers/{}"): "left out of the description, though the reference has it",
    ("POST", "/api/satisfaction-surveys"): "only the list is described; the reference has both",
    ("GET", "/api/attachment/download/{}/{}"): "described in words only",
}

NOT_SIMULATED = {
    ("GET", "/api/views/{view_id}/items"): "full-text index with an unknown delay; nobody should build on it",
    ("PUT", "/api/views/{view_id}/items"): "the same",
    ("POST", "/api/search"): "knows no tickets",
}

OBSERVED_ELSEWHERE = {
    # Columns that the extraction tool fills by itself, or fields of one object only.
    "tickets": {"requester"},  # a list's rows of today have `customer`; `requester` is its name of old
}


@cache
def description() -> dict[str, Any]:
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


@cache
def examples() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(EXAMPLES.read_text())
    return loaded


@cache
def observed() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(OBSERVED.read_text())
    return loaded


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    plain_first = sorted(description()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))), path) for path in plain_first]


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What is described for a call; None when nothing is."""
    for pattern, template in _paths():
        found: dict[str, Any] | None = description()["paths"][template].get(method.lower())
        if pattern.fullmatch(path.rstrip("/")) and found is not None:
            return found
    return None


def request_mistakes(method: str, path: str, body: bytes) -> list[str]:
    """What is wrong with a request's JSON body."""
    described = operation(method, path)
    content = (described or {}).get("requestBody", {}).get("content", {}).get("application/json")
    return mistakes(content["schema"], json.loads(body)) if content and body else []


def answer_mistakes(method: str, path: str, status: int, body: bytes) -> list[str]:
    """What is wrong with an answer; a status that is not described is a mistake."""
    described = operation(method, path)
    if described is None:
        return [] if (method, re.sub(r"/[0-9a-f]{16}[^/]*|/\d+", "/{}", path)) in NOT_DESCRIBED else ["not described"]
    answer = described["responses"].get(str(status))
    if answer is None:
        return [f"{status} is not described, only {', '.join(described['responses'])}"]
    content = answer.get("content", {}).get("application/json")
    return mistakes(content["schema"], json.loads(body)) if content and body else []


def mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    """What a JSON Schema of the description finds wrong with a value."""
    whole = {"$ref": "#/rest", "rest": schema, "components": description()["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(whole, format_checker=checker)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def described_fields(schema: str) -> set[str]:
    return set(description()["components"]["schemas"][schema]["properties"])


def required_fields(schema: str) -> set[str]:
    return set(description()["components"]["schemas"][schema].get("required", ()))
