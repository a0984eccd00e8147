"""The invariants of domain.md section 11 as checks of one step, given all that came before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from handoff_sync.core import events as ev
from handoff_sync.core.effects import (
    AlertOps,
    AppendToTicket,
    DeliverToCustomer,
    MailAdmin,
    MailCustomer,
    NoteOnTicket,
    OpenTicket,
    Outcome,
    QuotaChanged,
    SessionChange,
    SessionChanged,
    SetAiMode,
    SetTicketStatus,
    Verdict,
    Visibility,
)
from handoff_sync.core.machine import decide
from handoff_sync.core.model import (
    AiMode,
    AuthorClass,
    Control,
    DecisionState,
    HandoffState,
    Phase,
    Session,
    TimerKind,
)
from handoff_sync.core.policy import MailKind
from tests.core.talk import ANA, RULE, Talk, claim, handover, ids, of, reset, resolve

PASSIVE = (Verdict.UNCHANGED, Verdict.IGNORED, Verdict.REFUSED, Verdict.NEW_SESSION)
STANDING = ("interaction_blocked", "extend_pause", "pause_changed", "reset")
"""Pause log rows that need no change of mode."""


@dataclass
class Watch:
    """Looks at every step of one session."""

    mode: AiMode = AiMode.AUTO
    keys: set[str] = field(default_factory=set)
    quota: int = 0
    told: dict[int, int] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Watch:
        return replace(self, keys=set(self.keys), told=dict(self.told), heard=dict(self.heard))

    def see(self, before: Session, event: ev.Event, outcome: Outcome, talk: Talk) -> None:
        after = outcome.session
        self.versions(before, outcome)
        self.licence(before, event, outcome)
        self.audit(before, after, outcome)
        self.shape(after)
        self.only_grows(before, event, outcome)
        self.once(outcome)
        self.customer(before, event, outcome)
        self.tickets(before, event, outcome)
        self.ended_handoffs(before, event, after)
        self.automatic_returns(before, event, after)
        self.somebody_knows(after, outcome)

    def versions(self, before: Session, outcome: Outcome) -> None:
        after = outcome.session
        if outcome.verdict in PASSIVE:
            assert after == before
            assert not (outcome.effects or outcome.messages or outcome.pause_log)
        else:
            quiet = outcome.verdict is Verdict.ALLOW and before.version > 0
            assert after.version == before.version + (0 if quiet else 1)
        assert all(entry.version == after.version for entry in outcome.timeline)

    def licence(self, before: Session, event: ev.Event, outcome: Outcome) -> None:
        """I1, I2, I18: who may speak, and that every turn takes away the licences given before."""
        after = outcome.session
        if isinstance(event, ev.AiMessageProposed):
            running = before.agent_running and before.channel_running
            fits = before.control is Control.AI and event.epoch == before.control_epoch and running
            assert (outcome.verdict is Verdict.ALLOW) == fits
        assert all(effect.message.author_class is AuthorClass.HUMAN for effect in of(outcome, DeliverToCustomer))
        assert after.control_epoch >= before.control_epoch
        speakers = [(s.control, s.copilot, s.phase is Phase.STOPPED) for s in (before, after)]
        if speakers[0] != speakers[1]:
            assert after.control_epoch > before.control_epoch
        if before.ai_mode is not after.ai_mode or before.control_epoch != after.control_epoch:
            (told,) = of(outcome, SetAiMode)
            assert (told.previous, told.new, told.epoch) == (before.ai_mode, after.ai_mode, after.control_epoch)

    def audit(self, before: Session, after: Session, outcome: Outcome) -> None:
        """I3, I29."""
        rows = outcome.pause_log
        changed = before.phase is not after.phase or before.ai_mode is not after.ai_mode
        assert len(rows) <= 1
        assert changed <= bool(rows)
        for row in rows:
            assert changed or row.action in STANDING
            assert (row.previous_ai_mode, row.new_ai_mode) == (self.mode, after.ai_mode)
            assert row.version == after.version
            self.mode = row.new_ai_mode
            if row.triggered_by == "system":
                assert row.via.startswith(("timer:", "ticket:", "rule:")) or row.via in ("ai", "platform", "customer")
            else:
                assert row.triggered_by.startswith(("m-", "zd:", "ic:"))
        assert self.mode is after.ai_mode

    def shape(self, session: Session) -> None:
        """I6, I7, I14 to I16, and what domain.md section 3 says of the phases."""
        running = [handoff for handoff in session.handoffs if handoff.state is not HandoffState.ENDED]
        assert len(running) <= 1
        assert [handoff.number for handoff in session.handoffs] == list(range(1, len(session.handoffs) + 1))
        states = {
            Phase.AI_DECIDING: [HandoffState.DECIDING],
            Phase.WAITING: [HandoffState.OPEN],
            Phase.HUMAN: [HandoffState.CLAIMED],
        }
        assert [handoff.state for handoff in running] == states.get(session.phase, [])
        pending = session.decision is not None and session.decision.state is DecisionState.PENDING
        assert pending == (session.phase is Phase.AI_DECIDING)
        assert (session.assignee is not None) == (session.phase is Phase.HUMAN)
        live = [link.connection for link in session.live_links]
        assert len(live) == len(set(live))
        assert len({link.key for link in session.links}) == len(session.links)
        assert len({link.id for link in session.links}) == len(session.links)
        assert all(timer.epoch == session.control_epoch for timer in session.timers)
        ends = [timer.fires_at for timer in session.timers if timer.kind is TimerKind.PAUSE]
        if session.paused_until is not None:
            assert session.human_handoff
            assert ends == [session.paused_until] or (session.return_pending is not None and not ends)
        else:
            assert not ends
        assert session.human_handoff or not session.copilot
        assert session.control is Control.HUMAN or session.return_pending is None
        if session.phase in (Phase.RESOLVED, Phase.ARCHIVED):
            assert not session.timers and not pending and not running
        if any(handoff.ever_open for handoff in session.handoffs):
            assert session.counts_as_ai_resolution is False  # I20

    def only_grows(self, before: Session, event: ev.Event, outcome: Outcome) -> None:
        """I17, I19, I24: what was decided or is over stays so, unless whoever decided takes it back (T68)."""
        after, undone = outcome.session, isinstance(event, ev.DecisionUndone)
        assert [stored.seq for stored in outcome.messages] == list(
            range(before.message_count + 1, after.message_count + 1)
        )
        assert [link.id for link in after.links][: len(before.links)] == [link.id for link in before.links]
        assert len(after.handoffs) >= len(before.handoffs)
        for old, new in zip(before.handoffs, after.handoffs, strict=False):
            assert new.policy is old.policy
            assert old.state is not HandoffState.ENDED or new == old or (undone and old is before.handoffs[-1])
        was, now = before.decision, after.decision
        if was is not None and was.state is not DecisionState.PENDING:
            assert now == was or (now is not None and (now.handoff > was.handoff or undone))
            if undone and now != was:
                assert was.decided_by == event.actor
                assert now is not None and now.state is DecisionState.PENDING

    def once(self, outcome: Outcome) -> None:
        """I20, I23: keys are never used for a second thing."""
        self.quota += len(of(outcome, QuotaChanged))
        assert self.quota <= 1
        for effect in outcome.effects:
            repeats = isinstance(effect, AlertOps) or (
                isinstance(effect, MailAdmin) and effect.kind in (MailKind.REMINDER, MailKind.TICKET_FAILED)
            )
            assert repeats or effect.key not in self.keys, effect.key
            self.keys.add(effect.key)

    def customer(self, before: Session, event: ev.Event, outcome: Outcome) -> None:
        """I10, I11, I22, I30: what customers say is kept, and what is private never reaches them."""
        stored = {entry.message.id: entry for entry in outcome.messages}
        delivered = of(outcome, DeliverToCustomer)
        for effect in delivered:
            assert stored[effect.message.id].visibility is Visibility.PUBLIC
        for effect in of(outcome, AppendToTicket):
            assert effect.public == (effect.message.author_class is AuthorClass.CUSTOMER)
        if isinstance(event, ev.CustomerMessage):
            assert outcome.verdict is Verdict.NEW_SESSION or event.message.id in stored
        if isinstance(event, ev.TicketPublicReply) and outcome.verdict is Verdict.APPLIED:
            told = [note for note in of(outcome, NoteOnTicket) if note.name.startswith("refused:")]
            human = event.message.author_class is AuthorClass.HUMAN
            assert len(delivered) + len(told) == (1 if human else 0)
        resolved = [e for e in of(outcome, SessionChanged) if e.change is SessionChange.RESOLVED]
        markers = [entry for entry in outcome.messages if entry.kind == "marker"]
        assert [effect.marker for effect in resolved] == [entry.message.text for entry in markers]
        assert len(markers) == (outcome.session.phase is Phase.RESOLVED and before.phase is not Phase.RESOLVED)

    def tickets(self, before: Session, event: ev.Event, outcome: Outcome) -> None:
        """I9, I12: everything arrives in order, and what we write is no news when it comes back."""
        after = outcome.session
        for effect in outcome.effects:
            if isinstance(effect, OpenTicket):
                self.heard[effect.link] = effect.through_seq
            elif isinstance(effect, NoteOnTicket) and effect.through_seq:
                assert effect.after_seq <= effect.through_seq
                self.heard[effect.link] = max(effect.through_seq, self.heard[effect.link])
            elif isinstance(effect, AppendToTicket):
                assert effect.seq > self.heard[effect.link]
                self.heard[effect.link] = effect.seq
        if isinstance(event, ev.CustomerMessage) and before.control is Control.HUMAN:
            seq = next(entry.seq for entry in outcome.messages if entry.message.id == event.message.id)
            assert all(self.heard[link.id] >= seq for link in after.live_links)
        for effect in of(outcome, SetTicketStatus):
            back = ev.TicketStatusChanged(**ids(), actor=RULE, link=effect.link, status=effect.status)
            echo = decide(after, back, after.handoffs[-1].policy, outcome.timeline[0].at)
            assert echo.session == after and not echo.effects

    def ended_handoffs(self, before: Session, event: ev.Event, after: Session) -> None:
        """I13."""
        link_id, running = getattr(event, "link", None), before.running_handoff
        link = next((link for link in before.links if link.id == link_id), None)
        if link is None or running is None or link.serves == running.number:
            return
        asked = isinstance(event, ev.TicketPublicReply | ev.TicketNote | ev.TicketTagged)
        retaken = asked and before.phase is Phase.AI_DECIDING
        if not retaken:
            assert (after.phase, after.assignee, after.control_epoch) == (
                before.phase,
                before.assignee,
                before.control_epoch,
            )

    def automatic_returns(self, before: Session, event: ev.Event, after: Session) -> None:
        """I21."""
        if before.control is Control.HUMAN and after.control is Control.AI:
            by_request = event.actor.is_person and not event.type.startswith("ticket.status")
            assert by_request or (after.agent_running and after.channel_running)

    def somebody_knows(self, after: Session, outcome: Outcome) -> None:
        """I8: counted per handoff: tickets, mails, alerts."""
        number = len(after.handoffs)
        signs = [
            effect
            for effect in outcome.effects
            if isinstance(effect, OpenTicket | MailAdmin | MailCustomer)
            or (isinstance(effect, NoteOnTicket) and effect.name == f"handoff:{number}")
            or (isinstance(effect, AlertOps) and effect.kind == "handoff_unheard")
        ]
        self.told[number] = self.told.get(number, 0) + len(signs)
        if after.phase is Phase.WAITING:
            assert self.told[number] > 0


def ways_out(talk: Talk) -> None:
    """I28: an admin can always give the session back to the AI, and always resolve it."""
    session = talk.session
    if session.phase in (Phase.RESOLVED, Phase.ARCHIVED):
        return
    back = decide(session, reset(), talk.policy, talk.now).session
    assert back.phase is Phase.AI
    for event in (handover(ANA), claim(ANA, force=True), resolve(ANA)):
        session = decide(session, event, replace(talk.policy, handover_enabled=True), talk.now).session
    assert session.phase is Phase.RESOLVED


def timers_are_safe(talk: Talk) -> None:
    """I14: a timer of an earlier turn, or fired too early, does nothing."""
    for timer in talk.session.timers:
        stale = ev.TimerFired(**ids(), kind=timer.kind, epoch=timer.epoch - 1)
        early = ev.TimerFired(**ids(), kind=timer.kind, epoch=timer.epoch)
        assert decide(talk.session, stale, talk.policy, timer.fires_at).session == talk.session
        if talk.now < timer.fires_at:
            assert decide(talk.session, early, talk.policy, talk.now).session == talk.session
