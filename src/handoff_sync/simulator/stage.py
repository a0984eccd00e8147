"""What every way through the story needs: its parts, the tickets of its dialogue, and how to look and to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handoff_sync.simulator.desk import Desk, DeskComment, DeskTicket
from handoff_sync.simulator.dialogues import Dialogue
from handoff_sync.simulator.totals import DeskTotals

if TYPE_CHECKING:
    from handoff_sync.simulator.story import Story


class Broken(Exception):
    """A step did not hold, and the rest of this dialogue makes no sense without it."""


@dataclass(frozen=True, slots=True)
class OwnTicket:
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


class Stage:
    """One dialogue that is played. `answering`: the desk whose agent answers."""

    def __init__(self, story: Story, dialogue: Dialogue, answering: Desk) -> None:
        self._platform, self._service, self._desks = story.platform, story.service, story.desks
        self._narrator, self._totals, self._returns = story.narrator, story.totals, story.returns
        self._patience_s, self._office = story.patience_s, story.office
        self._dialogue = dialogue
        self._talk = dialogue.conversation_id
        self._answering = answering
        self._said = [text for _, text in dialogue.messages]
        self._before = {desk.kind: set(desk.ticket_ids()) for desk in story.desks}
        self._mails_before = self._office.known() if self._office is not None else frozenset()
        self._tickets: list[OwnTicket] = []
        self._epoch = 0

    def run(self) -> None:
        """Plays it. Broken when it cannot go on."""
        raise NotImplementedError

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
    def _own(self) -> OwnTicket:
        """The ticket of the agent who answers."""
        return next(ticket for ticket in self._tickets if ticket.desk is self._answering)

    def _others(self, desk: Desk) -> list[OwnTicket]:
        return [ticket for ticket in self._tickets if ticket.desk is not desk]

    def _new_at(self, desk: Desk) -> list[str]:
        """Tickets that came during this dialogue."""
        return [name for name in desk.ticket_ids() if name not in self._before[desk.kind]]

    def _everywhere(
        self,
        check: Callable[[OwnTicket], str],
        what: str,
        tickets: Sequence[OwnTicket] | None = None,
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
