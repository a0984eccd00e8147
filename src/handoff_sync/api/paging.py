"""Lists come in pages: `items`, and `next` to be given back as `cursor`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from handoff_sync.api.field_errors import FieldError
from handoff_sync.api.problems import ProblemError
from handoff_sync.store.filters import decode_cursor, encode_cursor

_LAST: Final = 2**63 - 1

Limit = Annotated[int, Field(ge=1, le=200, description="Items of one page.")]
Cursor = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[A-Za-z0-9_\-]+$")] | None,
    Field(description="`next` of the page before."),
]


def position(cursor: str | None) -> int:
    """Where a list that is ordered by a number goes on; 0 at the start."""
    if cursor is None:
        return 0
    try:
        (number,) = decode_cursor(cursor, 1)
        found = int(number)
    except ValueError:
        raise _unknown_cursor() from None
    if not 0 <= found <= _LAST:
        raise _unknown_cursor()
    return found


def after(number: int) -> str:
    """The cursor of what comes behind this number."""
    return encode_cursor(str(number))


def place(cursor: str | None) -> str:
    """Where a list that is ordered by a text goes on; empty at the start."""
    if cursor is None:
        return ""
    try:
        (found,) = decode_cursor(cursor, 1)
    except ValueError:
        raise _unknown_cursor() from None
    if not found.isprintable():  # one of ours is; a database refuses some that are not
        raise _unknown_cursor()
    return found


def behind(text: str) -> str:
    """The cursor of what comes behind this text."""
    return encode_cursor(text)


def checked_moment(cursor: str | None) -> str | None:
    """The cursor of a list that is ordered by time, unchanged; a made-up one never reaches the database."""
    if cursor is not None:
        try:
            at, key = decode_cursor(cursor, 2)
            known = datetime.fromisoformat(at).tzinfo is not None and key.isascii() and key.isprintable()
        except ValueError:
            known = False
        if not known:
            raise _unknown_cursor()
    return cursor


def _unknown_cursor() -> ProblemError:
    wrong = FieldError(field="cursor", code="unknown_cursor", message="Not a cursor of ours; start without one.")
    return ProblemError(422, "invalid_request", "1 field is not as expected.", errors=[wrong])
