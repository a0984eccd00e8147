"""The key ring that stored secrets are sealed with; an embedded installation makes its first key itself."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
KEY_FILE: Final = "secret.key"
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MAKE_ONE: Final = 'Make one with: echo "k1:$(openssl rand -base64 32)"'


def parse_keys(text: str) -> dict[str, bytes]:
    """`id:base64` entries separated by commas, newest first. ValueError says what is wrong, never the key itself."""
    ring: dict[str, bytes] = {}
    for number, entry in enumerate((part.strip() for part in text.split(",")), start=1):
        if not entry:
            continue
        key_id, colon, encoded = entry.partition(":")
        if not colon or not _ID.fullmatch(key_id):
            raise ValueError(f"entry {number} must look like id:base64. {_MAKE_ONE}")
        if key_id in ring:
            raise ValueError(f"the id {key_id} appears twice; give each key its own")
        ring[key_id] = _decode(encoded, key_id)
    return ring


def new_key(key_id: str = "k1") -> str:
    """A fresh entry for the key ring."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def embedded_key(data_dir: Path) -> str:
    """The content of the key file, made at the first call (mode 0600; two processes at once agree on one)."""
    path = data_dir.expanduser() / KEY_FILE
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, new_key())
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    """Appears whole or not at all, and never replaces a key that is there already."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)


def _decode(encoded: str, key_id: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"key {key_id} is not base64. {_MAKE_ONE}") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"key {key_id} has {len(key)} bytes, needed are {KEY_BYTES}. {_MAKE_ONE}")
    if len(set(key)) < 12 or key.isascii():  # a text or a pattern: 32 random bytes look like this once in 2**32
        raise ValueError(f"key {key_id} is an example or a text, not random bytes. {_MAKE_ONE}")
    return key
