"""From an answer on the page to an event of the session."""

from __future__ import annotations

from handoff_sync.api.decisions.form import Answer, Rejected
from handoff_sync.api.decisions.question import Problem
from handoff_sync.api.decisions.visit import Standing, Visit
from handoff_sync.api.deps import ApiDeps
from handoff_sync.core.effects import Verdict
from handoff_sync.core.events import DecisionAccepted, DecisionDeclined, DecisionUndone, Event, NoteAdded
from handoff_sync.service.apply import Applied, on_session
from handoff_sync.service.decision_links import TRIES, DecisionLinks, fits
from handoff_sync.store.committer import Job
from handoff_sync.store.ids import new_id
from handoff_sync.store.unit import UnitOfWork

_WHY = {
    "stale_decision": "wrong.again",
    "customer_was_answered": "wrong.answered",
    "too_late": "wrong.late",
}
"""Codes of the core that have words of their own here; the rest: the session has moved on."""


async def decide(deps: ApiDeps, links: DecisionLinks, visit: Visit, answer: Answer, origin: str) -> int:
    """Applies the answer and returns the version of the decision that it settled. Rejected says why it does not count;
    who was first, the page then tells."""
    if answer.choice != "undo":
        await _check(deps, links, visit, answer)
    elif not visit.may_decide:
        raise Rejected(403, Problem(key="wrong.role"))
    deps.intake()
    event = _event(visit, answer, origin)
    applied = await deps.commit(_job(visit, event, answer.note))
    deps.metrics.event(event.type, applied.verdict)
    if applied.verdict is not Verdict.APPLIED:
        key = "" if applied.code == "already_decided" else _WHY.get(applied.code, "wrong.moved")
        raise Rejected(409, Problem(key=key, note=answer.note))
    return answer.rendering.version


async def _check(deps: ApiDeps, links: DecisionLinks, visit: Visit, answer: Answer) -> None:
    """Whether this person may decide with this link now."""
    if visit.standing is not Standing.PENDING:
        raise Rejected(409, Problem(key=""))
    if not visit.may_decide:
        raise Rejected(403, Problem(key="wrong.role"))
    if not visit.handoff.policy.decision_code:
        return
    if visit.link.tries >= TRIES:
        raise Rejected(403, Problem(key="wrong.locked"))
    if not fits(visit.link, visit.token, answer.code):
        left = await deps.read(links.wrong_code, visit.link)
        key = "wrong.code" if left else "wrong.locked"
        raise Rejected(403, Problem(key=key, left=left, note=answer.note))


def _event(visit: Visit, answer: Answer, origin: str) -> Event:
    id, at, actor, version = new_id("dec"), visit.now, visit.actor, answer.rendering.version
    match answer.choice:
        case "accept":
            return DecisionAccepted(id=id, at=at, actor=actor, version=version, claim=answer.claim, origin=origin)
        case "decline":
            return DecisionDeclined(id=id, at=at, actor=actor, version=version, origin=origin)
        case _:
            return DecisionUndone(id=id, at=at, actor=actor, version=version, origin=origin)


def _job(visit: Visit, event: Event, note: str) -> Job[Applied]:
    """The decision and, where it counted, the note beside it, in one transaction."""
    place = visit.link.workspace_id, visit.link.session_id
    decided = on_session(*place, event)
    said = on_session(*place, NoteAdded(id=f"{event.id}#note", at=event.at, actor=event.actor, text=note))

    def run(uow: UnitOfWork) -> Applied:
        applied = decided.run(uow)
        if note and applied.verdict is Verdict.APPLIED:
            said.run(uow)
        return applied

    return Job(run=run, sessions=decided.sessions, inbox=(*decided.inbox, *said.inbox))
