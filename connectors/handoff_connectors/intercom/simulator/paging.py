"""Lists in pages by cursor. A cursor is the place in the order where the page before ended."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from handoff_connectors.intercom.simulator import api_errors
from handoff_connectors.intercom.simulator.api_errors import ApiError

T = TypeVar("T")
MAX_PAGE: Final = 150
Place = tuple[float, str]
"""Value that is sorted by, newest first, and id."""


def size_of(raw: Any, default: int, most: int = MAX_PAGE) -> int:
    """
    Raises:
        ApiError: 400.
    """
    if raw is None:
        return default
    if not str(raw).isdigit() or int(str(raw)) < 1:
        raise api_errors.invalid("Per Page must be a positive number")
    if int(str(raw)) > most:
        raise api_errors.invalid("Per Page is too big")
    return int(str(raw))


def asked_page(body: dict[str, Any], default: int) -> tuple[int, Any]:
    """Size and cursor that a search asks for.

    Raises:
        ApiError: 400.
    """
    wanted = body.get("pagination") or {}
    if not isinstance(wanted, dict):
        raise api_errors.invalid("pagination is invalid")
    return size_of(wanted.get("per_page"), default), wanted.get("starting_after")


def encode(place: Place, number: int) -> str:
    return base64.b64encode(json.dumps([*place, number]).encode()).decode()


def decode(cursor: Any) -> tuple[Place, int]:
    """
    Raises:
        ApiError: 400 when it is none of ours.
    """
    try:
        value, name, number = json.loads(base64.b64decode(str(cursor), validate=True))
        return (float(value), str(name)), int(number)
    except (ValueError, TypeError):
        raise ApiError(400, "invalid_param", "starting_after is invalid") from None


def page(
    things: Sequence[T], place: Callable[[T], Place], size: int, after: Any
) -> tuple[list[T], dict[str, Any], int]:
    """One page, its `pages` object and how many there are in all. What changes meanwhile moves in the order."""
    ordered = sorted(things, key=place, reverse=True)
    number = 1
    rest = ordered
    if after not in (None, ""):
        edge, number = decode(after)
        rest = [thing for thing in ordered if place(thing) < edge]
    shown = rest[:size]
    pages: dict[str, Any] = {"type": "pages", "page": number, "per_page": size,
                             "total_pages": -(-len(ordered) // size)}  # fmt: skip
    if len(rest) > size:
        pages["next"] = {"per_page": size, "starting_after": encode(place(shown[-1]), number + 1)}
    return shown, pages, len(ordered)
