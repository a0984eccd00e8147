"""Ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME_CHARS = 9  # milliseconds in base 36 fit until the year 5188
_RANDOM_CHARS = 13  # 67 bits


def new_id(prefix: str) -> str:
    """`<prefix>_<time><random>`: url-safe, unique, and sorting as text by the millisecond it was made in."""
    return f"{prefix}_{_base36(time.time_ns() // 1_000_000, _TIME_CHARS)}{_random()}"


def _random() -> str:
    return _base36(secrets.randbits(67), _RANDOM_CHARS)


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))
