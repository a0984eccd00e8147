"""The service as a platform calls it: a key, JSON over HTTP, nothing else. Standard library only."""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

TIMEOUT_S: Final = 15.0


class ServiceRefused(Exception):
    """The service answered with a problem: its status, and its `detail` for people."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {problem.get('detail') or problem.get('title') or 'no explanation'}")
        self.status = status
        self.problem = problem


class Service:
    """One workspace of a running service. Safe to share between threads: every call has its own connection."""

    def __init__(self, base_url: str, key: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._key = key

    def send(self, conversation_id: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Reports one event; the id makes a repeat harmless."""
        event = {"id": f"evt_{secrets.token_hex(8)}", "type": kind, "conversation_id": conversation_id, **fields}
        return self._call("POST", "/v1/events", event)

    def gate(
        self, conversation_id: str, epoch: int | None = None, message: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """May the AI speak? With a message it is an attempt, and recorded when it may not; without, a question."""
        body = {name: value for name, value in (("epoch", epoch), ("message", message)) if value is not None}
        return self._call("POST", f"/v1/conversations/{quote(conversation_id, safe='')}/gate", body)

    def session_of(self, conversation_id: str) -> dict[str, Any]:
        """The newest session of a conversation."""
        return dict(self._items("/v1/sessions", conversation_id=conversation_id)[0])

    def transcript(self, session_id: str) -> list[dict[str, Any]]:
        return self._items(f"/v1/sessions/{session_id}/transcript", limit="200")

    def pause_log(self, session_id: str) -> list[dict[str, Any]]:
        return self._items(f"/v1/sessions/{session_id}/pause-log", limit="200")

    def explain(self, session_id: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/sessions/{session_id}/explain")

    def _items(self, path: str, **query: str) -> list[dict[str, Any]]:
        return list(self._call("GET", f"{path}?{urlencode(query)}")["items"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            raw = answer.read()
        finally:
            connection.close()
        content: dict[str, Any] = json.loads(raw) if raw else {}
        if answer.status >= 400:
            raise ServiceRefused(answer.status, content)
        return content
