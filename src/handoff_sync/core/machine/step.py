"""One step of a session: collects what an event does and turns it into an Outcome.

What follows from any change, whoever made it, is derived in `done`: the message to the platform about a new mode or
epoch, the audit row, the timeline, the callback for an assignment.

A version is used up exactly when something besides a timeline row is stored. So events that change nothing may be
replayed or left out: the session comes out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from handoff_sync.core.effects import (
    AlertOps,
    Effect,
    MailAdmin,
    Outcome,
    PauseLog,
    SessionChange,
    SessionChanged,
    SetAiMode,
    SetTicketTags,
    StoredMessage,
    TimelineEntry,
    Verdict,
    Visibility,
)
from handoff_sync.core.events import Event
from handoff_sync.core.model import Actor, ActorKind, Decision, Handoff, Message, Person, Session, Timer, TimerKind
from handoff_sync.core.policy import MailKind, Policy, Recipient

PASSIVE = frozenset({Verdict.UNCHANGED, Verdict.IGNORED, Verdict.REFUSED, Verdict.NEW_SESSION})
FAR = timedelta(days=3660)
"""No timer is set further ahead: longer waits are a mistake or "indefinite"."""


@dataclass(frozen=True, slots=True)
class _Audit:
    action: str
    reason: str
    minutes: int | None


class Step:
    """The working copy of one `decide`. `before` stays as it was, `session` is what it becomes."""

    def __init__(self, session: Session, event: Event, policy: Policy, now: datetime) -> None:
        self.before = session
        self.session = session
        self.event = event
        self.policy = policy
        self.now = now
        self.actor: Actor = event.actor
        self.version = session.version + 1
        self.pending_set = False
        self._audit: _Audit | None = None
        self._announce = False
        self._effects: list[Effect] = []
        self._messages: list[StoredMessage] = []
        self._timeline: list[TimelineEntry] = []
        self._tags: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    # --- what holds ----------------------------------------------------------------------------

    @property
    def rules(self) -> Policy:
        """The policy in force: the snapshot of a running handoff, else the current one (I24)."""
        running = self.session.running_handoff
        return running.policy if running is not None else self.policy

    @property
    def aftermath(self) -> Policy:
        """The policy for what a ticket does after its handoff: that handoff's snapshot."""
        last = self.session.handoff
        return last.policy if last is not None else self.policy

    @property
    def handoff_number(self) -> int:
        """The latest handoff, 0 when there was none."""
        return len(self.session.handoffs)

    @property
    def person(self) -> Person:
        """The actor as somebody who can hold a session."""
        return Person(id=self.actor.id, name=self.actor.name)

    # --- changing ------------------------------------------------------------------------------

    def change(self, **fields: Any) -> None:
        """Replaces fields of the session."""
        self.session = replace(self.session, **fields)

    def change_handoff(self, **fields: Any) -> None:
        """Replaces fields of the latest handoff."""
        *earlier, last = self.session.handoffs
        self.change(handoffs=(*earlier, replace(last, **fields)))

    def rely_on_people(self) -> None:
        """Somebody other than the decider wants people in charge: the decision cannot be undone any more (T68)."""
        decision, running = self.session.decision, self.session.running_handoff
        if running is None or decision is None or decision.decided_by is None or decision.decided_at is None:
            return
        by, already = decision.decided_by, running.relied_at
        if (by.kind, by.id) != (self.actor.kind, self.actor.id) and (already is None or already < decision.decided_at):
            self.change_handoff(relied_at=self.now)

    def add_handoff(self, handoff: Handoff) -> None:
        self.change(handoffs=(*self.session.handoffs, handoff))

    def raise_epoch(self) -> None:
        """Takes the AI's licence away; timers that go on running follow the new epoch."""
        epoch = self.session.control_epoch + 1
        timers = tuple(replace(timer, epoch=epoch) for timer in self.session.timers)
        self.change(control_epoch=epoch, timers=timers)

    def set_timer(self, kind: TimerKind, fires_at: datetime) -> None:
        """One timer per kind: a new one replaces the old."""
        kept = tuple(timer for timer in self.session.timers if timer.kind is not kind)
        self.change(timers=(*kept, Timer(kind=kind, fires_at=fires_at, epoch=self.session.control_epoch)))

    def drop_timers(self, *kinds: TimerKind) -> None:
        self.change(timers=tuple(timer for timer in self.session.timers if timer.kind not in kinds))

    def timer(self, kind: TimerKind) -> Timer | None:
        return next((timer for timer in self.session.timers if timer.kind is kind), None)

    def later(self, **span: int) -> datetime:
        """`now` plus a span, at most ten years ahead, so that no setting can overflow a date."""
        try:
            return self.now + min(timedelta(**span), FAR)
        except OverflowError:
            return self.now + FAR

    # --- saying --------------------------------------------------------------------------------

    def emit(self, *effects: Effect) -> None:
        self._effects.extend(effects)

    def tag(self, link: str, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
        """Collects tag changes: at most one write per ticket and step, the last word on a tag wins."""
        added, removed = self._tags.setdefault(link, ({}, {}))
        for name in remove:
            added.pop(name, None)
            removed[name] = None
        for name in add:
            removed.pop(name, None)
            added[name] = None

    def announce(self) -> None:
        """Tells the platform the mode although neither mode nor epoch changed (a new end time, a new person)."""
        self._announce = True

    def store(self, message: Message, *, public: bool, kind: str = "message") -> StoredMessage:
        """Adds a message to the transcript."""
        visibility = Visibility.PUBLIC if public else Visibility.PRIVATE
        stored = StoredMessage(seq=self.session.message_count + 1, message=message, visibility=visibility, kind=kind)
        self.change(message_count=stored.seq, file_count=self.session.file_count + bool(message.attachments))
        self._messages.append(stored)
        return stored

    def audit(self, action: str, reason: str = "", minutes: int | None = None) -> None:
        """The one pause log row of this step; the first call wins, being the one closest to the cause."""
        if self._audit is None:
            self._audit = _Audit(action, reason, minutes)

    def recipients(self, kind: MailKind) -> tuple[Recipient, ...]:
        """Who is to be mailed about `kind` in the session's team."""
        team = self.session.team
        return tuple(
            recipient
            for recipient in self.aftermath.recipients
            if recipient.team in (None, team) and (not recipient.kinds or kind in recipient.kinds)
        )

    def mail(
        self,
        kind: MailKind,
        detail: str = "",
        leave_out: frozenset[str] = frozenset(),
        decision: Decision | None = None,
        again: bool = False,
    ) -> bool:
        """Mails everybody concerned except the addresses left out (lower case); False when there was nobody."""
        chosen = [recipient for recipient in self.recipients(kind) if recipient.email.lower() not in leave_out]
        number, version = self.handoff_number, self.version if again else 0
        self.emit(
            *(
                MailAdmin(kind=kind, handoff=number, recipient=who, detail=detail, decision=decision, again=version)
                for who in chosen
            )
        )
        return bool(chosen)

    def alert(self, kind: str, cause: str, detail: str = "") -> None:
        self.emit(AlertOps(kind=kind, cause=cause, detail=detail))

    def line(self, kind: str, rule: str, text: str, data: Mapping[str, str] | None = None) -> None:
        """One more line of the timeline."""
        self._timeline.append(self._entry(kind, rule, text, self.version, data or {}))

    # --- the end -------------------------------------------------------------------------------

    def unchanged(self, rule: str, code: str, detail: str) -> Outcome:
        return self._passive(Verdict.UNCHANGED, rule, code, detail)

    def ignored(self, rule: str, code: str, detail: str) -> Outcome:
        return self._passive(Verdict.IGNORED, rule, code, detail)

    def refused(self, rule: str, code: str, detail: str) -> Outcome:
        return self._passive(Verdict.REFUSED, rule, code, detail)

    def elsewhere(self, rule: str) -> Outcome:
        """The event belongs to a new session; nothing is recorded here."""
        return Outcome(session=self.before, verdict=Verdict.NEW_SESSION, rule=rule)

    def allowed(self, rule: str) -> Outcome:
        """The AI may speak. Nothing to store, unless the session itself is new."""
        if self.before.version == 0:
            return self.done(rule, "The AI spoke first.", verdict=Verdict.ALLOW)
        return Outcome(session=self.before, verdict=Verdict.ALLOW, rule=rule)

    def done(
        self,
        rule: str,
        text: str,
        *,
        code: str = "",
        detail: str = "",
        data: Mapping[str, str] | None = None,
        verdict: Verdict = Verdict.APPLIED,
    ) -> Outcome:
        """The outcome of a step that changed something; UNCHANGED when, after all, it did not."""
        self._clear_pending()
        self._emit_tags()
        if not self._has_changed():
            return self._passive(Verdict.UNCHANGED, rule, code or "no_change", detail or text)
        before, after = self.before, replace(self.session, version=self.version)
        facts = dict(data or {})
        if before.phase is not after.phase:
            facts |= {"from": before.phase.value, "to": after.phase.value}
        entry = self._entry(self.event.type, rule, text, self.version, facts)
        effects = (*self._first_effects(), *self._effects, *self._assignment_effects(rule))
        return Outcome(
            session=after,
            verdict=verdict,
            rule=rule,
            code=code,
            detail=detail,
            effects=effects,
            messages=tuple(self._messages),
            timeline=(entry, *self._timeline),
            pause_log=self._pause_log(rule),
        )

    def _passive(self, verdict: Verdict, rule: str, code: str, detail: str) -> Outcome:
        entry = self._entry(self.event.type, rule, detail, self.before.version, {"verdict": verdict, "cause": code})
        return Outcome(session=self.before, verdict=verdict, rule=rule, code=code, detail=detail, timeline=(entry,))

    def _has_changed(self) -> bool:
        stored = self._effects or self._messages or self._audit or self._announce
        return bool(stored) or self.session != self.before or self.before.version == 0

    def _clear_pending(self) -> None:
        """A person who acts takes a waiting return to the AI off the table (rule T47)."""
        pending = self.session.return_pending
        if pending is None or self.pending_set or not self.actor.is_person or self.session == self.before:
            return
        timed = self.timer(TimerKind.PAUSE) is not None
        self.change(return_pending=None, paused_until=self.session.paused_until if timed else None)

    def _emit_tags(self) -> None:
        for link, (add, remove) in self._tags.items():
            if add or remove:
                self.emit(SetTicketTags(link=link, add=tuple(add), remove=tuple(remove), version=self.version))

    def _first_effects(self) -> list[Effect]:
        """What the platform must know before anything else of this step."""
        before, after = self.before, self.session
        first: list[Effect] = []
        if before.version == 0:
            first.append(SessionChanged(change=SessionChange.CREATED, version=self.version))
        switched = before.ai_mode is not after.ai_mode or before.control_epoch != after.control_epoch
        if switched or self._announce:
            first.append(
                SetAiMode(
                    previous=before.ai_mode,
                    new=after.ai_mode,
                    epoch=after.control_epoch,
                    version=self.version,
                    human=after.assignee if self.aftermath.disclose_human else None,
                    ai_agent_id=after.ai_agent_id,
                    paused_until=after.paused_until,
                )
            )
        return first

    def _assignment_effects(self, rule: str) -> list[Effect]:
        before, after = self.before, self.session
        if before.assignee == after.assignee:
            return []
        who = after.assignee
        text = "Nobody holds the session any more." if who is None else f"{who.name or who.id} holds the session."
        self.line("assignment", rule, text, {"assignee": "" if who is None else who.id})
        if not after.human_handoff:
            return []
        return [SessionChanged(change=SessionChange.ASSIGNED, version=self.version, assignee=who)]

    def _pause_log(self, rule: str) -> tuple[PauseLog, ...]:
        audit = self._audit
        if audit is None:
            return ()
        by, via = self._by(rule)
        return (
            PauseLog(
                conversation_id=self.session.conversation_id,
                action=audit.action,
                reason=audit.reason,
                duration_minutes=audit.minutes,
                triggered_by=by,
                previous_ai_mode=self.before.ai_mode,
                new_ai_mode=self.session.ai_mode,
                via=via,
                handoff=self.handoff_number or None,
                at=self.now,
                version=self.version,
            ),
        )

    def _by(self, rule: str) -> tuple[str, str]:
        """Who and by which way: a person's id, or `system` and then the timer, ticket, rule or party (I29)."""
        actor = self.actor
        if actor.is_person:
            return actor.id, actor.via
        if self.event.type == "timer.fired":
            return "system", f"timer:{self.event.kind}"
        if link := getattr(self.event, "link", None):
            return "system", f"ticket:{link}"
        return "system", f"rule:{rule}" if actor.kind is ActorKind.SYSTEM else actor.kind.value

    def _entry(self, kind: str, rule: str, text: str, version: int, data: Mapping[str, str]) -> TimelineEntry:
        actor = self.actor
        return TimelineEntry(
            kind=kind,
            rule=rule,
            text=text,
            at=self.now,
            actor_id=actor.id,
            actor_name=actor.name,
            via=actor.via,
            version=version,
            data=data,
        )
