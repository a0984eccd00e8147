"""Secrets at rest: AES-256-GCM per value, bound to the place where it is stored."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handoff_sync.errors import ConfigurationError

_VERSION = "v1"
_NONCE_BYTES = 12


def place(workspace: str, table: str, row: str, field: str) -> str:
    """The context of one stored value; a sealed value copied to another place cannot be opened there."""
    return "\x1f".join((workspace, table, row, field))


class Vault:
    """A ring of 32-byte keys by id, newest first: the newest seals, every one opens."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError(["No secret key is configured. Set HANDOFF_SECRET_KEYS."])
        self._newest = next(iter(keys))
        self._ciphers = {id: AESGCM(key) for id, key in keys.items()}

    def seal(self, text: str, context: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), context.encode())
        return ".".join((_VERSION, self._newest, base64.urlsafe_b64encode(nonce + sealed).decode()))

    def open(self, token: str, context: str) -> str:
        """What was sealed; ConfigurationError when its key is gone or the value was changed or moved."""
        version, _, rest = token.partition(".")
        key_id, _, payload = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise ConfigurationError(
                [f"A stored secret needs the key {key_id!r}. Put that key back into HANDOFF_SECRET_KEYS."]
            )
        try:
            raw = base64.urlsafe_b64decode(payload.encode())
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise ConfigurationError(
                ["A stored secret cannot be opened: it was changed, moved, or sealed with another key. Enter it again."]
            ) from None

    def stale(self, token: str) -> bool:
        """Whether it was sealed with an older key."""
        return not token.startswith(f"{_VERSION}.{self._newest}.")
