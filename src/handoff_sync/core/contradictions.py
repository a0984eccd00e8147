"""What contradicts itself in a policy: each with the setting it stands in and what to do about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from handoff_sync.core.policy import (
    CloseRule,
    ConnectionRule,
    CustomerNotice,
    MailKind,
    Mode,
    OnClaimTimeout,
    Outcome,
    Policy,
    Recipient,
)

_HEARS: Final[Mapping[Mode, MailKind]] = {
    Mode.AUTOMATIC: MailKind.HANDOVER,
    Mode.SEMI_AUTOMATIC: MailKind.DECISION_NEEDED,
}
"""The modes in which something happens without a person asking for it, and the mail by which people learn of it."""
_LONGEST_MAILBOX: Final = 254
_MAILBOX: Final = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_PRIORITIES: Final = ("low", "normal", "high", "urgent")
_PLACES: Final = ("{conversation_id}", "{session_id}")


@dataclass(frozen=True, slots=True)
class Complaint:
    """`key` is where it stands, as `scenarios[1].team`. A warning stops nothing."""

    key: str
    text: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


Found = Iterator[Complaint]


def contradictions(
    policy: Policy,
    teams: Collection[str] | None = None,
    connections: Collection[str] | None = None,
    answers_close: frozenset[str] = frozenset(),
    team: str | None = None,
) -> tuple[Complaint, ...]:
    """All of them, for sessions of `team`. What exists beside the policy is not judged where it is None."""
    return (
        *_hearing(policy, team),
        *_returning(policy),
        *_first_close(policy, connections, answers_close),
        *_timing(policy),
        *_scenarios(policy, teams),
        *_connections(policy, connections),
        *_recipients(policy, teams),
        *_notices(policy.customer_notice),
        *_customer(policy),
    )


def is_address(email: str) -> bool:
    """Whether a mail could go there, as far as the letters tell."""
    return len(email) <= _LONGEST_MAILBOX and _MAILBOX.fullmatch(email) is not None


def is_language(code: str) -> bool:
    return _LANGUAGE.fullmatch(code) is not None


# --- who hears of it ---------------------------------------------------------------------------------------


def _hearing(policy: Policy, team: str | None) -> Found:
    """A mode that acts without a person asking needs somebody who hears of it, in every team that it acts for."""
    needs = [("handover_mode", policy.handover_mode, team)]
    for at, one in enumerate(policy.scenarios):
        if one.enabled and (one.mode or one.team):
            needs.append((f"scenarios[{at}].mode", one.mode or policy.handover_mode, one.team or team))
    said: set[str] = set()
    for key, mode, whose in needs:
        for found in _heard(policy, key, mode, whose):
            if found.text not in said:
                yield found
            said.add(found.text)


def _heard(policy: Policy, key: str, mode: Mode, team: str | None) -> Found:
    kind = _HEARS.get(mode)
    if kind is None:
        return
    hearing = [who for who in policy.recipients if not who.kinds or kind in who.kinds]
    if not any(who.team in (None, team) for who in hearing):
        whose = "" if not hearing else f" in team {team}" if team else " outside the teams"
        text = f"mode {mode.value} needs at least one recipient for {kind.value} mails{whose}: add one first."
        # It may be that every session has a team: then somebody hears of each.
        yield Complaint(key, text, warning=bool(hearing) and team is None)


# --- back to the AI ----------------------------------------------------------------------------------------


def _returning(policy: Policy) -> Found:
    if policy.live_handback:
        return
    ways = (
        ("on_ticket_solved", policy.on_ticket_solved is Outcome.RETURN_TO_AI),
        ("on_ticket_closed", policy.on_ticket_closed is Outcome.RETURN_TO_AI),
        ("on_claim_timeout", policy.on_claim_timeout is OnClaimTimeout.RETURN_TO_AI),
    )
    for key, returns in ways:
        if returns:
            text = "return_to_ai cannot be while live_handback is false: choose resolve, or set live_handback = true."
            yield Complaint(key, text)
    if policy.default_pause_minutes is not None:
        text = "no pause ends by itself while live_handback is false: leave it out, or set live_handback = true."
        yield Complaint("default_pause_minutes", text, warning=True)


def _first_close(policy: Policy, connections: Collection[str] | None, answers_close: frozenset[str]) -> Found:
    """The AI would come back after the first answer of a person, where agents close with every answer."""
    named = [rule.connection for rule in policy.connections] or list(connections or ())
    closing = [name in answers_close for name in named]
    decides = {CloseRule.PRIMARY: any(closing[:1]), CloseRule.ANY: any(closing), CloseRule.ALL: all(closing or [False])}
    if not decides[policy.multi_ticket_close_rule]:
        return
    whose = ", ".join(name for name in named if name in answers_close)
    for key, choice in (("on_ticket_solved", policy.on_ticket_solved), ("on_ticket_closed", policy.on_ticket_closed)):
        if choice is Outcome.RETURN_TO_AI:
            text = (
                f"agents of {whose} close the ticket with every answer, so the AI would come back after the first "
                "one: choose resolve or keep, unless they are told to send without closing."
            )
            yield Complaint(key, text, warning=True)


# --- times -------------------------------------------------------------------------------------------------


def _timing(policy: Policy) -> Found:
    reminder, timeout = policy.claim_reminder_minutes, policy.claim_timeout_minutes
    if timeout is None and policy.on_claim_timeout is not OnClaimTimeout.KEEP:
        text = f"{policy.on_claim_timeout.value} never happens without claim_timeout_minutes: set it, or choose keep."
        yield Complaint("on_claim_timeout", text)
    if timeout is not None and policy.on_claim_timeout is OnClaimTimeout.KEEP:
        text = "nothing happens when it is over: choose on_claim_timeout = resolve or return_to_ai, or leave it out."
        yield Complaint("claim_timeout_minutes", text, warning=True)
    ends = timeout is not None and policy.on_claim_timeout is not OnClaimTimeout.KEEP
    if ends and reminder is not None and timeout is not None and reminder >= timeout:
        text = f"{reminder} is not before claim_timeout_minutes ({timeout}), so nobody is ever reminded: lower it."
        yield Complaint("claim_reminder_minutes", text)


# --- what is named -----------------------------------------------------------------------------------------


def _scenarios(policy: Policy, teams: Collection[str] | None) -> Found:
    titles = Counter(scenario.title for scenario in policy.scenarios)
    seen: set[str] = set()
    for at, scenario in enumerate(policy.scenarios):
        key = f"scenarios[{at}]"
        if titles[scenario.title] > 1 and scenario.title in seen:
            yield Complaint(f"{key}.title", f"{scenario.title!r} is the title of another scenario: choose a new one.")
        seen.add(scenario.title)
        if not scenario.title.strip():
            yield Complaint(f"{key}.title", "is empty: say in a few words when the AI should escalate.")
        yield from _team(f"{key}.team", scenario.team, teams)
        yield from _priority(f"{key}.priority", scenario.priority)


def _connections(policy: Policy, connections: Collection[str] | None) -> Found:
    seen: set[str] = set()
    for at, rule in enumerate(policy.connections):
        key = f"connections[{at}]"
        if rule.connection in seen:
            yield Complaint(f"{key}.connection", f"{rule.connection!r} is named twice: leave one of them out.")
        seen.add(rule.connection)
        if connections is not None and rule.connection not in connections:
            there = ", ".join(sorted(connections)) or "none yet"
            text = f"there is no connection {rule.connection!r}. There are: {there}. Connect it first."
            yield Complaint(f"{key}.connection", text)
        yield from _priority(f"{key}.priority", rule.priority)
        yield from _subject(f"{key}.subject", rule)


def _subject(key: str, rule: ConnectionRule) -> Found:
    if strange := [name for name in re.findall(r"\{[^{}]*\}", rule.subject) if name != "{name}"]:
        yield Complaint(key, f"{strange[0]} is not filled in; the only placeholder is {{name}}.")
    if not rule.subject.strip():
        yield Complaint(key, "is empty: tickets need a subject, such as: Customer needs your help: {name}.")


def _priority(key: str, priority: str | None) -> Found:
    if priority is not None and priority not in _PRIORITIES:
        text = f"{priority!r} is none of {', '.join(_PRIORITIES)}; a helpdesk that does not know it refuses the ticket."
        yield Complaint(key, text, warning=True)


def _team(key: str, team: str | None, teams: Collection[str] | None) -> Found:
    if team is not None and teams is not None and team not in teams:
        there = ", ".join(sorted(teams)) or "none yet"
        yield Complaint(key, f"there is no team {team!r}. There are: {there}. Add the team, or correct the name.")


# --- people ------------------------------------------------------------------------------------------------


def _recipients(policy: Policy, teams: Collection[str] | None) -> Found:
    for at, who in enumerate(policy.recipients):
        key = f"recipients[{at}]"
        if not is_address(who.email):
            yield Complaint(f"{key}.email", f"{who.email[:80]!r} is no address; write it like ana@example.com.")
        if any(_twice(who, other) for other in policy.recipients[:at]):
            text = f"{who.email!r} would get the same mail twice: leave one of them out, or give them different kinds."
            yield Complaint(f"{key}.email", text)
        yield from _language(f"{key}.language", who.language)
        yield from _team(f"{key}.team", who.team, teams)


def _twice(one: Recipient, other: Recipient) -> bool:
    """Whether some mail would go to both entries."""
    if one.email.casefold() != other.email.casefold():
        return False
    teams = one.team == other.team or None in (one.team, other.team)
    return teams and (not one.kinds or not other.kinds or bool(set(one.kinds) & set(other.kinds)))


def _language(key: str, code: str) -> Found:
    if not is_language(code):
        yield Complaint(key, f"{code!r} is no language code; write en, pt, es, or such as pt-BR.")


def _notices(notice: CustomerNotice) -> Found:
    spoken = {field.name: getattr(notice, field.name) for field in fields(notice) if getattr(notice, field.name)}
    every = {code for texts in spoken.values() for code in texts}
    for name, texts in spoken.items():
        key = f"customer_notice.{name}"
        for code, text in texts.items():
            yield from _language(f"{key}.{code}", code)
            if not text.strip():
                yield Complaint(f"{key}.{code}", "is empty: write what the customer is told, or leave it out.")
        if missing := sorted(every - set(texts)):
            text = f"has no text in {', '.join(missing)}, unlike the other notices: add it."
            yield Complaint(key, text, warning=True)


def _customer(policy: Policy) -> Found:
    if policy.chat_url is not None:
        if strange := [name for name in re.findall(r"\{[^{}]*\}", policy.chat_url) if name not in _PLACES]:
            yield Complaint("chat_url", f"{strange[0]} is not filled in; use {' or '.join(_PLACES)}.")
        elif not any(name in policy.chat_url for name in _PLACES):
            text = f"leads to the same page for every session: put {' or '.join(_PLACES)} where its id belongs."
            yield Complaint("chat_url", text, warning=True)
    if policy.customer_email_on_join and not policy.disclose_human:
        text = "no mail tells the customer who joined while disclose_human is false: set this to false as well."
        yield Complaint("customer_email_on_join", text, warning=True)
