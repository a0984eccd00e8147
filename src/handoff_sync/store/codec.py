"""Values to JSON text and back. A reader accepts what the previous version wrote: new fields need defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from handoff_sync.core.effects import Effect, StoredMessage
from handoff_sync.core.events import Event
from handoff_sync.core.model import Session
from handoff_sync.core.policy import Policy

_SESSION: TypeAdapter[Session] = TypeAdapter(Session)
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_EFFECT: TypeAdapter[Effect] = TypeAdapter(Annotated[Effect, Field(discriminator="type")])
_MESSAGE: TypeAdapter[StoredMessage] = TypeAdapter(StoredMessage)
_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MOMENTS: TypeAdapter[tuple[datetime, ...]] = TypeAdapter(tuple[datetime, ...])


def encode_session(session: Session) -> str:
    return _SESSION.dump_json(session).decode()


def decode_session(text: str) -> Session:
    return _SESSION.validate_json(text)


def encode_event(event: Event) -> str:
    return _EVENT.dump_json(event).decode()


def decode_event(text: str) -> Event:
    return _EVENT.validate_json(text)


def encode_effect(effect: Effect) -> str:
    return _EFFECT.dump_json(effect).decode()


def decode_effect(text: str) -> Effect:
    return _EFFECT.validate_json(text)


def encode_message(message: StoredMessage) -> str:
    return _MESSAGE.dump_json(message).decode()


def decode_message(text: str) -> StoredMessage:
    return _MESSAGE.validate_json(text)


def encode_policy(policy: Policy) -> str:
    return _POLICY.dump_json(policy).decode()


def decode_policy(text: str) -> Policy:
    return _POLICY.validate_json(text)


def policy_values(policy: Policy) -> dict[str, Any]:
    """The policy as plain JSON values."""
    values: dict[str, Any] = _POLICY.dump_python(policy, mode="json")
    return values


def policy_of(values: Mapping[str, object]) -> Policy:
    """The policy with these JSON values; pydantic's ValidationError names what is wrong."""
    return _POLICY.validate_python(dict(values))


def encode_moments(moments: tuple[datetime, ...]) -> str:
    return _MOMENTS.dump_json(moments).decode()


def decode_moments(text: str) -> tuple[datetime, ...]:
    return _MOMENTS.validate_json(text)


def encode_keys(keys: Sequence[tuple[str, ...]]) -> str:
    """Keys of rows, as one parameter."""
    return _ENCODER.encode(keys)


def encode_object(value: Mapping[str, object]) -> str:
    """A JSON object; keys keep their order."""
    return _ENCODER.encode(dict(value))


def decode_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("The stored JSON is not an object.")
    return value
