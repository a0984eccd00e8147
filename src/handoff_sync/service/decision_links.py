"""Decision links: one per recipient and question, made when the mail is written, found again by the page.

A token is derived, not drawn: a mail that is written again carries the same link, also when a decision was undone and
the question is open again. Only hashes are stored, so a copy of the database opens no page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Final, Protocol

from handoff_sync.core.model import Session
from handoff_sync.core.policy import Recipient
from handoff_sync.store.rows import DecisionLinkRow, MemberRow

LIFE: Final = timedelta(hours=24)
TRIES: Final = 5
"""Wrong codes that one link bears."""
TOKEN_CHARS: Final = 32
"""192 bits."""
_CODE_CHARS: Final = 6
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people mistake for each other; 32 letters, so that no remainder favours any."""
PAGE: Final = "/decide"


class LinkStore(Protocol):
    """Where links are kept, and who the people of a workspace are."""

    def create_decision_link(
        self,
        token_hash: str,
        *,
        workspace_id: str,
        session_id: str,
        handoff: int,
        version: int,
        recipient: str,
        expires_at: datetime,
        recipient_name: str = "",
        language: str = "en",
        code_hash: str = "",
    ) -> DecisionLinkRow: ...

    def decision_link(self, token_hash: str) -> DecisionLinkRow | None: ...

    def count_decision_try(self, token_hash: str) -> int: ...

    def member(self, workspace_id: str, email: str) -> MemberRow | None: ...


class DecisionLinks:
    """Makes and finds links. `keys` is the installation's key ring, newest first."""

    def __init__(
        self, store: LinkStore, keys: Mapping[str, bytes], public_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._keys = tuple(hmac.digest(key, b"handoff-sync decision links", "sha256") for key in keys.values())
        self._public_url = public_url
        self._clock = clock

    def decision_url(self, session: Session, handoff: int, recipient: Recipient) -> tuple[str, str]:
        """The recipient's own link to the question of this handoff, and the code that belongs into the mail beside it.

        The code is empty unless the handoff's policy asks for one (strict mode). NotReady when it cannot be stored.
        """
        for ordinal in count():  # a link that has expired is followed by another one, for a late reminder
            place = (session.id, str(handoff), recipient.email, str(ordinal))
            token, code = self._token(place), self._code(place)
            known = self._store.decision_link(token_hash(token))
            if known is None:
                self._keep(token, code, session, handoff, recipient)
            if known is None or known.expires_at > self._clock():
                break
        strict = session.handoffs[handoff - 1].policy.decision_code
        return f"{self._public_url}{PAGE}/{token}", code if strict else ""

    def _keep(self, token: str, code: str, session: Session, handoff: int, recipient: Recipient) -> None:
        asked = session.decision
        self._store.create_decision_link(
            token_hash(token),
            workspace_id=session.workspace,
            session_id=session.id,
            handoff=handoff,
            version=asked.version if asked is not None and asked.handoff == handoff else 0,
            recipient=recipient.email,
            recipient_name=recipient.name,
            language=recipient.language,
            expires_at=self._clock() + LIFE,
            code_hash=code_hash(token, code),
        )

    def find(self, token: str) -> DecisionLinkRow | None:
        """The link, also when it has expired or was revoked."""
        return self._store.decision_link(token_hash(token)) if len(token) == TOKEN_CHARS else None

    def member(self, link: DecisionLinkRow) -> MemberRow | None:
        """The recipient, where they are a member of the workspace."""
        return self._store.member(link.workspace_id, link.recipient)

    def wrong_code(self, link: DecisionLinkRow) -> int:
        """Counts it; how many tries are left."""
        return max(0, TRIES - self._store.count_decision_try(link.token_hash))

    def signatures(self, text: str) -> tuple[str, ...]:
        """The text signed with every key of the ring, newest first: what the newest signed is known by the next one."""
        signed = (hmac.digest(key, f"nonce\x1f{text}".encode(), "sha256") for key in self._keys)
        return tuple(map(_plain, signed))

    def _token(self, place: tuple[str, ...]) -> str:
        return _plain(self._derived("token", place))[:TOKEN_CHARS]

    def _code(self, place: tuple[str, ...]) -> str:
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._derived("code", place)[:_CODE_CHARS])

    def _derived(self, purpose: str, place: tuple[str, ...]) -> bytes:
        return hmac.digest(self._keys[0], "\x1f".join((purpose, *place)).encode("utf-8", "surrogatepass"), "sha256")


def token_hash(token: str) -> str:
    """What a link is found by."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def code_hash(token: str, code: str) -> str:
    """A code is short, so the token, which is not stored, goes with it: the hash alone can be turned into neither."""
    return hashlib.sha256(f"{token}\x1f{code}".encode("utf-8", "surrogatepass")).hexdigest()


def fits(link: DecisionLinkRow, token: str, code: str) -> bool:
    """Whether this is the link's code, however it was typed."""
    typed = "".join(code.split()).replace("-", "").upper()
    return hmac.compare_digest(code_hash(token, typed), link.code_hash)


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
