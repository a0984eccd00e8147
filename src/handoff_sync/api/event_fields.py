"""What `POST /v1/events` takes: the facts of the platform, and every action as an event."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, TypeAdapter, model_validator

from handoff_sync.api import action_fields as actions
from handoff_sync.api.fields import ActorIn, Count, CustomerIn, Flag, Id, Input, MessageIn, Origin, Time, Word
from handoff_sync.core import events
from handoff_sync.core.model import Actor, ActorKind, AuthorClass, Customer


class Envelope(Input):
    """What all events have. `channel`, `customer` and `team` are taken when the event starts a session."""

    id: Id = Field(description="Yours, unique. The same id again changes nothing and gets the same answer.")
    conversation_id: Id
    at: Time | None = Field(default=None, description="When it happened; else now. A time to come counts as now.")
    channel: Word = "web"
    customer: CustomerIn | None = None
    team: Word | None = None

    def origin(self, now: datetime, platform: Actor) -> Origin:
        return Origin(id=self.id, at=min(self.at or now, now), actor=self.who(platform))

    def who(self, platform: Actor) -> Actor:
        actor: ActorIn | None = getattr(self, "actor", None)
        return actor.actor() if actor is not None else platform


class _Said(Envelope):
    message: MessageIn


class _ByAi(_Said):
    def who(self, platform: Actor) -> Actor:
        return Actor(kind=ActorKind.AI, id="ai", name="AI", via="api")


class SessionStarted(Envelope):
    """A conversation began. Optional: the first message starts a session too."""

    type: Literal["session.started"]

    def event(self, origin: Origin) -> events.Event:
        customer = self.customer.customer() if self.customer is not None else Customer()
        return events.SessionStarted(
            id=origin.id, at=origin.at, actor=origin.actor, channel=self.channel, customer=customer, team=self.team
        )


class _ByCustomer(Envelope):
    def who(self, platform: Actor) -> Actor:
        known = self.customer or CustomerIn()
        return Actor(kind=ActorKind.CUSTOMER, id=known.external_id or "customer", name=known.name or "", via="api")


class CustomerMessage(_ByCustomer):
    """The customer wrote. Send every one, whoever is in charge."""

    type: Literal["customer.message"]
    message: MessageIn

    def event(self, origin: Origin) -> events.Event:
        message = self.message.message(AuthorClass.CUSTOMER, origin.at)
        return events.CustomerMessage(id=origin.id, at=origin.at, actor=origin.actor, message=message)


class CustomerEndedHuman(_ByCustomer):
    """The customer wants the AI back."""

    type: Literal["customer.end_human"]

    def event(self, origin: Origin) -> events.Event:
        return events.CustomerEndedHuman(id=origin.id, at=origin.at, actor=origin.actor)


class AiMessageProposed(_ByAi):
    """The AI wants to say something. Asking the gate does the same and is shorter."""

    type: Literal["ai.message.proposed"]
    epoch: Count

    def event(self, origin: Origin) -> events.Event:
        message = self.message.message(AuthorClass.AI, origin.at)
        return events.AiMessageProposed(
            id=origin.id, at=origin.at, actor=origin.actor, message=message, epoch=self.epoch
        )  # fmt: skip


class AiMessageSent(_ByAi):
    """The AI has said it: for the transcript that the human will read."""

    type: Literal["ai.message.sent"]

    def event(self, origin: Origin) -> events.Event:
        message = self.message.message(AuthorClass.AI, origin.at)
        return events.AiMessageSent(id=origin.id, at=origin.at, actor=origin.actor, message=message)


class HumanMessage(_Said):
    """A person answered in the platform's own inbox; they are in charge from then on. A rule's text: `automation`."""

    type: Literal["human.message"]
    author_class: Literal["human", "automation"] = "human"
    source: Word = "api"

    @model_validator(mode="after")
    def _author_known(self) -> Self:
        if self.author_class == "human" and self.message.author is None:
            raise ValueError("Give message.author: the id and name of the person who wrote it.")
        return self

    def who(self, platform: Actor) -> Actor:
        author = self.message.author
        if self.author_class == "automation" or author is None:
            return platform
        return Actor(kind=ActorKind.MEMBER, id=author.id, name=author.name, via="api")

    def event(self, origin: Origin) -> events.Event:
        message = self.message.message(AuthorClass(self.author_class), origin.at)
        return events.HumanMessage(
            id=origin.id, at=origin.at, actor=origin.actor, message=message, source=self.source
        )  # fmt: skip


class HealthChanged(Envelope):
    """The AI agent or the channel went down or came up. While one is down nothing returns to the AI by itself."""

    type: Literal["health.changed"]
    agent_running: Flag | None = None
    channel_running: Flag | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.agent_running is None and self.channel_running is None:
            raise ValueError("Give agent_running, channel_running or both.")
        return self

    def event(self, origin: Origin) -> events.Event:
        return events.HealthChanged(
            id=origin.id,
            at=origin.at,
            actor=origin.actor,
            agent_running=self.agent_running,
            channel_running=self.channel_running,
        )


class HandoffRequested(actions.Handover, Envelope):
    type: Literal["handoff.requested"]
    trigger: actions.Asked = "api"
    team: Word | None = None


class NoteAdded(actions.Note, Envelope):
    type: Literal["note.added"]


class LabelChanged(actions.Label, Envelope):
    type: Literal["label.changed"]


class Paused(actions.Pause, Envelope):
    type: Literal["pause"]


class Extended(actions.Extend, Envelope):
    type: Literal["extend"]


class Resumed(actions.Resume, Envelope):
    type: Literal["resume"]


class Stopped(actions.Stop, Envelope):
    type: Literal["stop"]


class WasReset(actions.Reset, Envelope):
    type: Literal["reset"]


class Claimed(actions.Claim, Envelope):
    type: Literal["claim"]


class Assigned(actions.Assign, Envelope):
    type: Literal["assign"]


class Unassigned(actions.Unassign, Envelope):
    type: Literal["unassign"]


class CopilotSet(actions.Copilot, Envelope):
    type: Literal["copilot.set"]


class Resolved(actions.Resolve, Envelope):
    type: Literal["resolve"]


class Archived(actions.Archive, Envelope):
    type: Literal["archive"]


class DecisionAccepted(actions.Accept, Envelope):
    type: Literal["decision.accepted"]


class DecisionDeclined(actions.Decline, Envelope):
    type: Literal["decision.declined"]


class DecisionUndone(actions.Undo, Envelope):
    type: Literal["decision.undone"]


Incoming = Annotated[
    SessionStarted
    | CustomerMessage
    | CustomerEndedHuman
    | AiMessageProposed
    | AiMessageSent
    | HumanMessage
    | HandoffRequested
    | DecisionAccepted
    | DecisionDeclined
    | DecisionUndone
    | Paused
    | Extended
    | Resumed
    | Stopped
    | WasReset
    | Claimed
    | Assigned
    | Unassigned
    | CopilotSet
    | NoteAdded
    | LabelChanged
    | Resolved
    | Archived
    | HealthChanged,
    Discriminator("type"),
]
INCOMING: TypeAdapter[Incoming] = TypeAdapter(Incoming)
