"""Tickets that leave the simulated Zendesk: deleted, spam, merged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, running


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: tuple[ZendeskSimulator, Client]) -> tuple[ZendeskSimulator, Client]:
    served[0].reset()
    return served


def test_a_deleted_ticket_is_gone_until_it_is_restored(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ticket_id = client.ticket(external_id="hs:1")["id"]
    zendesk.set_status(ticket_id, "pending")
    assert client.delete(f"/api/v2/tickets/{ticket_id}").status_code == 204
    for answer in (client.get(f"/api/v2/tickets/{ticket_id}"), client.change(ticket_id, priority="low"),
                   client.get(f"/api/v2/tickets/{ticket_id}/comments")):  # fmt: skip
        assert (answer.status_code, answer.json()["error"]) == (404, "RecordNotFound")
    assert client.get("/api/v2/tickets", params={"external_id": "hs:1"}).json()["tickets"] == []
    gone = client.get("/api/v2/deleted_tickets").json()["deleted_tickets"]
    assert [(t["id"], t["previous_state"], t["actor"]["name"]) for t in gone] == [
        (ticket_id, "pending", "Handoff Connector")
    ]
    restored = client.put(f"/api/v2/deleted_tickets/{ticket_id}/restore")
    assert (restored.status_code, restored.json()) == (200, {})
    assert client.get(f"/api/v2/tickets/{ticket_id}").json()["ticket"]["status"] == "pending"


def test_spam_deletes_the_ticket_and_suspends_the_requester(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ticket = client.ticket()
    assert client.put(f"/api/v2/tickets/{ticket['id']}/mark_as_spam").status_code == 200
    assert client.get(f"/api/v2/tickets/{ticket['id']}").status_code == 404
    assert zendesk.state.user(ticket["requester_id"]).suspended


def test_a_merge_closes_the_source_with_a_private_comment_and_a_tag(desk: tuple[ZendeskSimulator, Client]) -> None:
    _, client = desk
    source, target = client.ticket(subject="first")["id"], client.ticket(subject="second")["id"]
    job = client.post(f"/api/v2/tickets/{target}/merge", json={"ids": [source]}).json()["job_status"]
    assert job["status"] == "queued"
    assert client.get(job["url"]).json()["job_status"]["status"] == "completed"
    closed = client.get(f"/api/v2/tickets/{source}").json()["ticket"]
    assert (closed["status"], closed["tags"]) == ("closed", ["closed_by_merge"])
    for ticket_id, other in ((source, target), (target, source)):
        comment = client.comments(ticket_id)[-1]
        assert f"#{other}" in comment["plain_body"]
        assert (comment["public"], comment["via"]["source"]["rel"]) == (False, "merge")


def test_a_merge_can_be_public_and_a_closed_ticket_cannot_be_merged(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    source, target = client.ticket()["id"], client.ticket()["id"]
    texts = {"ids": [source], "source_comment": "moved", "source_comment_is_public": True}
    client.post(f"/api/v2/tickets/{target}/merge", json=texts)
    assert zendesk.state.texts(source, public=True) == ["moved"]
    assert client.post(f"/api/v2/tickets/{target}/merge", json={"ids": [source]}).status_code == 422
    assert client.post(f"/api/v2/tickets/{target}/merge", json={"ids": "1"}).status_code == 400


def test_an_agents_file_is_at_its_address(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ticket_id = client.ticket()["id"]
    zendesk.reply(ticket_id, "see here", files={"label.png": b"\x89PNG"})
    attachment = client.comments(ticket_id)[-1]["attachments"][0]
    assert (attachment["file_name"], attachment["content_type"]) == ("label.png", "image/png")
    assert client.get(attachment["content_url"], auth=None).content == b"\x89PNG"


def test_a_public_reply_can_be_made_private_later(desk: tuple[ZendeskSimulator, Client]) -> None:
    zendesk, client = desk
    ticket_id = client.ticket()["id"]
    comment = zendesk.reply(ticket_id, "oops")
    assert client.put(f"/api/v2/tickets/{ticket_id}/comments/{comment.id}/make_private").status_code == 200
    assert client.comments(ticket_id)[-1]["public"] is False
    assert client.put(f"/api/v2/tickets/{ticket_id}/comments/1/make_private").status_code == 404
