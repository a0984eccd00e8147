"""What changed is found without webhooks: pages, overlap, lost cursors, deletions, late duplicates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_sync.errors import RateLimited, VendorRejected
from tests.connectors.intercom.conftest import (
    NOON,
    Script,
    Spending,
    answer,
    conversation,
    found,
    problem,
    tagged,
)

NOW = datetime.fromtimestamp(NOON + 3600, UTC)


def at(seconds: int, number: int = 499, **fields: Any) -> dict[str, Any]:
    """A conversation that changed so many seconds before NOW."""
    changed = NOON + 3600 - seconds
    return conversation(id=str(number), updated_at=changed, tags=tagged("handoff-sync"), **fields)


def searches(intercom: Script) -> list[Any]:
    return [heard.json for heard in intercom.calls("POST /conversations/search")]


def test_the_first_sweep_starts_a_little_back(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(at(60), at(60_000, 5)))
    changed = connector.changed(None, NOW)
    assert changed.ids == ("499",), "what the filter let through is filtered again"
    assert not changed.more
    (asked,) = searches(intercom)
    assert asked["query"] == {"field": "updated_at", "operator": ">", "value": NOON + 3600 - 900}
    assert asked["pagination"] == {"per_page": 150}


def test_the_watermark_moves_after_the_last_page_only(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(at(60, 1), after="p2"), found(at(50, 2)), found())
    first = connector.changed(None, NOW)
    assert (first.ids, first.more) == (("1",), True)
    second = connector.changed(first.cursor, NOW + timedelta(minutes=1))
    assert (second.ids, second.more) == (("2",), False)
    connector.changed(second.cursor, NOW + timedelta(minutes=5))
    asked = searches(intercom)
    assert [a["query"]["value"] for a in asked] == [NOON + 3600 - 900] * 3
    assert [a["pagination"].get("starting_after") for a in asked] == [None, "p2", None]


def test_the_next_sweep_begins_where_this_one_began(intercom: Script, connector: IntercomConnector) -> None:
    first = connector.changed(None, NOW)
    second = connector.changed(first.cursor, NOW + timedelta(minutes=5))
    connector.changed(second.cursor, NOW + timedelta(minutes=10))
    assert [a["query"]["value"] - (NOON + 3600 - 900) for a in searches(intercom)] == [0, 0, 300]


def test_the_overlap_tells_nothing_twice_but_every_change(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(at(60, 1), at(50, 2)), found(at(60, 1), at(40, 2)))
    first = connector.changed(None, NOW)
    second = connector.changed(first.cursor, NOW + timedelta(minutes=5))
    assert (first.ids, second.ids) == (("1", "2"), ("2",))


def test_a_change_within_one_second_is_told_by_the_number_of_parts(
    intercom: Script, connector: IntercomConnector
) -> None:
    def counted(count: int) -> dict[str, Any]:
        return at(60, 1, statistics={"count_conversation_parts": count})

    intercom.on("POST /conversations/search", found(counted(3)), found(counted(4)))
    first = connector.changed(None, NOW)
    assert connector.changed(first.cursor, NOW + timedelta(minutes=5)).ids == ("1",)


def test_a_lost_cursor_starts_the_sweep_again_and_not_for_ever(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(at(60, 1), after="p2"), problem(400, "invalid_param"))
    first = connector.changed(None, NOW)
    again = connector.changed(first.cursor, NOW)
    assert (again.ids, again.more) == ((), True)
    intercom.on("POST /conversations/search", found(at(60, 1), after="p2"), problem(400, "invalid_param"))
    repeated = connector.changed(again.cursor, NOW)
    assert repeated.ids == ("1",), "what was told before the loss is told again"
    assert not connector.changed(repeated.cursor, NOW).more
    assert [a["query"]["value"] for a in searches(intercom)] == [NOON + 3600 - 900] * 4


def test_a_refused_first_page_is_an_error(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", problem(400, "parameter_invalid"))
    with pytest.raises(VendorRejected):
        connector.changed(None, NOW)


def test_deleted_conversations_are_found_back_to_the_last_seen(intercom: Script, connector: IntercomConnector) -> None:
    def gone(*pairs: tuple[str, int], more: bool = False) -> Mapping[str, Any]:
        listed = [{"id": id, "deleted_at": NOON + 3600 + offset} for id, offset in pairs]
        return {"conversations": listed, "pages": {"next": "https://…" if more else None}}

    intercom.on("GET /conversations/deleted", gone(("7", 30), more=True), gone(("6", 0), ("5", -5000)))
    first = connector.changed(None, NOW)
    assert first.ids == ("7", "6")
    assert json.loads(first.cursor)["deleted"] == NOON + 3630


def test_a_sweep_works_without_the_list_of_deleted(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(at(60, 1)))
    intercom.on("GET /conversations/deleted", problem(400, "intercom_version_invalid"))
    assert connector.changed(None, NOW).ids == ("1",)


# --- late duplicates (quirk IC-5) ----------------------------------------------------------------------------


def orphan(seconds: int, **fields: Any) -> dict[str, Any]:
    return {**at(60, 500, created_at=NOON + 3600 - seconds), "tags": tagged(), **fields}


def test_a_creation_that_surfaces_late_is_merged_into_the_one_in_use(
    intercom: Script, connector: IntercomConnector
) -> None:
    lost = orphan(1000)
    intercom.on("POST /conversations/search", found(lost), found(lost, at(60, 510)))
    intercom.on("POST /conversations/500/merge", conversation())
    connector.changed(None, NOW)
    assert intercom.calls("POST /conversations/500/merge")[0].json == {"merge_into_conversation_id": 510}


@pytest.mark.parametrize(
    "found_one",
    [orphan(100), orphan(1000, state="closed"), orphan(1000, source={"body": "hi"}), at(60, 500, created_at=NOON)],
    ids=["still being opened", "merged already", "not ours", "furnished"],
)
def test_what_is_not_one_too_many_is_left_alone(
    found_one: dict[str, Any], intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("POST /conversations/search", found(found_one))
    connector.changed(None, NOW)
    assert len(searches(intercom)) == 1


def test_an_orphan_without_a_twin_is_left_alone(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("POST /conversations/search", found(orphan(1000)))
    connector.changed(None, NOW)
    assert intercom.calls("POST /conversations/500") == []


# --- budgets (quirk IC-16) ---------------------------------------------------------------------------------------


def test_sweeps_have_a_budget_of_their_own(intercom: Script, connector: IntercomConnector, spending: Spending) -> None:
    connector.changed(None, NOW)
    connector.read("499", None)
    assert spending.spent == ["sweep", "sweep", "sweep", "*"], "conversations, tickets, deleted ones; a reading"


def test_the_end_of_a_window_is_kept_for_people(intercom: Script, connector: IntercomConnector) -> None:
    ends = str(int(datetime.now(UTC).timestamp()) + 8)
    nearly_used = {"X_RateLimit_Limit": "167", "X_RateLimit_Remaining": "12", "X_RateLimit_Reset": ends}
    intercom.on("GET /conversations/*", answer(200, conversation(), **nearly_used))
    connector.read("499", None)
    with pytest.raises(RateLimited) as raised:
        connector.changed(None, NOW)
    assert 1 <= raised.value.retry_after_s <= 8
    assert raised.value.scope == "ticket", "only the sweep waits"
    assert connector.read("499", None).id == "499"
