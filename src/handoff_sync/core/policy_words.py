"""A policy in plain sentences: what will happen, in the order in which a handoff goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from handoff_sync.core.machine.sides import SHORTEST_REMINDED
from handoff_sync.core.phrases import counted, hours, joined, listed, minutes, quoted, seconds
from handoff_sync.core.policy import (
    AfterResolve,
    BlockedText,
    CloseRule,
    ConnectionRule,
    LateReply,
    MailKind,
    Mode,
    OnClaimTimeout,
    OnDecisionExpiry,
    OnResolveTicket,
    Outcome,
    Policy,
    Recipient,
    Scenario,
    TicketOnPause,
)

Sentences = Iterator[str]

_LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "pt": "Portuguese", "es": "Spanish"}
_KINDS: Final[Mapping[MailKind, str]] = {
    MailKind.HANDOVER: "handovers",
    MailKind.DECISION_NEEDED: "decisions that are needed",
    MailKind.DECIDED: "decisions that others made",
    MailKind.REMINDER: "customers who still wait",
    MailKind.TICKET_FAILED: "tickets that could not be opened",
    MailKind.CONNECTION_DOWN: "helpdesks that refuse us",
}
_NOTICES: Final[Mapping[str, str]] = {
    "on_handover": "When people are called",
    "on_join": "When somebody joins",
    "on_return": "When the AI takes over again",
    "on_resolve": "When the session is resolved",
}


def sentences(policy: Policy, names: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """What will happen under the policy, a sentence or two for each step.

    Args:
        names: The names of the workspace's connections by id. Of those that are switched on, in the order in which
            tickets are opened where the policy names none.
    """
    known = names or {}
    return (
        *_plan(policy),
        *_asking(policy),
        *_deciding(policy),
        *_mailed(policy),
        *_silence(policy),
        *_tickets(policy, known),
        *_pausing(policy),
        *_answering(policy),
        *_waiting(policy),
        *_solving(policy),
        *_returning(policy),
        *_resolving(policy),
        *_late(policy),
        *_told(policy),
    )


# --- who may ask -------------------------------------------------------------------------------------------


def _plan(policy: Policy) -> Sentences:
    if not policy.handover_enabled:
        where = f"; whoever tries is sent to {policy.upgrade_url}" if policy.upgrade_url else ""
        yield f"Handovers are not part of the plan: every handover and pause is refused{where}."
        yield "Were they part of it, this would happen:"


def _asking(policy: Policy) -> Sentences:
    yield "People of the team may take over any session at any moment, whatever is said below."
    match policy.handover_mode:
        case Mode.AUTOMATIC:
            yield "When the AI asks for a human, it stops at once and people take over; nobody is asked first."
        case Mode.SEMI_AUTOMATIC:
            yield "When the AI asks for a human, it answers on while an admin decides; the first decision counts."
        case Mode.MANUAL_ONLY:
            yield "When the AI asks for a human, nothing happens: only people start a handover."
    for scenario in policy.scenarios:
        if scenario.enabled:
            yield _scenario(scenario, policy)
    if off := [quoted(one.title) for one in policy.scenarios if not one.enabled]:
        yield f"Switched off, so that nothing happens when the AI names them: {listed(off)}."
    if not policy.scenarios:
        yield "No scenarios are set: the AI goes by its own instructions when it asks."


def _scenario(one: Scenario, policy: Policy) -> str:
    does = {
        Mode.AUTOMATIC: "people take over at once",
        Mode.SEMI_AUTOMATIC: "an admin is asked",
        Mode.MANUAL_ONLY: "nothing happens, only people start a handover",
    }[one.mode or policy.handover_mode]
    own = " (its own mode)" if one.mode is not None else ""
    more = joined(
        (
            f"team {one.team}" if one.team else "",
            f"priority {one.priority}" if one.priority else "",
            f"tags {', '.join(one.tags)}" if one.tags else "",
        )
    )
    told = f" The AI is told: {quoted(one.instruction)}" if one.instruction else ""
    return f"Scenario {quoted(one.title)}: {does}{own}{f'; {more}' if more else ''}.{told}"


# --- the decision ------------------------------------------------------------------------------------------


def _deciding(policy: Policy) -> Sentences:
    modes = {policy.handover_mode, *(one.mode for one in policy.scenarios if one.enabled)}
    if Mode.SEMI_AUTOMATIC not in modes:
        return
    after = {
        OnDecisionExpiry.KEEP_AI: "the AI keeps the conversation",
        OnDecisionExpiry.HAND_OVER: "the conversation is handed over",
    }[policy.on_decision_expiry]
    length = minutes(policy.decision_timeout_minutes)
    yield f"If nobody decides within {length}, {after}."
    if policy.decision_timeout_minutes >= SHORTEST_REMINDED:
        yield "At half of that time, who was asked and has not decided is reminded."
    if policy.decision_code:
        yield "Who decides by the link in a mail also types the code that stands in it."
    if policy.decision_code:
        yield "Whoever decides by the link in the mail also types the code that is printed there (strict mode)."
    if policy.decline_mute_minutes:
        muted = minutes(policy.decline_mute_minutes)
        yield f"After somebody declines, the same scenario does not ask again in that session for {muted}."
    else:
        yield "After somebody declines, the same scenario may ask again at once."


# --- mails -------------------------------------------------------------------------------------------------


def _mailed(policy: Policy) -> Sentences:
    if policy.recipients:
        count = counted(len(policy.recipients), "person").replace("persons", "people")
        verb = "is" if len(policy.recipients) == 1 else "are"
        yield f"{count} {verb} mailed: {'; '.join(map(_recipient, policy.recipients))}."
    else:
        yield "Nobody is mailed."
    if policy.chat_url is not None:
        yield f"Mails and tickets link to the live chat at {policy.chat_url}."
    else:
        yield "Mails link to the ticket; there is no link to the live chat."


def _recipient(who: Recipient) -> str:
    name = f"{who.name} <{who.email}>" if who.name else who.email
    about = (
        listed([_KINDS.get(kind, kind.value.replace("_", " ")) for kind in who.kinds]) if who.kinds else "everything"
    )
    team = f" (team {who.team} only)" if who.team else ""
    return f"{name} in {_LANGUAGES.get(who.language, who.language)} about {about}{team}"


# --- the human side ----------------------------------------------------------------------------------------


def _silence(policy: Policy) -> Sentences:
    kept = {
        BlockedText.DISCARD: "nothing of its text is kept",
        BlockedText.KEEP_HASH: "only a fingerprint of its text is kept",
        BlockedText.KEEP_TEXT: "its text is kept for the team to read",
    }[policy.blocked_text]
    yield f"Once people have it, nothing of the AI reaches the customer. What it tries is blocked and noted; {kept}."


def _tickets(policy: Policy, names: Mapping[str, str]) -> Sentences:
    rules = policy.connections or tuple(ConnectionRule(connection=name) for name in names)
    if not rules:
        yield "No helpdesk is connected: no ticket is opened."
    for at, rule in enumerate(rules):
        role = "the primary one" if at == 0 and len(rules) > 1 else ""
        yield f"A ticket is opened at {names.get(rule.connection, rule.connection)}: {_rule(rule, role)}."
    if not policy.connections and names:
        yield "No connection is chosen, so tickets are opened at all that are switched on, new ones too."
    if policy.redact:
        yield "Card numbers and secrets are masked in tickets and mails."
    else:
        yield "Card numbers and secrets are not masked in tickets."


def _rule(rule: ConnectionRule, role: str) -> str:
    fields = ", ".join(f"{name} = {value}" for name, value in rule.custom_fields.items())
    return joined(
        (
            role,
            f"subject {quoted(rule.subject)}",
            f"group {rule.group}" if rule.group else "",
            f"priority {rule.priority} unless the scenario has one" if rule.priority else "",
            f"tags {', '.join(rule.tags)}" if rule.tags else "",
            f"fields {fields}" if fields else "",
        )
    )


def _pausing(policy: Policy) -> Sentences:
    length = policy.default_pause_minutes if policy.live_handback else None
    ends = "until somebody ends it" if length is None else f"for {minutes(length)}"
    if policy.live_handback:
        yield f"A pause lasts {ends} unless another length is chosen; offered are {_offered(policy)}."
    else:
        yield "A pause lasts until the session is resolved."
    yield {
        TicketOnPause.NEVER: "A pause opens no tickets.",
        TicketOnPause.INDEFINITE_ONLY: "A pause without end opens tickets as a handover does; another one does not.",
        TicketOnPause.ALWAYS: "Every pause opens tickets as a handover does.",
    }[policy.ticket_on_pause]


def _offered(policy: Policy) -> str:
    return listed(["no end" if one is None else minutes(one) for one in policy.pause_presets], "or") or "no lengths"


def _answering(policy: Policy) -> Sentences:
    yield "Whoever claims the session, is assigned to the ticket, or answers first, has it."
    if policy.disclose_human:
        yield "The customer sees who answers."
    else:
        yield "The customer does not see the name of who answers."
    if policy.customer_email_on_join and policy.disclose_human:
        yield "When somebody joins, the customer gets one mail, if the platform vouches for the address."
    else:
        yield "The customer gets no mail when somebody joins."


def _waiting(policy: Policy) -> Sentences:
    if policy.claim_reminder_minutes is not None:
        heard = any(not who.kinds or MailKind.REMINDER in who.kinds for who in policy.recipients)
        does = "who is mailed about it is reminded" if heard else "a reminder is due, which nobody gets"
        yield f"If nobody has it after {minutes(policy.claim_reminder_minutes)}, {does}."
    else:
        yield "Nobody is reminded of customers who wait."
    if policy.claim_timeout_minutes is None:
        yield "The customer waits for a human as long as it takes."
        return
    does = {
        OnClaimTimeout.KEEP: "it goes on waiting",
        OnClaimTimeout.RETURN_TO_AI: _back(policy),
        OnClaimTimeout.RESOLVE: "the session is resolved",
    }[policy.on_claim_timeout]
    yield f"If nobody has it after {minutes(policy.claim_timeout_minutes)}, {does}."


# --- the way back ------------------------------------------------------------------------------------------


def _back(policy: Policy) -> str:
    return "the AI takes over again" if policy.live_handback else "the session is resolved, as the AI may not come back"


def _solving(policy: Policy) -> Sentences:
    outcome = {
        Outcome.RETURN_TO_AI: _back(policy),
        Outcome.RESOLVE: "the session is resolved",
        Outcome.KEEP: "the session stays with people",
    }
    which = {
        CloseRule.PRIMARY: "the primary ticket is",
        CloseRule.ANY: "any of the tickets is",
        CloseRule.ALL: "all of the tickets are",
    }[policy.multi_ticket_close_rule]
    wait = f", after {seconds(policy.solved_grace_seconds)} of grace" if policy.solved_grace_seconds else ", at once"
    grace = "" if policy.on_ticket_solved is Outcome.KEEP else wait
    yield f"When {which} solved, {outcome[policy.on_ticket_solved]}{grace}."
    yield f"When {which} closed for good, {outcome[policy.on_ticket_closed]}."
    if Outcome.RETURN_TO_AI in (policy.on_ticket_solved, policy.on_ticket_closed) and policy.live_handback:
        again = hours(policy.retake_window_hours)
        yield f"An agent who opens such a ticket again within {again} takes the session back from the AI."


def _returning(policy: Policy) -> Sentences:
    if policy.live_handback:
        yield "People may hand the session back to the AI at any moment; it acts on the customer's next message."
    else:
        yield "The AI does not come back into the session: it may draft answers, and resolving is the way out."
    if policy.customer_can_end:
        yield f"The customer may leave the human; then {_back(policy)}."
    else:
        yield "The customer cannot leave the human."


def _resolving(policy: Policy) -> Sentences:
    if policy.resolve_requires_assignee:
        yield "Only a session that somebody has can be resolved."
    else:
        yield "A session can be resolved whether or not somebody has it."
    if policy.session_resolve_sets_ticket is OnResolveTicket.SOLVED:
        yield "When the session is resolved, its open tickets are set to solved."
    else:
        yield "When the session is resolved, its tickets are left as they are."
    yield f"The line that says who resolved it names the time in {policy.timezone}."
    window = hours(policy.reopen_window_hours)
    if policy.after_resolve is AfterResolve.REOPEN:
        yield (
            f"A customer who writes within {window} after that is back in the same session, "
            "with whoever was in charge; later a new session starts with the AI."
        )
    else:
        yield "A customer who writes after that starts a new session with the AI."
    yield f"An agent who opens a ticket again within {window} after that opens the session again, for people."


def _late(policy: Policy) -> Sentences:
    yield {
        LateReply.DELIVER: "A reply on a ticket that comes after its handoff is over still reaches the customer; "
        "whoever is in charge stays so.",
        LateReply.DELIVER_AND_RETAKE: "A reply on a ticket that comes after its handoff is over reaches the customer, "
        "and takes the session back for people.",
        LateReply.REFUSE_WITH_NOTE: "A reply on a ticket that comes after its handoff is over is not delivered; "
        "a note on the ticket says so.",
    }[policy.late_reply]


def _told(policy: Policy) -> Sentences:
    silent = []
    for name, turn in _NOTICES.items():
        texts: Mapping[str, str] = getattr(policy.customer_notice, name)
        if texts:
            words = "; ".join(f"{_LANGUAGES.get(code, code)} {quoted(text)}" for code, text in texts.items())
            yield f"{turn}, the customer is told: {words}."
        else:
            silent.append(turn[0].lower() + turn[1:])
    if silent:
        yield f"The customer is told nothing {listed(silent, 'or')}."
