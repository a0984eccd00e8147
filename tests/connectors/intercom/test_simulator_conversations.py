"""Conversations at the simulated Intercom: what the real one does with words, states, assignments and merges."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from handoff_connectors.intercom.simulator import IntercomSimulator
from tests.connectors.intercom.simulated import Client, error, running


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


def kinds(client: Client, talk: str) -> list[str]:
    return [part["part_type"] for part in client.parts(talk)]


def state(client: Client, talk: str) -> tuple[str, bool]:
    shown = client.conversation(talk)
    return shown["state"], shown["open"]


# --- beginning -------------------------------------------------------------------------------------


def test_the_answer_to_a_beginning_is_the_message(client: Client) -> None:
    ana = client.contact(email="ana@example.com")
    given = {"from": {"type": "user", "id": ana["id"]}, "body": "1 < 2\n\n[ref K7]", "assignee": "9", "title": "no"}
    message = client.ok("POST", "/conversations", given)
    assert (message["type"], message["message_type"], message["body"]) == ("user_message", "inapp", "1 < 2\n\n[ref K7]")
    shown = client.conversation(message["conversation_id"])
    assert shown["source"]["id"] == message["id"] != message["conversation_id"]
    assert shown["source"]["body"] == "<p>1 &lt; 2</p><p>[ref K7]</p>"
    assert shown["source"]["author"] == {"type": "user", "id": ana["id"], "name": "Ana Ruiz",
                                         "email": "ana@example.com"}  # fmt: skip
    assert (shown["title"], shown["admin_assignee_id"], shown["custom_attributes"]) == (None, None, {})
    assert shown["conversation_parts"] == {"type": "conversation_part.list", "conversation_parts": [],
                                           "total_count": 0}  # fmt: skip


def test_the_same_beginning_twice_makes_two(simulator: IntercomSimulator, client: Client) -> None:
    ana = client.contact()
    assert client.begin(ana, "Help [ref K7]") != client.begin(ana, "Help [ref K7]")
    assert len(simulator.state.begun_with("[ref K7]")) == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"body": " "}, (400, "parameter_not_found")),
        ({"from": None}, (400, "parameter_not_found")),
        ({"from": {"type": "admin", "id": "1"}}, (400, "parameter_invalid")),
        ({"from": {"type": "user", "id": "123_doesnt_exist"}}, (404, "not_found")),
        ({"attachment_urls": ["https://example.com/a.png"] * 11}, (400, "parameter_invalid")),
        ({"created_at": "yesterday"}, (400, "parameter_invalid")),
    ],
)
def test_what_cannot_begin(client: Client, change: dict[str, Any], expected: tuple[int, str]) -> None:
    given = {"from": {"type": "user", "id": client.contact()["id"]}, "body": "x", **change}
    assert error(client.post("/conversations", json=given)) == expected


def test_a_lead_is_no_user_but_every_contact_is_a_contact(client: Client) -> None:
    lead = client.contact(role="lead")["id"]
    assert client.post("/conversations", json={"from": {"type": "user", "id": lead}, "body": "x"}).status_code == 404
    client.ok("POST", "/conversations", {"from": {"type": "contact", "id": lead}, "body": "x"})


# --- words -----------------------------------------------------------------------------------------


def test_a_contacts_words_are_text_and_may_be_sent_in_three_names(client: Client) -> None:
    ana = client.contact(email="ana@example.com")
    talk = client.begin(ana)
    for name in ({"intercom_user_id": ana["id"]}, {"user_id": "acme:c-1"}, {"email": "ana@example.com"}):
        assert client.reply(talk, body="<b>x</b>\ny", **name).status_code == 200
    assert [p["body"] for p in client.parts(talk)] == ["<p>&lt;b&gt;x&lt;/b&gt;<br>y</p>"] * 3
    assert error(client.reply(talk, body="x", user_id="acme:c-1", email="ana@example.com"))[0] == 400
    other = client.contact(external_id="c-2")
    assert error(client.reply(talk, body="x", intercom_user_id=other["id"])) == (404, "not_found")


def test_a_contacts_words_reopen_what_is_closed_and_are_themselves_the_opening(client: Client) -> None:
    talk = client.begin()
    client.manage(talk, message_type="close", type="admin")
    client.reply(talk, user_id="acme:c-1", body="Wait")
    assert client.parts(talk)[-1]["part_type"] == "open"
    assert (client.parts(talk)[-1]["body"], client.parts(talk)[-1]["author"]["type"]) == ("<p>Wait</p>", "user")
    assert state(client, talk) == ("open", True)


def test_notes_keep_harmless_markup_only(client: Client) -> None:
    talk = client.begin()
    html = '<h2>T</h2><p onclick="x">a <b>b</b><script>alert(1)</script> <a href="javascript:x">c</a>'
    html += '<a href="https://example.com/?a=1&amp;b=2">d</a></p>'
    client.reply(talk, message_type="note", body=html)
    expected = '<h2>T</h2><p>a <b>b</b> <a>c</a><a href="https://example.com/?a=1&amp;b=2">d</a></p>'
    assert client.parts(talk)[-1]["body"] == expected
    shown = client.conversation(talk, display_as="plaintext")["conversation_parts"]["conversation_parts"][-1]["body"]
    assert shown == "T\n\na b cd (https://example.com/?a=1&b=2)"


def test_who_is_told(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    client.reply(talk, message_type="note", body="n")
    client.reply(talk, body="quiet", skip_notifications=True)
    client.reply(talk, body="loud")
    assert [part.body for part in simulator.state.notified(talk)] == ["<p>loud</p>"]
    assert simulator.state.texts(talk, public=False) == ["n"]
    assert simulator.state.texts(talk, public=True) == ["I was charged twice.", "quiet", "loud"]


def test_the_marker_of_the_api_is_on_what_came_through_it(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    client.reply(talk, body="x")
    simulator.reply(talk, "y")
    assert [p["app_package_code"] for p in client.parts(talk)] == ["simulated-app", None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"admin_id": "1"}, (404, "admin_not_found")),
        ({"admin_id": None}, (400, "parameter_not_found")),
        ({"body": ""}, (400, "parameter_not_found")),
        ({"message_type": "note", "body": None}, (400, "parameter_not_found")),
        ({"message_type": "quick_reply"}, (400, "parameter_invalid")),
        ({"type": "bot"}, (400, "parameter_invalid")),
        ({"attachment_files": [{"name": "a", "content_type": "text/plain", "data": "%"}]}, (400, "parameter_invalid")),
    ],
)
def test_replies_that_are_refused(client: Client, given: dict[str, Any], expected: tuple[int, str]) -> None:
    talk = client.begin()
    assert error(client.reply(talk, **{"body": "x", **given})) == expected
    assert client.parts(talk) == []


def test_files_can_be_fetched_and_vanish_beside_addresses(client: Client) -> None:
    talk = client.begin()
    file = {"name": "a.txt", "content_type": "text/plain", "data": base64.b64encode(b"hello").decode()}
    client.reply(talk, user_id="acme:c-1", body="see", attachment_files=[file])
    (shown,) = client.parts(talk)[-1]["attachments"]
    assert (shown["name"], shown["filesize"], httpx.get(shown["url"]).content) == ("a.txt", 5, b"hello")
    client.reply(talk, user_id="acme:c-1", body="see", attachment_files=[file],
                 attachment_urls=["https://example.com/b.png"])  # fmt: skip
    assert [a["name"] for a in client.parts(talk)[-1]["attachments"]] == ["b.png"]


def test_quick_replies_have_no_body(client: Client) -> None:
    talk = client.begin()
    option = {"text": "Yes", "uuid": "a5e1c524-5ddd-4c3e-9328-6bca5d6e3edb"}
    client.reply(talk, message_type="quick_reply", reply_options=[option])
    part = client.parts(talk)[-1]
    assert (part["part_type"], part["body"], part["metadata"]) == (
        "quick_reply",
        None,
        {"quick_reply_options": [option]},
    )


def test_only_the_newest_parts_are_shown(simulator: IntercomSimulator, client: Client) -> None:
    talk = client.begin()
    for n in range(503):
        simulator.note(talk, f"n{n}")
    shown = client.conversation(talk)["conversation_parts"]
    bodies = [p["body"] for p in shown["conversation_parts"]]
    assert (len(bodies), bodies[0], bodies[-1], shown["total_count"]) == (500, "<p>n3</p>", "<p>n502</p>", 503)


# --- state and assignment --------------------------------------------------------------------------


def test_snoozed_is_still_open(simulator: IntercomSimulator, client: Client) -> None:
    talk, until = client.begin(), int(simulator.clock.unix()) + 60
    client.manage(talk, message_type="snoozed", snoozed_until=until)
    assert state(client, talk) == ("snoozed", True)
    assert client.conversation(talk)["snoozed_until"] == until
    simulator.clock.advance(61)
    assert state(client, talk) == ("open", True)
    assert kinds(client, talk) == ["snoozed", "timer_unsnooze"]
    assert client.parts(talk)[-1]["author"]["type"] == "bot"
    assert error(client.manage(talk, message_type="snoozed", snoozed_until=1))[0] == 400


def test_a_note_wakes_and_does_not_reopen(client: Client, simulator: IntercomSimulator) -> None:
    talk = client.begin()
    simulator.snooze(talk)
    client.reply(talk, message_type="note", body="n")
    assert (state(client, talk), kinds(client, talk)) == (("open", True), ["snoozed", "note", "unsnoozed"])
    simulator.close(talk)
    client.reply(talk, message_type="note", body="n")
    assert state(client, talk) == ("closed", False)


def test_an_admins_comment_reopens(client: Client, simulator: IntercomSimulator) -> None:
    talk = client.begin()
    simulator.close(talk)
    client.reply(talk, body="One more thing")
    assert (state(client, talk)[0], kinds(client, talk)) == ("open", ["close", "open"])


def test_closing_twice_is_harmless(client: Client) -> None:
    talk = client.begin()
    for _ in range(2):
        assert client.manage(talk, message_type="close", type="admin").json()["state"] == "closed"
    assert kinds(client, talk) == ["close"]
    client.manage(talk, message_type="open")
    client.manage(talk, message_type="open")
    assert kinds(client, talk) == ["close", "open"]


def test_assignments_may_be_text_or_number_and_zero_is_nobody(client: Client, simulator: IntercomSimulator) -> None:
    talk, dana = client.begin(), simulator.workspace.admin("Dana").id
    team = simulator.workspace.team("Billing").id
    client.manage(talk, message_type="assignment", type="admin", assignee_id=int(dana))
    shown = client.manage(talk, message_type="assignment", type="team", assignee_id=team).json()
    assert (shown["admin_assignee_id"], shown["team_assignee_id"]) == (int(dana), int(team))
    shown = client.manage(talk, message_type="assignment", type="admin", assignee_id="0").json()
    assert (shown["admin_assignee_id"], shown["team_assignee_id"]) == (0, int(team))
    given = {"message_type": "assignment", "type": "admin", "assignee_id": "77"}
    assert error(client.manage(talk, **given)) == (404, "assignee_not_found")


@pytest.mark.parametrize(
    ("before", "kind"),
    [("open", "assignment"), ("closed", "assign_and_reopen"), ("snoozed", "assign_and_unsnooze")],
)
def test_assigning_opens(client: Client, simulator: IntercomSimulator, before: str, kind: str) -> None:
    talk = client.begin()
    simulator.set_status(talk, before)
    simulator.assign(talk, "Dana")
    assert (state(client, talk), kinds(client, talk)[-1]) == (("open", True), kind)


# --- everything else -------------------------------------------------------------------------------


def test_attributes_must_exist_and_be_the_only_ones_of_their_name(client: Client, simulator: IntercomSimulator) -> None:
    talk, wanted = client.begin(), {"custom_attributes": {"ref": "h1"}, "title": "T", "state": "closed"}
    assert error(client.put(f"/conversations/{talk}", json=wanted)) == (400, "parameter_invalid")
    assert client.conversation(talk)["title"] is None
    made = {"name": "ref", "data_type": "string"}
    client.ok("POST", "/conversations/attributes", made)
    shown = client.ok("PUT", f"/conversations/{talk}", wanted)
    assert (shown["custom_attributes"], shown["title"], shown["state"]) == ({"ref": "h1"}, "T", "open")
    client.put(f"/conversations/{talk}", json=wanted)
    (part,) = client.parts(talk)
    assert (part["part_type"], part["author"]["type"]) == ("conversation_attribute_updated_by_admin", "bot")
    assert part["event_details"] == {"attribute": {"name": "ref"}, "value": {"name": "h1"}}
    assert error(client.post("/conversations/attributes", json=made)) == (422, "parameter_invalid")
    simulator.settings.duplicate_attribute_names = True
    client.ok("POST", "/conversations/attributes", made)
    assert error(client.put(f"/conversations/{talk}", json=wanted))[0] == 400
    strange = {"name": "x", "data_type": "colour"}
    assert error(client.post("/conversations/attributes", json=strange)) == (422, "parameter_invalid")


def test_tags_are_made_once_and_come_and_go(client: Client) -> None:
    talk, by = client.begin(), {"admin_id": client.admin_id}
    tag = client.ok("POST", "/tags", {"name": "Handoff"})["id"]
    assert client.ok("POST", "/tags", {"name": "handoff"})["id"] == tag
    path = f"/conversations/{talk}/tags"
    assert client.ok("POST", path, {"id": tag, **by})["applied_by"] == {"type": "admin", "id": client.admin_id}
    assert [t["name"] for t in client.conversation(talk)["tags"]["tags"]] == ["Handoff"]
    assert client.ok("DELETE", f"{path}/{tag}", by)["name"] == "Handoff"
    assert client.conversation(talk)["tags"]["tags"] == []
    assert error(client.request("DELETE", f"{path}/{tag}", json=by)) == (404, "tag_not_found")
    assert error(client.post("/conversations/1/tags", json={"id": tag, **by})) == (404, "not_found")


def test_several_customers_may_take_part(client: Client) -> None:
    talk, by = client.begin(), {"admin_id": client.admin_id}
    bo = client.contact(external_id="c-2")["id"]
    path = f"/conversations/{talk}/customers"
    assert len(client.ok("POST", path, {**by, "customer": {"user_id": "c-2"}})["customers"]) == 2
    assert client.reply(talk, body="me too", intercom_user_id=bo).status_code == 200
    added = client.ok("POST", path, {**by, "customer": {"email": "new@example.com"}})["customers"][-1]
    assert added["type"] == "lead"
    first = client.conversation(talk)["contacts"]["contacts"][0]["id"]
    for contact in (bo, added["id"]):
        client.ok("DELETE", f"{path}/{contact}", by)
    assert error(client.request("DELETE", f"{path}/{first}", json=by)) == (422, "parameter_invalid")


def test_a_redacted_part_has_lost_its_words(client: Client) -> None:
    talk = client.begin()
    client.reply(talk, user_id="acme:c-1", body="my card is 4111")
    client.manage(talk, message_type="assignment", type="admin", assignee_id=client.admin_id)
    said, assigned = (p["id"] for p in client.parts(talk))
    wanted = {"type": "conversation_part", "conversation_id": talk, "conversation_part_id": said}
    shown = client.ok("POST", "/conversations/redact", wanted)["conversation_parts"]["conversation_parts"][0]
    assert (shown["redacted"], "4111" in shown["body"]) == (True, False)
    again = client.post("/conversations/redact", json={**wanted, "conversation_part_id": assigned})
    assert error(again) == (422, "conversation_part_not_redactable")
    gone = client.post("/conversations/redact", json={**wanted, "conversation_part_id": "1"})
    assert error(gone) == (404, "conversation_part_or_message_not_found")


def test_a_merge_leaves_markers_and_no_pointer(client: Client) -> None:
    one, two = client.begin(), client.begin(client.contact(external_id="c-2"))
    primary = client.ok("POST", f"/conversations/{two}/merge", {"merge_into_conversation_id": int(one)})
    assert primary["id"] == one
    assert (kinds(client, one), kinds(client, two)) == (["merged_primary_conversation"],
                                                        ["merged_secondary_conversation"])  # fmt: skip
    assert state(client, two) == ("closed", False)
    assert client.conversation(two)["linked_objects"]["data"] == []
    assert one not in str(client.conversation(two)["conversation_parts"])


def test_merges_that_fail(client: Client, simulator: IntercomSimulator) -> None:
    one, two = client.begin(), client.begin(client.contact(external_id="c-2"))

    def merge(into: object) -> tuple[int, str]:
        return error(client.post(f"/conversations/{two}/merge", json={"merge_into_conversation_id": into}))

    assert merge(one) == (400, "parameter_invalid")
    assert merge(int(two)) == merge(7) == (422, "merge_failed")
    simulator.merge(two, one)
    assert merge(int(one)) == (422, "merge_failed")


def test_what_is_deleted_is_gone_but_listed(client: Client) -> None:
    talks = [client.begin(client.contact(external_id=f"c{n}")) for n in range(3)]
    for talk in talks:
        assert client.delete(f"/conversations/{talk}").json() == {"id": talk, "object": "conversation", "deleted": True}
    assert error(client.get(f"/conversations/{talks[0]}")) == (404, "not_found")
    assert error(client.reply(talks[0], body="x")) == (404, "not_found")
    body = client.get("/conversations/deleted", params={"per_page": 2}).json()
    assert [c["id"] for c in body["conversations"]] == talks[:0:-1]
    assert (body["total_count"], body["pages"]["total_pages"]) == (3, 2)
    last = client.get(body["pages"]["next"]).json()
    assert ([c["id"] for c in last["conversations"]], last["pages"]["next"]) == (talks[:1], None)
    assert client.get("/conversations/deleted", params={"order": "asc"}).json()["conversations"][0]["id"] == talks[0]
    assert error(client.get("/conversations/deleted", params={"per_page": 61}))[0] == 400


def test_deleting_the_metrics_too_needs_a_scope(client: Client) -> None:
    talk = client.begin()
    assert error(client.delete(f"/conversations/{talk}?retain_metrics=false")) == (403, "forbidden")


def test_workspace_automations_may_answer_first(client: Client, simulator: IntercomSimulator) -> None:
    simulator.settings.bot_greeting = "We typically reply in an hour"
    (part,) = client.parts(client.begin())
    assert (part["part_type"], part["author"]["type"]) == ("comment", "bot")
