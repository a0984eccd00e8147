"""Dialogues through the whole story, every step checked at the side where it must show: screen, tickets, mails, API.

With several helpdesks every one gets a ticket. Each in turn is the one whose agent answers; the first one's ticket is
the primary one and ends the session. Where admins decide, the dialogues end in turn: accepted, declined, expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Final

from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.service import Service, ServiceRefused
from handoff_sync.simulator.desk import Desk
from handoff_sync.simulator.dialogues import Dialogue
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.office import Office
from handoff_sync.simulator.question import Ending, Question
from handoff_sync.simulator.stage import Broken, Stage
from handoff_sync.simulator.takeover import Takeover
from handoff_sync.simulator.totals import DeskTotals, Totals

ENDINGS: Final = tuple(Ending)


@dataclass(slots=True, kw_only=True)
class Story:
    """Plays dialogues. The first desk is the primary one.

    `returns`: a solved ticket gives the session back to the AI instead of resolving it. `patience_s`: how long anything
    may take before its step counts as failed. `answering`: the desk whose agent answers first, the primary one being 0.
    `office`: the admins, whose mails are looked at; without it nobody's are.
    """

    platform: ChatPlatform
    service: Service
    desks: Sequence[Desk]
    narrator: Narrator
    returns: bool = False
    patience_s: float = 60.0
    answering: int = 0
    office: Office | None = None
    totals: Totals = field(default_factory=Totals)

    def __post_init__(self) -> None:
        self.totals.desks = {desk.kind: DeskTotals(title=desk.title) for desk in self.desks}

    def play(self, dialogue: Dialogue) -> None:
        """All steps of one dialogue; what fails is told by the narrator."""
        if self.office is not None and self.office.make_room():
            self.narrator.say("\n      Some minutes pass, or mails would wait for each other: the clock moves.", "dim")
        stage = self._stage(dialogue)
        self.totals.dialogues += 1
        try:
            stage.run()
        except Broken:
            self.narrator.say("      The rest of this dialogue is left out.", "dim")
        except (ServiceRefused, OSError) as error:
            self.narrator.step(False, "the service answers", str(error))

    def _stage(self, dialogue: Dialogue) -> Stage:
        answering = self.desks[(self.answering + self.totals.dialogues) % len(self.desks)]
        if self.office is None or not self.office.asked:
            return Takeover(self, dialogue, answering)
        ending = ENDINGS[self.totals.dialogues % len(ENDINGS)]
        return Question(self, dialogue, answering, self.office, ending)


def for_every_ending(dialogues: Sequence[Dialogue]) -> tuple[Dialogue, ...]:
    """The dialogues, and while they are fewer than there are endings, copies of them as conversations of their own."""
    wanted = max(len(dialogues), len(ENDINGS))
    taken = {dialogue.conversation_id for dialogue in dialogues}
    return tuple(
        dialogue if place < len(dialogues) else _copy(dialogue, place + 1, taken)
        for place, dialogue in enumerate(islice(cycle(dialogues), wanted))
    )


def _copy(dialogue: Dialogue, number: int, taken: set[str]) -> Dialogue:
    name = f"{dialogue.conversation_id}-{number}"
    while name in taken:
        name += "-copy"
    return replace(dialogue, conversation_id=name)
