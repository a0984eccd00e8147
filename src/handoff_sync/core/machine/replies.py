"""Words written in the helpdesk: replies and notes (rules T55, T56, T62)."""

from __future__ import annotations

from dataclasses import replace

from handoff_sync.core.commands import is_command
from handoff_sync.core.effects import NoteOnTicket, Outcome
from handoff_sync.core.events import TicketPublicReply
from handoff_sync.core.machine import links
from handoff_sync.core.machine.messages import deliver, human_reply, store_automation
from handoff_sync.core.machine.orders import Written, carry_out
from handoff_sync.core.machine.sides import Entry, enter_human
from handoff_sync.core.machine.step import Step
from handoff_sync.core.machine.texts import SLIPPED, not_delivered
from handoff_sync.core.machine.tickets import GONE, unknown_link
from handoff_sync.core.model import AuthorClass, Message, Phase, TicketLink, Trigger
from handoff_sync.core.policy import LateReply


def on_public_reply(step: Step, event: TicketPublicReply) -> Outcome:
    """T55: by author class, and by whether the ticket's handoff still runs."""
    link = links.find(step.session, event.link)
    if link is None:
        return unknown_link(step, "T55")
    if link.state in GONE:
        return step.ignored("T55", link.state.value, f"The ticket is {link.state.value}.")
    match event.message.author_class:
        case AuthorClass.AUTOMATION:
            return store_automation(step, event.message)
        case AuthorClass.CUSTOMER | AuthorClass.AI:
            return step.ignored("T55", "author_class", "Only what a human writes on a ticket is delivered.")
        case AuthorClass.HUMAN:
            message = replace(event.message, author=event.message.author or step.person)
    if is_command(message.text):
        return _slip(step, link, message)
    if step.session.phase is Phase.STOPPED or links.serves(step.session, link):
        return human_reply(step, message, link.id)
    return _late(step, link, message)


def _slip(step: Step, link: TicketLink, message: Message) -> Outcome:
    """T56: a command that was meant as a note is obeyed; nothing of it is delivered, nor what stands below (I11)."""

    def keep(working: Step) -> None:
        working.store(message, public=False, kind="note")

    return carry_out(step, Written(link=link, name=message.id, text=message.text, prepare=keep, remark=SLIPPED))


def _late(step: Step, link: TicketLink, message: Message) -> Outcome:
    """T62: the ticket's handoff is over. Delivered or refused, never silent, and no newer handoff changes (I13)."""
    choice = step.aftermath.late_reply
    if choice is LateReply.REFUSE_WITH_NOTE:
        step.store(message, public=False)
        text = not_delivered("the conversation with a human is over. Hand it over again to answer.")
        step.emit(NoteOnTicket(link=link.id, name=f"refused:{message.id}", text=text))
        return step.done("T62", "A late reply was refused; the agent was told.", code="refused", detail=text)
    stored = deliver(step, message, step.aftermath.disclose_human)
    if choice is LateReply.DELIVER_AND_RETAKE and _may_retake(step):
        action = "reopen" if step.session.phase is Phase.RESOLVED else "pause_activated"
        enter_human(step, Entry(trigger=Trigger.HUMAN_REPLY, assignee=message.author, action=action))
        links.append(step, stored, public=False, leave_out=link.id)
        return step.done("T62", "A late reply was delivered and took the session back.")
    return step.done("T62", "A late reply was delivered; control stays as it is.")


def _may_retake(step: Step) -> bool:
    """From the AI or a resolved session; never from an archived one, nor one that went on elsewhere."""
    session = step.session
    return session.phase in (Phase.AI, Phase.AI_DECIDING, Phase.RESOLVED) and session.next_session_id is None
