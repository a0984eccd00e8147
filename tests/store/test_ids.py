from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

from handoff_sync.store.ids import new_id


def test_ids_are_url_safe_and_unique() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id("ses"), range(5000)))
    assert len(set(ids)) == 5000
    assert all(re.fullmatch(r"ses_[0-9a-z]{22}", id) for id in ids)


def test_ids_sort_by_the_time_they_were_made_at() -> None:
    first = new_id("ses")
    made = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == made:
        pass
    assert first < new_id("ses")
