"""One conversation as the chat product sees it: what stands on the customer's screen, and who may speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Charge(StrEnum):
    """Who is in charge, as the page shows it."""

    AI = "ai"
    WAITING = "waiting"
    HUMAN = "human"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line on the customer's screen. `author`: customer, ai, human or notice."""

    number: int
    author: str
    name: str
    text: str
    message_id: str = ""


@dataclass(slots=True, kw_only=True)
class Talk:
    """Changed only under the platform's lock."""

    id: str
    customer: dict[str, Any]
    channel: str = "web"
    lines: list[Line] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    """What happened behind the scenes, for the curious."""
    charge: Charge = Charge.AI
    human: str = ""
    epoch: int = 0

    @property
    def greeting_name(self) -> str:
        return str(self.customer.get("name") or "Guest")

    def add(self, author: str, name: str, text: str, message_id: str = "") -> Line:
        line = Line(number=len(self.lines) + 1, author=author, name=name, text=text, message_id=message_id)
        self.lines.append(line)
        return line

    def view(self, after: int, trace_after: int) -> dict[str, Any]:
        """What the page does not know yet."""
        return {
            "charge": self.charge,
            "human": self.human,
            "epoch": self.epoch,
            "lines": [
                {"n": line.number, "author": line.author, "name": line.name, "text": line.text}
                for line in self.lines[after:]
            ],
            "trace": self.trace[trace_after:],
        }
