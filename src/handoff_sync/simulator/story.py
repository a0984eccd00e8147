"""One dialogue through the whole story, every step checked at the side where it must show: screen, ticket, API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.service import Service, ServiceRefused
from handoff_sync.simulator.desk import Desk, DeskTicket
from handoff_sync.simulator.dialogues import Dialogue
from handoff_sync.simulator.narrator import Narrator

FIRST_REPLY: Final = "Hello, this is a person now. I have read everything and will look into it."
NOTE: Final = "INTERNAL: ask the workshop before promising a date."
SECOND_REPLY: Final = "Done: it is on its way.\nYou get a mail with the details."
CUSTOMER_AGAIN: Final = "Thank you! One more thing: can it be delivered in the evening?"
AI_ATTEMPT: Final = "As an AI I would like to add something."
AI_AGAIN: Final = "I am back. I have read what my colleague did for you."


@dataclass(slots=True, kw_only=True)
class Totals:
    """What the summary tells."""

    dialogues: int = 0
    tickets: int = 0
    to_ticket: int = 0
    to_customer: int = 0
    blocked: int = 0
    milliseconds: list[float] = field(default_factory=list)


class Broken(Exception):
    """A step did not hold, and the rest of this dialogue makes no sense without it."""


@dataclass(slots=True, kw_only=True)
class Story:
    """Plays dialogues. `returns`: a solved ticket gives the session back to the AI instead of resolving it.
    `patience_s`: how long anything may take before its step counts as failed.
    """

    platform: ChatPlatform
    service: Service
    desk: Desk
    narrator: Narrator
    returns: bool = False
    patience_s: float = 60.0
    totals: Totals = field(default_factory=Totals)

    def play(self, dialogue: Dialogue) -> None:
        """All steps of one dialogue; what fails is told by the narrator."""
        self.totals.dialogues += 1
        try:
            _Play(self, dialogue).run()
        except Broken:
            self.narrator.say("      The rest of this dialogue is left out.", "dim")
        except (ServiceRefused, OSError) as error:
            self.narrator.step(False, "the service answers", str(error))


class _Play:
    def __init__(self, story: Story, dialogue: Dialogue) -> None:
        self._platform, self._service, self._desk = story.platform, story.service, story.desk
        self._narrator, self._totals, self._returns = story.narrator, story.totals, story.returns
        self._patience_s = story.patience_s
        self._dialogue = dialogue
        self._talk = dialogue.conversation_id
        self._ticket = ""
        self._epoch = 0

    def run(self) -> None:
        self._messages()
        self._hand_over()
        self._ticket_is_whole()
        self._agent_answers()
        self._customer_again()
        self._ai_is_blocked()
        self._solve()
        self._returned() if self._returns else self._resolved()
        self._still_one_ticket()

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
        before = set(self._desk.ticket_ids())
        began = time.perf_counter()
        answered = self._platform.hand_over(self._talk, self._dialogue.trigger, self._dialogue.reason)
        phase = answered["session"]["phase"]
        self._need(phase == "waiting", "handoff requested: the AI is stopped in the same breath", f"phase is {phase}")
        new = self._until("a ticket", lambda: [name for name in self._desk.ticket_ids() if name not in before], 0.001)
        elapsed = (time.perf_counter() - began) * 1000
        self._need(new is not None and len(new) == 1, f"one ticket at {self._desk.title}", f"found: {new or 'none'}")
        assert new is not None
        self._ticket = new[0]
        self._totals.tickets += 1
        self._totals.milliseconds.append(elapsed)
        self._narrator.say(f"      ticket {self._ticket}, {elapsed:.0f} ms after the event", "dim")
        linked = self._until("the link", lambda: self._linked() == self._ticket or None)
        self._need(linked is True, "the session knows its ticket", f"it knows {self._linked()!r}")

    def _ticket_is_whole(self) -> None:
        ticket = self._desk.ticket(self._ticket)
        text = plain(" ".join(comment.text for comment in ticket.comments))
        missing = first_missing(text, [plain(said) for _, said in self._dialogue.messages])
        self._step(missing is None, "the whole conversation is in the ticket, in order", f"missing: {missing!r}")
        self._totals.to_ticket += len(self._dialogue.messages)
        self._requester(ticket)

    def _requester(self, ticket: DeskTicket) -> None:
        name = self._dialogue.customer.get("name")
        self._step(
            plain(str(name)) in plain(ticket.requester_name) if name else ticket.requester_name != "",
            f"the requester is {self._dialogue.title}",
            f"it is {ticket.requester_name!r}",
        )

    def _agent_answers(self) -> None:
        self._desk.reply(self._ticket, FIRST_REPLY)
        self._delivered(1, FIRST_REPLY, "the agent's first reply reaches the customer")
        self._desk.note(self._ticket, NOTE)
        self._desk.reply(self._ticket, SECOND_REPLY)
        self._delivered(2, SECOND_REPLY, "the second reply reaches the customer, after the first")
        shown = [line for line in self._screen() if NOTE[:8] in line]
        heard = [one for one in self._platform.callbacks(self._talk) if NOTE[:8] in str(one.data)]
        self._step(not shown and not heard, "the internal note between them does not", "the customer got it")
        named = self._until("the human's name", lambda: self._talk_now().human == self._desk.agent_name or None)
        self._step(named is True, f"the customer sees that {self._desk.agent_name} has taken over", "no name is shown")

    def _customer_again(self) -> None:
        self._platform.customer_says(self._talk, CUSTOMER_AGAIN)
        wanted = plain(CUSTOMER_AGAIN)
        found = self._until("the comment", lambda: [c for c in self._comments() if wanted in plain(c.text)])
        self._need(found is not None, "the customer's next message is on the ticket", "it did not arrive")
        assert found is not None
        self._step(len(found) == 1, "exactly once", f"{len(found)} times")
        self._step(found[0].by_customer, "in the customer's name", "the author is somebody else")
        self._totals.to_ticket += 1

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
        self._desk.solve(self._ticket)
        self._step(self._desk.ticket(self._ticket).solved, f"{self._desk.agent_name} solves the ticket")

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

    def _still_one_ticket(self) -> None:
        links = self._session()["tickets"]
        self._step(len(links) == 1, "still one ticket", f"{len(links)} tickets")
        relayed = [plain(text) for text in self._relayed()]
        expected = [plain(FIRST_REPLY), plain(SECOND_REPLY)]
        self._step(relayed == expected, "each reply reached the customer once", f"the customer got {relayed}")
        forged = [one for one in self._platform.callbacks(self._talk) if not one.authentic]
        self._step(not forged, f"{len(self._platform.callbacks(self._talk))} callbacks, every signature valid")

    # --- looking --------------------------------------------------------------------------------

    def _delivered(self, count: int, text: str, what: str) -> None:
        got = self._until("the callback", lambda: self._relayed() if len(self._relayed()) >= count else None)
        self._need(got is not None and plain(got[count - 1]) == plain(text), what, f"the customer got {got}")
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

    def _comments(self) -> Any:
        return self._desk.ticket(self._ticket).comments

    def _session(self) -> dict[str, Any]:
        return self._service.session_of(self._talk)

    def _linked(self) -> str | None:
        tickets = self._session()["tickets"]
        return str(tickets[0]["remote_id"]) if tickets else None

    def _until(self, what: str, probe: Callable[[], Any], every_s: float = 0.03) -> Any:
        """The first true value within the patience; None when it never came."""
        with self._narrator.working(f"waiting for {what}"):
            return self._platform.wait(probe, self._patience_s, every_s)

    def _step(self, held: bool, what: str, why: str = "") -> bool:
        return self._narrator.step(held, what, why)

    def _need(self, held: bool, what: str, why: str = "") -> None:
        if not self._step(held, what, why):
            raise Broken(what)


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
