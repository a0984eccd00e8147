"""The agent page of the simulated Intercom, and the words it shares with every other simulated helpdesk."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator
from handoff_connectors.intercom.simulator.front_desk import IntercomDesk
from handoff_sync.simulator.desk import Desk, DeskComment
from tests.connectors.intercom.simulated import Client, receiving, running

EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[IntercomSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def simulator(served: tuple[IntercomSimulator, Client]) -> IntercomSimulator:
    served[0].reset()
    return served[0]


@pytest.fixture
def client(served: tuple[IntercomSimulator, Client], simulator: IntercomSimulator) -> Client:
    return served[1]


@pytest.fixture
def browser(simulator: IntercomSimulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=simulator.base_url, follow_redirects=True, verify=False) as web:
        yield web


def test_a_reply_and_a_note_look_different(simulator: IntercomSimulator, client: Client, browser: httpx.Client) -> None:
    talk = client.begin()
    path = f"/agent/tickets/{talk}/reply"
    browser.post(path, data={"text": "For the customer", "public": "yes", "then": "snoozed"})
    page = browser.post(path, data={"text": "For us", "public": "no"}).text
    assert simulator.state.texts(talk, public=True)[1:] == ["For the customer"]
    assert simulator.state.texts(talk, public=False) == ["For us"]
    assert (page.count('class="entry reply"'), page.count('class="entry note"')) == (1, 1)


def test_reply_and_close_is_one_step(simulator: IntercomSimulator, client: Client, browser: httpx.Client) -> None:
    talk = client.begin()
    browser.post(f"/agent/tickets/{talk}/reply", data={"text": "Bye", "public": "yes", "then": "closed"})
    assert [(p.part_type, p.body) for p in simulator.state.parts(talk)] == [("close", "<p>Bye</p>")]


def test_every_button_works(simulator: IntercomSimulator, client: Client, browser: httpx.Client) -> None:
    talk, other = client.begin(), client.begin(client.contact(external_id="c-2"))
    shown, path = simulator.state.conversation(talk), f"/agent/tickets/{talk}"
    omar = simulator.workspace.admin("Omar").id
    browser.post("/agent/me", data={"agent": omar, "back": path})
    browser.post(f"{path}/assign", data={"assignee": omar})
    assert shown.admin_assignee_id == int(omar)
    for status in ("snoozed", "open", "closed", "open"):
        assert browser.post(f"{path}/status", data={"value": status}).status_code == 200
        assert shown.state == status
    browser.post(f"{path}/customer", data={"text": "From me"})
    assert shown.parts[-1].author.type == "user"
    assert browser.post(f"{path}/merge", data={"target": other}).url.path == f"/agent/tickets/{other}"
    assert (shown.state, shown.last_closed_by_id) == ("closed", omar)
    browser.post(f"{path}/delete")
    assert "deleted for good" in browser.get(path).text
    assert browser.post(f"{path}/dance").status_code == 422
    assert browser.get("/agent/tickets/1").status_code == 404


def test_the_address_that_agents_know_leads_to_the_page(
    simulator: IntercomSimulator, client: Client, browser: httpx.Client
) -> None:
    talk = client.begin()
    page = browser.get(f"/a/inbox/{simulator.app_id}/inbox/conversation/{talk}")
    assert (page.status_code, page.url.path) == (200, f"/agent/tickets/{talk}")


def test_everything_is_escaped(simulator: IntercomSimulator, client: Client, browser: httpx.Client) -> None:
    talk = client.begin(client.contact(name=EVIL), EVIL)
    client.put(f"/conversations/{talk}", json={"title": EVIL})
    simulator.note(talk, EVIL)
    simulator.add_tags(talk, EVIL)
    for path in ("/agent", f"/agent/tickets/{talk}"):
        page = browser.get(path).text
        assert re.findall(r"<script[^>]*>", page) == ['<script src="/agent/agent.js" defer>']
        assert "<img src=x" not in page


# --- the shared words ------------------------------------------------------------------------------


def test_the_desk_speaks_the_shared_words() -> None:
    desk = IntercomDesk()
    shared: Desk = desk
    shared.start()
    try:
        with Client(desk.simulator) as client, receiving() as receiver:
            desk.set_webhook(receiver.url)
            talk = client.begin(body="Hello\nthere")
            client.reply(talk, message_type="note", body="<p>Transcript</p>")
            client.reply(talk, user_id="acme:c-1", body="Still there?")
            shared.reply(talk, "Yes")
            shared.note(talk, "secret")
            shared.solve(talk)
            receiver.wait(4)
        assert shared.ticket_ids() == (talk,)
        ticket = shared.ticket(talk)
        assert (ticket.solved, ticket.requester_name) == (True, "Ana Ruiz")
        assert ticket.comments == (
            DeskComment(text="Hello\nthere", public=True, by_customer=True),
            DeskComment(text="Transcript", public=False, by_customer=False),
            DeskComment(text="Still there?", public=True, by_customer=True),
            DeskComment(text="Yes", public=True, by_customer=False),
            DeskComment(text="secret", public=False, by_customer=False),
        )
        assert httpx.get(shared.agent_url).status_code == 200
        assert shared.access.settings["base_url"] == desk.simulator.base_url
        assert set(shared.access.secrets) == {"access_token", "client_secret"}
    finally:
        shared.stop()
