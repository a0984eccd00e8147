"""What bodies may hold: every field with its kind. Anything else is refused, as Gorgias does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

Faults = dict[str, Any] | list[str] | None
Check = Callable[[Any], Faults]

MISSING: Final = "Missing data for required field."
UNKNOWN: Final = "Unknown field."
NULL: Final = "Field may not be null."


@dataclass(frozen=True, slots=True)
class Field:
    check: Check
    required: bool = False
    null: bool = True


Schema = Mapping[str, Field]


def faults(schema: Schema, given: Any, *, partial: bool = False) -> dict[str, Any]:
    """What is wrong with an object, by field; empty when nothing is. `partial`: nothing is required."""
    if not isinstance(given, dict):
        return {"_schema": ["Invalid input type."]}
    found: dict[str, Any] = {name: [UNKNOWN] for name in given if name not in schema}
    for name, field in schema.items():
        if name not in given:
            if field.required and not partial:
                found[name] = [MISSING]
        elif given[name] is None:
            if not field.null:
                found[name] = [NULL]
        elif wrong := field.check(given[name]):
            found[name] = wrong
    return found


def anything(value: Any) -> Faults:
    return None


def truth(value: Any) -> Faults:
    return None if isinstance(value, bool) else ["Not a valid boolean."]


def integer(value: Any) -> Faults:
    return None if isinstance(value, int) and not isinstance(value, bool) else ["Not a valid integer."]


def mapping(value: Any) -> Faults:
    return None if isinstance(value, dict) else ["Not a valid mapping type."]


def moment(value: Any) -> Faults:
    return None if isinstance(value, str) and parse(value) else ["Not a valid datetime."]


def text(most: int | None = None) -> Check:
    def check(value: Any) -> Faults:
        if not isinstance(value, str):
            return ["Not a valid string."]
        return [f"Longer than maximum length {most}."] if most is not None and len(value) > most else None

    return check


def one_of(*choices: str) -> Check:
    def check(value: Any) -> Faults:
        return None if value in choices else [f"Must be one of: {', '.join(choices)}."]

    return check


def inside(schema: Schema) -> Check:
    return lambda value: faults(schema, value) or None


def many(check: Check, least: int = 0, most: int | None = None) -> Check:
    """A list; what is wrong with one item stands under its number."""

    def check_all(value: Any) -> Faults:
        if not isinstance(value, list):
            return ["Not a valid list."]
        if len(value) < least or (most is not None and len(value) > most):
            return [f"Length must be between {least} and {most}."]
        return {str(place): wrong for place, item in enumerate(value) if (wrong := check(item))} or None

    return check_all


def parse(value: str) -> datetime | None:
    """A time as Gorgias reads it, naive ones as UTC; None for no time."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
