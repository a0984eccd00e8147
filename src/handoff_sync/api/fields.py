"""Parts that several requests share. Bounds keep a caller's mistake from becoming our trouble."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

from handoff_sync.core.model import Actor, ActorKind, Attachment, AuthorClass, Customer, Message, Person
from handoff_sync.core.scope import LONGEST_MINUTES

_PLAIN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
"""One line without control characters."""
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def _word(length: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=length, pattern=_PLAIN)


def _written_time(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("Must be a time like 2026-11-21T09:30:00Z.")
    return value


def _believable(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:  # at the ends of the calendar, arithmetic with time zones breaks
        raise ValueError("Must be a time between 2000 and 2100.")
    return at.astimezone(UTC)


def _matching(pattern: str, otherwise: str) -> AfterValidator:
    expression = re.compile(pattern)

    def check(value: str) -> str:
        if not expression.fullmatch(value):
            raise ValueError(otherwise)
        return value

    return AfterValidator(check)


Id = Annotated[str, _word(200)]
Word = Annotated[str, _word(100)]
Line = Annotated[str, StringConstraints(max_length=2_000)]
Prose = Annotated[str, StringConstraints(max_length=50_000)]
Text = Annotated[str, StringConstraints(max_length=500_000)]
Flag = StrictBool
Minutes = Annotated[int, Field(strict=True, ge=1, le=LONGEST_MINUTES, description="Up to a year.")]
Count = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
Url = Annotated[
    str,
    StringConstraints(max_length=2_048),
    _matching(r"https?://[^\s\x00-\x20\x7f]+", "Must be an address that starts with https:// or http://."),
]
Email = Annotated[
    str,
    StringConstraints(max_length=320),
    _matching(r"[^\s@\x00-\x20\x7f]+@[^\s@\x00-\x20\x7f]+", "Must be an e-mail address like ann@example.com."),
]
Time = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_believable)]


class Input(BaseModel):
    """What callers send. A field that we do not know is an error: it is usually a field that was misspelt."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What every event needs besides its own fields."""

    id: str
    at: datetime
    actor: Actor


class ActorIn(Input):
    """The member who does it; without one it was the platform itself."""

    id: Id = Field(examples=["m_17"])
    name: Annotated[str, StringConstraints(max_length=200)] = Field(default="", examples=["Mona Member"])

    def actor(self) -> Actor:
        return Actor(kind=ActorKind.MEMBER, id=self.id, name=self.name, via="api")


class PersonIn(Input):
    id: Id = Field(examples=["m_17"])
    name: Annotated[str, StringConstraints(max_length=200)] = Field(default="", examples=["Mona Member"])
    avatar: Url | None = None

    def person(self) -> Person:
        return Person(id=self.id, name=self.name, avatar=self.avatar)


class CustomerIn(Input):
    """The customer as the platform knows them. `email_verified` only when the platform vouches for the address."""

    external_id: Id | None = None
    name: Annotated[str, StringConstraints(max_length=200)] | None = None
    email: Email | None = None
    email_verified: Flag = False
    phone: Word | None = None
    locale: Annotated[str, _word(35)] | None = None

    def customer(self) -> Customer:
        return Customer(
            external_id=self.external_id,
            name=self.name,
            email=self.email,
            email_verified=self.email_verified,
            phone=self.phone,
            locale=self.locale,
        )


class AttachmentIn(Input):
    """A file. It is fetched once, right after the event, and attached to the ticket: its address must be a public one
    with https, without credentials and redirects. Where it cannot be had, the ticket names it and says why."""

    name: Annotated[str, _word(255)]
    content_type: Word = Field("application/octet-stream", examples=["image/png"])
    size: Count = 0
    url: Url

    def attachment(self) -> Attachment:
        return Attachment(name=self.name, content_type=self.content_type, size=self.size, url=self.url)


class MessageIn(Input):
    """One utterance. `id` is unique within the conversation."""

    id: Id = Field(examples=["msg_1001"])
    text: Text = Field(examples=["Where is my order?"])
    author: PersonIn | None = Field(default=None, description="The person, where one wrote it.")
    attachments: Annotated[tuple[AttachmentIn, ...], Field(max_length=50)] = ()

    def message(self, author_class: AuthorClass, at: datetime) -> Message:
        return Message(
            id=self.id,
            author_class=author_class,
            text=self.text,
            at=at,
            author=self.author.person() if self.author is not None else None,
            attachments=tuple(file.attachment() for file in self.attachments),
        )
