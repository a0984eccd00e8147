"""From the handoff to its end: tickets, the agent's answers, the silenced AI, mails, and what solving leads to."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from handoff_sync.simulator.desk import Desk
from handoff_sync.simulator.mailbox.mail import Mail
from handoff_sync.simulator.office import Admin, Office
from handoff_sync.simulator.stage import OwnTicket, Stage, first_missing, plain

FIRST_REPLY: Final = "Hello, this is a person now. I have read everything and will look into it."
NOTE: Final = "INTERNAL: ask the workshop before promising a date."
SECOND_REPLY: Final = "Done: it is on its way.\nYou get a mail with the details."
CUSTOMER_AGAIN: Final = "Thank you! One more thing: can it be delivered in the evening?"
AI_ATTEMPT: Final = "As an AI I would like to add something."
HANDOVER: Final = "Customer needs your help"
NEW_TALK: Final = "You have a new conversation from"
NAME_CHARS: Final = 40
AI_AGAIN: Final = "I am back. I have read what my colleague did for you."


class Takeover(Stage):
    """Automatic mode: the handoff is asked for, and people have the talk."""

    def run(self) -> None:
        self._messages()
        self._hand_over()
        self._taken_over()

    def _taken_over(self) -> None:
        """All that follows a takeover, in either mode."""
        self._tickets_are_whole()
        if self._office is not None:
            self._admins_are_told(self._office)
        self._agent_answers()
        if self._office is not None:
            self._customer_is_mailed(self._office)
        self._customer_again()
        self._ai_is_blocked()
        self._solve()
        self._returned() if self._returns else self._resolved()
        self._others_are_solved()
        self._nothing_twice()
        if self._office is not None:
            self._mailed_once(self._office)

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
        self._tickets_come(began)

    def _tickets_come(self, began: float) -> None:
        seen: dict[str, float] = {}
        for desk in self._desks:
            self._until(f"a ticket at {desk.title}", partial(self._arrived, desk, began, seen), 0.001)
            new = self._new_at(desk)
            self._need(len(new) == 1, f"one ticket at {desk.title}", f"found: {new or 'none'}")
            ticket = OwnTicket(desk, new[0], self._totals.desks[desk.kind])
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
        said = [plain(text) for text in self._said]

        def missing(ticket: OwnTicket) -> str:
            text = plain(" ".join(comment.text for comment in ticket.now.comments))
            part = first_missing(text, said)
            return "" if part is None else f"missing: {part!r}"

        self._everywhere(missing, f"the whole conversation is in {self._every_ticket}, in order")
        for ticket in self._tickets:
            ticket.totals.to_ticket += len(said)
        self._everywhere(self._wrong_requester, f"the requester is {self._dialogue.title}")

    def _wrong_requester(self, ticket: OwnTicket) -> str:
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

        def amiss(ticket: OwnTicket) -> str:
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

        def absent(ticket: OwnTicket) -> str:
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

        def open_still(ticket: OwnTicket) -> str:
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

    # --- the mails ----------------------------------------------------------------------------------

    def _admins_are_told(self, office: Office) -> None:
        """Everybody gets the mail about the handover, in their own language."""
        for admin in office.admins:
            (mail,) = self._mailed(office, admin, 1) or (None,)
            about = f"a mail tells {admin.name} ({admin.email}) of it"
            if mail is None:
                self._step(False, about, "it did not arrive")
                continue
            self._totals.mails += 1
            named = self._name == "" or self._name in mail.words
            self._step(named and self._chat in mail.words, about, f"it is {mail.subject!r}: {mail.words[:300]}")
            if admin.language == "en":
                right = mail.subject == HANDOVER and NEW_TALK in mail.words
                self._step(right, f"“{HANDOVER}”: “{NEW_TALK} …”", f"it is {mail.subject!r}: {mail.words[:200]}")

    def _customer_is_mailed(self, office: Office) -> None:
        """Only to an address that the platform vouches for."""
        if not self._vouched:
            return
        address = str(self._dialogue.customer["email"])
        found = self._until("the mail to the customer", lambda: office.mails(address, self._mails_before)) or []
        name = self._answering.agent_name
        right = len(found) == 1 and name in found[0].words
        self._step(right, f"a mail tells {self._dialogue.title} that {name} has joined", f"found: {found}")

    def _mailed_once(self, office: Office) -> None:
        """Looks again at the end: mails that must not come may come late."""
        address = str(self._dialogue.customer.get("email", ""))
        found = office.mails(address, self._mails_before) if address else []
        if self._vouched:
            self._step(len(found) == 1, "the mail about the agent came once", f"{len(found)} mails went to {address}")
        elif address:
            self._step(not found, f"no mail goes to {address}: nobody vouches for it", f"{len(found)} did")

    def _mailed(self, office: Office, admin: Admin, count: int) -> list[Mail]:
        """The first `count` mails of this dialogue to an admin, once they are there; else nothing."""

        def arrived() -> list[Mail] | None:
            mails = office.mails(admin.email, self._mails_before)
            return mails[:count] if len(mails) >= count else None

        return self._until(f"mail {count} to {admin.name}", arrived) or []

    @property
    def _vouched(self) -> bool:
        return bool(self._dialogue.customer.get("email") and self._dialogue.customer.get("email_verified"))

    @property
    def _name(self) -> str:
        """The beginning of the customer's name; long ones are cut in mails."""
        return plain(str(self._dialogue.customer.get("name") or ""))[:NAME_CHARS].strip()

    @property
    def _chat(self) -> str:
        """What every address of this talk at the chat product ends with."""
        return f"/chat/{self._talk}"


def _said_twice(ticket: OwnTicket) -> str:
    counts = {text: len(ticket.saying(text)) for text in (FIRST_REPLY, SECOND_REPLY, CUSTOMER_AGAIN)}
    return "; ".join(f"{count} times {text[:12]!r}" for text, count in counts.items() if count != 1)
