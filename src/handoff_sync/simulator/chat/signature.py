"""How a platform checks that a callback is ours: the symmetric scheme of Standard Webhooks, in a page of code.

On purpose independent of the code that signs: the demo proves the one against the other.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

TOLERANCE_S: Final = 300


def is_authentic(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether `body` was signed with `secret` (`whsec_...`) less than five minutes before or after `now` (Unix time).

    Header names are lower case.
    """
    sent_at, delivery = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    if not sent_at.isdecimal() or abs(now - int(sent_at)) > TOLERANCE_S or not delivery:
        return False
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return False
    expected = hmac.digest(key, f"{delivery}.{sent_at}.".encode() + body, hashlib.sha256)
    given = (part.partition(",") for part in headers.get("webhook-signature", "").split())
    return any(
        version == "v1" and hmac.compare_digest(encoded, base64.b64encode(expected).decode())
        for version, _, encoded in given
    )
