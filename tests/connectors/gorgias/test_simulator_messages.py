"""Messages of the simulated Gorgias: what is stored, what is mailed, and what a customer's word does."""

from __future__ import annotations

from collections.abc import Iterator

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


NOW = "2026-03-02T09:14:02Z"


def test_a_customers_message_is_stored_with_its_key(desk: Desk) -> None:
    gorgias, client = desk
    ticket = client.ticket()
    answer = client.say(ticket["id"], **said(ticket["customer"]["id"], "any news?", external_id="hs1:m2"))
    assert answer.status_code == 201
    assert (answer.json()["body_text"], answer.json()["external_id"]) == ("any news?", "hs1:m2")
    assert answer.json()["body_html"] == "<div>any news?</div>"
    assert gorgias.state.texts(ticket["id"]) == ["I want a person", "any news?"]


def test_what_an_agent_says_without_a_sending_time_is_mailed(desk: Desk) -> None:
    """quirk: an import that forgets `sent_datetime` writes to the customer."""
    gorgias, client = desk
    ticket_id = client.ticket(of=client.customer(email="jo@example.com"))["id"]
    spoken = {"channel": "api", "via": "api", "from_agent": True, "sender": {"id": client.me}, "body_text": "Hi"}
    imported = client.say(ticket_id, **spoken, sent_datetime=NOW).json()
    sent = client.say(ticket_id, **spoken).json()
    assert imported["sent_datetime"] == "2026-03-02T09:14:02.000000+00:00"
    assert sent["sent_datetime"] is None
    gorgias.clock.advance(2)
    assert [(mail.to, mail.message_id) for mail in gorgias.state.mails] == [("jo@example.com", sent["id"])]
    assert client.get(f"/tickets/{ticket_id}/messages/{sent['id']}").json()["sent_datetime"] is not None


