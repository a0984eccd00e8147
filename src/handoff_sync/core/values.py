"""Plain values, as they stand in JSON or TOML, read into what the settings of a policy are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

_NAMES: Final[Mapping[type, str]] = {str: "a text", int: "a whole number", bool: "true or false"}


class Mistakes(ValueError):
    """Everything that is wrong with one value: a line for each, which begins with the place."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@cache
def hints_of(kind: Any) -> Mapping[str, Any]:
    """The type of each field."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def unknown(where: str, known: Iterable[str]) -> str:
    """The complaint about a name that is not among the known ones."""
    names = list(known)
    near = get_close_matches(where.rpartition(".")[2], names, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{where}: there is no such setting.{meant} Known here: {', '.join(names)}."


def may_be_null(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def read(hint: Any, value: object, where: str) -> Any:
    """`value` as the type that a setting has; Mistakes says what was expected where."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        inner = next(arm for arm in get_args(hint) if arm is not NoneType)
        return None if value is None else read(inner, value, where)
    if origin is tuple:
        return _read_list(get_args(hint)[0], value, where)
    if origin is not None:
        return _read_texts(value, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return _read_record(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _read_choice(hint, value, where)
    return _read_plain(hint, value, where)


def _read_list(item: Any, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Mistakes([f"{where}: expected a list, got {_kind(value)}."])
    named = {f"[{index}]": part for index, part in enumerate(value)}
    return tuple(_read_each(dict.fromkeys(named, item), named, where).values())


def _read_texts(value: object, where: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Mistakes([f"{where}: expected a table of texts, got {_kind(value)}."])
    named = {f".{_read_plain(str, name, where)}": text for name, text in value.items()}
    return {name[1:]: text for name, text in _read_each(dict.fromkeys(named, str), named, where).items()}


def _read_record(kind: type, value: object, where: str) -> Any:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise Mistakes([f"{where}: expected a table, got {_kind(value)}."])
    hints = hints_of(kind)
    problems = [unknown(f"{where}.{name}", hints) for name in value if name not in hints]
    problems += [f"{where}.{name}: is missing." for name in _required(kind) if name not in value]
    named = {f".{name}": part for name, part in value.items() if name in hints}
    found: dict[str, Any] = {}
    try:
        found = _read_each({f".{name}": hint for name, hint in hints.items()}, named, where)
    except Mistakes as bad:
        problems += bad.lines
    if problems:
        raise Mistakes(problems)
    return kind(**{name[1:]: part for name, part in found.items()})


def _read_each(hints: Mapping[str, Any], values: Mapping[str, object], where: str) -> dict[str, Any]:
    """All of the values, or all of what is wrong with them."""
    found, problems = {}, []
    for name, value in values.items():
        try:
            found[name] = read(hints[name], value, f"{where}{name}")
        except Mistakes as bad:
            problems += bad.lines
    if problems:
        raise Mistakes(problems)
    return found


def _required(kind: Any) -> list[str]:
    return [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]


def _read_choice(kind: type[Enum], value: object, where: str) -> Enum:
    try:
        return kind(value)
    except ValueError as none:
        known = ", ".join(str(choice.value) for choice in kind)
        raise Mistakes([f"{where}: {value!r} is none of {known}."]) from none


def _read_plain(kind: type, value: object, where: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Mistakes([f"{where}: expected {_NAMES[kind]}, got {_kind(value)}."])
    return value


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
