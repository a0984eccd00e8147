"""A simulated Paperdesk in the words that all helpdesks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from handoff_paperdesk.simulator.account import DANA, KIM, OTHER_PROGRAM, ROBOT, TEAM, US, Hook, Person, Ticket
from handoff_paperdesk.simulator.api import TOKEN
from handoff_paperdesk.simulator.helpdesk import SimulatedPaperdesk, signed
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Call, DeskAccess, DeskComment, DeskTicket, Do, Say

STATUSES: Final = {"open": TicketStatus.OPEN, "parked": TicketStatus.ON_HOLD, "done": TicketStatus.SOLVED}
PARROT: Final = replace(DANA, kind="parrot")


class PaperdeskDesk:
    """Implements `Desk`. What agents do, Dana does."""

    kind = "paperdesk"
    title = "Paperdesk"
    agent_name = DANA.name
    colleague_name = KIM.name
    hurried: Mapping[str, object] = {}
    opening = Call(method="POST", path=r"^/v1/tickets$")
    appending = Call(method="POST", path=r"^/v1/tickets/\d+/slips$")
    reading = Call(method="GET", path=r"^/v1/tickets/\d+$")
    webhook_secret = "webhook_secret"
    rest_s = None
    group = ""
    custom_field = ""

    def __init__(self, port: int = 0) -> None:
        self.simulator = SimulatedPaperdesk(port)
        self._account = self.simulator.account

    @property
    def agent_url(self) -> str:
        return self.simulator.agent_url

    @property
    def access(self) -> DeskAccess:
        settings = {"account": "simulated", "base_url": self.simulator.base_url}
        return DeskAccess(settings=settings, secrets={"token": TOKEN})

    # --- running --------------------------------------------------------------------------------

    def start(self) -> None:
        self.simulator.start()

    def stop(self) -> None:
        self.simulator.stop()

    def wait(self) -> None:
        self.simulator.wait()

    def calm(self) -> None:
        self.simulator.apply_settings({"limits": "off", "lag_s": 0.0})

    def limit_calls(self, calls: int) -> None:
        self.simulator.apply_settings({"limits": {"calls": calls}})

    def lag(self, seconds: float) -> None:
        self.simulator.apply_settings({"lag_s": seconds})

    # --- webhooks -------------------------------------------------------------------------------

    def signed(self, body: bytes, secret: str, at: datetime) -> Mapping[str, str]:
        return signed(body, secret, int(at.timestamp()))

    def set_in_order(self) -> None:
        """The installed webhook is all that there is to set."""

    def set_webhook(self, url: str) -> None:
        """It installs itself."""

    @property
    def webhook_mishaps(self) -> Mapping[str, Callable[[], None]]:
        return {
            "switched off": lambda: setattr(self._hook(), "active", False),
            "sent elsewhere": lambda: setattr(self._hook(), "url", "http://127.0.0.1:9/elsewhere"),
            "signed anew": lambda: setattr(self._hook(), "secret", "a-new-secret-of-the-account"),
        }

    def _hook(self) -> Hook:
        assert self._account.hook is not None, "a webhook is installed"
        return self._account.hook

    # --- looking --------------------------------------------------------------------------------

    def ticket_ids(self) -> tuple[str, ...]:
        with self._account.lock:
            return tuple(map(str, self._account.tickets))

    def ticket(self, ticket_id: str) -> DeskTicket:
        with self._account.lock:
            ticket = self._of(ticket_id)
            comments = tuple(
                DeskComment(
                    text=slip["text"], public=slip["public"] is True, by_customer=slip["by"]["kind"] == "customer"
                )
                for slip in ticket.slips()
            )
            return DeskTicket(
                id=ticket_id,
                subject=ticket.title,
                requester_name=ticket.customer.name,
                requester_id=str(ticket.customer.id),
                status=STATUSES[ticket.state],
                comments=comments,
                assignee=ticket.holder.name if ticket.holder is not None else None,
                tags=tuple(ticket.labels),
            )

    def files(self, ticket_id: str) -> tuple[tuple[str, bytes], ...]:
        with self._account.lock:
            ticket = self._of(ticket_id)
            return ticket.contents[ticket.slips()[-1]["no"]]

    # --- what is said ---------------------------------------------------------------------------

    def reply(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self._say(ticket_id, DANA, text, files=files)

    def note(self, ticket_id: str, text: str, files: Mapping[str, bytes] | None = None) -> None:
        self._say(ticket_id, DANA, text, public=False, files=files)

    def customer_reply(self, ticket_id: str, text: str) -> None:
        with self._account.lock:
            self._say(ticket_id, self._of(ticket_id).customer, text)

    def take_back(self, ticket_id: str, comment_id: str) -> None:
        with self._account.lock:
            self._account.take_back(self._of(ticket_id), DANA, int(comment_id))

    @property
    def answers(self) -> Mapping[str, Say]:
        return {"reply": self.reply, "reply and done": self._reply_and_solve}

    @property
    def whispers(self) -> Mapping[str, Say]:
        return {
            "note": self.note,
            "a robot's note": lambda ticket, text: self._say(ticket, ROBOT, text, public=False),
            "a program's note": lambda ticket, text: self._say(ticket, OTHER_PROGRAM, text, public=False),
            "taken back": self._reply_and_take_back,
        }

    @property
    def machines(self) -> Mapping[str, Say]:
        return {
            "robot": lambda ticket, text: self._say(ticket, ROBOT, text),
            "another program": lambda ticket, text: self._say(ticket, OTHER_PROGRAM, text),
        }

    @property
    def unknown_kinds(self) -> Mapping[str, Say]:
        return {
            "author": lambda ticket, text: self._say(ticket, PARROT, text),
            "visibility": lambda ticket, text: self._say(ticket, DANA, text, public="partly"),
            "entry": self._stamp,
        }

    # --- what is done ---------------------------------------------------------------------------

    def set_status(self, ticket_id: str, status: TicketStatus) -> None:
        state = next((state for state, known in STATUSES.items() if known is status), None)
        if state is None:
            raise ValueError("Paperdesk has no such state.")
        self._set_state(ticket_id, DANA, state)

    def solve(self, ticket_id: str) -> None:
        self._set_state(ticket_id, DANA, "done")

    def reopen(self, ticket_id: str) -> None:
        self._set_state(ticket_id, DANA, "open")

    def machine_solves(self, ticket_id: str) -> None:
        self._set_state(ticket_id, ROBOT, "done")

    def assign(self, ticket_id: str, to: str | None) -> None:
        self._hold(ticket_id, {DANA.name: DANA, KIM.name: KIM}[to] if to is not None else None)

    def assign_team(self, ticket_id: str) -> None:
        self._hold(ticket_id, TEAM)

    def assign_us(self, ticket_id: str) -> None:
        self._hold(ticket_id, US)

    def add_tags(self, ticket_id: str, *tags: str) -> None:
        with self._account.lock:
            self._account.label(self._of(ticket_id), DANA, tags, ())

    def remove_tags(self, ticket_id: str, *tags: str) -> None:
        with self._account.lock:
            self._account.label(self._of(ticket_id), DANA, (), tags)

    def merge(self, source: str, target: str) -> None:
        with self._account.lock:
            self._account.merge(self._of(source), DANA, self._of(target))

    @property
    def removals(self) -> Mapping[str, Do]:
        return {"delete": self.delete}

    def delete(self, ticket_id: str) -> None:
        with self._account.lock:
            self._account.throw_away(self._of(ticket_id), DANA)

    def restore(self, ticket_id: str) -> None:
        raise ValueError("What was thrown away is gone for good.")

    def crowd(self, count: int) -> tuple[str, ...]:
        with self._account.lock:
            made = []
            for number in range(count):
                stranger = self._account.customer(f"mail:{number}", f"Stranger {number}", None)
                made.append(self._account.open(stranger, "Hello", stranger))
                self._account.slip(made[-1], stranger, "Is anybody there?")
            return tuple(str(ticket.id) for ticket in made)

    # --- how it is done -------------------------------------------------------------------------

    def _of(self, ticket_id: str) -> Ticket:
        return self._account.tickets[int(ticket_id)]

    def _say(
        self, ticket_id: str, by: Person, text: str, public: object = True, files: Mapping[str, bytes] | None = None
    ) -> None:
        with self._account.lock:
            self._account.slip(self._of(ticket_id), by, text, public, files=files)

    def _set_state(self, ticket_id: str, by: Person, state: str) -> None:
        with self._account.lock:
            self._account.set_state(self._of(ticket_id), by, state)

    def _hold(self, ticket_id: str, holder: Person | None) -> None:
        with self._account.lock:
            self._account.hold(self._of(ticket_id), DANA, holder)

    def _reply_and_solve(self, ticket_id: str, text: str) -> None:
        with self._account.lock:
            self.reply(ticket_id, text)
            self.solve(ticket_id)

    def _reply_and_take_back(self, ticket_id: str, text: str) -> None:
        with self._account.lock:
            self.reply(ticket_id, text)
            self.take_back(ticket_id, str(self._of(ticket_id).slips()[-1]["no"]))

    def _stamp(self, ticket_id: str, text: str) -> None:
        """A slip in all but the kind of entry."""
        with self._account.lock:
            self.reply(ticket_id, text)
            self._of(ticket_id).slips()[-1]["kind"] = "stamp"
