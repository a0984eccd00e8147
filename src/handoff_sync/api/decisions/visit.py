"""Who is looking at which question, and how that question stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from handoff_sync.api.decisions.words import Words
from handoff_sync.core.machine.undo import undoable_until
from handoff_sync.core.model import Actor, ActorKind, Decision, DecisionState, Handoff, Session
from handoff_sync.store.rows import DecisionLinkRow, MemberRow, Role


class Standing(StrEnum):
    """PENDING: decide. DECIDED: see who did. FOLLOWED: another question came later. EXPIRED, REVOKED: the link died."""

    PENDING = "pending"
    DECIDED = "decided"
    FOLLOWED = "followed"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One look at the page."""

    token: str
    link: DecisionLinkRow
    session: Session
    member: MemberRow | None
    workspace_name: str
    words: Words
    now: datetime

    @property
    def standing(self) -> Standing:
        if self.link.revoked_at is not None:
            return Standing.REVOKED
        decision = self.decision
        if decision is None:
            return Standing.FOLLOWED
        if decision.state is not DecisionState.PENDING:
            return Standing.DECIDED
        return Standing.PENDING if self.now < self.link.expires_at else Standing.EXPIRED

    @property
    def decision(self) -> Decision | None:
        """The decision of the link's handoff, while it is the session's latest."""
        decision = self.session.decision
        return decision if decision is not None and decision.handoff == self.link.handoff else None

    @property
    def handoff(self) -> Handoff:
        return self.session.handoffs[self.link.handoff - 1]

    @property
    def actor(self) -> Actor:
        """Whoever holds the link: a member under their own id, anybody else under their address."""
        if self.member is not None:
            name = self.member.name or self.link.recipient_name
            return Actor(
                kind=ActorKind.MEMBER, id=self.member.id, name=name, email=self.member.email, via="mail"
            )  # fmt: skip
        return Actor(
            kind=ActorKind.MEMBER,
            id=self.link.recipient,
            name=self.link.recipient_name,
            email=self.link.recipient,
            via="mail",
        )

    @property
    def may_decide(self) -> bool:
        return self.member is None or self.member.role is not Role.AGENT

    @property
    def undo_until(self) -> datetime | None:
        return undoable_until(self.session, self.actor, self.now) if self.decision is not None else None

    def is_me(self, who: Actor | None) -> bool:
        return who is not None and (who.kind, who.id) == (self.actor.kind, self.actor.id)