def test_notes_are_never_sent(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket(of=client.customer(email="jo@example.com"))["id"]
    note = client.note("secret")
    del note["public"]
    assert client.say(ticket_id, **note).json()["public"] is False
    gorgias.note(ticket_id, "secret too")
    gorgias.clock.advance(5)
    assert gorgias.state.mails == []
    assert gorgias.state.texts(ticket_id, public=False) == ["secret", "secret too"]


@pytest.mark.parametrize(("channel", "error"), [("chat", True), ("email", True), ("api", False)])
def test_a_message_to_nobody_fails(desk: Desk, channel: str, error: bool) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    message = gorgias.reply(ticket_id, "Hello?", channel=channel)
    gorgias.clock.advance(2)
    shown = client.get(f"/tickets/{ticket_id}/messages/{message.id}").json()
    assert (shown["failed_datetime"] is not None, shown["sent_datetime"] is not None) == (error, not error)
    assert bool(shown["last_sending_error"]) is error
    (row,) = client.get("/tickets").json()["data"]
    assert row["last_sent_message_not_delivered"] is error


def test_an_agents_answer_goes_by_mail_where_there_is_an_address(desk: Desk) -> None:
    """quirk: the customer would get it twice, in the chat and by mail."""
    gorgias, client = desk
    with_mail = client.ticket(of=client.customer(email="jo@example.com"))["id"]
    without = client.ticket()["id"]
    for ticket_id, channel in ((with_mail, "email"), (without, "api")):
        message = gorgias.reply(ticket_id, "Hi Jo")
        shown = client.get(f"/tickets/{ticket_id}/messages/{message.id}").json()
        assert (shown["channel"], shown["via"], shown["sent_datetime"]) == (channel, "helpdesk", None)
        assert client.show(ticket_id)["reply_options"]["email"]["answerable"] is (channel == "email")
    gorgias.clock.advance(2)
    assert [mail.ticket_id for mail in gorgias.state.mails] == [with_mail]


def test_answering_assigns_unless_the_account_says_otherwise(desk: Desk) -> None:
    gorgias, client = desk
    one, two = client.ticket()["id"], client.ticket()["id"]
    gorgias.reply(one, "Hi", agent="Omar")
    gorgias.settings.auto_assign_to_responder = False
    gorgias.reply(two, "Hi", agent="Omar", close=True)
    assert client.show(one)["assignee_user"]["name"] == "Omar Haddad"
    assert (client.show(two)["assignee_user"], client.show(two)["status"]) == (None, "closed")


def test_a_rule_answers_as_a_bot(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.rule_reply(ticket_id, "We got it")
    shown = client.show(ticket_id)["messages"][-1]
    assert (shown["via"], shown["from_agent"], shown["rule_id"]) == ("rule", True, gorgias.account.rule_id)
    role = client.get(f"/users/{shown['sender']['id']}").json()["role"]["name"]
    assert role == "bot"


@pytest.mark.parametrize("reopens", [True, False])
def test_whether_a_message_by_api_reopens_is_a_setting(desk: Desk, reopens: bool) -> None:
    gorgias, client = desk
    gorgias.settings.api_message_reopens = reopens
    ticket = client.ticket()
    gorgias.close(ticket["id"])
    client.say(ticket["id"], **said(ticket["customer"]["id"], "Wait"))
    assert client.show(ticket["id"])["status"] == ("open" if reopens else "closed")
    gorgias.customer_reply(ticket["id"], "Wait!")
    assert client.show(ticket["id"])["status"] == "open"


def test_messages_stand_in_the_order_of_their_time(desk: Desk) -> None:
    gorgias, client = desk
    ticket = client.ticket("now")
    client.say(ticket["id"], **said(ticket["customer"]["id"], "long ago", created_datetime=NOW))
    assert gorgias.state.texts(ticket["id"]) == ["long ago", "now"]
    listed = client.get("/messages", params={"ticket_id": ticket["id"]}).json()["data"]
    assert [message["body_text"] for message in listed] == ["now", "long ago"]
    listed = client.get(f"/tickets/{ticket['id']}/messages").json()["data"]
    assert [message["body_text"] for message in listed] == ["long ago", "now"]
    assert client.show(ticket["id"])["last_message_datetime"] > "2026-03-03"


def test_a_note_may_become_public_and_a_message_vanish(desk: Desk) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    note = gorgias.note(ticket_id, "draft")
    path = f"/tickets/{ticket_id}/messages/{note.id}"
    assert client.put(path, json={"public": True}).status_code == 400
    answer = client.put(path, json={"public": True, "channel": "api", "from_agent": True, "via": "helpdesk"})
    assert (answer.status_code, answer.json()["public"]) == (202, True)
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_file_is_uploaded_attached_and_fetched_with_credentials(desk: Desk) -> None:
    gorgias, client = desk
    ticket = client.ticket()
    answer = client.post("/upload", params={"type": "attachment"}, files={"file": ("a.txt", b"hello", "text/plain")})
    assert answer.status_code == 201
    (file,) = answer.json()
    assert (file["name"], file["size"], file["content_type"]) == ("a.txt", 5, "text/plain")
    shown = client.say(ticket["id"], **said(ticket["customer"]["id"], "see", attachments=[file])).json()
    fetched = client.get(shown["attachments"][0]["url"])
    assert (fetched.content, fetched.headers["content-type"]) == (b"hello", "text/plain")
    assert client.get(file["url"], auth=("nobody", "x")).status_code == 401
    assert client.post("/upload", content=b"x").status_code == 400
    assert gorgias.reply(ticket["id"], "here", files={"b.pdf": b"%PDF"}).attachments[0]["content_type"] == (
        "application/pdf"
    )


def test_a_ticket_may_show_its_newest_messages_only(desk: Desk) -> None:
    gorgias, client = desk
    gorgias.settings.embedded_messages = 2
    ticket_id = client.ticket("one")["id"]
    gorgias.note(ticket_id, "two")
    gorgias.note(ticket_id, "three")
    assert [message["body_text"] for message in client.show(ticket_id)["messages"]] == ["two", "three"]
    assert len(client.get("/messages", params={"ticket_id": ticket_id}).json()["data"]) == 3


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b\nc"])
def test_text_becomes_html_that_says_the_same(desk: Desk, text: str) -> None:
    gorgias, client = desk
    ticket_id = client.ticket()["id"]
    gorgias.reply(ticket_id, text)
    message = client.show(ticket_id)["messages"][-1]
    assert message["body_text"] == text
    assert "<script>" not in message["body_html"]


def test_html_alone_becomes_text(desk: Desk) -> None:
    _, client = desk
    ticket = client.ticket()
    body = said(ticket["customer"]["id"], "") | {"body_text": None, "body_html": "<p>a &amp; b</p><p>c<br>d</p>"}
    assert client.say(ticket["id"], **body).json()["body_text"] == "a & b\nc\nd"
