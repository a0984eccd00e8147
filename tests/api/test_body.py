"""How a body is read: not before the key is known, not longer than allowed, not more than allowed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.types import Message

from tests.api.conftest import World


class Line:
    """A connection whose bytes come as the test says. `reads` counts how often somebody wanted more."""

    def __init__(self, parts: list[Message | None]) -> None:
        self._parts = iter(parts)
        self.reads = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        self.reads += 1
        part = next(self._parts, None)
        if part is None:  # nothing comes any more
            await asyncio.sleep(3600)
        assert part is not None
        return part

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def answer(self) -> tuple[int, Any]:
        body = b"".join(message.get("body", b"") for message in self.sent[1:])
        return self.sent[0]["status"], json.loads(body)


def part(body: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def call(world: World, path: str, line: Line, *headers: tuple[bytes, bytes]) -> tuple[int, Any]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"x"), *headers],
        "scheme": "http",
        "server": ("x", 80),
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(world.api.client.app(scope, line.receive, line.send))  # type: ignore[arg-type]
    return line.answer


def key(world: World) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {world.api.key}".encode()


def test_a_body_that_drips_is_given_up(world: World) -> None:
    line = Line([part(b'{"id":', True), None])
    status, problem = call(world, "/v1/events", line, key(world))
    assert (status, problem["code"]) == (408, "body_timeout")


def test_a_body_that_breaks_off_is_no_fault_of_ours(world: World) -> None:
    for path in ("/v1/events", f"/hooks/{world.connection.hook_token}"):
        line = Line([part(b'{"id":', True), {"type": "http.disconnect"}])
        status, problem = call(world, path, line, key(world))
        assert (status, problem["code"]) == (400, "disconnected")


def test_without_a_key_no_byte_is_read(world: World) -> None:
    line = Line([part(b"x", True)])
    assert call(world, "/v1/events", line)[0] == 401
    assert line.reads == 0


def test_a_body_that_says_it_is_too_large_is_not_read(world: World) -> None:
    for path in ("/v1/events", f"/hooks/{world.connection.hook_token}"):
        line = Line([part(b"x", True)])
        status, problem = call(world, path, line, key(world), (b"content-length", b"9" * 30))
        assert (status, problem["code"], line.reads) == (413, "too_large", 0)


def test_a_body_in_pieces_ends_at_the_limit(world: World) -> None:
    line = Line([part(b" " * 50_000, True) for _ in range(100)])
    assert call(world, "/v1/events", line, key(world))[0] == 413
    assert line.reads == 5
