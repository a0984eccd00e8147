"""The incremental export and the search of the simulated Zendesk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, running

PATH = "/api/v2/incremental/tickets/cursor"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: tuple[ZendeskSimulator, Client]) -> tuple[ZendeskSimulator, Client]:
    served[0].reset()
    return served


def export(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_newest_minute_is_withheld(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    start = int(time.time()) - 3600
    ticket_id = client.ticket()["id"]
    first = export(client, start_time=start)
    assert (first["tickets"], first["end_of_stream"]) == ([], True)
    zendesk.clock.advance(61)
    assert [t["id"] for t in export(client, cursor=first["after_cursor"])["tickets"]] == [ticket_id]


def test_the_cursor_goes_on_where_it_stopped(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    zendesk.settings.export_withheld_s = 0
    ids = [client.ticket()["id"] for _ in range(5)]
    page = export(client, start_time=0, per_page=2)
    seen = [t["id"] for t in page["tickets"]]
    while not page["end_of_stream"]:
        page = export(client, cursor=page["after_cursor"], per_page=2)
        seen += [t["id"] for t in page["tickets"]]
    assert seen == ids
    assert export(client, cursor=page["after_cursor"])["tickets"] == []
    zendesk.reply(ids[1], "changed")
    assert [t["id"] for t in export(client, cursor=page["after_cursor"])["tickets"]] == [ids[1]]


def test_deleted_tickets_are_in_the_export_and_purged_ones_are_scrubbed(
    desk: tuple[ZendeskSimulator, Client],
) -> None:
    zendesk, client = desk
    zendesk.settings.export_withheld_s = 0
    ticket_id = client.ticket(subject="Secret")["id"]
    zendesk.delete(ticket_id)
    shown = export(client, start_time=0)["tickets"]
    assert [(t["status"], t["subject"]) for t in shown] == [("deleted", "Secret")]
    assert export(client, start_time=0, exclude_deleted="true")["tickets"] == []
    zendesk.purge(ticket_id)
    shown = export(client, start_time=0)["tickets"]
    assert [(t["status"], t["subject"], t["description"]) for t in shown] == [("deleted", "SCRUBBED", "X")]


@pytest.mark.parametrize("start", ["now", "soon", ""])
def test_a_start_time_must_lie_a_minute_back(desk: tuple[ZendeskSimulator, Client], start: str) -> None:
    moment = {"now": str(int(time.time())), "soon": "later", "": ""}[start]
    answer = desk[1].get(PATH, params={"start_time": moment})
    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidValue")


def test_a_made_up_cursor_is_refused(desk: tuple[ZendeskSimulator, Client]) -> None:
    assert desk[1].get(PATH, params={"cursor": "nonsense"}).status_code == 400


def test_ten_exports_a_minute(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    zendesk.settings.limits = Limits()
    statuses = [client.get(PATH, params={"start_time": 0}).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
    zendesk.clock.advance(60)
    assert client.get(PATH, params={"start_time": 0}).status_code == 200


def test_search_lags_behind(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ticket_id = client.ticket(external_id="hs:acme:1", tags=["ai_handoff"])["id"]
    query = {"query": 'type:ticket external_id:"hs:acme:1"'}
    assert client.get("/api/v2/search", params=query).json()["results"] == []
    zendesk.clock.advance(31)
    assert [r["id"] for r in client.get("/api/v2/search", params=query).json()["results"]] == [ticket_id]
    counts = {"tags:ai_handoff": 1, "-tags:ai_handoff": 0, "refund": 1, "status:solved": 0}
    for words, count in counts.items():
        found = client.get("/api/v2/search", params={"query": f"type:ticket {words}"}).json()
        assert (words, found["count"]) == (words, count)
    assert (
        client.get("/api/v2/search", params={"query": "type:user dana"}).json()["results"][0]["name"] == "Dana Miller"
    )


def test_search_ends_after_a_thousand_results(desk: tuple[ZendeskSimulator, Client]) -> None:
    assert desk[1].get("/api/v2/search", params={"query": "x", "page": 11}).status_code == 422


def test_groups_statuses_and_uploads(desk: tuple[ZendeskSimulator, Client]) -> None:
    client = desk[1]
    groups = client.get("/api/v2/groups").json()["groups"]
    assert [group["name"] for group in groups] == ["Support", "Billing"]
    assert client.ticket(group_id=groups[1]["id"])["group_id"] == groups[1]["id"]
    statuses = client.get("/api/v2/custom_statuses", params={"status_categories": "pending"}).json()["custom_statuses"]
    assert [status["agent_label"] for status in statuses] == ["Pending", "Waiting for parts"]
    sent = client.post("/api/v2/uploads?filename=a.pdf", content=b"%PDF", headers={"Content-Type": "application/pdf"})
    token = sent.json()["upload"]["token"]
    ticket = client.ticket(comment={"body": "see file", "uploads": [token], "public": True})
    attachment = client.comments(ticket["id"])[0]["attachments"][0]
    assert (attachment["file_name"], attachment["size"], attachment["content_type"]) == ("a.pdf", 4, "application/pdf")
    assert client.get(attachment["content_url"], auth=None).content == b"%PDF"
