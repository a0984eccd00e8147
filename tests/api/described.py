"""A client that holds every answer against the published API description and the rules that hold for all answers."""

from __future__ import annotations

import re
from functools import cache
from types import SimpleNamespace
from typing import Any

from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from handoff_sync.api.app import create_app
from handoff_sync.api.metrics import Metrics

Document = dict[str, Any]


@cache
def published() -> Document:
    """The description, made once: it is the same for every app."""
    deps: Any = SimpleNamespace(metrics=Metrics(), public_url="")
    document: Document = create_app(deps).openapi()
    return document


class Described:
    """Calls the API with a key; `key=None` sends none."""

    def __init__(self, client: TestClient, key: str | None) -> None:
        self.client = client
        self.key = key
        self.document = published()
        self._paths = [(_pattern(path), operations) for path, operations in self.document["paths"].items()]

    def with_key(self, key: str | None) -> Described:
        return Described(self.client, key)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.call("POST", path, json=json, **more) if json is not None else self.call("POST", path, **more)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        auth = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        answer = self.client.request(method, path, headers=auth | (headers or {}), **more)
        self.check(method, path, answer)
        return answer

    def check(self, method: str, path: str, answer: Any) -> None:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code >= 400:
            self.check_problem(method, answer)
        operation = self._operation(method, path)
        if operation is not None:
            self._check_operation(operation, method, answer)

    def check_problem(self, method: str, answer: Any) -> None:
        assert answer.headers["content-type"] == "application/problem+json"
        if method == "HEAD":
            return
        body = answer.json()
        assert body["status"] == answer.status_code
        assert body["type"] == f"urn:handoff-sync:problem:{body['code']}"
        self.validate(body, {"$ref": "#/components/schemas/Problem"})

    def validate(self, value: Any, schema: Any) -> None:
        Draft202012Validator({**schema, "components": self.document["components"]}).validate(value)

    def _operation(self, method: str, path: str) -> Any:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path.partition("?")[0]) and method.lower() in operations:
                return operations[method.lower()]
        return None

    def _check_operation(self, operation: Any, method: str, answer: Any) -> None:
        responses = operation["responses"]
        assert str(answer.status_code) in responses, f"{answer.status_code} is not described: {answer.text[:300]}"
        content = responses[str(answer.status_code)].get("content", {})
        media = answer.headers.get("content-type", "").partition(";")[0]
        if method == "HEAD" or not content:
            return
        assert media in content, f"{media} is not described"
        if media.endswith("json"):
            self.validate(answer.json(), content[media]["schema"])


def _pattern(path: str) -> re.Pattern[str]:
    """Conversation ids are the caller's own and may hold a slash; other parts may not."""
    anything = re.sub(r"\\\{conversation_id\\\}", ".+", re.escape(path))
    return re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", anything))
