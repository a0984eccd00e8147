"""Lists in pages: by cursor when `page[size]` is asked for, else by page number."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from handoff_connectors.zendesk.simulator import api_errors
from handoff_connectors.zendesk.simulator.api_errors import ApiError
from handoff_sync.simulator.endpoints import Call

T = TypeVar("T")
MAX_PAGE: Final = 100


def encode(position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).decode()


def decode(cursor: str) -> Any:
    """
    Raises:
        ApiError: 400 when it is none of ours.
    """
    try:
        return json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        text = "The provided cursor is invalid."
        raise ApiError(400, {"error": {"title": "Invalid attribute", "message": text}}) from None


def page(
    call: Call, base: str, name: str, things: Sequence[T], key: Callable[[T], int], show: Callable[[T], dict[str, Any]]
) -> tuple[dict[str, Any], list[T]]:
    """One page of `things`, which are sorted by `key` in either direction, and what is on it."""
    if call.query.first("page[size]") or call.query.first("page[after]") or call.query.first("page[before]"):
        return _cursor_page(call, base, name, things, key, show)
    return _numbered_page(call, base, name, things, show)


def _size(call: Call, name: str) -> int:
    raw = call.query.first(name) or str(MAX_PAGE)
    if not raw.isdigit() or int(raw) < 1:
        raise api_errors.invalid_attribute(name, "a positive integer")
    return min(int(raw), MAX_PAGE)


def _cursor_page(
    call: Call, base: str, name: str, things: Sequence[T], key: Callable[[T], int], show: Callable[[T], dict[str, Any]]
) -> tuple[dict[str, Any], list[T]]:
    size = _size(call, "page[size]")
    falling = len(things) > 1 and key(things[0]) > key(things[-1])
    after, before = call.query.first("page[after]"), call.query.first("page[before]")
    rest = list(things)
    if after:
        edge = decode(after)
        rest = [t for t in things if (key(t) < edge if falling else key(t) > edge)]
    elif before:
        edge = decode(before)
        rest = [t for t in things if (key(t) > edge if falling else key(t) < edge)][-size:]
    shown, more = rest[:size], len(rest) > size
    first = encode(key(shown[0])) if shown else None
    last = encode(key(shown[-1])) if shown else None
    body = {
        name: [show(thing) for thing in shown],
        "meta": {"has_more": more, "after_cursor": last, "before_cursor": first},
        "links": {"prev": _link(call, base, "page[before]", first), "next": _link(call, base, "page[after]", last)},
    }
    return body, shown


def _link(call: Call, base: str, name: str, cursor: str | None) -> str | None:
    """Filled on the last page too, as Zendesk does: only `has_more` tells the end."""
    if cursor is None:
        return None
    pairs = [(k, v) for k, v in call.query.pairs() if k not in ("page[after]", "page[before]")]
    return f"{base}{call.path}?{urlencode([*pairs, (name, cursor)])}"


def _numbered_page(
    call: Call, base: str, name: str, things: Sequence[T], show: Callable[[T], dict[str, Any]]
) -> tuple[dict[str, Any], list[T]]:
    size = _size(call, "per_page")
    raw = call.query.first("page") or "1"
    if not raw.isdigit() or int(raw) < 1:
        raise api_errors.invalid_attribute("page", "a positive integer")
    number = int(raw)
    shown = list(things[(number - 1) * size : number * size])
    more = number * size < len(things)
    body = {
        name: [show(thing) for thing in shown],
        "next_page": _numbered_link(call, base, number + 1) if more else None,
        "previous_page": _numbered_link(call, base, number - 1) if number > 1 else None,
        "count": len(things),
    }
    return body, shown


def _numbered_link(call: Call, base: str, number: int) -> str:
    pairs = [(k, v) for k, v in call.query.pairs() if k != "page"]
    return f"{base}{call.path}?{urlencode([*pairs, ('page', number)])}"
