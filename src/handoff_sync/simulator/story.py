"""One dialogue through the whole story, every step checked at the side where it must show: screen, tickets, API.

With several helpdesks every one gets a ticket. Each in turn is the one whose agent answers; the first one's ticket is
the primary one and ends the session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.service import Service, ServiceRefused
from handoff_sync.simulator.desk import Desk, DeskComment, DeskTicket
from handoff_sync.simulator.dialogues import Dialogue
from handoff_sync.simulator.narrator import Narrator

FIRST_REPLY: Final = "Hello, this is a person now. I have read everything and will look into it."
NOTE: Final = "INTERNAL: ask the workshop before promising a date."
SECOND_REPLY: Final = "Done: it is on its way.\nYou get a mail with the details."
CUSTOMER_AGAIN: Final = "Thank you! One more thing: can it be delivered in the evening?"
AI_ATTEMPT: Final = "As an AI I would like to add something."
AI_AGAIN: Final = "I am back. I have read what my colleague did for you."


@dataclass(slots=True, kw_only=True)
class DeskTotals:
    """What the summary tells of one helpdesk."""

    title: str
    tickets: int = 0
    to_ticket: int = 0
    from_agent: int = 0
    copies: int = 0
    milliseconds: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Totals:
    """What the summary tells. `desks` by kind, in their order."""

    dialogues: int = 0
    to_customer: int = 0
    blocked: int = 0
    desks: dict[str, DeskTotals] = field(default_factory=dict)


class Broken(Exception):
    """A step did not hold, and the rest of this dialogue makes no sense without it."""


@dataclass(slots=True, kw_only=True)
class Story:
    """Plays dialogues. The first desk is the primary one.

    `returns`: a solved ticket gives the session back to the AI instead of resolving it. `patience_s`: how long anything
    may take before its step counts as failed. `answering`: the desk whose agent answers first, the primary one being 0.
    """

    platform: ChatPlatform
    service: Service
    desks: Sequence[Desk]
    narrator: Narrator
    returns: bool = False
    patience_s: float = 60.0
    answering: int = 0
    totals: Totals = field(default_factory=Totals)

    def __post_init__(self) -> None:
        self.totals.desks = {desk.kind: DeskTotals(title=desk.title) for desk in self.desks}

    def play(self, dialogue: Dialogue) -> None:
        """All steps of one dialogue; what fails is told by the narrator."""
        answering = self.desks[(self.answering + self.totals.dialogues) % len(self.desks)]
        self.totals.dialogues += 1
        try:
            _Play(self, dialogue, answering).run()
        except Broken:
            self.narrator.say("      The rest of this dialogue is left out.", "dim")
        except (ServiceRefused, OSError) as error:
            self.narrator.step(False, "the service answers", str(error))


@dataclass(frozen=True, slots=True)
class _Ticket:
    """The ticket of this dialogue at one desk."""

    desk: Desk
    id: str
    totals: DeskTotals

    @property
    def now(self) -> DeskTicket:
        return self.desk.ticket(self.id)

    def saying(self, text: str) -> list[DeskComment]:
        """The comments that hold this text."""
        return [comment for comment in self.now.comments if plain(text) in plain(comment.text)]


class _Play:
    def __init__(self, story: Story, dialogue: Dialogue, answering: Desk) -> None:
        self._platform, self._service, self._desks = story.platform, story.service, story.desks
        self._narrator, self._totals, self._returns = story.narrator, story.totals, story.returns
        self._patience_s = story.patience_s
        self._dialogue = dialogue
        self._talk = dialogue.conversation_id
        self._answering = answering
        self._before = {desk.kind: set(desk.ticket_ids()) for desk in story.desks}
        self._tickets: list[_Ticket] = []
        self._epoch = 0

    def run(self) -> None:
        self._messages()
        self._hand_over()
        self._tickets_are_whole()
        self._agent_answers()
        self._customer_again()
        self._ai_is_blocked()
        self._solve()
        self._returned() if self._returns else self._resolved()
        self._others_are_solved()
        self._nothing_twice()

    # --- the steps --------------------------------------------------------------------------------

    def _messages(self) -> None:
        talk = self._platform.begin(self._talk, self._dialogue.customer)
        talk.channel = self._dialogue.channel
        refused = 0
        for author, text in self._dialogue.messages:
            match author:
                case "customer":
                    self._platform.customer_says(self._talk, text)
                case "ai":
                    refused += self._platform.ai_says(self._talk, text) != "allow"
                case _:
                    self._platform.automation_says(self._talk, text)
        self._need(refused == 0, f"{len(self._dialogue.messages)} messages told, the AI may speak")
        self._epoch = int(self._service.gate(self._talk)["epoch"])

    def _hand_over(self) -> None:
        began = time.perf_counter()
        answered = self._platform.hand_over(self._talk, self._dialogue.trigger, self._dialogue.reason)
        phase = answered["session"]["phase"]
        self._need(phase == "waiting", "handoff requested: the AI is stopped in the same breath", f"phase is {phase}")
        seen: dict[str, float] = {}
        for desk in self._desks:
            self._until(f"a ticket at {desk.title}", partial(self._arrived, desk, began, seen), 0.001)
            new = self._new_at(desk)
            self._need(len(new) == 1, f"one ticket at {desk.title}", f"found: {new or 'none'}")
            ticket = _Ticket(desk, new[0], self._totals.desks[desk.kind])
            self._tickets.append(ticket)
            ticket.totals.tickets += 1
            ticket.totals.milliseconds.append(seen[desk.kind])
            self._narrator.say(f"      ticket {ticket.id}, {seen[desk.kind]:.0f} ms after the event", "dim")
        wanted = sorted(ticket.id for ticket in self._tickets)
        linked = self._until("the links", lambda: self._linked() == wanted or None)
        self._need(linked is True, f"the session knows its {self._tickets_word}", f"it knows {self._linked()}")

    def _arrived(self, awaited: Desk, began: float, seen: dict[str, float]) -> bool:
        """Whether the awaited desk has its ticket. Notes of every desk how many milliseconds after `began` it had."""
        for desk in self._desks:
            if desk.kind not in seen and self._new_at(desk):
                seen[desk.kind] = (time.perf_counter() - began) * 1000
        return awaited.kind in seen

    def _tickets_are_whole(self) -> None:
        said = [plain(text) for _, text in self._dialogue.messages]

        def missing(ticket: _Ticket) -> str:
            text = plain(" ".join(comment.text for comment in ticket.now.comments))
            part = first_missing(text, said)
            return "" if part is None else f"missing: {part!r}"

        self._everywhere(missing, f"the whole conversation is in {self._every_ticket}, in order")
        for ticket in self._tickets:
            ticket.totals.to_ticket += len(said)
        self._everywhere(self._wrong_requester, f"the requester is {self._dialogue.title}")

    def _wrong_requester(self, ticket: _Ticket) -> str:
        name, shown = self._dialogue.customer.get("name"), ticket.now.requester_name
        right = plain(str(name)) in plain(shown) if name else shown != ""
        return "" if right else f"it is {shown!r}"

    def _agent_answers(self) -> None:
        desk, ticket = self._answering, self._own
        where = f" at {desk.title}" if self._several else ""
        desk.reply(ticket.id, FIRST_REPLY)
        self._delivered(1, FIRST_REPLY, f"the agent's first reply{where} reaches the customer")
        desk.note(ticket.id, NOTE)
        desk.reply(ticket.id, SECOND_REPLY)
        self._delivered(2, SECOND_REPLY, "the second reply reaches the customer, after the first")
        shown = [line for line in self._screen() if NOTE[:8] in line]
        heard = [one for one in self._platform.callbacks(self._talk) if NOTE[:8] in str(one.data)]
        self._step(not shown and not heard, "the internal note between them does not", "the customer got it")
        named = self._until("the human's name", lambda: self._talk_now().human == desk.agent_name or None)
        self._step(named is True, f"the customer sees that {desk.agent_name} has taken over", "no name is shown")
        if self._several:
            self._copied()

    def _copied(self) -> None:
        """What one helpdesk's agent answered, the others' must read, too, and see who it was."""

        def amiss(ticket: _Ticket) -> str:
            for text in (FIRST_REPLY, SECOND_REPLY):
                found = self._until(f"the copy at {ticket.desk.title}", partial(ticket.saying, text)) or []
                if len(found) != 1 or found[0].public or self._answering.agent_name not in found[0].text:
                    return f"{len(found)} copies of {text[:12]!r}: {found}"
                ticket.totals.copies += 1
            return f"the note {NOTE!r} is there, too" if ticket.saying(NOTE) else ""

        titles = " and ".join(ticket.desk.title for ticket in self._others(self._answering))
        name = self._answering.agent_name
        self._everywhere(amiss, f"{titles}: an internal copy of both, signed {name}", self._others(self._answering))

    def _customer_again(self) -> None:
        self._platform.customer_says(self._talk, CUSTOMER_AGAIN)

        def absent(ticket: _Ticket) -> str:
            found = self._until(f"the comment at {ticket.desk.title}", lambda: ticket.saying(CUSTOMER_AGAIN))
            return "" if found else "it did not arrive"

        self._everywhere(absent, f"the customer's next message is on {self._every_ticket}", need=True)
        found = [(ticket, ticket.saying(CUSTOMER_AGAIN)) for ticket in self._tickets]
        self._step(all(len(one) == 1 for _, one in found), "exactly once", f"{[len(one) for _, one in found]} times")
        by_customer = all(comment.by_customer for _, one in found for comment in one)
        self._step(by_customer, "in the customer's name", "the author is somebody else")
        for ticket in self._tickets:
            ticket.totals.to_ticket += 1

    def _ai_is_blocked(self) -> None:
        decision = self._platform.propose(self._talk, AI_ATTEMPT, self._epoch)
        self._step(decision == "block", "the AI tries to speak with its old licence: blocked", f"the gate: {decision}")
        current = int(self._service.gate(self._talk)["epoch"])
        decision = self._platform.propose(self._talk, AI_ATTEMPT, current)
        self._step(decision == "block", "with the newest licence too", f"the gate said {decision}")
        rows = self._service.pause_log(self._session()["id"])
        logged = sum(row["action"] == "interaction_blocked" for row in rows)
        self._step(logged == 2, "both attempts are in the pause log", f"{logged} are")
        self._totals.blocked += logged

    def _solve(self) -> None:
        primary = self._tickets[0]
        primary.desk.solve(primary.id)
        where = f" at {primary.desk.title}, the primary one" if self._several else ""
        self._step(primary.now.solved, f"{primary.desk.agent_name} solves the ticket{where}")

    def _resolved(self) -> None:
        done = self._until("the resolve", lambda: self._session()["status"] == "resolved" or None)
        self._need(done is True, "the session is resolved", f"its status is {self._session()['status']}")
        told = self._until("the callback", lambda: self._talk_now().charge == "resolved" or None)
        self._step(told is True, "the chat shows it", f"it shows {self._talk_now().charge}")

    def _returned(self) -> None:
        back = self._until("the return", lambda: self._session()["phase"] == "ai" or None)
        self._need(back is True, "the session is back with the AI", f"its phase is {self._session()['phase']}")
        told = self._until("the callback", lambda: self._talk_now().charge == "ai" or None)
        self._step(told is True, "the chat shows it", f"it shows {self._talk_now().charge}")
        decision = self._platform.ai_says(self._talk, AI_AGAIN)
        self._step(decision == "allow", "the AI answers again", f"the gate said {decision}")

    def _others_are_solved(self) -> None:
        others = self._others(self._desks[0])
        if not others:
            return

        def open_still(ticket: _Ticket) -> str:
            done = self._until(f"the status at {ticket.desk.title}", lambda: ticket.now.solved or None)
            return "" if done else f"it is {ticket.now.status.value}"

        self._everywhere(open_still, "the other tickets are solved, too", others)

    def _nothing_twice(self) -> None:
        links = len(self._session()["tickets"])
        there = [len(self._new_at(desk)) for desk in self._desks]
        text = f"still one ticket at {'each helpdesk' if self._several else self._desks[0].title}"
        self._step(there == [1] * len(there) and links == len(there), text, f"{there} tickets, {links} links")
        relayed = [plain(text) for text in self._relayed()]
        expected = [plain(FIRST_REPLY), plain(SECOND_REPLY)]
        self._step(relayed == expected, "each reply reached the customer once", f"the customer got {relayed}")
        if self._several:
            self._everywhere(_said_twice, "and stands once on every ticket")
        forged = [one for one in self._platform.callbacks(self._talk) if not one.authentic]
        self._step(not forged, f"{len(self._platform.callbacks(self._talk))} callbacks, every signature valid")

    # --- looking --------------------------------------------------------------------------------

    @property
    def _several(self) -> bool:
        return len(self._desks) > 1

    @property
    def _every_ticket(self) -> str:
        return "every ticket" if self._several else "the ticket"

    @property
    def _tickets_word(self) -> str:
        return "tickets" if self._several else "ticket"

    @property
    def _own(self) -> _Ticket:
        """The ticket of the agent who answers."""
        return next(ticket for ticket in self._tickets if ticket.desk is self._answering)

    def _others(self, desk: Desk) -> list[_Ticket]:
        return [ticket for ticket in self._tickets if ticket.desk is not desk]

    def _new_at(self, desk: Desk) -> list[str]:
        """Tickets that came during this dialogue."""
        return [name for name in desk.ticket_ids() if name not in self._before[desk.kind]]

    def _everywhere(
        self,
        check: Callable[[_Ticket], str],
        what: str,
        tickets: Sequence[_Ticket] | None = None,
        *,
        need: bool = False,
    ) -> None:
        """One step over several tickets; `check` says what is wrong with one, or nothing."""
        found = {ticket.desk.title: check(ticket) for ticket in (self._tickets if tickets is None else tickets)}
        why = "; ".join(f"{title}: {wrong}" if self._several else wrong for title, wrong in found.items() if wrong)
        (self._need if need else self._step)(not why, what, why)

    def _delivered(self, count: int, text: str, what: str) -> None:
        got = self._until("the callback", lambda: self._relayed() if len(self._relayed()) >= count else None)
        self._need(got is not None and plain(got[count - 1]) == plain(text), what, f"the customer got {got}")
        self._own.totals.from_agent += 1
        self._totals.to_customer += 1

    def _relayed(self) -> list[str]:
        """What humans said on the customer's screen."""
        return [line.text for line in self._talk_now().lines if line.author == "human"]

    def _screen(self) -> list[str]:
        return [line.text for line in self._talk_now().lines]

    def _talk_now(self) -> Any:
        talk = self._platform.talk(self._talk)
        assert talk is not None
        return talk

    def _session(self) -> dict[str, Any]:
        return self._service.session_of(self._talk)

    def _linked(self) -> list[str]:
        return sorted(str(link["remote_id"]) for link in self._session()["tickets"])

    def _until(self, what: str, probe: Callable[[], Any], every_s: float = 0.03) -> Any:
        """The first true value within the patience; None when it never came."""
        with self._narrator.working(f"waiting for {what}"):
            return self._platform.wait(probe, self._patience_s, every_s)

    def _step(self, held: bool, what: str, why: str = "") -> bool:
        return self._narrator.step(held, what, why)

    def _need(self, held: bool, what: str, why: str = "") -> None:
        if not self._step(held, what, why):
            raise Broken(what)


def _said_twice(ticket: _Ticket) -> str:
    counts = {text: len(ticket.saying(text)) for text in (FIRST_REPLY, SECOND_REPLY, CUSTOMER_AGAIN)}
    return "; ".join(f"{count} times {text[:12]!r}" for text, count in counts.items() if count != 1)


def plain(text: str) -> str:
    """The words alone: helpdesks change white space."""
    return " ".join(text.split())


def first_missing(text: str, parts: list[str]) -> str | None:
    """The first part that does not follow its predecessor in the text."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return part
        at = found + len(part)
    return None
