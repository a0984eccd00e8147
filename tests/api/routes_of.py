"""The routes of the API, with parts that exist nowhere put into their paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.api.conftest import World

NOWHERE = {
    "session_id": "ses_nowhere",
    "conversation_id": "never",
    "delivery_id": "999",
    "hook_token": "nothing",
    "message_id": "m_nowhere",
    "number": "0",
    "email": "nobody@example.com",
    "connection_id": "con_nowhere",
    "endpoint_id": "ep_nowhere",
    "key_id": "key_nowhere",
}


def routes(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path template and description of every operation."""
    for path, operations in world.api.document["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def keyed_routes(world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Those that need a key, ready to be called."""
    for method, path, operation in routes(world):
        if "security" in operation:
            yield method, path.format(**NOWHERE), operation
