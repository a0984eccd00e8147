"""What people and the AI say (rules T1 to T10, T40 to T42)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from handoff_sync.core.effects import DeliverToCustomer, Outcome, StoredMessage, Verdict
from handoff_sync.core.events import (
    AiMessageProposed,
    AiMessageSent,
    CustomerMessage,
    HumanMessage,
    SessionStarted,
    SessionSuperseded,
)
from handoff_sync.core.machine import links
from handoff_sync.core.machine.assignment import cancel_grace
from handoff_sync.core.machine.endings import may_reopen, reopen_by_customer
from handoff_sync.core.machine.sides import Entry, enter_human, hold, not_running
from handoff_sync.core.machine.step import Step
from handoff_sync.core.model import AuthorClass, Control, Customer, Message, Person, Phase, Responder, Status, Trigger
from handoff_sync.core.policy import BlockedText


def on_started(step: Step, event: SessionStarted) -> Outcome:
    """T1. A start for a conversation that has a session brings what is known of the customer up to date."""
    phase = step.session.phase
    if phase is Phase.ARCHIVED:
        return step.elsewhere("T7")
    if phase is Phase.RESOLVED:
        if may_reopen(step.session, step.policy, step.now):
            return step.unchanged("T1", "resolved", "The session opens again with the customer's next message.")
        return step.elsewhere("T6")
    known = step.session.customer if event.customer == Customer() else event.customer
    step.change(channel=event.channel, customer=known, team=event.team or step.session.team)
    return step.done("T1", "The session started." if step.before.version == 0 else "The customer's details changed.")


def on_superseded(step: Step, event: SessionSuperseded) -> Outcome:
    if step.session.status is Status.OPEN:
        return step.ignored("T6", "open", "An open session is the one that the conversation goes on in.")
    step.change(next_session_id=event.next_session)
    return step.done("T6", "The conversation went on in a new session.", data={"session": event.next_session})


# --- the customer ------------------------------------------------------------------------------------


def on_customer(step: Step, event: CustomerMessage) -> Outcome:
    match step.session.phase:
        case Phase.AI | Phase.AI_DECIDING:
            rule = "T1" if step.before.version == 0 else "T2" if step.session.phase is Phase.AI else "T3"
            step.store(event.message, public=True)
            return step.done(rule, "The customer wrote.")
        case Phase.WAITING | Phase.HUMAN | Phase.STOPPED:
            return _to_people(step, event.message)
        case Phase.RESOLVED:
            if may_reopen(step.session, step.policy, step.now):
                return reopen_by_customer(step, event)
            return step.elsewhere("T6")
        case Phase.ARCHIVED:
            return step.elsewhere("T7")


def _to_people(step: Step, message: Message) -> Outcome:
    """T4 and T58. A solved ticket is opened again, a closed one followed up: somebody must see the message."""
    cancel_grace(step)
    stored = step.store(message, public=True)
    for link in step.session.live_links:
        links.reopen(step, link.id)
    links.append(step, stored, public=True)
    links.follow_up(step)
    return step.done("T4", "The customer wrote.")


# --- the AI ---------------------------------------------------------------------------------------------


def on_proposed(step: Step, event: AiMessageProposed) -> Outcome:
    """The gate: allow, draft or block (T8 to T10)."""
    session = step.session
    if event.epoch != session.control_epoch:
        return _block(step, event.message, "stale_epoch")
    if session.control is Control.AI:
        cause = not_running(step)
        return step.allowed("T8") if cause is None else _block(step, event.message, cause[0])
    if session.human_handoff and session.copilot:
        return _draft(step, event.message)
    return _block(step, event.message, session.phase.value)


def _draft(step: Step, message: Message) -> Outcome:
    stored = step.store(message, public=False, kind="draft")
    links.append(step, stored, public=False)
    return step.done("T9", "The AI drafted an answer; the customer does not see it.", verdict=Verdict.DRAFT)


def _block(step: Step, message: Message, cause: str) -> Outcome:
    step.audit("interaction_blocked", cause)
    return step.done(
        "T10",
        f"A message of the AI was blocked: {cause.replace('_', ' ')}.",
        code=cause,
        detail=f"The AI may not speak: {cause.replace('_', ' ')}.",
        data={"cause": cause, **_kept(step.rules.blocked_text, message.text)},
        verdict=Verdict.BLOCK,
    )


def _kept(choice: BlockedText, text: str) -> dict[str, str]:
    match choice:
        case BlockedText.DISCARD:
            return {}
        case BlockedText.KEEP_HASH:
            return {"text_sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}
        case BlockedText.KEEP_TEXT:
            return {"text": text}


def on_sent(step: Step, event: AiMessageSent) -> Outcome:
    """Said already, so it belongs in the transcript; people who have taken over must see that it was said."""
    stored = step.store(event.message, public=True)
    _answered(step, event.message, AuthorClass.AI)
    if step.session.control is Control.HUMAN:
        links.append(step, stored, public=False)
    return step.done("T1" if step.before.version == 0 else "T8", "The AI wrote.")


# --- people ------------------------------------------------------------------------------------------------


def on_human(step: Step, event: HumanMessage) -> Outcome:
    match event.message.author_class:
        case AuthorClass.AUTOMATION:
            return store_automation(step, event.message)
        case AuthorClass.HUMAN:
            return human_reply(step, event.message, None)
        case AuthorClass.CUSTOMER | AuthorClass.AI:
            return step.ignored("T40", "author_class", "A human message must come from a human or an automation.")


def store_automation(step: Step, message: Message) -> Outcome:
    """T42: kept for people to read; it takes nothing over and goes nowhere."""
    step.store(message, public=False)
    return step.done("T42", "An automation wrote; the customer does not get it.")


def human_reply(step: Step, message: Message, origin: str | None) -> Outcome:
    """T40, T41: a person answers, and so has the session. `origin` is the link it was written on."""
    phase = step.session.phase
    if phase in (Phase.RESOLVED, Phase.ARCHIVED):
        return step.refused("T40", phase.value, f"The session is {phase.value}: hand it over again to answer.")
    author = message.author or step.person
    stored = deliver(step, replace(message, author=author), step.rules.disclose_human)
    match phase:
        case Phase.AI | Phase.AI_DECIDING | Phase.STOPPED:
            enter_human(step, Entry(trigger=Trigger.HUMAN_REPLY, assignee=author))
        case Phase.WAITING:
            step.audit("claim", "human_reply")
            hold(step, author)
        case _:
            pass
    links.append(step, stored, public=False, leave_out=origin)
    rule = "T41" if phase in (Phase.AI, Phase.AI_DECIDING) else "T40"
    return step.done(rule, f"{author.name or author.id} answered the customer.")


def deliver(step: Step, message: Message, disclose: bool) -> StoredMessage:
    """Stores a human's words and sends them; without a name where the policy does not disclose people."""
    stored = step.store(message, public=True)
    named = message if disclose else replace(message, author=None)
    step.emit(DeliverToCustomer(message=named))
    _answered(step, message, AuthorClass.HUMAN)
    return stored


def _answered(step: Step, message: Message, author_class: AuthorClass) -> None:
    who = message.author or Person(id=step.actor.id, name=step.actor.name)
    responder = Responder(author_class=author_class, id=who.id, name=who.name, avatar=who.avatar)
    step.change(last_responder=responder)
    if author_class is AuthorClass.HUMAN and step.session.running_handoff is not None:
        step.change_handoff(relied_at=step.now)
