"""Signatures over raw bytes: HMAC of helpdesks' webhooks, and the Standard Webhooks scheme for our callbacks.

Every comparison takes the same time whether or not it matches.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random_source
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from handoff_sync.errors import WebhookRefused

Algorithm = Literal["sha1", "sha256", "sha512"]

SECRET_PREFIX: Final = "whsec_"
TOLERANCE_S: Final = 300
_SECRET_BYTES: Final = 32


def hmac_hex(key: bytes, data: bytes, algorithm: Algorithm = "sha256") -> str:
    return hmac.new(key, data, getattr(hashlib, algorithm)).hexdigest()


def hmac_base64(key: bytes, data: bytes, algorithm: Algorithm = "sha256") -> str:
    return base64.b64encode(hmac.new(key, data, getattr(hashlib, algorithm)).digest()).decode()


def same(given: str, expected: str) -> bool:
    """Whether both are equal, in constant time. An empty one never is."""
    left, right = given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    return bool(left and right) & hmac.compare_digest(left, right)


def same_as_any(given: str, expected: Iterable[str]) -> bool:
    """As `same`, against several; all of them are compared, so that the time does not tell which one matched."""
    found = False
    for candidate in expected:
        found |= same(given, candidate)
    return found


def check_age(timestamp: str, now: float, tolerance_s: int = TOLERANCE_S) -> int:
    """The signed Unix time in seconds. WebhookRefused unless it is a number near `now`, on either side."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise WebhookRefused("timestamp is not a number")
    if abs(int(timestamp) - now) > tolerance_s:
        raise WebhookRefused("timestamp is too far from now")
    return int(timestamp)


# --- Standard Webhooks -------------------------------------------------------------------------


def new_secret() -> str:
    """A random secret in the written form that receivers expect."""
    return SECRET_PREFIX + base64.b64encode(random_source.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether callbacks can be signed with it."""
    try:
        return bool(_key(text))
    except ValueError:
        return False


def sign(id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> str:
    """The value of `webhook-signature`: one signature per secret, so that a secret can be replaced without a gap.

    Args:
        timestamp: Unix time in seconds.
        secrets: In written form (`whsec_` and base64), the newest first.

    Raises:
        ValueError: There is no secret, or one is not base64.
    """
    if not secrets:
        raise ValueError("There is no secret to sign with. Create one for this callback endpoint.")
    signed = _signed(id, timestamp, body)
    return " ".join(f"v1,{hmac_base64(_key(secret), signed)}" for secret in secrets)


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float) -> None:
    """Raises WebhookRefused unless one signature fits one of the secrets and the timestamp is recent.

    Args:
        headers: Names in lower case.
        now: Unix time in seconds.
    """
    id, given = headers.get("webhook-id", ""), headers.get("webhook-signature", "")
    if not id or not given:
        raise WebhookRefused("signature headers are missing")
    timestamp = check_age(headers.get("webhook-timestamp", ""), now)
    signed = _signed(id, timestamp, body)
    expected = [f"v1,{hmac_base64(_key(secret), signed)}" for secret in secrets]
    fits = False
    for candidate in given.split(" "):
        fits |= same_as_any(candidate, expected)
    if not fits:
        raise WebhookRefused("signature does not match")


def _signed(id: str, timestamp: int, body: bytes) -> bytes:
    return f"{id}.{timestamp}.".encode("utf-8", "surrogatepass") + body


def _key(secret: str) -> bytes:
    written = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("A webhook secret must be whsec_ followed by base64. Create a new one.")
    return key
