"""Commands written in the ticket (row T56): carried out like any other event, and always answered by a note."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from handoff_sync.core.commands import Mistake, Ordered, Question, read
from handoff_sync.core.effects import NoteOnTicket, Outcome, Verdict
from handoff_sync.core.explain import explain
from handoff_sync.core.machine import assignment, control, decisions, endings, links
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import COMMANDS
from handoff_sync.core.model import Phase, TicketLink

_HANDLERS: Final[Mapping[str, Callable[[Step, Any], Outcome]]] = {
    "resume": control.on_resume,
    "pause": control.on_pause,
    "extend": control.on_extend,
    "stop": control.on_stop,
    "reset": control.on_reset,
    "copilot.set": control.on_copilot,
    "decision.accepted": decisions.on_accepted,
    "decision.declined": decisions.on_declined,
    "claim": assignment.on_claim,
    "resolve": endings.on_resolve,
}
_OUTDATED: Final = "this ticket belongs to a handoff that is over; use the newer ticket."


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A command as it stands in the ticket.

    `name` makes the answer unique on its ticket. `prepare` is what the event means beside the command; it is done
    whether the command is or not. `remark` is told with the answer, whatever the answer is.
    """

    link: TicketLink
    name: str
    text: str
    prepare: Callable[[Step], None] = lambda step: None
    remark: str = ""

    def answer(self, text: str) -> tuple[NoteOnTicket, ...]:
        """Nothing can be said on a ticket that is final."""
        words = " ".join(filter(None, (text, self.remark)))
        note = NoteOnTicket(link=self.link.id, name=f"answer:{self.name}", text=words)
        return (note,) if self.link.is_live else ()


def carry_out(step: Step, command: Written) -> Outcome:
    """Does what the command says and answers it on its ticket."""
    command.prepare(step)
    order = read(command.text, id=step.event.id, at=step.event.at, actor=step.actor)
    match order:
        case Question(topic=topic):
            return _answer(step, command, _reply(step, topic))
        case Mistake(hint=hint):
            return _answer(step, command, hint, code="not_understood")
        case _:
            return _obey(step, command, order)


def _obey(step: Step, command: Written, order: Ordered) -> Outcome:
    if step.session.human_handoff and not links.serves(step.session, command.link):
        return _answer(step, command, f"Not done: {_OUTDATED}", code="outdated_ticket")
    outcome = _HANDLERS[order.type](step, order)
    if outcome.verdict is Verdict.APPLIED:
        warning = f" Beware: {outcome.detail}." if outcome.code else ""
        said = command.answer(f"Done. {outcome.timeline[0].text}{warning}")
        return replace(outcome, effects=(*outcome.effects, *said))
    again = Step(step.before, step.event, step.policy, step.now)
    command.prepare(again)
    start = "Nothing to do" if outcome.verdict is Verdict.UNCHANGED else "Not done"
    return _answer(again, command, f"{start}: {outcome.detail}", code=outcome.code)


def _answer(step: Step, command: Written, text: str, code: str = "") -> Outcome:
    step.emit(*command.answer(text))
    return step.done("T56", "A command in the ticket was answered.", code=code, detail=text)


def _reply(step: Step, topic: str) -> str:
    if topic == "help":
        return COMMANDS
    told = explain(step.session, step.policy)
    if topic == "why" or step.session.phase is Phase.ARCHIVED:
        return told.sentence
    return "\n".join([told.sentence, *(f"{fact}: {what}" for fact, what in told.rows)])
