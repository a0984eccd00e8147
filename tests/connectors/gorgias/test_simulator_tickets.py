"""Tickets of the simulated Gorgias: making, finding, changing, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.gorgias.simulated import Desk, running, said


@pytest.fixture(scope="module")
def served() -> Iterator[Desk]:
    with running() as pair:
        yield pair


@pytest.fixture
def desk(served: Desk) -> Desk:
    served[0].reset()
    return served


def test_a_ticket_with_the_customers_words_and_our_note(desk: Desk) -> None:
    gorgias, client = desk
    jo = client.customer(external_id="chat:7")
    ticket = client.ticket(
        external_id="hs1:1", subject="Chat: Jo", customer={"id": jo}, tags=[{"name": "chat_handoff"}], meta={"k": 1},
        messages=[said(jo, "I want a person", external_id="hs1:m1"), client.note("Transcript")],
    )  # fmt: skip
    assert (ticket["status"], ticket["channel"], ticket["external_id"]) == ("open", "api", "hs1:1")
    assert (ticket["customer"]["id"], ticket["customer"]["name"]) == (jo, "Jo")
    first, note = ticket["messages"]
    assert (first["public"], first["sender"]["id"], first["external_id"]) == (True, jo, "hs1:m1")
    assert (note["public"], note["channel"], note["sender"]["id"]) == (False, "internal-note", client.me)
    assert [tag["name"] for tag in ticket["tags"]] == ["chat_handoff"]
    assert ticket["last_received_message_datetime"] == first["created_datetime"]
    assert client.show(ticket["id"])["messages"] == ticket["messages"]
    assert gorgias.state.mails == []


def test_the_same_body_twice_makes_two_tickets(desk: Desk) -> None:
    gorgias, client = desk
    jo = client.customer()
    one, two = (client.ticket(external_id="hs1:1", messages=[said(jo, "x", external_id="m")]) for _ in range(2))
    assert one["id"] != two["id"]
    assert gorgias.state.creations["hs1:1"] == gorgias.state.markers["m"] == 2
    listed = client.get("/tickets", params={"external_id": "hs1:1"}).json()["data"]
    assert {row["id"] for row in listed} == {one["id"], two["id"]}


def test_a_new_ticket_is_shown_at_once_but_listed_later(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.list_lag_s = 30
    ticket = client.ticket(external_id="hs1:1")
    assert client.show(ticket["id"])["id"] == ticket["id"]
    for query in ({"external_id": "hs1:1"}, {"ticket_ids": ticket["id"]}, {}):
        assert client.get("/tickets", params=query).json()["data"] == []
    gorgias.clock.advance(31)
    assert len(client.get("/tickets", params={"external_id": "hs1:1"}).json()["data"]) == 1


def test_a_line_of_a_list_counts_messages_and_shows_none(desk: Desk) -> None:
    _, client = desk
    ticket = client.ticket("first words")
    (row,) = client.get("/tickets", params={"customer_id": ticket["customer"]["id"]}).json()["data"]
    assert "messages" not in row
    assert (row["messages_count"], row["excerpt"]) == (1, "first words")


def test_lists_hold_trashed_tickets_unless_told_otherwise(desk: Desk) -> None:
    gorgias, client = desk
    kept, gone = client.ticket()["id"], client.ticket()["id"]
    gorgias.trash(gone)
    assert {row["id"] for row in client.get("/tickets").json()["data"]} == {kept, gone}
    assert [row["id"] for row in client.get("/tickets", params={"trashed": "false"}).json()["data"]] == [kept]


@pytest.mark.parametrize("form", [lambda a, b: [("ticket_ids", a), ("ticket_ids", b)],
                                  lambda a, b: [("ticket_ids[]", a), ("ticket_ids[]", b)],
                                  lambda a, b: [("ticket_ids", f"{a},{b}")]])  # fmt: skip
def test_many_tickets_by_id(desk: Desk, form: Any) -> None:
    _, client = desk
    one, _, three = (client.ticket()["id"] for _ in range(3))
    rows = client.get("/tickets", params=form(one, three)).json()["data"]
    assert {row["id"] for row in rows} == {one, three}
    assert client.get("/tickets", params=[("ticket_ids", n) for n in range(101)]).status_code == 400


def test_pages_follow_a_cursor_to_the_end_and_back(desk: Desk) -> None:
    _, client = desk
    jo = client.customer()
    ids = [client.ticket(of=jo)["id"] for _ in range(5)]
    seen, query = [], {"limit": "2", "order_by": "created_datetime:asc"}
    while True:
        page = client.get("/tickets", params=query).json()
        seen.append([row["id"] for row in page["data"]])
        if page["meta"]["next_cursor"] is None:
            break
        query["cursor"] = page["meta"]["next_cursor"]
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    query["cursor"] = page["meta"]["prev_cursor"]
    assert [row["id"] for row in client.get("/tickets", params=query).json()["data"]] == ids[2:4]
    newest = client.get("/tickets", params={"limit": 2}).json()
    assert [row["id"] for row in newest["data"]] == ids[:2:-1]
    assert newest["meta"]["prev_cursor"] is None


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"cursor": "x"}, {"cursor": "e30="},
                                   {"order_by": "id:asc"}, {"status": "open"}, {"customer_id": "x"}])  # fmt: skip
def test_a_wrong_query_is_refused(desk: Desk, query: dict[str, str]) -> None:
    answer = desk[1].get("/tickets", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["data"].keys() == query.keys()


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"messages": ["Missing data for required field."]}),
        ({"messages": []}, {"messages": ["Length must be between 1 and 500."]}),
        ({"surprise": 1}, {"surprise": ["Unknown field."]}),
        ({"status": "solved"}, {"status": ["Must be one of: open, closed."]}),
        ({"channel": "my-chat"}, {"channel": ["Not a valid channel."]}),
        ({"external_id": "x" * 256}, {"external_id": ["Longer than maximum length 255."]}),
        ({"customer": {"id": 1}}, {"customer": {"id": ["Customer 1 does not exist."]}}),
        ({"assignee_user": {"id": 1}}, {"assignee_user": {"id": ["1 does not exist."]}}),
        ({"messages": [{}]}, {"messages": {"0": {"channel": ["Missing data for required field."],
                                                  "from_agent": ["Missing data for required field."]}}}),
        ({"messages": [{"channel": "api", "from_agent": False}]},
         {"messages": {"0": {"sender": ["Missing data for required field."]}}}),
        ({"messages": [{"channel": "api", "from_agent": True, "sender": {"id": 1}}], "customer": {"email": "a@b.c"}},
         {"messages": {"0": {"sender": {"id": ["User 1 does not exist."]}}}}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_ticket_is_named(desk: Desk, body: dict[str, Any], wrong: dict[str, Any]) -> None:
    gorgias, client = desk
    if "messages" not in body and body:
        body = {"messages": [said(client.customer(), "x")], **body}
    answer = client.post("/tickets", json=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"msg": "Failed to create ticket", "data": wrong}}
    assert gorgias.state.tickets == []


def test_a_channel_of_an_app_may_be_used_once_it_is_registered(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.app_channels = ("my-chat",)
    message = said(client.customer(), "x", channel="my-chat")
    assert client.ticket(channel="my-chat", messages=[message])["channel"] == "my-chat"


def test_a_change_is_partial_and_lists_are_replaced(desk: Desk) -> None:
    gorgias, client = desk
    ticket = client.ticket(subject="Old", tags=[{"name": "a"}, {"name": "b"}])
    dana = gorgias.account.agent("Dana").id
    answer = client.change(ticket["id"], priority="high", tags=[{"name": "c"}], assignee_user={"id": dana})
    assert answer.status_code == 202
    changed = answer.json()
    assert (changed["subject"], changed["priority"], changed["assignee_user"]["name"]) == ("Old", "high", "Dana")
    assert [tag["name"] for tag in changed["tags"]] == ["c"]
    assert changed["updated_datetime"] > ticket["updated_datetime"]
    assert client.change(ticket["id"], **changed).status_code == 400
    assert client.change(ticket["id"], created_datetime="2026-01-01T00:00:00Z").status_code == 400


@pytest.mark.parametrize("nobody", [None, {"id": None}])
def test_an_assignee_is_taken_off_either_way(desk: Desk, nobody: Any) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.assign(ticket_id, "Omar")
    assert client.change(ticket_id, assignee_user=nobody).json()["assignee_user"] is None


def test_custom_fields_are_shown_when_asked_for(desk: Desk) -> None:
    _, client = desk
    ticket_id = client.ticket(custom_fields=[{"id": 7, "value": "vip"}])["id"]
    assert "custom_fields" not in client.show(ticket_id)
    shown = client.get(f"/tickets/{ticket_id}", params={"relationships": "custom_fields"}).json()
    assert shown["custom_fields"]["7"]["value"] == "vip"


def test_tags_are_added_set_and_removed_without_a_body_in_return(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket(tags=[{"name": "a"}])["id"]
    path = f"/tickets/{ticket_id}/tags"
    answers = [client.post(path, json={"names": ["b"]}), client.put(path, json={"names": ["b", "c"]}),
               client.request("DELETE", path, json={"names": ["b"]})]  # fmt: skip
    assert [(answer.status_code, answer.content) for answer in answers] == [(201, b""), (202, b""), (204, b"")]
    assert gorgias.state.tags(ticket_id) == ["c"]
    assert [tag["name"] for tag in client.get(path).json()["data"]] == ["c"]
    assert client.post(path, json={"ids": [1]}).status_code == 400


def test_deleted_is_for_good(desk: Desk) -> None:
    _, client = desk
    ticket_id = client.ticket()["id"]
    assert client.delete(f"/tickets/{ticket_id}").status_code == 204
    for answer in (client.get(f"/tickets/{ticket_id}"), client.change(ticket_id, status="open")):
        assert (answer.status_code, answer.json()) == (404, {"error": {"msg": "Resource not found."}})
    assert client.get("/tickets").json()["data"] == []


def test_more_than_fits_is_refused(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.max_request_bytes = 1000
    assert client.create("x" * 2000).status_code == 413
    assert gorgias.state.tickets == []


def test_paths_work_with_a_slash_and_unknown_ones_do_not(desk: Desk) -> None:
    _, client = desk
    assert client.get("/tickets/").status_code == 200
    assert client.get("/nothing").status_code == 404
    assert client.patch(f"/tickets/{client.ticket()['id']}", json={}).status_code == 405
    assert client.post("/tickets", content=b"{").status_code == 400
