"""A session to talk to: builders for events, and sessions in every phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from handoff_sync.core import events as ev
from handoff_sync.core.effects import Effect, Outcome, PauseLog, StoredMessage, TimelineEntry, Verdict
from handoff_sync.core.machine import decide, new_session
from handoff_sync.core.model import (
    Actor,
    ActorKind,
    AuthorClass,
    Customer,
    Message,
    Person,
    Phase,
    Session,
    TicketStatus,
    TimerKind,
    Trigger,
)
from handoff_sync.core.policy import ConnectionRule, CustomerNotice, Mode, Policy, Recipient

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANA = Actor(kind=ActorKind.MEMBER, id="m-ana", name="Ana", via="console")
BEN = Actor(kind=ActorKind.MEMBER, id="m-ben", name="Ben", via="console")
EVA = Actor(kind=ActorKind.AGENT, id="zd:7", name="Eva", via="ticket")
API = Actor(kind=ActorKind.PLATFORM, id="key-1", name="Shop", via="api")
AI = Actor(kind=ActorKind.AI, id="bot", name="Robo", via="api")
RULE = Actor(kind=ActorKind.SYSTEM, id="system", name="handoff-sync", via="ticket")

POLICY = Policy(
    handover_mode=Mode.SEMI_AUTOMATIC,
    connections=(ConnectionRule(connection="zd"), ConnectionRule(connection="ic")),
    recipients=(Recipient(email="ana@example.com"), Recipient(email="ben@example.com")),
    customer_notice=CustomerNotice(
        on_handover={"en": "A person will help you."},
        on_join={"en": "Somebody is here."},
        on_return={"en": "The assistant is back."},
        on_resolve={"en": "Goodbye."},
    ),
)
CUSTOMER = Customer(external_id="c-1", name="Kim", email="kim@example.com", email_verified=True)
ZD, IC = "s:1:zd", "s:1:ic"

E = TypeVar("E")
_ids = count(1)


def ids() -> dict[str, Any]:
    return {"id": f"e{next(_ids)}", "at": NOW}


def person(actor: Actor) -> Person:
    return Person(id=actor.id, name=actor.name)


def words(author_class: AuthorClass = AuthorClass.CUSTOMER, text: str = "Hello", **fields: Any) -> Message:
    return Message(id=f"msg{next(_ids)}", author_class=author_class, text=text, at=NOW, **fields)


# --- events ------------------------------------------------------------------------------------------------


def customer() -> ev.CustomerMessage:
    return ev.CustomerMessage(**ids(), message=words())


def proposed(epoch: int, text: str = "I can help") -> ev.AiMessageProposed:
    return ev.AiMessageProposed(**ids(), actor=AI, message=words(AuthorClass.AI, text), epoch=epoch)


def sent() -> ev.AiMessageSent:
    return ev.AiMessageSent(**ids(), actor=AI, message=words(AuthorClass.AI))


def said(actor: Actor = ANA, author_class: AuthorClass = AuthorClass.HUMAN) -> ev.HumanMessage:
    return ev.HumanMessage(**ids(), actor=actor, message=words(author_class, author=person(actor)))


def request(trigger: Trigger = Trigger.SCENARIO, actor: Actor = AI, **fields: Any) -> ev.HandoffRequested:
    return ev.HandoffRequested(**ids(), actor=actor, trigger=trigger, **fields)


def handover(actor: Actor = ANA, **fields: Any) -> ev.HandoffRequested:
    return request(Trigger.MANUAL, actor, **fields)


def accepted(actor: Actor = ANA, **fields: Any) -> ev.DecisionAccepted:
    return ev.DecisionAccepted(**ids(), actor=actor, **fields)


def declined(actor: Actor = ANA, **fields: Any) -> ev.DecisionDeclined:
    return ev.DecisionDeclined(**ids(), actor=actor, **fields)


def undone(actor: Actor = ANA, **fields: Any) -> ev.DecisionUndone:
    return ev.DecisionUndone(**ids(), actor=actor, **fields)


def pause(minutes: int | None = None, actor: Actor = ANA, **fields: Any) -> ev.Paused:
    return ev.Paused(**ids(), actor=actor, minutes=minutes, **fields)


def extend(minutes: int = 30, actor: Actor = ANA) -> ev.Extended:
    return ev.Extended(**ids(), actor=actor, minutes=minutes)


def resume(actor: Actor = ANA, **fields: Any) -> ev.Resumed:
    return ev.Resumed(**ids(), actor=actor, **fields)


def stop(actor: Actor = ANA) -> ev.Stopped:
    return ev.Stopped(**ids(), actor=actor)


def reset(actor: Actor = ANA) -> ev.WasReset:
    return ev.WasReset(**ids(), actor=actor)


def claim(actor: Actor = ANA, force: bool = False) -> ev.Claimed:
    return ev.Claimed(**ids(), actor=actor, force=force)


def assign(who: Actor | None, actor: Actor = BEN, ai: str | None = None) -> ev.Assigned:
    return ev.Assigned(**ids(), actor=actor, person=person(who) if who else None, ai_agent_id=ai)


def unassign(actor: Actor = BEN) -> ev.Unassigned:
    return ev.Unassigned(**ids(), actor=actor)


def copilot(on: bool = True, actor: Actor = ANA) -> ev.CopilotSet:
    return ev.CopilotSet(**ids(), actor=actor, on=on)


def note(text: str = "Be kind", actor: Actor = ANA) -> ev.NoteAdded:
    return ev.NoteAdded(**ids(), actor=actor, text=text)


def label(*add: str, remove: tuple[str, ...] = ()) -> ev.LabelChanged:
    return ev.LabelChanged(**ids(), actor=ANA, add=add, remove=remove)


def resolve(actor: Actor = ANA, note: str = "") -> ev.Resolved:
    return ev.Resolved(**ids(), actor=actor, note=note)


def archive(actor: Actor = ANA) -> ev.Archived:
    return ev.Archived(**ids(), actor=actor)


def health(agent: bool | None = None, channel: bool | None = None) -> ev.HealthChanged:
    return ev.HealthChanged(**ids(), actor=API, agent_running=agent, channel_running=channel)


def created(link: str = ZD, remote: str = "4711") -> ev.TicketCreated:
    return ev.TicketCreated(**ids(), link=link, remote_id=f"{link}/{remote}", url=None)


def create_failed(link: str = ZD) -> ev.TicketCreateFailed:
    return ev.TicketCreateFailed(**ids(), link=link, permanent=True, reason="422")


def status(to: TicketStatus, link: str = ZD, actor: Actor = EVA) -> ev.TicketStatusChanged:
    return ev.TicketStatusChanged(**ids(), actor=actor, link=link, status=to)


def assigned(agent: Actor | None = EVA, link: str = ZD, actor: Actor = EVA) -> ev.TicketAssigned:
    return ev.TicketAssigned(**ids(), actor=actor, link=link, agent=person(agent) if agent else None)


def reply(link: str = ZD, author_class: AuthorClass = AuthorClass.HUMAN, actor: Actor = EVA) -> ev.TicketPublicReply:
    message = words(author_class, "From the ticket", author=person(actor))
    return ev.TicketPublicReply(**ids(), actor=actor, link=link, message=message)


def ticket_note(text: str = "Between us", link: str = ZD, actor: Actor = EVA) -> ev.TicketNote:
    return ev.TicketNote(**ids(), actor=actor, link=link, comment_id=f"c{next(_ids)}", text=text)


def tagged(*added: str, removed: tuple[str, ...] = (), link: str = ZD, actor: Actor = EVA) -> ev.TicketTagged:
    return ev.TicketTagged(**ids(), actor=actor, link=link, added=added, removed=removed)


def merged(target: str = "9", link: str = ZD, owned_by: str | None = None) -> ev.TicketMerged:
    return ev.TicketMerged(**ids(), actor=EVA, link=link, target_id=target, owned_by=owned_by)


def deleted(link: str = ZD, restored: bool = False) -> ev.TicketDeleted:
    return ev.TicketDeleted(**ids(), actor=EVA, link=link, restored=restored)


# --- a session ----------------------------------------------------------------------------------------------


@dataclass
class Talk:
    """Sends events to one session and keeps everything that was decided."""

    policy: Policy = POLICY
    session: Session = field(
        default_factory=lambda: new_session(id="s", workspace="w", conversation_id="conv", now=NOW, customer=CUSTOMER)
    )
    now: datetime = NOW
    last: Outcome | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    recorded: list[tuple[ev.Event, Policy, datetime]] = field(default_factory=list)

    def send(self, *all_events: ev.Event) -> Outcome:
        for event in all_events:
            outcome = decide(self.session, event, self.policy, self.now)
            self.recorded.append((event, self.policy, self.now))
            self.session = outcome.session
            self.outcomes.append(outcome)
            self.last = outcome
        assert self.last is not None
        return self.last

    def fire(self, kind: TimerKind) -> Outcome:
        """Lets the time of a timer come, and the timer fire."""
        timer = next(timer for timer in self.session.timers if timer.kind is kind)
        self.now = max(self.now, timer.fires_at)
        return self.send(ev.TimerFired(**ids(), kind=kind, epoch=timer.epoch))

    def wait(self, **span: float) -> Talk:
        self.now += timedelta(**span)
        return self

    def but(self, **changes: Any) -> Talk:
        """Changes the policy from now on."""
        self.policy = replace(self.policy, **changes)
        return self

    @property
    def phase(self) -> Phase:
        return self.session.phase

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(effect for outcome in self.outcomes for effect in outcome.effects)

    @property
    def messages(self) -> tuple[StoredMessage, ...]:
        return tuple(stored for outcome in self.outcomes for stored in outcome.messages)

    @property
    def timeline(self) -> tuple[TimelineEntry, ...]:
        return tuple(entry for outcome in self.outcomes for entry in outcome.timeline)

    @property
    def log(self) -> tuple[PauseLog, ...]:
        return tuple(row for outcome in self.outcomes for row in outcome.pause_log)


def of(outcome: Outcome, kind: type[E]) -> list[E]:
    """The effects of one kind."""
    return [effect for effect in outcome.effects if isinstance(effect, kind)]


def said_of(outcome: Outcome) -> str:
    """Verdict, rule and phase in short: `T22 human`; `=` unchanged, `-` ignored, `!` refused, `+` a new session."""
    marks = {
        Verdict.APPLIED: "",
        Verdict.UNCHANGED: "=",
        Verdict.IGNORED: "-",
        Verdict.REFUSED: "!",
        Verdict.NEW_SESSION: "+",
        Verdict.ALLOW: "allow ",
        Verdict.DRAFT: "draft ",
        Verdict.BLOCK: "block ",
    }
    return f"{marks[outcome.verdict]}{outcome.rule} {outcome.session.phase}"


# --- every phase ------------------------------------------------------------------------------------------------


def fresh(policy: Policy = POLICY) -> Talk:
    return Talk(policy=policy)


def in_ai(policy: Policy = POLICY) -> Talk:
    talk = Talk(policy=policy)
    talk.send(customer())
    return talk


def in_waiting(policy: Policy = POLICY) -> Talk:
    """A customer waits, with both tickets made."""
    talk = in_ai(policy)
    talk.send(handover(), created(ZD), created(IC))
    return talk


def in_human(policy: Policy = POLICY) -> Talk:
    talk = in_waiting(policy)
    talk.send(claim(ANA))
    return talk


def in_stopped(policy: Policy = POLICY) -> Talk:
    talk = in_human(policy)
    talk.send(stop())
    return talk


def in_resolved(policy: Policy = POLICY) -> Talk:
    """Resolved while Ana held it."""
    talk = in_human(policy)
    talk.send(resolve())
    return talk


def in_archived(policy: Policy = POLICY) -> Talk:
    talk = in_human(policy)
    talk.send(archive())
    return talk


def returned(policy: Policy = POLICY) -> Talk:
    """With the AI again, and a ticket from before."""
    talk = in_human(policy)
    talk.send(resume())
    return talk


def in_deciding(policy: Policy = POLICY) -> Talk:
    """A decision is pending; a ticket from before exists."""
    talk = returned(policy)
    talk.send(request(scenario="Refund", mode=Mode.SEMI_AUTOMATIC))
    return talk


PHASES: dict[Phase, Callable[[], Talk]] = {
    Phase.AI: returned,
    Phase.AI_DECIDING: in_deciding,
    Phase.WAITING: in_waiting,
    Phase.HUMAN: in_human,
    Phase.STOPPED: in_stopped,
    Phase.RESOLVED: in_resolved,
    Phase.ARCHIVED: in_archived,
}
