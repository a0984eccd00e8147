"""From pydantic's words to ours: which field is wrong and what would be right, without the value that was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, Field

MOST: Final = 20
"""More errors than this help nobody."""

_PLACES: Final = frozenset({"body", "query", "path", "header"})
_WORDS: Final[Mapping[str, str]] = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "union_tag_not_found": "This field is required.",
    "string_pattern_mismatch": "Contains characters that are not allowed here.",
    "model_attributes_type": "Must be a JSON object.",
    "model_type": "Must be a JSON object.",
    "dict_type": "Must be a JSON object.",
}


class FieldError(BaseModel):
    """One field that is wrong."""

    field: str = Field(examples=["events[3].message.id"], description="Empty: the body as a whole.")
    code: str = Field(examples=["missing"])
    message: str = Field(examples=["This field is required."])


def field_errors(errors: Iterable[Mapping[str, Any]], prefix: str = "") -> list[FieldError]:
    """One entry per error, with the path as a caller would write it: `events[3].message.id`."""
    found = [_field_error(error, prefix) for error in errors]
    return found[:MOST]


def _field_error(error: Mapping[str, Any], prefix: str) -> FieldError:
    kind = str(error["type"])
    path = _path(error["loc"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = f"{path}.type" if path else "type"
    return FieldError(field=_join(prefix, path), code=kind, message=_message(kind, error))


def _message(kind: str, error: Mapping[str, Any]) -> str:
    if kind == "union_tag_invalid":  # pydantic's own words repeat what was sent
        return f"Must be one of {error['ctx']['expected_tags']}."
    if kind in _WORDS:
        return _WORDS[kind]
    text = str(error["msg"]).removeprefix("Value error, ")
    if text.startswith("Input should be "):
        text = "Must be " + text.removeprefix("Input should be ")
    return text if text.endswith(".") else f"{text}."


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location[1:] if location and location[0] in _PLACES else location:
        path += f"[{part}]" if isinstance(part, int) else f".{_name(part)}"
    return path.removeprefix(".")


def _name(part: str) -> str:
    """A field's name; one that the caller made up is cut and cleaned, because it comes back in our answer."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "?", part)[:64]


def _join(prefix: str, path: str) -> str:
    return f"{prefix}.{path}" if prefix and path else prefix or path
