"""Who acts: where a workspace keeps a list of its members, a person who acts must stand in it and may do so by role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from handoff_sync.api.auth import Caller
from handoff_sync.api.deps import ApiDeps
from handoff_sync.api.problems import ProblemError
from handoff_sync.core.events import DecisionAccepted, DecisionDeclined, DecisionUndone, Event, HumanMessage
from handoff_sync.core.model import Actor, ActorKind, AuthorClass, Person
from handoff_sync.store.admin.members import mailbox
from handoff_sync.store.rows import MemberRow, Role

_DECISIONS: Final = (DecisionAccepted, DecisionDeclined, DecisionUndone)


@dataclass(frozen=True, slots=True)
class People:
    """The members of a workspace; without any, everybody is who they say."""

    members: tuple[MemberRow, ...] = field(default=(), repr=False)

    def checked(self, event: Event) -> Event:
        """The event by the member whom it names, with the name that we know.

        Raises:
            ProblemError: 422 `unknown_member`; 403 `role_forbidden` for an agent who decides.
        """
        if not self.members or event.actor.kind is not ActorKind.MEMBER:
            return event
        member = self._named(event.actor.id)
        if member.role is Role.AGENT and isinstance(event, _DECISIONS):
            text = "An agent may not decide about a handover: an admin or an owner of the workspace does."
            raise ProblemError(403, "role_forbidden", text)
        actor = replace(event.actor, id=member.id, name=member.name or event.actor.name, email=member.email)
        return replace(event, actor=actor) if not isinstance(event, HumanMessage) else _said_by(event, actor)

    def _named(self, who: str) -> MemberRow:
        address = mailbox(who)
        for member in self.members:
            if who == member.id or address == member.email:
                return member
        text = "There is no such member in this workspace: name one by id or e-mail address, or add them first."
        raise ProblemError(422, "unknown_member", text)


NOBODY: Final = People()


async def people_for(deps: ApiDeps, caller: Caller, actors: Iterable[Actor]) -> People:
    """The members, read only where a person acts."""
    if not any(actor.kind is ActorKind.MEMBER for actor in actors):
        return NOBODY
    return People(await deps.quick(deps.lookups.members, caller.workspace_id))


def _said_by(event: HumanMessage, actor: Actor) -> HumanMessage:
    author = event.message.author
    if author is None or event.message.author_class is not AuthorClass.HUMAN:
        return replace(event, actor=actor)
    known = Person(id=actor.id, name=actor.name, avatar=author.avatar)
    return replace(event, actor=actor, message=replace(event.message, author=known))
