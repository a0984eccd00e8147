"""Nonces: they prove that a form was rendered by us, for this browser and this question, and when.

Nothing is stored: a nonce is signed over the link, the browser's cookie, the decision's version and the time.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from handoff_sync.service.decision_links import DecisionLinks

SHORTEST_LOOK: Final = timedelta(seconds=2)
_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_NONCE: Final = re.compile(r"(\d{1,9})\.(\d{1,15})\.([A-Za-z0-9_-]{11})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a nonce proves: which version of the session was shown, and when."""

    version: int
    at: datetime

    def looked_at(self, now: datetime) -> bool:
        """Whether there was time to read. A clock that was set back makes it look too short, never too long."""
        return now - self.at >= SHORTEST_LOOK


def new_browser() -> str:
    """The value of the cookie that forms are bound to."""
    return secrets.token_urlsafe(16)


def known_browser(cookie: str) -> str:
    """The cookie, if it is one of ours; else an empty text."""
    return cookie if _BROWSER.fullmatch(cookie) else ""


def make_nonce(links: DecisionLinks, token: str, browser: str, version: int, now: datetime) -> str:
    parts = f"{version}.{int(now.timestamp() * 1000)}.{secrets.token_urlsafe(8)}"
    return f"{parts}.{links.signatures(_signed(token, browser, parts))[0]}"


def read_nonce(links: DecisionLinks, token: str, browser: str, nonce: str) -> Rendering | None:
    """None where it is not one of ours, or belongs to another link or browser."""
    found = _NONCE.fullmatch(nonce)
    if found is None or not browser:
        return None
    version, milliseconds, drawn, signature = found.groups()
    expected = links.signatures(_signed(token, browser, f"{version}.{milliseconds}.{drawn}"))
    if not any(hmac.compare_digest(signature, one) for one in expected):
        return None
    return Rendering(int(version), datetime.fromtimestamp(int(milliseconds) / 1000, UTC))


def _signed(token: str, browser: str, parts: str) -> str:
    return f"{token}\x1f{browser}\x1f{parts}"


def proof_of_decision(links: DecisionLinks, token: str, browser: str, version: int) -> str:
    """A second cookie of the browser that decided: only there the decision can be undone by link."""
    return links.signatures(_signed(token, browser, f"decided.{version}"))[0]


def has_decided(links: DecisionLinks, token: str, browser: str, version: int, cookie: str) -> bool:
    signed = links.signatures(_signed(token, browser, f"decided.{version}"))
    return bool(browser) and any(hmac.compare_digest(cookie.encode(), one.encode()) for one in signed)
