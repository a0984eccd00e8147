"""The admins of the story: the mails they get, and the time that the story lets pass for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from handoff_sync.simulator.mailbox.mail import Mail, Mailbox

AT_ONCE: Final = 5
"""Mails that one person gets one by one; what comes after them within `WINDOW_MIN` waits and comes as one."""
WINDOW_MIN: Final = 11
IN_ONE_DIALOGUE: Final = 2


@dataclass(frozen=True, slots=True)
class Admin:
    """Somebody who is mailed. `language`: that of their mails."""

    name: str
    email: str
    language: str


@dataclass(slots=True, kw_only=True)
class Office:
    """`asked`: the admins decide (semi-automatic mode). `pass_time` moves the service's clock by so many minutes.

    `settle` returns when the service has nothing left to do now.
    """

    admins: Sequence[Admin]
    mailbox: Mailbox
    asked: bool
    pass_time: Callable[[int], None]
    settle: Callable[[], None]
    _counted: frozenset[str] = field(default=frozenset())

    def known(self) -> frozenset[str]:
        """Ids of the mails so far."""
        return frozenset(self.mailbox.ids())

    def mails(self, to: str, since: frozenset[str]) -> list[Mail]:
        """What came for somebody after `since`, oldest first."""
        fresh = [name for name in reversed(self.mailbox.ids()) if name not in since]
        found = [mail for name in fresh if (mail := self.mailbox.mail(name)) is not None]
        return [mail for mail in found if mail.to == to]

    def make_room(self) -> bool:
        """Lets time pass when the next mails would wait for each other. Whether it did."""
        most = max(len(self.mails(admin.email, self._counted)) for admin in self.admins)
        if most + IN_ONE_DIALOGUE <= AT_ONCE:
            return False
        self.let_pass(WINDOW_MIN)
        return True

    def let_pass(self, minutes: int) -> None:
        self.pass_time(minutes)
        if minutes >= WINDOW_MIN:
            self._counted = self.known()
