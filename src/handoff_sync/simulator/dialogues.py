"""Recorded dialogues as a JSON Lines file: what `handoff-sync demo --once` plays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handoff_sync.errors import HandoffError


class UnreadableDialogues(HandoffError):
    """The file is not what we play; the message names the line and what is wrong with it."""


class _Customer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    email_verified: bool | None = None


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    author: Literal["customer", "ai", "automation"]
    text: Annotated[str, Field(min_length=1)]


class _Handoff(BaseModel):
    model_config = ConfigDict(extra="forbid")
    trigger: str = "customer_request"
    reason: str = ""


class _Dialogue(BaseModel):
    model_config = ConfigDict(extra="forbid")
    conversation_id: Annotated[str, Field(min_length=1)]
    channel: str = "web"
    customer: _Customer = _Customer()
    messages: Annotated[list[_Message], Field(min_length=1)]
    handoff: _Handoff = _Handoff()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One conversation up to its handoff. `messages` are (author, text), in order."""

    conversation_id: str
    channel: str
    customer: Mapping[str, Any]
    messages: tuple[tuple[str, str], ...]
    trigger: str
    reason: str

    @property
    def title(self) -> str:
        return str(self.customer.get("name") or self.customer.get("email") or "an unknown customer")


def read_dialogues(path: Path) -> tuple[Dialogue, ...]:
    """Every dialogue of the file. UnreadableDialogues names the first line that cannot be played."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines(): a text may hold U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableDialogues(f"{path} cannot be read: {error}") from None
    dialogues = tuple(_read(line, f"{path}, line {at}") for at, line in enumerate(lines, start=1) if line.strip())
    if not dialogues:
        raise UnreadableDialogues(f"{path} holds no dialogue. It needs one JSON object per line.")
    counted = Counter(dialogue.conversation_id for dialogue in dialogues)
    if twice := [name for name, times in counted.items() if times > 1]:
        raise UnreadableDialogues(f"{path}: conversation_id {twice[0]!r} appears twice; each dialogue needs its own.")
    return dialogues


def _read(line: str, place: str) -> Dialogue:
    try:
        found = _Dialogue.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise UnreadableDialogues(f"{place} is not JSON: {error.msg} at column {error.colno}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise UnreadableDialogues(f"{place}: {where}: {first['msg']}.") from None
    return Dialogue(
        conversation_id=found.conversation_id,
        channel=found.channel,
        customer=found.customer.model_dump(exclude_none=True),
        messages=tuple((message.author, message.text) for message in found.messages),
        trigger=found.handoff.trigger,
        reason=found.handoff.reason,
    )
