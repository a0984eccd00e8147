"""The connector against the simulated Intercom, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.mapping import reference
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.simulator import IntercomSimulator, Limits
from handoff_sync.contract.connector import CommentAuthor, CommentDraft, Requester, TicketDraft, WebhookRequest
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.errors import OutcomeUnknown, RateLimited, VendorAuthError, VendorDown, WebhookRefused
from tests.connectors.intercom.conftest import ANA, MemoryJournal, Spending, StoredSecrets
from tests.connectors.intercom.simulated import receiving, until

CLAIMED = Requester(external_id="acme:c-2", customer=Customer(name="Bo Example", email="ana@example.com"))
DRAFT = TicketDraft(
    external_id="hs:acme:1",
    subject="Customer needs your help: Ana Example",
    requester=ANA,
    html='<p dir="auto"><strong>Why</strong><br>The customer asked for a person.</p><p dir="auto">1 &lt; 2</p>',
    tags=("handoff-sync", "human-handoff"),
)
WORD = reference("hs:acme:1")


def said(marker: str = "m-1", author: Requester | None = ANA, public: bool = True) -> CommentDraft:
    return CommentDraft(marker=marker, html='<p dir="auto">Is somebody there?<br>1 &lt; 2</p>', public=public,
                        author=author)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[IntercomSimulator]:
    with IntercomSimulator(limits=Limits.off()) as simulator:
        yield simulator


@pytest.fixture
def desk(running: IntercomSimulator) -> IntercomSimulator:
    """A fresh workspace; starting a server takes longer than most tests."""
    running.reset()
    return running


def connect(desk: IntercomSimulator, **settings: object) -> IntercomConnector:
    """A connector as another process would have it."""
    known = desk.credentials
    chosen = {"base_url": desk.base_url, "workspace_id": desk.app_id, **settings}
    secrets = StoredSecrets(access_token=known.access_token, client_secret=known.client_secret)
    if "auth" in settings:
        secrets = StoredSecrets(oauth_code="spent", client_secret=known.client_secret)
    _made.append(IntercomConnector(IntercomSettings.model_validate(chosen), secrets, Spending()))
    return _made[-1]


_made: list[IntercomConnector] = []


@pytest.fixture
def bot(desk: IntercomSimulator) -> IntercomConnector:
    return connect(desk)


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def opened(bot: IntercomConnector, **changes: object) -> str:
    return bot.open(replace(DRAFT, **changes), MemoryJournal()).id  # type: ignore[arg-type]


def begun(desk: IntercomSimulator) -> int:
    return len(desk.state.begun_with(WORD))


# --- opening -----------------------------------------------------------------------------------------


def test_a_conversation_is_opened_with_all_that_was_asked(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    team = desk.workspace.team("Billing")
    ref = bot.open(replace(DRAFT, group=team.id, priority="high"), MemoryJournal())
    talk = desk.state.conversation(ref.id)
    assert (talk.title, talk.team_assignee_id, talk.state) == (DRAFT.subject, int(team.id), "open")
    assert {applied.tag.name for applied in talk.tags.values()} == {"handoff-sync", "human-handoff"}
    assert desk.state.texts(ref.id, public=True) == [f"I would like to talk to a person.\n\nReference: {WORD}"]
    (note,) = desk.state.texts(ref.id, public=False)
    assert note == "Priority: high\n\nWhy\nThe customer asked for a person.\n\n1 < 2"
    assert ref.comment_id == desk.state.parts(ref.id, "note")[0].id
    assert desk.state.notified(ref.id) == [], "nobody's phone rings"


def test_a_customer_without_a_vouched_address_is_another_contact(
    bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    first, second = opened(bot), opened(bot, requester=CLAIMED, external_id="hs:acme:2")
    assert desk.state.conversation(first).contact_ids != desk.state.conversation(second).contact_ids
    again = opened(connect(desk), requester=CLAIMED, external_id="hs:acme:3")
    assert desk.state.conversation(again).contact_ids == desk.state.conversation(second).contact_ids


def test_a_contact_that_the_helpdesk_knows_is_used(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    known = desk.add_contact(external_id="crm-7", email="ana@example.com", name="Ana (VIP)")
    assert desk.state.conversation(opened(bot)).contact_ids == [known.id]
    assert (known.name, known.external_id) == ("Ana (VIP)", "crm-7")


def test_archived_merged_and_blocked_contacts_do_not_stop_a_handoff(
    bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    archived = desk.add_contact(external_id="acme:a")
    desk.archive_contact(archived.id)
    blocked = desk.add_contact(external_id="acme:b")
    desk.block_contact(blocked.id)
    lead, user = desk.add_contact("lead", external_id="acme:m"), desk.add_contact(external_id="crm-8")
    desk.merge_contacts(lead.id, user.id)
    used = []
    for letter in "abm":
        asks = Requester(external_id=f"acme:{letter}", customer=Customer(name="X"))
        talk = opened(bot, requester=asks, external_id=f"hs:acme:{letter}")
        used += desk.state.conversation(talk).contact_ids
    assert used[0] == archived.id
    assert used[1] != blocked.id
    assert desk.state.contact(used[1]).role == "lead"
    assert used[2] != lead.id


def test_a_new_contact_takes_a_moment(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    desk.settings.contact_lag_s = 30
    journal = MemoryJournal()
    with pytest.raises(VendorDown):
        bot.open(DRAFT, journal)
    desk.clock.advance(31)
    assert bot.open(DRAFT, journal).id
    assert begun(desk) == 1


@pytest.mark.parametrize("fault", ["lose_answer", "cut"])
def test_whatever_happens_to_the_answer_there_is_one_conversation(
    fault: str, bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    journal = MemoryJournal()
    getattr(desk.faults, fault)(method="POST", path="/conversations")
    with pytest.raises(OutcomeUnknown):
        bot.open(DRAFT, journal)
    other = connect(desk)
    assert other.find("hs:acme:1") is None
    with pytest.raises(RateLimited):
        other.open(DRAFT, journal)  # the index does not know it yet
    desk.clock.advance(60)
    made = other.open(DRAFT, journal)
    assert begun(desk) == 1
    assert desk.state.texts(made.id, public=False) == ["Why\nThe customer asked for a person.\n\n1 < 2"]
    desk.clock.advance(60)
    assert bot.find("hs:acme:1") == replace(made, comment_id=None)


CALLS = [("PUT", "/conversations"), ("POST", "/reply"), ("POST", "/parts"), ("POST", "/tags")]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("applied", [True, False], ids=["done", "not done"])
def test_an_opening_that_is_interrupted_goes_on(
    method: str, path: str, applied: bool, bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    journal, draft = MemoryJournal(), replace(DRAFT, group=desk.workspace.team("Billing").id)
    desk.faults.fail(502, method=method, path=path, applied=applied)
    with pytest.raises((OutcomeUnknown, VendorDown)):
        bot.open(draft, journal)
    ref = connect(desk).open(draft, journal)
    assert begun(desk) == 1
    assert len(desk.state.texts(ref.id, public=False)) == 1
    assert len(desk.state.parts(ref.id, "assignment")) == 1
    assert len(desk.state.conversation(ref.id).tags) == 2


def test_a_creation_that_surfaces_too_late_is_merged_away(desk: IntercomSimulator) -> None:
    bot, journal = connect(desk, recreate_after_s=0), MemoryJournal()
    desk.faults.lose_answer(method="POST", path="/conversations")
    with pytest.raises(OutcomeUnknown):
        bot.open(DRAFT, journal)
    used = bot.open(DRAFT, journal).id  # the index does not know the first one
    assert begun(desk) == 2
    cursor = bot.changed(None, datetime.now(UTC)).cursor
    desk.clock.advance(1000)
    bot.changed(cursor, desk.clock.now())
    late = next(talk for talk in desk.state.begun_with(WORD) if talk.id != used)
    assert (late.merged_into, late.state) == (used, "closed")
    assert desk.state.conversation(used).state == "open"


def test_a_webhook_tells_of_a_lost_creation_at_once(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    journal = MemoryJournal()
    with receiving() as receiver:
        desk.set_webhook(receiver.url)
        desk.faults.lose_answer(method="POST", path="/conversations")
        with pytest.raises(OutcomeUnknown):
            bot.open(DRAFT, journal)
        (got,) = receiver.wait(1)
        bot.verify_webhook(WebhookRequest(got.headers, got.body, datetime.now(UTC)))
        assert bot.open(DRAFT, journal).id
    assert begun(desk) == 1


# --- appending ---------------------------------------------------------------------------------------


def test_the_customer_is_the_author_and_reopens(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk = opened(bot)
    desk.close(talk)
    ref = bot.append(talk, said(), MemoryJournal())
    part = desk.state.parts(talk)[-1]
    assert (part.id, part.part_type, part.author.type) == (ref.id, "open", "user")
    assert desk.state.texts(talk, public=True)[-1] == "Is somebody there?\n1 < 2"
    assert desk.state.conversation(talk).state == "open"


@pytest.mark.parametrize("public", [True, False])
def test_what_we_say_reaches_no_customer_and_reopens_nothing(
    public: bool, bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    talk = opened(bot)
    desk.close(talk)
    bot.append(talk, said(author=None, public=public), MemoryJournal())
    assert len(desk.state.texts(talk, public=True)) == 1
    assert desk.state.conversation(talk).state == "closed"
    assert desk.state.notified(talk) == []


@pytest.mark.parametrize("author", [ANA, None], ids=["customer", "we"])
def test_a_reply_whose_answer_was_lost_is_found(
    author: Requester | None, bot: IntercomConnector, desk: IntercomSimulator
) -> None:
    talk, journal = opened(bot), MemoryJournal()
    bot.append(talk, said("m-0", author), MemoryJournal())  # the same words, a moment before
    desk.faults.lose_answer(method="POST", path="/reply")
    with pytest.raises(OutcomeUnknown):
        bot.append(talk, said("m-1", author), journal)
    made = desk.state.parts(talk)[-1].id
    desk.reply(talk, "I look into it.")
    found = bot.find_appended(talk, "m-1")
    assert found is not None
    assert found.id == made
    assert connect(desk).append(talk, said("m-1", author), journal).id == made
    assert len([t for t in desk.state.texts(talk) if t.startswith("Is somebody")]) == 2


def test_a_reply_that_was_never_made_is_said_again(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk, journal = opened(bot), MemoryJournal()
    desk.faults.fail(502, method="POST", path="/reply")
    with pytest.raises(OutcomeUnknown):
        bot.append(talk, said(), journal)
    assert bot.find_appended(talk, "m-1") is None
    bot.append(talk, said(), journal)
    assert len([t for t in desk.state.texts(talk) if t.startswith("Is somebody")]) == 1


def test_a_lead_who_became_a_user_goes_on_talking(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    lead, user = desk.add_contact("lead", external_id="acme:l"), desk.add_contact(external_id="crm-8")
    asks = Requester(external_id="acme:l", customer=Customer(name="Lee"))
    talk = opened(bot, requester=asks)
    desk.merge_contacts(lead.id, user.id)
    bot.append(talk, said(author=asks), MemoryJournal())
    assert desk.state.parts(talk)[-1].author.id == user.id


# --- status, assignee, tags ----------------------------------------------------------------------------


def test_tags_of_agents_stay(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk = opened(bot)
    desk.add_tags(talk, "vip")
    bot.set_tags(talk, ("ai_paused", "VIP", "Two  Words"), ("human-handoff", "never"), "t-1")
    assert set(bot.read(talk, None).tags) == {"handoff-sync", "VIP", "ai_paused", "Two Words"}


# --- reading -------------------------------------------------------------------------------------------


def test_who_wrote_what(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk = opened(bot)
    cursor = bot.read(talk, None).cursor
    bot.append(talk, said("m-1"), MemoryJournal())
    desk.reply(talk, "I look into it.\n\nDana")
    desk.note(talk, "/ai pause 30m")
    desk.customer_reply(talk, "Thanks by mail")
    desk.bot_reply(talk, "Typically replies in an hour")
    desk.assign(talk, "Omar", agent="Dana", text="Please take it")
    bot.append(talk, said("m-2", None, public=False), MemoryJournal())
    desk.close(talk, text="All done")
    now = bot.read(talk, cursor)
    assert [(c.author, c.public, c.text) for c in now.comments] == [
        (CommentAuthor.CUSTOMER, True, "Is somebody there?\n1 < 2"),
        (CommentAuthor.AGENT, True, "I look into it.\n\nDana"),
        (CommentAuthor.AGENT, False, "/ai pause 30m"),
        (CommentAuthor.CUSTOMER, True, "Thanks by mail"),
        (CommentAuthor.AUTOMATION, True, "Typically replies in an hour"),
        (CommentAuthor.AGENT, False, "Please take it"),
        (CommentAuthor.OURS, False, "Is somebody there?\n1 < 2"),
        (CommentAuthor.AGENT, True, "All done"),
    ]
    assert now.changed_by is not None
    assert now.changed_by.name == "Dana Miller"
    assert bot.read(talk, now.cursor).comments == ()


def test_a_file_comes_along(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk = opened(bot)
    desk.reply(talk, "", files={"bill.txt": b"12 EUR"})
    (file,) = bot.read(talk, None).comments[-1].attachments
    assert (file.name, file.size) == ("bill.txt", 6)


@pytest.mark.parametrize("linked", [True, False])
def test_a_merged_conversation_says_into_which(linked: bool, bot: IntercomConnector, desk: IntercomSimulator) -> None:
    desk.settings.merge_links = linked
    first, second = opened(bot), opened(bot, external_id="hs:acme:2")
    desk.clock.advance(60)
    desk.merge(first, second)
    desk.clock.advance(60)
    now = bot.read(first, None)
    assert (now.merged_into, now.status) == (second, TicketStatus.OPEN)
    assert bot.read(second, None).merged_into is None


def test_more_than_500_parts_are_read_by_and_by(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    desk.settings.max_parts = 10
    talk = opened(bot)
    cursor, heard = None, []
    for block in range(4):
        for number in range(4):
            desk.reply(talk, f"{block}-{number}")
        now = bot.read(talk, cursor)
        cursor, heard = now.cursor, heard + [c.text for c in now.comments if c.author is CommentAuthor.AGENT]
    assert heard == [f"{block}-{number}" for block in range(4) for number in range(4)]


# --- sweeps and webhooks ---------------------------------------------------------------------------------


def test_changed_conversations_are_found_without_webhooks(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    talk, gone = opened(bot), opened(bot, external_id="hs:acme:2")
    cursor = bot.changed(None, desk.clock.now()).cursor
    desk.reply(talk, "hello")
    desk.delete(gone)
    desk.clock.advance(60)
    changed = bot.changed(cursor, desk.clock.now())
    assert {talk, gone} <= set(changed.ids)
    assert bot.changed(changed.cursor, desk.clock.now()).ids == (gone,)


def test_every_webhook_of_a_talk_is_verified_and_names_it(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    desk.settings.null_id_every = 3
    with receiving() as receiver:
        desk.set_webhook(receiver.url)
        talk = opened(bot)
        desk.reply(talk, "hello")
        desk.bot_reply(talk, "hello from a bot")
        desk.snooze(talk)
        desk.close(talk)
        desk.customer_reply(talk, "not done")
        desk.ping()
        desk.delete(talk)
        until(lambda: any(got.topic == "conversation.deleted" for got in receiver.got))
    for got in receiver.got:
        request = WebhookRequest(got.headers, got.body, datetime.now(UTC))
        hint = bot.verify_webhook(request)
        assert hint.tickets == ((talk,) if got.topic != "ping" else ()), got.topic
        with pytest.raises(WebhookRefused):
            bot.verify_webhook(replace(request, body=got.body + b" "))
    names = [json.loads(got.body)["id"] for got in receiver.got]
    assert None in names


# --- limits and signing in ---------------------------------------------------------------------------------


def test_the_window_of_10_seconds_pauses_the_connection(desk: IntercomSimulator) -> None:
    bot = connect(desk, admin_id=desk.workspace.connector.id)
    talk = opened(bot)
    desk.settings.limits = Limits(app=6)
    with pytest.raises(RateLimited) as limited:
        for _ in range(10):
            bot.read(talk, None)
    assert limited.value.scope == "connection"
    assert 1 <= limited.value.retry_after_s <= 10


def test_a_spent_oauth_code_stops_the_connection(desk: IntercomSimulator) -> None:
    with pytest.raises(VendorAuthError):
        connect(desk, auth="oauth", client_id=desk.credentials.client_id).read("1", None)


def test_a_check_finds_all_well(bot: IntercomConnector, desk: IntercomSimulator) -> None:
    assert [(finding.name, finding.detail) for finding in bot.check() if not finding.ok] == []
    assert not connect(desk, region="eu").check()[1].ok
