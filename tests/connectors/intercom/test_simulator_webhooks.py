"""The simulated Intercom's webhooks: envelope, signature, topics, repeats, and what can go wrong with them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import pytest

from handoff_connectors.intercom.simulator import EVERY_TOPIC, IntercomSimulator
from tests.connectors.intercom.simulated import Client, Receiver, receiving, running


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
def receiver(simulator: IntercomSimulator) -> Iterator[Receiver]:
    with receiving() as receiver:
        simulator.set_webhook(receiver.url, EVERY_TOPIC)
        yield receiver


def quiet(simulator: IntercomSimulator, receiver: Receiver) -> list[str]:
    """The topics that came, once nothing is on its way; the next look begins anew."""
    assert simulator.webhooks.wait_idle()
    topics = receiver.topics()
    receiver.got.clear()
    return topics


def test_the_address_is_probed_before_it_is_taken(simulator: IntercomSimulator) -> None:
    with receiving() as receiver:
        receiver.probe = 404
        with pytest.raises(ValueError, match="HEAD"):
            simulator.set_webhook(receiver.url)
        assert (simulator.state.webhook, receiver.probed, receiver.got) == (None, 1, [])
    with pytest.raises(ValueError, match="connection"):
        simulator.set_webhook(receiver.url)


def test_the_signature_covers_the_raw_bytes(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    client.begin(body="¿Qué?")
    got = receiver.wait(1)[0]
    expected = hmac.new(simulator.credentials.client_secret.encode(), got.body, hashlib.sha1).hexdigest()
    assert got.headers["x-hub-signature"] == f"sha1={expected}"
    assert got.headers["user-agent"] == "intercom-parrot-service-client/1.0"
    assert (got.json["app_id"], got.json["type"]) == (simulator.app_id, "notification_event")
    assert got.json["id"].startswith("notif_")
    assert got.item["source"]["body"] == "¿Qué?"
    assert got.item["conversation_parts"]["conversation_parts"] == []


def test_a_webhook_holds_only_what_set_it_off(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    simulator.reply(talk, "one")
    simulator.reply(talk, "two")
    receiver.wait(3)
    shown = [got.item["conversation_parts"] for got in receiver.got if got.topic == "conversation.admin.replied"]
    assert sorted(p["body"] for parts in shown for p in parts["conversation_parts"]) == ["one", "two"]
    assert sorted(parts["total_count"] for parts in shown) == [1, 2]


def test_which_topics_there_are(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    assert quiet(simulator, receiver) == ["conversation.user.created"]
    steps = {
        "user.replied": lambda: client.reply(talk, user_id="acme:c-1", body="x"),
        "admin.noted": lambda: simulator.note(talk, "n"),
        "admin.assigned": lambda: simulator.assign(talk, "Dana"),
        "admin.closed": lambda: simulator.close(talk),
        "admin.opened": lambda: simulator.open(talk),
        "admin.snoozed": lambda: simulator.snooze(talk),
        "admin.unsnoozed": lambda: simulator.open(talk),
        "priority.updated": lambda: simulator.set_priority(talk, "high"),
        "read": lambda: simulator.mark_read(talk),
    }
    for topic, step in steps.items():
        step()
        assert quiet(simulator, receiver) == [f"conversation.{topic}"]
    client.manage(talk, message_type="close", type="admin")
    quiet(simulator, receiver)
    simulator.assign(talk, "Omar")
    assert quiet(simulator, receiver) == ["conversation.admin.open.assigned"]


def test_our_own_words_come_back(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    client.reply(talk, body="x", skip_notifications=True)
    assert quiet(simulator, receiver) == ["conversation.admin.replied", "conversation.user.created"]


def test_a_bots_answer_comes_twice_under_two_topics(
    simulator: IntercomSimulator, client: Client, receiver: Receiver
) -> None:
    talk = client.begin()
    quiet(simulator, receiver)
    simulator.bot_reply(talk, "I can help")
    first, second = receiver.wait(2)
    assert {first.topic, second.topic} == {"conversation.admin.replied", "conversation.operator.replied"}
    assert first.json["id"] != second.json["id"]
    assert first.item["conversation_parts"] == second.item["conversation_parts"]


def test_a_deletion_has_no_id(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    quiet(simulator, receiver)
    client.delete(f"/conversations/{talk}")
    assert receiver.wait(1)[0].item == {"type": "conversation", "conversation_id": talk}


def test_contacts_tell_too(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    lead, user = client.contact(external_id="l", role="lead")["id"], client.contact(external_id="u")["id"]
    simulator.merge_contacts(lead, user)
    (merged,) = receiver.wait(1)
    assert (merged.topic, merged.item["id"]) == ("contact.merged", user)
    assert merged.item["merged_from"] == {"type": "contact", "id": lead}
    simulator.archive_contact(user)
    simulator.delete_contact(user)
    assert quiet(simulator, receiver) == ["contact.archived", "contact.deleted", "contact.merged"]


def test_merges_and_attributes_have_no_topic(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    client.ok("POST", "/conversations/attributes", {"name": "ref", "data_type": "string"})
    one, two, three = (client.begin(client.contact(external_id=f"c{n}")) for n in range(3))
    quiet(simulator, receiver)
    simulator.set_attribute(one, "ref", "x")
    simulator.merge(two, one)
    assert quiet(simulator, receiver) == ["conversation.admin.closed"]
    simulator.settings.merge_sends_closed = False
    simulator.merge(three, one)
    assert quiet(simulator, receiver) == []


def test_only_what_was_asked_for_is_sent(simulator: IntercomSimulator, client: Client) -> None:
    with receiving() as receiver:
        simulator.set_webhook(receiver.url)
        talk = client.begin()
        simulator.note(talk, "n")
        simulator.mark_read(talk)
        assert quiet(simulator, receiver) == ["conversation.user.created"]


def test_some_have_no_id(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    simulator.mark_read(talk)
    ids = {got.topic: got.json["id"] for got in receiver.wait(2)}
    assert ids["conversation.read"] is None
    assert ids["conversation.user.created"] is not None
    simulator.settings.null_id_every = 1
    simulator.note(talk, "n")
    assert receiver.wait(3)[2].json["id"] is None


def test_some_are_minimal_and_older_apps_get_html(
    simulator: IntercomSimulator, client: Client, receiver: Receiver
) -> None:
    simulator.settings.app_version = "2.14"
    talk = client.begin()
    assert receiver.wait(1)[0].item["source"]["body"] == "<p>I was charged twice.</p>"
    simulator.settings.minimal_webhooks = True
    simulator.close(talk)
    assert receiver.wait(2)[1].item == {"type": "conversation", "id": talk, "state": "closed"}


def test_attachments_are_only_mentioned(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    quiet(simulator, receiver)
    simulator.reply(talk, "see", files={"a.pdf": b"x"})
    (part,) = receiver.wait(1)[0].item["conversation_parts"]["conversation_parts"]
    assert part["body"] == "see\n[Attachment]"


def test_a_snooze_that_ends_is_told(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    simulator.snooze(client.begin(), 60)
    quiet(simulator, receiver)
    simulator.clock.advance(60)
    assert quiet(simulator, receiver) == ["conversation.admin.unsnoozed"]


def test_ping(simulator: IntercomSimulator, receiver: Receiver) -> None:
    simulator.ping()
    assert (receiver.wait(1)[0].topic, receiver.got[0].item) == ("ping", {"type": "ping"})


# --- repeats ---------------------------------------------------------------------------------------


def test_a_failure_is_tried_once_more_after_a_minute(
    simulator: IntercomSimulator, client: Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    client.begin()
    assert simulator.webhooks.wait_idle()
    assert len(receiver.got) == 1
    simulator.clock.advance(59)
    assert simulator.webhooks.wait_idle()
    assert len(receiver.got) == 1
    simulator.clock.advance(1)
    assert receiver.wait(2)[0].body == receiver.got[1].body
    simulator.clock.advance(3600)
    assert simulator.webhooks.wait_idle()
    assert len(receiver.got) == 2


def test_a_throttled_receiver_is_tried_for_two_hours(
    simulator: IntercomSimulator, client: Client, receiver: Receiver
) -> None:
    receiver.answers = [429, 429]
    client.begin()
    assert simulator.webhooks.wait_idle()
    for seconds in (60, 120):
        simulator.clock.advance(seconds)
        assert simulator.webhooks.wait_idle()
    assert len(receiver.got) == 3


def test_gone_turns_the_webhook_off(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    receiver.answers = [410]
    talk = client.begin()
    assert simulator.webhooks.wait_idle()
    assert simulator.state.webhook is not None
    assert simulator.state.webhook.status == "disabled"
    simulator.close(talk)
    assert simulator.webhooks.wait_idle()
    assert len(receiver.got) == 1


def test_a_week_of_failures_suspends_the_webhook(
    simulator: IntercomSimulator, client: Client, receiver: Receiver
) -> None:
    receiver.answers = [500] * 3
    talk = client.begin()
    assert simulator.webhooks.wait_idle()
    simulator.clock.advance(7 * 86_400)
    assert simulator.webhooks.wait_idle()
    simulator.close(talk)
    assert simulator.webhooks.wait_idle()
    assert simulator.state.webhook is not None
    assert simulator.state.webhook.status == "suspended"


# --- trouble on demand -----------------------------------------------------------------------------


def test_lost_doubled_and_reordered(simulator: IntercomSimulator, client: Client, receiver: Receiver) -> None:
    talk = client.begin()
    quiet(simulator, receiver)
    simulator.webhook_faults.lose()
    simulator.note(talk, "lost")
    assert quiet(simulator, receiver) == []
    simulator.webhook_faults.double()
    simulator.note(talk, "twice")
    assert receiver.wait(2)[0].body == receiver.got[1].body
    quiet(simulator, receiver)
    simulator.webhook_faults.reorder()
    simulator.close(talk)
    simulator.open(talk)
    assert [got.topic for got in receiver.wait(2)] == ["conversation.admin.opened", "conversation.admin.closed"]
