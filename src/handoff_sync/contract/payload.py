"""Reading JSON from outside without trusting it: every access says what it expects, and fails naming the path.

Messages hold paths and types, no values, for those may be a customer's words; only of a word that should be one of a
few known ones they show the beginning.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, TypeVar

from handoff_sync.errors import UnrecognisedPayload

MAX_DEPTH: Final = 64
_INT_DIGITS: Final = 20
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

T = TypeVar("T")


def read_json(raw: bytes | str, what: str = "payload") -> Wild:
    """A JSON text as a value to be asked.

    Raises:
        UnrecognisedPayload: It is not UTF-8, not JSON, nested deeper than 64, or holds NaN, Infinity, integers
            over 64 bit or a key twice. U+0000 and lone surrogates are replaced by U+FFFD.
    """
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_small_int,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise UnrecognisedPayload(f"{what} is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise UnrecognisedPayload(f"{what} is not JSON (character {error.pos}).") from None
    except RecursionError:
        raise UnrecognisedPayload(f"{what} is nested deeper than {MAX_DEPTH}.") from None
    except _Unacceptable as error:
        raise UnrecognisedPayload(f"{what} {error}.") from None
    return Wild(_storable(value, what, MAX_DEPTH), what)


class Wild:
    """A value of unknown shape at a known path. Nothing comes out of it before its type was checked."""

    __slots__ = ("_value", "path")

    def __init__(self, value: object, path: str = "payload") -> None:
        self._value = value
        self.path = path

    def __repr__(self) -> str:
        return f"<Wild {self.path}: {_kind(self._value)}>"

    # --- going down ---

    def __getitem__(self, key: str) -> Wild:
        """The field; it must exist (null counts as existing)."""
        fields = self._object()
        if key not in fields:
            raise UnrecognisedPayload(f"{self.path}.{key} is missing.")
        return Wild(fields[key], f"{self.path}.{key}")

    def get(self, key: str) -> Wild | None:
        """The field, or None where it is absent or null."""
        value = self._object().get(key)
        return None if value is None else Wild(value, f"{self.path}.{key}")

    def __contains__(self, key: str) -> bool:
        return key in self._object()

    def keys(self) -> tuple[str, ...]:
        return tuple(self._object())

    def items(self) -> tuple[Wild, ...]:
        """The elements of a list."""
        if not isinstance(self._value, list):
            self._wrong("a list")
        return tuple(Wild(value, f"{self.path}[{index}]") for index, value in enumerate(self._value))

    def __iter__(self) -> Iterator[Wild]:
        return iter(self.items())

    # --- leaves ---

    @property
    def is_null(self) -> bool:
        return self._value is None

    def text(self) -> str:
        if not isinstance(self._value, str):
            self._wrong("a text")
        return self._value

    def integer(self) -> int:
        if not isinstance(self._value, int) or isinstance(self._value, bool):
            self._wrong("an integer")
        return self._value

    def number(self) -> float:
        if not isinstance(self._value, int | float) or isinstance(self._value, bool):
            self._wrong("a number")
        return float(self._value)

    def boolean(self) -> bool:
        if not isinstance(self._value, bool):
            self._wrong("true or false")
        return self._value

    def identifier(self) -> str:
        """An id that may be written as number or text; never empty."""
        if isinstance(self._value, int) and not isinstance(self._value, bool):
            return str(self._value)
        if isinstance(self._value, str) and self._value:
            return self._value
        self._wrong("an id")

    def time(self) -> datetime:
        """ISO 8601 with an offset, or Unix seconds; aware UTC."""
        try:
            if isinstance(self._value, str):
                at = datetime.fromisoformat(self._value)
                if at.tzinfo is not None:
                    return at.astimezone(UTC)
            elif isinstance(self._value, int | float) and not isinstance(self._value, bool):
                return datetime.fromtimestamp(self._value, UTC)
        except (ValueError, OverflowError, OSError):
            pass
        self._wrong("a time with its offset")

    def one_of(self, known: Mapping[str, T]) -> T:
        """What a text stands for; an unknown text is an error that lists the known ones."""
        word = self.text()
        if word not in known:
            raise UnrecognisedPayload(f"{self.path} {_short(word)} is none of {', '.join(known)}.")
        return known[word]

    def raw(self) -> Any:
        """The plain value, for storing as it is."""
        return self._value

    def _object(self) -> Mapping[str, object]:
        if not isinstance(self._value, dict):
            self._wrong("an object")
        return self._value

    def _wrong(self, expected: str) -> NoReturn:
        raise UnrecognisedPayload(f"{self.path} is {_kind(self._value)}, not {expected}.")


class _Unacceptable(Exception):
    """A rule of ours that valid JSON breaks."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        clean = _UNSTORABLE.sub("\ufffd", key)
        if clean in found:
            raise _Unacceptable(f"has the key {_short(clean)} twice")
        found[clean] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Unacceptable(f"holds {name}, which is no JSON")


def _small_int(digits: str) -> int:
    if len(digits) <= _INT_DIGITS and -(2**63) <= (value := int(digits)) < 2**63:
        return value
    raise _Unacceptable("holds an integer of more than 64 bit")


def _finite(digits: str) -> float:
    if math.isfinite(value := float(digits)):
        return value
    raise _Unacceptable("holds a number that is too large")


def _storable(value: object, what: str, depth: int) -> object:
    """The value with texts that a database takes; counts the depth on the way."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list | dict):
        if depth == 0:
            raise UnrecognisedPayload(f"{what} is nested deeper than {MAX_DEPTH}.")
        if isinstance(value, list):
            return [_storable(item, what, depth - 1) for item in value]
        return {key: _storable(item, what, depth - 1) for key, item in value.items()}
    return value


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def _short(word: str) -> str:
    return repr(word if len(word) <= 40 else word[:39] + "…")
