"""Lists in pages, by cursor."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from handoff_connectors.gorgias.simulator import api_errors
from handoff_sync.simulator.endpoints import Call

T = TypeVar("T")
DEFAULT_LIMIT: Final = 30
MAX_LIMIT: Final = 100
Key = tuple[float, int]
"""Place in a list: seconds, then id."""


def page(call: Call, things: Iterable[T], key: Callable[[T], Key], show: Callable[[T], Any], *,
         falling: bool) -> dict[str, Any]:  # fmt: skip
    """One page of `things`. A cursor is the place of the last one seen: what moves meanwhile comes twice or never.

    Raises:
        ApiError: 400 for a wrong `limit` or `cursor`.
    """
    size, edge, backwards = _limit(call), *_cursor(call)
    listed = sorted(things, key=key, reverse=falling)
    if edge is None:
        rest, before = listed, False
    else:
        after = [thing for thing in listed if (key(thing) < edge if falling else key(thing) > edge)]
        ahead = [thing for thing in listed if (key(thing) > edge if falling else key(thing) < edge)]
        rest, before = (ahead[-size:] + after, len(ahead) > size) if backwards else (after, True)
    shown, more = rest[:size], len(rest) > size
    return {
        "data": [show(thing) for thing in shown],
        "object": "list",
        "uri": _uri(call),
        "meta": {
            "prev_cursor": _encode(key(shown[0]), True) if shown and before else None,
            "next_cursor": _encode(key(shown[-1]), False) if shown and more else None,
            "total_resources": None,
        },
    }


def _limit(call: Call) -> int:
    raw = call.query.first("limit", str(DEFAULT_LIMIT)) or ""
    if not raw.isdigit() or not 1 <= int(raw) <= MAX_LIMIT:
        text = f"Must be greater than or equal to 1 and less than or equal to {MAX_LIMIT}."
        raise api_errors.invalid("Invalid parameters", {"limit": [text]})
    return int(raw)


def _encode(edge: Key, backwards: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps([*edge, backwards]).encode()).decode()


def _cursor(call: Call) -> tuple[Key | None, bool]:
    cursor = call.query.first("cursor")
    if not cursor:
        return None, False
    try:
        seconds, number, backwards = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return (float(seconds), int(number)), bool(backwards)
    except (ValueError, TypeError):
        raise api_errors.bad_cursor() from None


def _uri(call: Call) -> str:
    return call.path + (f"?{urlencode(call.query.pairs())}" if call.query.pairs() else "")
