"""The agent page of the simulated Gorgias: a person can do what an agent does, and nothing is shown unescaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.connectors.gorgias.simulated import Desk, running


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture
def browser(desk: Desk) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=desk[0].base_url, follow_redirects=True, verify=False) as web:
        yield web


def test_a_reply_and_a_note_look_different(desk: Desk, browser: httpx.Client) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    path = f"/agent/tickets/{ticket_id}/reply"
    browser.post(path, data={"text": "For the customer", "public": "yes", "then": "closed"})
    page = browser.post(path, data={"text": "For us", "public": "no"}).text
    assert gorgias.state.texts(ticket_id, public=True) == ["I want a person", "For the customer"]
    assert gorgias.state.texts(ticket_id, public=False) == ["For us"]
    assert gorgias.state.ticket(ticket_id).status == "closed"
    assert [page.count(f'class="entry {kind}"') for kind in ("customer", "reply", "note")] == [1, 1, 1]
    assert browser.post(path, data={"text": " ", "public": "yes"}).status_code == 422


def test_every_button_works(desk: Desk, browser: httpx.Client) -> None:
    gorgias, client = desk
    ticket_id, other = client.ticket()["id"], client.ticket()["id"]
    ticket, path = gorgias.state.ticket(ticket_id), f"/agent/tickets/{ticket_id}"
    omar = gorgias.account.agent("Omar").id
    browser.post("/agent/me", data={"agent": str(omar), "back": path})
    browser.post(f"{path}/assign", data={"assignee": str(omar)})
    assert ticket.assignee_user_id == omar
    for action, value, shown in (
        ("status", "closed", "Closed"), ("status", "open", "Open"), ("snooze", "86400", "Snoozed"),
        ("status", "open", "Open"), ("spam", "yes", "Spam"), ("spam", "", "Open"), ("snooze", "60", "Snoozed"),
    ):  # fmt: skip
        page = browser.post(f"{path}/{action}", data={"value": value}).text
        assert re.search(rf'class="badge \w+">{shown}<', page), (action, value)
    browser.post(f"{path}/customer", data={"text": "From me"})
    assert (ticket.messages[-1].from_agent, ticket.status, ticket.snooze_at) == (False, "open", None)
    browser.post(f"{path}/delete")
    assert "This ticket is in the trash" in browser.get(path).text
    browser.post(f"{path}/restore")
    assert browser.post(f"{path}/merge", data={"target": str(other)}).url.path == f"/agent/tickets/{other}"
    assert ticket.merged_into == other
    assert "was merged" in browser.get(path).text
    assert gorgias.state.events[-1].user_id == omar


def test_what_is_impossible_is_explained(desk: Desk, browser: httpx.Client) -> None:
    _, client = desk
    ticket_id = client.ticket()["id"]
    for path, status in ((f"{ticket_id}/dance", 422), (f"{ticket_id}/merge", 422)):
        assert browser.post(f"/agent/tickets/{path}").status_code == status
    assert browser.get("/agent/tickets/999").status_code == 404
    assert browser.get("/agent/tickets/x").status_code == 404


def test_everything_is_escaped(desk: Desk, browser: httpx.Client) -> None:
    gorgias, client = desk
    ticket_id = client.ticket(EVIL, subject=EVIL, external_id=EVIL, tags=[{"name": EVIL}], of=client.customer(EVIL))[
        "id"
    ]
    gorgias.note(ticket_id, EVIL)
    for path in ("/agent", f"/agent/tickets/{ticket_id}"):
        page = browser.get(path).text
        assert re.findall(r"<script[^>]*>", page) == ['<script src="/agent/agent.js" defer>']
        assert "<img src=x" not in page


def test_the_list_filters(desk: Desk, browser: httpx.Client) -> None:
    gorgias, client = desk
    kept, snoozed, closed, gone, merged = (client.ticket()["id"] for _ in range(5))
    gorgias.snooze(snoozed)
    gorgias.close(closed)
    gorgias.trash(gone)
    gorgias.merge(merged, kept)

    def shown(which: str) -> set[int]:
        found = re.findall(r'href="/agent/tickets/(\d+)"', browser.get("/agent", params={"show": which}).text)
        return set(map(int, found))

    assert (shown("all"), shown("active")) == ({kept, snoozed, closed}, {kept, snoozed})
    assert (shown("solved"), shown("deleted")) == ({closed}, {gone})


def test_links_of_the_real_one_lead_to_the_ticket(desk: Desk, browser: httpx.Client) -> None:
    ticket_id = desk[1].ticket(subject="Refund")["id"]
    assert "Refund" in browser.get(f"/app/ticket/{ticket_id}").text
