"""The agent page of the simulated Zendesk: a person can do what an agent does, and nothing is shown unescaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, running

CHROMIUM = Path("/usr/bin/chromium")
EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: tuple[ZendeskSimulator, Client]) -> tuple[ZendeskSimulator, Client]:
    served[0].reset()
    return served


@pytest.fixture
def zendesk(desk: tuple[ZendeskSimulator, Client]) -> ZendeskSimulator:
    return desk[0]


@pytest.fixture
def client(desk: tuple[ZendeskSimulator, Client]) -> Client:
    return desk[1]


@pytest.fixture
def browser(zendesk: ZendeskSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=zendesk.base_url, follow_redirects=True, verify=False) as web:
        yield web


def test_a_reply_and_a_note_look_different(zendesk: ZendeskSimulator, client: Client, browser: httpx.Client) -> None:
    ticket_id = client.ticket()["id"]
    browser.post(
        f"/agent/tickets/{ticket_id}/reply", data={"text": "For the customer", "public": "yes", "then": "pending"}
    )
    page = browser.post(f"/agent/tickets/{ticket_id}/reply", data={"text": "For us", "public": "no"}).text
    assert zendesk.state.texts(ticket_id, public=True) == ["For the customer"]
    assert zendesk.state.texts(ticket_id, public=False) == ["Hello", "For us"]
    assert zendesk.state.ticket(ticket_id).status == "pending"
    assert page.count('class="entry reply"') == 1
    assert page.count('class="entry note"') == 2


def test_every_button_works(zendesk: ZendeskSimulator, client: Client, browser: httpx.Client) -> None:
    ticket_id, other = client.ticket()["id"], client.ticket()["id"]
    ticket, path = zendesk.state.ticket(ticket_id), f"/agent/tickets/{ticket_id}"
    omar = zendesk.account.agent("Omar").id
    browser.post("/agent/me", data={"agent": str(omar), "back": path})
    browser.post(f"{path}/assign", data={"assignee": str(omar)})
    assert (ticket.assignee_id, ticket.status) == (omar, "open")
    for status in ("pending", "hold", "solved", "open"):
        assert browser.post(f"{path}/status", data={"value": status}).status_code == 200
        assert ticket.status == status
    browser.post(f"{path}/customer", data={"text": "From me"})
    assert ticket.comments[-1].author_id == ticket.requester_id
    browser.post(f"{path}/delete")
    assert "This ticket is deleted" in browser.get(path).text
    browser.post(f"{path}/restore")
    assert browser.post(f"{path}/merge", data={"target": str(other)}).url.path == f"/agent/tickets/{other}"
    assert (ticket.status, ticket.audits[-1].author_id) == ("closed", omar)
    assert "This ticket is closed" in browser.get(path).text


def test_what_the_helpdesk_refuses_is_explained_and_the_text_is_kept(
    zendesk: ZendeskSimulator, client: Client, browser: httpx.Client
) -> None:
    ticket_id = client.ticket()["id"]
    zendesk.settings.max_comments = 1
    answer = browser.post(f"/agent/tickets/{ticket_id}/reply", data={"text": "typed for long", "public": "yes"})
    assert answer.status_code == 422
    assert "limit of 1 comments" in answer.text
    assert ">typed for long</textarea>" in answer.text
    assert browser.post(f"/agent/tickets/{ticket_id}/dance").status_code == 422
    assert browser.get("/agent/tickets/999").status_code == 404
    assert browser.get("/agent/tickets/x").status_code == 404


def test_everything_is_escaped(zendesk: ZendeskSimulator, client: Client, browser: httpx.Client) -> None:
    ticket = client.ticket(subject=EVIL, external_id=EVIL, requester={"name": EVIL, "email": "e@example.com"},
                           comment={"html_body": "&lt;script&gt;alert(3)&lt;/script&gt;"}, tags=[EVIL])  # fmt: skip
    zendesk.note(ticket["id"], EVIL)
    for path in ("/agent", f"/agent/tickets/{ticket['id']}"):
        page = browser.get(path).text
        assert re.findall(r"<script[^>]*>", page) == ['<script src="/agent/agent.js" defer>']
        assert "<img src=x" not in page


def test_the_page_allows_itself_nothing_foreign(browser: httpx.Client) -> None:
    answer = browser.get("/agent")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in answer.text
    assert re.findall(r'(?:href|src)="(?!/agent|#main)([^"]*)"', answer.text) == []
    for asset in re.findall(r'(?:href|src)="(/agent/[^"]+\.\w+)"', answer.text):
        assert browser.get(asset).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_page_cannot_send_forms(
    zendesk: ZendeskSimulator, client: Client, browser: httpx.Client, headers: dict[str, str]
) -> None:
    ticket_id = client.ticket()["id"]
    answer = browser.post(f"/agent/tickets/{ticket_id}/delete", headers=headers)
    assert answer.status_code == 403
    assert zendesk.state.ticket(ticket_id).deleted_at is None


def test_the_list_filters(zendesk: ZendeskSimulator, client: Client, browser: httpx.Client) -> None:
    kept, solved, gone = (client.ticket(subject=name)["id"] for name in ("Kept", "Done", "Gone"))
    zendesk.set_status(solved, "solved")
    zendesk.delete(gone)

    def shown(which: str) -> list[int]:
        return sorted(
            map(int, re.findall(r'href="/agent/tickets/(\d+)"', browser.get("/agent", params={"show": which}).text))
        )

    assert (shown("all"), shown("active")) == ([kept, solved], [kept])
    assert (shown("solved"), shown("deleted")) == ([solved], [gone])


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
def test_an_open_page_follows_without_losing_what_is_typed(zendesk: ZendeskSimulator, client: Client) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    ticket_id, noise = client.ticket()["id"], []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = chromium.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.goto(f"{zendesk.agent_url}/tickets/{ticket_id}")
        page.check("input[value=no]")
        page.fill("#text", "half typed")
        zendesk.reply(ticket_id, "from elsewhere")
        page.wait_for_selector("text=from elsewhere")
        assert page.input_value("#text") == "half typed"
        page.press("#text", "Control+Enter")
        page.wait_for_selector(".entry.note:has-text('half typed')")
        chromium.close()
    assert zendesk.state.texts(ticket_id, public=False) == ["Hello", "half typed"]
    assert noise == []
