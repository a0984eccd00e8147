"""Reading a request body: capped while it streams, within a time, and JSON without surprises."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request

from handoff_sync.api.deps import Limits, deps_of
from handoff_sync.api.problems import ProblemError
from handoff_sync.contract.payload import read_json
from handoff_sync.errors import UnrecognisedPayload


async def read_body(request: Request, limits: Limits) -> bytes:
    """The raw bytes. 413 as soon as there are too many of them, 408 when they take too long."""
    # Not FastAPI's own limit: that one answers some oversized requests in plain text.
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limits.max_body_bytes:
        raise _too_large(limits)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.max_body_bytes:
                    raise _too_large(limits)
                chunks.append(chunk)
    except ClientDisconnect:
        raise ProblemError(400, "disconnected", "The body ended early.") from None
    except TimeoutError:
        raise ProblemError(408, "body_timeout", f"Send the whole body within {limits.body_timeout_s:g} s.") from None
    return b"".join(chunks)


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError(
        413, "too_large", f"The body may have {limits.max_body_bytes} bytes.", headers={"Connection": "close"}
    )


class StrictRequest(Request):
    """A request whose JSON is read by our rules: FastAPI's own reading would accept NaN and repeated keys."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await read_body(self, deps_of(self).limits)
            if self._body and not _is_json(self.headers.get("content-type", "application/json")):
                raise ProblemError(415, "not_json", "Send JSON with `Content-Type: application/json`.")
        return self._body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            try:
                self._json = read_json(await self.body(), "The body").raw()
            except UnrecognisedPayload as error:
                raise ProblemError(400, "invalid_json", str(error)) from None
        return self._json


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
