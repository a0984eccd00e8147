"""The simulated Zendesk makes and changes tickets by Zendesk's rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator
from tests.connectors.zendesk.simulated import Client, running


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[ZendeskSimulator, Client]]:
    with running() as pair:
        yield pair


@pytest.fixture
def zendesk(desk: tuple[ZendeskSimulator, Client]) -> ZendeskSimulator:
    desk[0].reset()
    return desk[0]


@pytest.fixture
def client(desk: tuple[ZendeskSimulator, Client], zendesk: ZendeskSimulator) -> Client:
    return desk[1]


# --- making ---------------------------------------------------------------------------------------


def test_a_new_ticket_is_answered_with_its_place_and_its_audit(client: Client) -> None:
    answer = client.create(external_id="hs:1", tags=["AI_Handoff", "two words"], metadata={"hs_op": "create:1"})
    ticket, audit = answer.json()["ticket"], answer.json()["audit"]
    assert answer.status_code == 201
    assert answer.headers["location"] == ticket["url"]
    assert (ticket["status"], ticket["external_id"], ticket["is_public"]) == ("new", "hs:1", False)
    assert ticket["tags"] == ["ai_handoff", "two", "words"]
    assert ticket["generated_timestamp"] == 0
    assert ticket["requester_id"] > 3e13
    assert audit["metadata"]["custom"] == {"hs_op": "create:1"}
    comments = [event for event in audit["events"] if event["type"] == "Comment"]
    assert [c["id"] for c in comments] == [c["id"] for c in client.comments(ticket["id"])]


def test_the_requester_is_found_by_any_spelling_of_the_address(client: Client) -> None:
    first = client.ticket(requester={"name": "Ana", "email": "Ana@Example.com"})
    again = client.ticket(requester={"name": "Other", "email": "ana@example.com"})
    assert first["requester_id"] == again["requester_id"]


def test_a_requester_without_address_is_a_new_person_each_time(client: Client) -> None:
    assert (
        client.ticket(requester={"name": "A"})["requester_id"] != client.ticket(requester={"name": "A"})["requester_id"]
    )


def test_an_external_id_is_not_unique(zendesk: ZendeskSimulator, client: Client) -> None:
    first, second = client.ticket(external_id="same"), client.ticket(external_id="same")
    listed = client.get("/api/v2/tickets", params={"external_id": "same"}).json()["tickets"]
    assert [t["id"] for t in listed] == [first["id"], second["id"]]
    assert zendesk.state.creations["same"] == 2


@pytest.mark.parametrize(
    ("fields", "where", "text"),
    [
        ({"comment": {}}, "base", "Description: cannot be blank"),
        ({"priority": "extreme"}, "priority", "Priority: is invalid"),
        ({"status": "done"}, "status", "Status: is invalid"),
        ({"status": "solved"}, "assignee", "Assignee: is required when solving a ticket"),
        ({"requester_id": 4}, "requester", "Requester: is invalid"),
        ({"assignee_id": 4}, "assignee", "Assignee: is invalid"),
        (
            {"requester": {"email": "new@example.com"}},
            "requester",
            "Requester: Name: is too short (minimum is 1 character)",
        ),
    ],
)
def test_wrong_fields_are_refused_with_details(
    zendesk: ZendeskSimulator, client: Client, fields: dict[str, object], where: str, text: str
) -> None:
    answer = client.create(**fields)
    assert answer.status_code == 422
    assert answer.json()["error"] == "RecordInvalid"
    assert text in [entry["description"] for entry in answer.json()["details"][where]]
    assert zendesk.state.tickets == []


def test_unknown_keys_are_dropped_with_a_warning_header(client: Client) -> None:
    answer = client.create(colour="red", comment={"body": "x", "public": True, "mood": "bad"})
    assert answer.status_code == 201
    assert '"ticket.colour", "ticket.comment.mood"' in answer.headers["x-zendesk-api-warn"]


def test_an_id_that_is_no_number_is_a_bad_request(client: Client) -> None:
    answer = client.create(assignee_id="dana")
    assert answer.status_code == 400
    assert answer.json()["error"]["title"] == "Invalid attribute"


def test_broken_json_is_refused_in_plain_text(client: Client) -> None:
    answer = client.post("/api/v2/tickets", content=b'{"ticket":')
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")


# --- idempotency ----------------------------------------------------------------------------------


def test_the_same_key_and_bytes_give_the_first_answer_and_no_second_ticket(
    zendesk: ZendeskSimulator, client: Client
) -> None:
    first = client.create(external_id="hs:1", headers={"Idempotency-Key": "k1"})
    zendesk.reply(first.json()["ticket"]["id"], "changed since")
    again = client.create(external_id="hs:1", headers={"Idempotency-Key": "k1"})
    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert again.content == first.content
    assert again.status_code == 201
    assert zendesk.state.creations["hs:1"] == 1


def test_the_same_key_with_another_body_is_refused(zendesk: ZendeskSimulator, client: Client) -> None:
    client.create(subject="a", headers={"Idempotency-Key": "k1"})
    answer = client.create(subject="b", headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "IdempotentRequestError"
    assert len(zendesk.state.tickets) == 1


def test_a_key_lives_two_hours(zendesk: ZendeskSimulator, client: Client) -> None:
    client.create(headers={"Idempotency-Key": "k1"})
    zendesk.clock.advance(2 * 3600 - 5)
    assert client.create(headers={"Idempotency-Key": "k1"}).headers["x-idempotency-lookup"] == "hit"
    zendesk.clock.advance(10)
    assert client.create(headers={"Idempotency-Key": "k1"}).headers["x-idempotency-lookup"] == "miss"
    assert len(zendesk.state.tickets) == 2


def test_a_refused_request_does_not_use_the_key(client: Client) -> None:
    assert client.create(status="solved", headers={"Idempotency-Key": "k1"}).status_code == 422
    assert client.create(headers={"Idempotency-Key": "k1"}).status_code == 201


def test_a_put_knows_no_idempotency(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    for _ in range(2):
        body = {"ticket": {"comment": {"body": "twice", "public": False}, "metadata": {"hs_op": "m1"}}}
        client.put(f"/api/v2/tickets/{ticket_id}", json=body, headers={"Idempotency-Key": "k"})
    assert zendesk.state.texts(ticket_id)[1:] == ["twice", "twice"]
    assert zendesk.state.markers["m1"] == 2


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ({"html_body": "<p>one</p><p>two<br>three</p>"}, "one\n\ntwo\nthree"),
        ({"html_body": "<p>a</p><script>alert(1)</script>"}, "a"),
        ({"html_body": "a &lt;b&gt; &amp; c"}, "a <b> & c"),
        ({"body": "many     blanks\n\n\n\nand <b>tags</b>"}, "many blanks\n\nand tags"),
        ({"body": "one\ntwo"}, "one two"),
        ({"body": "one\n two"}, "one\ntwo"),
        ({"html_body": "mail {{ticket.requester.email}}"}, "mail ana@example.com"),
        ({"html_body": "gone {{no.such.thing}}!"}, "gone !"),
        ({"html_body": "kept &#123;&#123;ticket.id}}"}, "kept {{ticket.id}}"),
        ({"body": r"kept \{{ticket.id}}"}, "kept {{ticket.id}}"),
    ],
)
def test_text_is_stored_as_zendesk_does(client: Client, given: dict[str, str], plain: str) -> None:
    ticket = client.ticket(comment={**given, "public": False})
    assert client.comments(ticket["id"])[0]["plain_body"] == plain


def test_html_is_wrapped(client: Client) -> None:
    ticket = client.ticket(comment={"html_body": "<p>test</p>"})
    wrapped = '<div class="zd-comment" dir="auto"><p dir="auto">test</p></div>'
    assert client.comments(ticket["id"])[0]["html_body"] == wrapped


def test_scripts_and_their_links_do_not_survive(client: Client) -> None:
    evil = '<p onclick="x()">a</p><a href="javascript:x()">b</a><img src=x onerror=y><iframe src="//e"></iframe>'
    html = client.comments(client.ticket(comment={"html_body": evil})["id"])[0]["html_body"]
    assert not any(word in html for word in ("onclick", "javascript", "onerror", "iframe"))


def test_placeholders_in_a_customers_words_stay(client: Client) -> None:
    ticket = client.ticket()
    given = {"html_body": "{{ticket.id}}", "public": True, "author_id": ticket["requester_id"]}
    client.change(ticket["id"], comment=given)
    assert client.comments(ticket["id"])[-1]["plain_body"] == "{{ticket.id}}"


def test_a_long_comment_is_cut_without_a_word(client: Client) -> None:
    answer = client.create(comment={"html_body": "ä" * 40_000, "public": False})
    assert answer.status_code == 201
    assert client.comments(answer.json()["ticket"]["id"])[0]["plain_body"] == "ä" * 32_767


# --- changing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "hold", "solved"])
def test_a_customers_comment_reopens(zendesk: ZendeskSimulator, client: Client, status: str) -> None:
    ticket = client.ticket()
    zendesk.set_status(ticket["id"], status)
    comment = {"body": "me again", "public": True, "author_id": ticket["requester_id"]}
    assert client.change(ticket["id"], comment=comment).json()["ticket"]["status"] == "open"


def test_our_own_comment_does_not_reopen(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket = client.ticket()
    zendesk.set_status(ticket["id"], "solved")
    answer = client.change(ticket["id"], comment={"body": "x", "public": False})
    assert answer.json()["ticket"]["status"] == "solved"


def test_a_closed_ticket_takes_nothing(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    zendesk.close(ticket_id)
    answer = client.change(ticket_id, comment={"body": "late", "public": False})
    assert answer.status_code == 422
    closed = [{"description": "Status: closed prevents ticket update"}]
    assert answer.json()["details"] == {"status": closed}
    assert zendesk.state.texts(ticket_id) == ["Hello"]


def test_assigning_makes_a_new_ticket_open(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    zendesk.assign(ticket_id, "Dana")
    shown = client.get(f"/api/v2/tickets/{ticket_id}").json()["ticket"]
    dana = client.get(f"/api/v2/users/{shown['assignee_id']}").json()["user"]
    assert (shown["status"], dana["name"], dana["alias"]) == ("open", "Dana Miller", "Dana")
    assert shown["group_id"] is not None


def test_a_custom_status_counts_by_its_category(client: Client) -> None:
    statuses = client.get("/api/v2/custom_statuses").json()["custom_statuses"]
    parts = next(s for s in statuses if s["agent_label"] == "Waiting for parts")
    answer = client.change(client.ticket()["id"], custom_status_id=parts["id"]).json()["ticket"]
    assert (answer["status"], answer["custom_status_id"]) == ("pending", parts["id"])


@pytest.mark.parametrize("flag", [True, False])
def test_a_safe_update_of_an_outdated_ticket_is_refused_whatever_the_flag_says(
    zendesk: ZendeskSimulator, client: Client, flag: bool
) -> None:
    ticket = client.ticket()
    zendesk.clock.advance(2)
    zendesk.reply(ticket["id"], "moved on")
    answer = client.change(ticket["id"], subject="mine", safe_update=flag, updated_stamp=ticket["updated_at"])
    assert answer.status_code == 409
    assert answer.json()["error"] == "UpdateConflict"
    now = client.get(f"/api/v2/tickets/{ticket['id']}").json()["ticket"]["updated_at"]
    assert client.change(ticket["id"], subject="mine", safe_update=True, updated_stamp=now).status_code == 200


def test_an_update_that_changes_nothing_leaves_no_trace(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket = client.ticket(priority="high")
    zendesk.clock.advance(5)
    answer = client.change(ticket["id"], priority="high")
    assert answer.json()["audit"]["events"] == []
    assert answer.json()["ticket"]["updated_at"] == ticket["updated_at"]
    assert len(zendesk.state.ticket(ticket["id"]).audits) == 1


def test_the_comment_limit_stops_comments_but_not_other_changes(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    zendesk.settings.max_comments = 1
    assert client.change(ticket_id, comment={"body": "one too many"}).status_code == 422
    assert client.change(ticket_id, priority="low").status_code == 200


def test_tags_can_be_set_added_and_removed(client: Client) -> None:
    path = f"/api/v2/tickets/{client.ticket(tags=['a'])['id']}/tags"
    assert client.put(path, json={"tags": ["b"]}).json() == {"tags": ["a", "b"]}
    assert client.request("DELETE", path, json={"tags": ["a"]}).status_code == 204
    assert client.post(path, json={"tags": ["c", "d"]}).status_code == 201
    assert client.get(path).json() == {"tags": ["c", "d"]}


def test_a_follow_up_needs_a_closed_ticket(zendesk: ZendeskSimulator, client: Client) -> None:
    source = client.ticket(tags=["old"])
    early = client.ticket(via_followup_source_id=source["id"])
    zendesk.close(source["id"])
    late = client.ticket(via_followup_source_id=source["id"])
    assert (early["via"]["source"]["rel"], early["tags"]) == (None, [])
    assert (late["via"]["source"]["rel"], late["tags"]) == ("follow_up", ["old"])
    assert client.get(f"/api/v2/tickets/{source['id']}").json()["ticket"]["followup_ids"] == [late["id"]]


def test_a_public_first_comment_mails_the_requester_and_a_note_does_not(
    zendesk: ZendeskSimulator, client: Client
) -> None:
    client.ticket(comment={"body": "quiet", "public": False})
    assert zendesk.state.mails == []
    loud = client.create(comment={"body": "loud", "public": True}).json()
    assert [(mail.ticket_id, mail.to) for mail in zendesk.state.mails] == [(loud["ticket"]["id"], "ana@example.com")]
    assert "Notification" in [event["type"] for event in loud["audit"]["events"]]


# --- reading --------------------------------------------------------------------------------------


def test_cursor_pages_have_a_next_link_even_at_the_end(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    for number in range(4):
        zendesk.reply(ticket_id, f"reply {number}")
    path, seen, after = f"/api/v2/tickets/{ticket_id}/comments", [], None
    while True:
        query = {"page[size]": 2, "sort": "-created_at", **({"page[after]": after} if after else {})}
        body = client.get(path, params=query).json()
        seen += [comment["plain_body"] for comment in body["comments"]]
        after = body["meta"]["after_cursor"]
        assert body["links"]["next"]
        if not body["meta"]["has_more"]:
            break
    assert seen == ["reply 3", "reply 2", "reply 1", "reply 0", "Hello"]


def test_links_are_followable_and_keep_the_account_name(client: Client) -> None:
    client.ticket(), client.ticket()
    own = client.get("/api/v2/tickets", params={"page[size]": 1}).json()["links"]["next"]
    assert len(client.get(own).json()["tickets"]) == 1
    named = client.get("/api/v2/tickets", params={"page[size]": 1}, headers={"Host": "acme.zendesk.com"}).json()
    assert named["links"]["next"].startswith("https://acme.zendesk.com/api/v2/tickets?")


def test_numbered_pages_count(client: Client) -> None:
    for _ in range(3):
        client.ticket()
    body = client.get("/api/v2/tickets.json", params={"per_page": 2}).json()
    assert (body["count"], body["previous_page"], len(body["tickets"])) == (3, None, 2)
    assert len(client.get(body["next_page"]).json()["tickets"]) == 1


def test_audits_can_be_filtered_and_come_oldest_first(zendesk: ZendeskSimulator, client: Client) -> None:
    ticket_id = client.ticket()["id"]
    zendesk.assign(ticket_id, "Dana")
    client.change(ticket_id, comment={"body": "x", "public": False}, metadata={"hs_op": "m"})
    path = f"/api/v2/tickets/{ticket_id}/audits"
    every = client.get(path, params={"page[size]": 100, "sort": "-created_at"}).json()["audits"]
    said = client.get(path, params={"page[size]": 100, "filter_events[]": "Comment"}).json()["audits"]
    assert [audit["id"] for audit in every] == sorted(audit["id"] for audit in every)
    assert [audit["metadata"]["custom"] for audit in said] == [{}, {"hs_op": "m"}]


def test_show_many_leaves_out_what_is_not_there(zendesk: ZendeskSimulator, client: Client) -> None:
    kept, gone = client.ticket()["id"], client.ticket()["id"]
    zendesk.delete(gone)
    body = client.get("/api/v2/tickets/show_many", params={"ids": f"{kept},{gone},999"}).json()
    assert [ticket["id"] for ticket in body["tickets"]] == [kept]
    many = ",".join(map(str, range(1, 102)))
    assert client.get("/api/v2/tickets/show_many", params={"ids": many}).json()["error"] == "TooManyValues"


def test_a_new_ticket_can_be_slow_to_appear_in_the_list(zendesk: ZendeskSimulator, client: Client) -> None:
    zendesk.settings.list_lag_s = 60
    client.ticket(external_id="hs:1")
    assert client.get("/api/v2/tickets", params={"external_id": "hs:1"}).json()["tickets"] == []
    zendesk.clock.advance(61)
    assert len(client.get("/api/v2/tickets", params={"external_id": "hs:1"}).json()["tickets"]) == 1


# --- limits ---------------------------------------------------------------------------------------


def test_a_ticket_takes_thirty_updates_of_one_user_in_ten_minutes() -> None:
    with running(Limits()) as (zendesk, client):
        ticket_id = client.ticket()["id"]
        for _ in range(30):
            last = client.change(ticket_id, comment={"body": "x", "public": False})
        assert last.headers["zendesk-ratelimit-per-ticket-updates"].startswith("total=30; remaining=0; resets=")
        refused = client.change(ticket_id, comment={"body": "x", "public": False})
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 600
        assert client.change(client.ticket()["id"], priority="low").status_code == 200
        zendesk.clock.advance(600)
        assert client.change(ticket_id, comment={"body": "x", "public": False}).status_code == 200


def test_the_account_limit_is_told_on_every_answer_and_ends_in_429() -> None:
    with running(Limits(account=2)) as (zendesk, client):
        first = client.get("/api/v2/users/me")
        assert (first.headers["x-rate-limit"], first.headers["ratelimit-remaining"]) == ("2", "1")
        client.get("/api/v2/users/me")
        refused = client.get("/api/v2/users/me")
        assert (refused.status_code, refused.json()["error"]) == (429, "APIRateLimitExceeded")
        zendesk.clock.advance(float(refused.headers["retry-after"]))
        assert client.get("/api/v2/users/me").status_code == 200


def test_plans_differ() -> None:
    assert (Limits.plan("team").account, Limits.plan("enterprise").account) == (200, 700)
    assert Limits.plan("enterprise_plus").incremental == 30
