"""Semi-automatic mode: the AI asks, the admins are mailed, one of them decides by link, or nobody does in time."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from handoff_sync.simulator.desk import Desk
from handoff_sync.simulator.dialogues import Dialogue
from handoff_sync.simulator.mailbox.mail import Mail, visible
from handoff_sync.simulator.office import Admin, Office
from handoff_sync.simulator.takeover import Takeover
from handoff_sync.simulator.visitor import Visitor

if TYPE_CHECKING:
    from handoff_sync.simulator.story import Story

MEANWHILE: Final = "While we look for somebody: I am still here, and go on answering."
GOES_ON: Final = "Then it stays between the two of us. What else can I do?"
REASON_AGAIN: Final = "The customer asks once more."
PAGE: Final = "/decide/"
HALF_MIN: Final = 16
"""The policy's time to decide is half an hour; at half time the undecided are asked again."""


class Ending(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRY = "expiry"


class Question(Takeover):
    """Asks, and plays one of the three endings. The first of the admins accepts, the second one declines."""

    def __init__(self, story: Story, dialogue: Dialogue, answering: Desk, office: Office, ending: Ending) -> None:
        super().__init__(story, dialogue, answering)
        self._asking, self._ending = office, ending

    def run(self) -> None:
        self._messages()
        self._ask()
        self._ai_goes_on(MEANWHILE, "the AI goes on talking while the question is open")
        links = self._asked()
        self._scanned(links)
        match self._ending:
            case Ending.ACCEPT:
                began = self._decide("accept", links, winner=0)
                self._accepted(began)
            case Ending.DECLINE:
                self._decide("decline", links, winner=1)
                self._declined()
            case Ending.EXPIRY:
                self._expired(links)
        self._totals.endings[self._ending] = self._totals.endings.get(self._ending, 0) + 1

    # --- the question ---------------------------------------------------------------------------------

    def _ask(self) -> None:
        answered = self._platform.hand_over(self._talk, self._dialogue.trigger, self._dialogue.reason)
        phase = answered["session"]["phase"]
        self._need(phase == "ai_deciding", "handoff requested: the admins are asked", f"phase is {phase}")

    def _ai_goes_on(self, text: str, what: str) -> None:
        gate = self._platform.propose(self._talk, text, self._epoch)
        if gate == "allow":
            self._said.append(text)
        self._step(gate == "allow", what, f"the gate: {gate}")

    def _asked(self) -> list[str]:
        """Everybody's own link, in the order of the admins."""
        links = [self._link_for(admin) for admin in self._asking.admins]
        self._need(len(set(links)) == len(links), "each has a link of their own", "two have the same")
        return links

    def _link_for(self, admin: Admin) -> str:
        (mail,) = self._mailed(self._asking, admin, 1) or (None,)
        self._need(mail is not None, f"a mail asks {admin.name} ({admin.email})", "it did not arrive")
        assert mail is not None
        self._totals.mails += 1
        named = self._name == "" or self._name in visible(mail.subject)
        self._step(named, f"“{mail.subject}”", f"the name {self._name!r} is missing")
        links = [link for link in mail.links if PAGE in link]
        self._need(len(links) == 1, "with one link to the decision", f"it has {links}")
        return links[0]

    def _scanned(self, links: list[str]) -> None:
        """What mail scanners do with links."""
        answers = [(one.look("HEAD").status, one.look().status, one.send().status) for one in map(Visitor, links)]
        harmless = set(answers) == {(200, 200, 400)} and self._phase() == "ai_deciding"
        what = "a scanner opens every link and sends the empty form: nothing is decided"
        self._need(harmless, what, f"{answers}, phase {self._phase()}")

    # --- the answer -----------------------------------------------------------------------------------

    def _decide(self, choice: str, links: list[str], winner: int) -> float:
        """All admins read the page, one is first. Returns when (on the performance counter)."""
        visitors = [Visitor(link) for link in links]
        pages = [visitor.look() for visitor in visitors]
        asks = all(page.status == 200 and page.asks for page in pages)
        self._need(asks, "the page asks, and nothing is chosen yet", f"{[page.status for page in pages]}")
        hasty = visitors[winner].send(choice=choice)
        still = self._phase() == "ai_deciding" and hasty.status == 400
        self._step(still, "an answer that comes at once is not believed", f"{hasty.status}, {self._phase()}")
        self._until("two seconds of reading", lambda: all(visitor.has_read for visitor in visitors) or None)
        began = time.perf_counter()
        first = visitors[winner].send(choice=choice)
        who = self._asking.admins[winner]
        self._need(first.status == 200, f"{who.name} reads, chooses “{choice}” and sends it", f"{first.words[:300]}")
        self._too_late([one for place, one in enumerate(visitors) if place != winner], who, choice)
        return began

    def _too_late(self, visitors: list[Visitor], winner: Admin, choice: str) -> None:
        other = "decline" if choice == "accept" else "accept"
        for visitor in visitors:
            told = visitor.send(choice=other)
            right = told.status == 409 and winner.name in told.words
            self._step(right, f"whoever comes second is told that it was {winner.name}", told.words[:300])

    def _others_learn(self, winner: int) -> None:
        """Everybody who was asked, but for whoever decided."""
        who = self._asking.admins[winner]
        for place, admin in enumerate(self._asking.admins):
            if place == winner:
                continue
            mails = self._mailed(self._asking, admin, 2)
            told = len(mails) == 2 and who.name in mails[1].words and not _asks(mails[1])
            self._totals.mails += len(mails[1:])
            self._step(told, f"a mail tells {admin.name} that {who.name} has decided", f"{mails[1:]}")

    def _accepted(self, began: float) -> None:
        self._need(self._phase() == "waiting", "taken over: the AI is stopped", f"phase is {self._phase()}")
        self._tickets_come(began)
        self._others_learn(winner=0)
        self._taken_over()

    def _declined(self) -> None:
        self._need(self._phase() == "ai", "the question is closed, the AI has the talk", f"phase is {self._phase()}")
        self._others_learn(winner=1)
        self._ai_goes_on(GOES_ON, "the AI goes on talking under its old licence")
        self._asked_again()
        self._no_ticket()

    def _asked_again(self) -> None:
        before = self._asking.known()
        self._platform.hand_over(self._talk, self._dialogue.trigger, REASON_AGAIN)
        self._asking.settle()
        quiet = self._phase() == "ai" and self._asking.known() == before
        more = len(self._asking.known() - before)
        self._step(quiet, "asking again at once makes no mail", f"{more} mails, phase {self._phase()}")

    def _expired(self, links: list[str]) -> None:
        self._pass(HALF_MIN)
        for admin in self._asking.admins:
            mails = self._mailed(self._asking, admin, 2)
            reminded = len(mails) == 2 and _asks(mails[1])
            self._totals.mails += len(mails[1:])
            self._step(reminded, f"nobody has decided: {admin.name} is asked once more", f"{mails[1:]}")
        self._pass(HALF_MIN)
        over = self._until("the expiry", lambda: self._phase() == "ai" or None)
        self._need(over is True, "the time to decide is over: the AI keeps the talk", f"phase is {self._phase()}")
        late = Visitor(links[0]).look()
        self._step(not late.asks and late.status in (200, 410), "who comes now finds the question closed", late.words)
        self._ai_goes_on(GOES_ON, "the AI goes on talking under its old licence")
        self._asking.settle()
        self._no_ticket()

    def _no_ticket(self) -> None:
        there, linked = {desk.title: new for desk in self._desks if (new := self._new_at(desk))}, self._linked()
        self._step(not there and not linked, "there is no ticket", f"there are {there}, linked {linked}")

    def _pass(self, minutes: int) -> None:
        self._narrator.say(f"      {minutes} minutes pass: the service's clock is moved", "dim")
        self._asking.let_pass(minutes)

    def _phase(self) -> str:
        return str(self._session()["phase"])

    def _admins_are_told(self, office: Office) -> None:
        """They know: they were asked, and told who decided."""


def _asks(mail: Mail) -> bool:
    return any(PAGE in link for link in mail.links)
