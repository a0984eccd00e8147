"""How long a helpdesk asks us to wait before the next call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

MAX_WAIT_S: Final = 3600.0


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Retry-After, a number or a date: 0 to MAX_WAIT_S, None if there is none or nonsense. Names are lower case."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value) if value[:1].isdigit() else (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), MAX_WAIT_S) if math.isfinite(seconds) else None
