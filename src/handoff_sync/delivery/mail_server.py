"""The mail server as all mails of a process see it: when it takes none, nobody hammers it, and no mail pays for it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

import structlog

from handoff_sync.delivery.connections import Held
from handoff_sync.emails.transport import MailServerDown, Transport
from handoff_sync.errors import HandoffError, OutcomeUnknown, VendorAuthError, VendorRejected

log = structlog.get_logger(__name__)

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 60.0
LOGIN_PAUSE_S: Final = 600.0
"""After a refused login: what fails every minute is what locks accounts."""
SPREAD_S: Final = 5.0
"""Lanes that waited for the server do not come back in the same instant."""


class MailServer:
    """Sends mails, one connection each. While the server takes none, mails wait without using up their attempts."""

    def __init__(self, transport: Transport, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until: datetime | None = None
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why the server takes no mail now, as this process has seen it; empty: it does, as far as is known."""
        return self._trouble

    def must_be_up(self) -> None:
        """Held while the server is left alone. Costs no connection."""
        until = self._until
        if until is not None and until > self._clock():
            raise self._held(until, undone=False)

    def send(self, message: EmailMessage) -> None:
        """Sends to the one address in To.

        Raises:
            Held: Nothing was sent; the server takes no mail at all now.
            VendorDown, VendorRejected, OutcomeUnknown: As `Transport.send`.
        """
        try:
            self._transport.send(message)
        except (MailServerDown, VendorAuthError) as error:
            raise self._held(self._failed(error), undone=True) from error
        except OutcomeUnknown as error:
            self._failed(error)  # one that swallows mails without a word is left alone, too
            raise
        except VendorRejected:
            self._works()  # it answers
            raise
        else:
            self._works()

    def _failed(self, error: HandoffError) -> datetime:
        """Until when the server is left alone. Whoever failed at the same time makes it no longer."""
        with self._lock:
            now = self._clock()
            if not self._trouble:
                log.error("mail server takes no mail", error=str(error))
            self._trouble = str(error)
            if self._until is None or self._until <= now:
                longest = LOGIN_PAUSE_S if isinstance(error, VendorAuthError) else LONGEST_PAUSE_S
                first = LONGEST_PAUSE_S if isinstance(error, VendorAuthError) else FIRST_PAUSE_S
                self._until = now + timedelta(seconds=min(longest, first * 2.0 ** min(self._failures, 10)))
                self._failures += 1
            return self._until

    def _works(self) -> None:
        if not self._trouble:
            return
        with self._lock:
            self._failures, self._until, self._trouble = 0, None, ""
        log.info("mail server takes mail again")

    def _held(self, until: datetime, *, undone: bool) -> Held:
        later = until + timedelta(seconds=random.uniform(0.0, SPREAD_S))
        return Held(later, self._trouble or "The mail server takes no mail now.", undone=undone)
