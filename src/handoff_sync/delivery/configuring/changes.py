"""What would change: the differences between plain values, each with the place where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_NAMED_BY: Final = ("title", "connection", "email")
"""What an entry of a list is known by, so that one that was added in front does not make all others new."""
_LONGEST: Final = 100


class Action(StrEnum):
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


_SIGNS: Final = {Action.ADD: "+", Action.CHANGE: "~", Action.REMOVE: "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Of a secret `after` says only that it is one."""

    action: Action
    key: str
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        """One line, as `~ policy.handover_mode: "automatic" -> "semi_automatic"`."""
        match self.action:
            case Action.ADD:
                what = _shown(self.after)
            case Action.REMOVE:
                what = _shown(self.before)
            case Action.CHANGE:
                what = f"{_shown(self.before)} -> {_shown(self.after)}"
        return f"{_SIGNS[self.action]} {self.key}{f': {what}' if what else ''}"


def differences(key: str, before: Any, after: Any) -> Iterator[Change]:
    """How `before` becomes `after`: tables by name, lists of tables by what their entries are known by."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in {**before, **after}:
            yield from _one(f"{key}.{name}", before, after, name)
    elif (named := _named(before, after)) is not None:
        old, new = named
        for name in {**old, **new}:
            yield from _one(f'{key}["{name}"]', old, new, name)
        kept = [[name for name in side if name in old and name in new] for side in (old, new)]
        if kept[0] != kept[1]:
            yield Change(action=Action.CHANGE, key=f"{key} (order)", before=kept[0], after=kept[1])
    else:
        yield Change(action=Action.CHANGE, key=key, before=before, after=after)


def _one(key: str, before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> Iterator[Change]:
    if name not in after:
        yield Change(action=Action.REMOVE, key=key, before=before[name])
    elif name not in before:
        yield Change(action=Action.ADD, key=key, after=after[name])
    else:
        yield from differences(key, before[name], after[name])


def _named(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both lists by the names of their entries; None where those do not tell the entries apart."""
    if not isinstance(before, Sequence) or not isinstance(after, Sequence):
        return None
    for field in _NAMED_BY:
        if all(isinstance(one, Mapping) and field in one for one in (*before, *after)):
            old, new = ({str(one[field]): one for one in side} for side in (before, after))
            return (old, new) if len(old) == len(before) and len(new) == len(after) else None
    return None


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        value = {name: part for name, part in value.items() if part not in (None, "", [], {}, False)}
        text = ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
