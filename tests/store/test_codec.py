"""Values survive being written, and the next version reads what this one wrote."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from handoff_sync.core import effects as effects_module
from handoff_sync.core.effects import Effect, StoredMessage, Visibility
from handoff_sync.core.events import Event, HandoffRequested
from handoff_sync.core.model import Session
from handoff_sync.core.policy import Policy
from handoff_sync.store import codec
from tests.store.world import NOON, message, session


def example(kind: Any) -> Any:
    """Some value of this type, with every optional part filled in."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return args[0]
    if origin is UnionType or str(origin) == "typing.Union":
        return example(next(arg for arg in args if arg is not NoneType))
    if origin is tuple:
        return (example(args[0]),)
    if origin is not None:  # mappings
        return {example(args[0]): example(args[1])}
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{field.name: example(hints[field.name]) for field in fields(kind) if field.init})  # type: ignore[operator]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    return {str: 'ü "x"', int: 7, bool: True, float: 1.5, datetime: NOON, object: "anything"}[kind]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_survives(kind: type[Any]) -> None:
    event = example(kind)
    assert codec.decode_event(codec.encode_event(event)) == event


@pytest.mark.parametrize("kind", get_args(Effect), ids=lambda kind: kind.__name__)
def test_every_effect_survives(kind: type[Any]) -> None:
    effect = example(kind)
    assert codec.decode_effect(codec.encode_effect(effect)) == effect


def test_every_union_is_complete() -> None:
    written = {kind for kind in vars(effects_module).values() if is_dataclass(kind) and hasattr(kind, "key")}
    assert written == set(get_args(Effect))


def test_a_session_with_everything_in_it_survives() -> None:
    full = example(Session)
    assert codec.decode_session(codec.encode_session(full)) == full
    assert codec.decode_session(codec.encode_session(session())) == session()


def test_policy_and_message_survive() -> None:
    policy = example(Policy)
    assert codec.decode_policy(codec.encode_policy(policy)) == policy
    assert codec.policy_of(codec.policy_values(policy)) == policy
    stored = StoredMessage(seq=1, message=message("m1", "\u2028 \U0001f600"), visibility=Visibility.PRIVATE)
    assert codec.decode_message(codec.encode_message(stored)) == stored


def test_microseconds_and_zones_survive() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    decoded = codec.decode_moments(codec.encode_moments((at,)))
    assert decoded == (at,)
    assert decoded[0].astimezone(UTC).microsecond == 123456


@pytest.mark.parametrize("kind", [Session, Policy, *get_args(Event), *get_args(Effect)], ids=lambda kind: kind.__name__)
def test_what_an_older_version_wrote_is_read(kind: type[Any]) -> None:
    """Rows lack fields that came later (those have defaults) and hold fields that are gone."""
    decode = {Session: codec.decode_session, Policy: codec.decode_policy}.get(
        kind, codec.decode_event if kind in get_args(Event) else codec.decode_effect
    )
    required = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    hints = get_type_hints(kind)
    value = kind(**{name: example(hints[name]) for name in required})
    encode = {Session: codec.encode_session, Policy: codec.encode_policy}.get(
        kind, codec.encode_event if kind in get_args(Event) else codec.encode_effect
    )
    full = json.loads(encode(value))  # type: ignore[operator]
    old = {name: full[name] for name in (required | {"type"}) & full.keys()} | {"gone": 1}
    assert decode(json.dumps(old)) == value  # type: ignore[operator]


def test_an_unknown_type_is_refused() -> None:
    text = codec.encode_event(example(HandoffRequested)).replace("handoff.requested", "handoff.dreamt")
    with pytest.raises(ValueError, match=r"handoff\.dreamt"):
        codec.decode_event(text)
