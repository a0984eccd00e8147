"""What a person may ask for, as the body of an action and (with an envelope) as an event."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from handoff_sync.api.fields import (
    ActorIn,
    AttachmentIn,
    Count,
    Flag,
    Id,
    Input,
    Line,
    Minutes,
    Origin,
    PersonIn,
    Prose,
    Text,
    Word,
)
from handoff_sync.core import events
from handoff_sync.core.model import AuthorClass, Message, Person, Trigger
from handoff_sync.core.policy import Mode

Asked = Literal["manual", "scenario", "customer_request", "flow", "ai_error", "ai_down", "api"]
Labels = Annotated[tuple[Word, ...], Field(max_length=50)]


class Action(Input):
    """Whoever asks; most actions also make sense without a person, then the platform asked."""

    actor: ActorIn | None = None

    @abstractmethod
    def event(self, origin: Origin) -> events.Event:
        """The fact that the core decides about."""


class _ByPerson(Action):
    """Only a person can do it: it is their name that counts afterwards."""

    actor: ActorIn


class Handover(Action):
    """Ask for a human. The policy decides what happens, unless `mode` is given."""

    trigger: Asked = "manual"
    scenario: Annotated[str, Field(max_length=200)] | None = None
    reason: Line = ""
    mode: Mode | None = None
    designated: PersonIn | None = Field(default=None, description="Who should hold the session at once.")
    claim: Flag = Field(default=False, description="The actor takes it.")
    team: Word | None = None
    summary: Prose = Field(default="", description="What it is about; goes on top of ticket and mail.")

    def event(self, origin: Origin) -> events.Event:
        return events.HandoffRequested(
            id=origin.id,
            at=origin.at,
            actor=origin.actor,
            trigger=Trigger(self.trigger),
            scenario=self.scenario,
            reason=self.reason,
            mode=self.mode,
            designated=self.designated.person() if self.designated is not None else None,
            claim=self.claim,
            team=self.team,
            summary=self.summary,
        )


class Pause(Action):
    """Stop the AI here. `minutes` absent takes the default of the policy; null means until somebody resumes."""

    minutes: Minutes | None = None
    reason: Line = ""

    def event(self, origin: Origin) -> events.Event:
        return events.Paused(
            id=origin.id,
            at=origin.at,
            actor=origin.actor,
            minutes=self.minutes,
            use_default="minutes" not in self.model_fields_set,
            reason=self.reason,
        )


class Extend(Action):
    minutes: Minutes
    reason: Line = ""

    def event(self, origin: Origin) -> events.Event:
        return events.Extended(
            id=origin.id, at=origin.at, actor=origin.actor, minutes=self.minutes, reason=self.reason
        )  # fmt: skip


class Resume(Action):
    """Give it back to the AI, which acts on the customer's next message."""

    ai_agent_id: Id | None = None
    summary: Prose = Field(default="", description="What was done and what is open; context for the AI.")

    def event(self, origin: Origin) -> events.Event:
        return events.Resumed(
            id=origin.id, at=origin.at, actor=origin.actor, ai_agent_id=self.ai_agent_id, summary=self.summary
        )


class Stop(Action):
    reason: Line = ""

    def event(self, origin: Origin) -> events.Event:
        return events.Stopped(id=origin.id, at=origin.at, actor=origin.actor, reason=self.reason)


class Reset(Action):
    reason: Line = ""

    def event(self, origin: Origin) -> events.Event:
        return events.WasReset(id=origin.id, at=origin.at, actor=origin.actor, reason=self.reason)


class Claim(_ByPerson):
    force: Flag = Field(default=False, description="Take it from the person who holds it.")

    def event(self, origin: Origin) -> events.Event:
        return events.Claimed(id=origin.id, at=origin.at, actor=origin.actor, force=self.force)


class Assign(Action):
    """To a person, or back to a named AI agent; exactly one of the two."""

    person: PersonIn | None = None
    ai_agent_id: Id | None = None
    force: Flag = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.person is None) == (self.ai_agent_id is None):
            raise ValueError("Give either person or ai_agent_id.")
        return self

    def event(self, origin: Origin) -> events.Event:
        return events.Assigned(
            id=origin.id,
            at=origin.at,
            actor=origin.actor,
            person=self.person.person() if self.person is not None else None,
            ai_agent_id=self.ai_agent_id,
            force=self.force,
        )


class Unassign(Action):
    def event(self, origin: Origin) -> events.Event:
        return events.Unassigned(id=origin.id, at=origin.at, actor=origin.actor)


class Note(Action):
    """A private note; the customer never sees it."""

    text: Annotated[Prose, Field(min_length=1)]
    kind: Literal["note", "outcome"] = "note"

    def event(self, origin: Origin) -> events.Event:
        return events.NoteAdded(id=origin.id, at=origin.at, actor=origin.actor, text=self.text, kind=self.kind)


class Label(Action):
    add: Labels = ()
    remove: Labels = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("Give labels to add or to remove.")
        return self

    def event(self, origin: Origin) -> events.Event:
        return events.LabelChanged(
            id=origin.id, at=origin.at, actor=origin.actor, add=self.add, remove=self.remove
        )  # fmt: skip


class Reply(_ByPerson):
    """A person answers the customer; the AI is silent from then on."""

    text: Annotated[Text, Field(min_length=1)]
    message_id: Id | None = Field(default=None, description="Your own id of the message; without one it gets ours.")
    attachments: Annotated[tuple[AttachmentIn, ...], Field(max_length=50)] = ()

    def event(self, origin: Origin) -> events.Event:
        message = Message(
            id=self.message_id or origin.id,
            author_class=AuthorClass.HUMAN,
            text=self.text,
            at=origin.at,
            author=Person(id=origin.actor.id, name=origin.actor.name),
            attachments=tuple(file.attachment() for file in self.attachments),
        )
        return events.HumanMessage(id=origin.id, at=origin.at, actor=origin.actor, message=message, source="api")


class Copilot(Action):
    """On: the AI drafts for the humans and sends nothing."""

    on: Flag

    def event(self, origin: Origin) -> events.Event:
        return events.CopilotSet(id=origin.id, at=origin.at, actor=origin.actor, on=self.on)


class Resolve(Action):
    note: Prose = ""

    def event(self, origin: Origin) -> events.Event:
        return events.Resolved(id=origin.id, at=origin.at, actor=origin.actor, note=self.note)


class Archive(Action):
    """From scratch: the customer's next message starts a new session without context."""

    note: Prose = ""

    def event(self, origin: Origin) -> events.Event:
        return events.Archived(id=origin.id, at=origin.at, actor=origin.actor, note=self.note)


class Accept(_ByPerson):
    """Yes, a human should take over. `version`: the decision that was shown to them."""

    version: Count | None = None
    claim: Flag = False

    def event(self, origin: Origin) -> events.Event:
        return events.DecisionAccepted(
            id=origin.id, at=origin.at, actor=origin.actor, version=self.version, claim=self.claim
        )


class Decline(_ByPerson):
    """No, the AI goes on."""

    version: Count | None = None

    def event(self, origin: Origin) -> events.Event:
        return events.DecisionDeclined(id=origin.id, at=origin.at, actor=origin.actor, version=self.version)


class Undo(_ByPerson):
    """Whoever decided takes it back within 30 seconds; the question is open again."""

    version: Count | None = None

    def event(self, origin: Origin) -> events.Event:
        return events.DecisionUndone(id=origin.id, at=origin.at, actor=origin.actor, version=self.version)
