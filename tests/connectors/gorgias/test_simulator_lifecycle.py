"""What becomes of tickets in the simulated Gorgias: closed, snoozed, trashed, spam, merged; and its history of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from handoff_connectors.gorgias.simulator import GorgiasSimulator
from tests.connectors.gorgias.simulated import Client, Desk, running, said, until


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


def history(client: Client, ticket_id: int) -> list[str]:
    """The types of a ticket's events, oldest first."""
    query = {"object_type": "Ticket", "object_id": ticket_id, "order_by": "created_datetime:asc", "limit": 100}
    return [event["type"].removeprefix("ticket-") for event in client.get("/events", params=query).json()["data"]]


def test_closed_and_open_again(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.close(ticket_id)
    assert client.show(ticket_id)["closed_datetime"] is not None
    shown = client.change(ticket_id, status="open").json()
    assert (shown["status"], shown["closed_datetime"]) == ("open", None)
    assert history(client, ticket_id) == ["created", "message-created", "closed", "reopened"]


def test_a_snooze_looks_closed_and_ends_by_itself(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.snooze(ticket_id, 3600)
    shown = client.show(ticket_id)
    assert (shown["status"], shown["snooze_datetime"] is not None) == ("closed", True)
    gorgias.clock.advance(3599)
    assert client.show(ticket_id)["status"] == "closed"
    gorgias.clock.advance(2)
    shown = client.show(ticket_id)
    assert (shown["status"], shown["snooze_datetime"]) == ("open", None)
    assert history(client, ticket_id)[2:] == ["snoozed", "self-unsnoozed"]


def test_a_snooze_ends_without_anybody_asking(desk: Desk) -> None:
    gorgias, client = desk
    ticket = gorgias.state.ticket(client.ticket()["id"])
    gorgias.snooze(ticket.id, 0.05)
    until(lambda: ticket.status == "open")


def test_a_snooze_that_was_moved_does_not_end_early(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.snooze(ticket_id, 60)
    gorgias.snooze(ticket_id, 600)
    gorgias.clock.advance(61)
    assert client.show(ticket_id)["status"] == "closed"


@pytest.mark.parametrize("ends", [True, False])
def test_whether_a_customers_word_ends_a_snooze_is_a_setting(desk: Desk, ends: bool) -> None:
    gorgias, client = desk
    gorgias.settings.reply_ends_snooze = ends
    ticket_id = client.ticket()["id"]
    gorgias.snooze(ticket_id)
    gorgias.customer_reply(ticket_id, "Hello?")
    shown = client.show(ticket_id)
    assert (shown["status"], shown["snooze_datetime"] is None) == ("open" if ends else "closed", ends)


def test_a_snooze_may_leave_the_status_alone(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.snoozed_is_closed = False
    ticket_id = client.ticket()["id"]
    until_ = datetime(2099, 1, 1, tzinfo=UTC).isoformat()
    shown = client.change(ticket_id, snooze_datetime=until_).json()
    assert (shown["status"], shown["snooze_datetime"]) == ("open", "2099-01-01T00:00:00.000000+00:00")


def test_trash_and_spam_and_back(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.trash(ticket_id)
    assert client.show(ticket_id)["trashed_datetime"] is not None
    client.change(ticket_id, trashed_datetime=None)
    gorgias.spam(ticket_id)
    assert client.show(ticket_id)["spam"] is True
    gorgias.unspam(ticket_id)
    shown = client.show(ticket_id)
    assert (shown["status"], shown["spam"], shown["trashed_datetime"]) == ("open", False, None)
    assert history(client, ticket_id)[2:] == ["trashed", "untrashed", "marked-spam", "unmarked-spam"]


def test_assignments_are_in_the_history_with_whoever_did_it(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.assign(ticket_id, "Dana", agent="Yuki")
    gorgias.assign_team(ticket_id, "Billing")
    gorgias.assign(ticket_id, None)
    assert history(client, ticket_id)[2:] == ["assigned", "team-assigned", "unassigned"]
    (event,) = client.get("/events", params={"types[]": "ticket-assigned"}).json()["data"]
    assert event["user_id"] == gorgias.account.agent("Yuki").id
    assert client.get(f"/events/{event['id']}").json() == event
    assert client.show(ticket_id)["assignee_team"]["name"] == "Billing"


# --- merging -------------------------------------------------------------------------------------


def every_call(client: Client, ticket_id: int) -> list[Any]:
    path = f"/tickets/{ticket_id}"
    return [client.get(path), client.put(path, json={"status": "open"}), client.delete(path),
            client.get(f"{path}/messages"), client.post(f"{path}/messages", json=client.note("x")),
            client.post(f"{path}/tags", json={"names": ["x"]})]  # fmt: skip


def test_a_merged_ticket_leads_to_the_other_whatever_is_asked(desk: Desk) -> None:
    gorgias, client = desk
    old = client.ticket("first", external_id="hs1:1", tags=[{"name": "a"}])["id"]
    new = client.ticket("second", external_id="hs1:2", tags=[{"name": "b"}])["id"]
    gorgias.merge(new, old)
    for answer in every_call(client, new):
        assert (answer.status_code, answer.content) == (301, b"")
        assert answer.headers["location"] == f"{gorgias.base_url}/api/tickets/{old}"
    assert gorgias.state.texts(old) == ["first", "second"]
    assert gorgias.state.tags(old) == ["a", "b"]
    assert client.get("/tickets", params={"external_id": "hs1:2"}).json()["data"] == []
    assert [row["id"] for row in client.get("/tickets", params={"ticket_ids": f"{old},{new}"}).json()["data"]] == [old]
    assert client.show(old)["messages"][1]["ticket_id"] == old
    assert history(client, old)[-1] == history(client, new)[-1] == "merged"


@pytest.mark.parametrize(("form", "location"), [("relative", "/api/tickets/{}"), ("slash", "/api/tickets/{}/")])
def test_the_address_of_a_merged_ticket_has_several_forms(desk: Desk, form: str, location: str) -> None:
    gorgias, client = desk
    gorgias.settings.merge_location = form
    old, new = client.ticket()["id"], client.ticket()["id"]
    gorgias.merge(new, old)
    assert client.get(f"/tickets/{new}").headers["location"] == location.format(old)


def test_merges_form_a_chain(desk: Desk) -> None:
    gorgias, client = desk
    one, two, three = (client.ticket()["id"] for _ in range(3))
    gorgias.merge(three, two)
    gorgias.merge(two, one)
    assert client.get(f"/tickets/{three}", follow_redirects=True).json()["id"] == one
    assert len(gorgias.state.messages(one)) == 3


def pair_of(gorgias: GorgiasSimulator, client: Client, **second: Any) -> tuple[int, int]:
    """Two tickets of one customer, after the account had time to merge them."""
    jo = client.customer()
    one = client.ticket(of=jo)["id"]
    two = client.ticket(**{"messages": [said(jo, "again")], **second})["id"]
    gorgias.clock.advance(2)
    return one, two


def test_the_account_merges_into_the_older_ticket_of_the_same_customer(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.auto_merge = True
    one, two = pair_of(gorgias, client)
    assert gorgias.state.ticket(two).merged_into == one
    shown = [setting["data"] for setting in client.get("/account/settings").json()["data"]]
    assert {"tickets": {"enabled": True, "merging_window_days": 5}} in shown


def test_what_keeps_tickets_apart(desk: Desk) -> None:
    gorgias, client = desk
    one, two = pair_of(gorgias, client)
    assert gorgias.state.ticket(two).merged_into is None, "the option is off by default"
    gorgias.settings.auto_merge, gorgias.settings.auto_merge_excluded_tags = True, ("chat_handoff",)
    for second in ({"tags": [{"name": "chat_handoff"}]}, {"channel": "phone"}, {"status": "closed"},
                   {"messages": [said(client.customer("Other"), "x")]}):  # fmt: skip
        one, two = pair_of(gorgias, client, **second)
        assert gorgias.state.ticket(two).merged_into is None, second
    one = client.ticket(of=(jo := client.customer()))["id"]
    gorgias.clock.advance(6 * 86_400)
    two = client.ticket(of=jo)["id"]
    gorgias.clock.advance(2)
    assert (gorgias.state.ticket(one).status, gorgias.state.ticket(two).merged_into) == ("open", None)


# --- history -------------------------------------------------------------------------------------


def test_the_history_is_read_from_a_moment_on(desk: Desk) -> None:
    gorgias, client = desk
    client.ticket()
    gorgias.clock.advance(60)
    edge = gorgias.clock.now().isoformat()
    ticket_id = client.ticket()["id"]
    query = {"created_datetime[gt]": edge, "order_by": "created_datetime:asc"}
    rows = client.get("/events", params=query).json()["data"]
    assert [(row["type"], row["object_id"]) for row in rows] == [
        ("ticket-created", ticket_id),
        ("ticket-message-created", ticket_id),
    ]
    assert client.get("/events", params={"created_datetime[lte]": edge}).json()["data"][0]["object_id"] != ticket_id


def test_the_history_comes_late(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.event_lag_s = 5
    client.ticket()
    assert client.get("/events").json()["data"] == []
    gorgias.clock.advance(6)
    assert len(client.get("/events").json()["data"]) == 2


def test_a_messages_event_may_be_about_the_message(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.message_event_object = "TicketMessage"
    message = client.ticket()["messages"][0]
    (row,) = client.get("/events", params={"types": "ticket-message-created"}).json()["data"]
    assert (row["object_type"], row["object_id"]) == ("TicketMessage", message["id"])


@pytest.mark.parametrize("query", [{"object_type": "Ticket"}, {"object_type": "Message", "object_id": "1"},
                                   {"created_datetime[gt]": "yesterday"}, {"since": "2026-01-01"}])  # fmt: skip
def test_a_wrong_question_to_the_history_is_refused(desk: Desk, query: dict[str, str]) -> None:
    assert desk[1].get("/events", params=query).status_code == 400
