"""The connector against the simulated Gorgias, over real sockets."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.simulator import GorgiasSimulator
from handoff_sync.contract.connector import (
    ChangedTickets,
    CommentAuthor,
    CommentDraft,
    Requester,
    TicketDraft,
    WebhookRequest,
)
from handoff_sync.core.model import AuthorClass, Customer, Message, TicketStatus
from handoff_sync.errors import (
    OutcomeUnknown,
    RateLimited,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from tests.connectors.gorgias.conftest import connect
from tests.connectors.gorgias.simulated import receiving
from tests.connectors.zendesk.conftest import MemoryJournal, StoredSecrets

ANA = Requester(
    external_id="acme:c-1", customer=Customer(name="Ana Example", email="Ana@example.com", email_verified=True)
)
CLAIMED = Requester(external_id="acme:c-2", customer=Customer(name="Bo Example", email="dana@example.com"))
NAMELESS = Requester(external_id="acme:conversation-9", customer=Customer())
AT = datetime.now(UTC) - timedelta(minutes=5)
SAID = (
    Message(id="m-1", author_class=AuthorClass.CUSTOMER, text="Where is my <order>?", at=AT),
    Message(id="m-2", author_class=AuthorClass.AI, text="On its way.", at=AT + timedelta(seconds=5)),
    Message(id="m-3", author_class=AuthorClass.CUSTOMER, text="A person, please", at=AT + timedelta(seconds=9)),
)


def draft(external_id: str = "hs:acme:1", requester: Requester = ANA, **more: object) -> TicketDraft:
    plain = TicketDraft(
        external_id=external_id,
        subject="Customer needs your help: Ana Example",
        requester=requester,
        html='<p dir="auto">First line<br>second line</p>',
        tags=("handoff-sync", "human-handoff"),
        said=SAID,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def said(marker: str = "m-9/1", author: Requester | None = ANA, public: bool = True) -> CommentDraft:
    return CommentDraft(marker=marker, html='<p dir="auto">Is somebody there?</p>', public=public, author=author)


def opened(bot: GorgiasConnector, **changes: object) -> str:
    return bot.open(draft(**changes), MemoryJournal()).id  # type: ignore[arg-type]


# --- signing in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["api_key", "oauth"])
def test_each_way_to_sign_in_works(auth: str, desk: GorgiasSimulator) -> None:
    assert opened(connect(desk, auth=auth))


@pytest.mark.parametrize("rotates", [True, False])
def test_an_expired_token_is_renewed_within_the_call(rotates: bool, desk: GorgiasSimulator) -> None:
    desk.settings.refresh_rotates = rotates
    bot = connect(desk, auth="oauth")
    ticket = opened(bot)
    for _ in range(2):
        desk.auth.revoke_all()
        assert bot.append(ticket, said(public=False, author=None), MemoryJournal()).id
    assert len(desk.state.messages(ticket)) == 4


def test_a_key_that_was_reset_stops_the_connection(desk: GorgiasSimulator, bot: GorgiasConnector) -> None:
    desk.auth.reset_api_key()
    with pytest.raises(VendorAuthError, match="API key"):
        opened(bot)


# --- opening -----------------------------------------------------------------------------------------


def test_a_ticket_opens_with_the_customers_words_and_a_note(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    team = next(team for team in desk.account.teams.values() if team.name == "Billing")
    ref = bot.open(draft(priority="urgent", group=str(team.id)), MemoryJournal())
    ticket = desk.state.ticket(ref.id)
    assert (ticket.channel, ticket.via, ticket.status, ticket.external_id) == ("api", "api", "open", "hs:acme:1")
    assert (ticket.subject, ticket.priority, ticket.assignee_team_id) == (draft().subject, "critical", team.id)
    assert set(desk.state.tags(ref.id)) == {"handoff-sync", "human-handoff"}
    words, note = desk.state.messages(ref.id)
    assert (words.from_agent, words.public, words.body_text) == (False, True, "A person, please")
    assert abs(words.created_at - SAID[-1].at) < timedelta(milliseconds=1)
    assert (note.channel, note.public, note.sender_id) == ("internal-note", False, desk.account.connector.id)
    assert note.body_text == "E-mail (vouched for by the chat): Ana@example.com\n\nFirst line\nsecond line"
    assert ref.comment_id == str(note.id)
    assert ref.url == f"https://acme.gorgias.com/app/ticket/{ref.id}"
    assert desk.state.mails == []


def test_a_talk_may_be_shown_message_by_message_and_nothing_of_it_is_sent(desk: GorgiasSimulator) -> None:
    ticket = opened(connect(desk, transcript_mode="thread"))
    texts = [(m.from_agent, m.body_text) for m in desk.state.messages(ticket, public=True)]
    assert texts == [(False, "Where is my <order>?"), (True, "AI\n\nOn its way."), (False, "A person, please")]
    assert all(m.sent_at is not None for m in desk.state.messages(ticket))
    desk.clock.advance(60)
    assert desk.state.mails == []


def test_without_the_talk_the_subject_stands_for_the_customer(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot, said=())
    assert desk.state.texts(ticket, public=True) == [draft().subject]


def test_a_vouched_address_stays_with_us_unless_the_setting_gives_it(desk: GorgiasSimulator) -> None:
    kept = desk.state.ticket(opened(connect(desk)))
    assert desk.state.customer(kept.customer_id).email is None
    known = desk.account.new_customer()
    known.email, known.name = "ana@example.com", "Ana Ruiz (VIP)"
    given = desk.state.ticket(opened(connect(desk, attach_customer_email=True), external_id="hs:acme:2"))
    assert given.customer_id == known.id
    assert known.name == "Ana Ruiz (VIP)", "nobody's profile is changed"


def test_a_claimed_address_is_nobodys(desk: GorgiasSimulator) -> None:
    known = desk.account.new_customer()
    known.email = "dana@example.com"
    ticket = desk.state.ticket(opened(connect(desk, attach_customer_email=True), requester=CLAIMED))
    assert ticket.customer_id != known.id
    assert desk.state.customer(ticket.customer_id).email is None


@pytest.mark.parametrize("requester", [ANA, CLAIMED, NAMELESS])
def test_a_customer_is_made_once(requester: Requester, bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    first = opened(bot, requester=requester)
    second = opened(connect(desk), requester=requester, external_id="hs:acme:2")
    assert desk.state.ticket(first).customer_id == desk.state.ticket(second).customer_id
    assert len(desk.state.customers) == 1


def test_a_customer_who_is_gone_is_looked_up_anew(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    customer = desk.state.ticket(opened(bot)).customer_id
    desk.account.customers.pop(customer)
    again = desk.state.ticket(opened(bot, external_id="hs:acme:2")).customer_id
    assert again != customer


@pytest.mark.parametrize("fault", ["lose_answer", "cut", "html", "fail"])
def test_whatever_happens_to_the_answer_there_is_one_ticket(
    fault: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    journal = MemoryJournal()
    getattr(desk.faults, fault)(method="POST", path="/tickets$")
    with pytest.raises(OutcomeUnknown):
        bot.open(draft(), journal)
    again = connect(desk).open(draft(), journal)
    assert desk.state.creations["hs:acme:1"] == 1
    assert bot.find("hs:acme:1") == replace(again, comment_id=None)


def test_a_lost_ticket_that_was_merged_is_found_at_its_customer_or_made_again(
    bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    """The list by external id no longer knows it; the list of the customer still may."""
    journal = MemoryJournal()
    bot.open(draft(), journal)
    ticket = desk.state.tickets[0]
    ticket.external_id = None
    assert connect(desk).open(draft(), journal).id == str(ticket.id)
    assert len(desk.state.tickets) == 1


def test_of_two_tickets_the_first_is_kept_and_the_other_put_aside(
    desk: GorgiasSimulator, bot: GorgiasConnector
) -> None:
    first, second = opened(bot), opened(bot)
    assert first != second
    found = bot.find("hs:acme:1")
    assert found is not None
    assert found.id == first
    loser = desk.state.ticket(second)
    assert loser.status == "closed"
    assert "handoff-duplicate" in desk.state.tags(second)
    assert first in desk.state.texts(second, public=False)[-1]
    bot.find("hs:acme:1")
    assert len(desk.state.messages(second)) == 3, "put aside once"


def test_nothing_is_found_where_nothing_is(bot: GorgiasConnector) -> None:
    assert bot.find("hs:acme:none & #1") is None


def test_a_list_that_is_late_finds_nothing_until_it_has_settled(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    desk.settings.list_lag_s = bot.capabilities.settle_s - 1
    ticket = opened(bot)
    assert bot.find("hs:acme:1") is None
    desk.clock.advance(bot.capabilities.settle_s)
    found = bot.find("hs:acme:1")
    assert found is not None
    assert found.id == ticket


@pytest.mark.parametrize("change", [{"priority": "medium"}, {"group": "Billing"}, {"group": "5"}])
def test_what_gorgias_does_not_know_is_refused_for_good_and_may_be_corrected(
    change: dict[str, str], bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    journal = MemoryJournal()
    with pytest.raises(VendorRejected):
        bot.open(draft(**change), journal)  # type: ignore[arg-type]
    assert bot.open(draft(), journal).id
    assert desk.state.creations["hs:acme:1"] == 1


def test_long_ids_and_texts_arrive_whole(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    long_id = "hs:" + "x" * 400
    html = "<p>" + "ü" * ((bot.capabilities.max_comment_bytes - 7) // 2) + "</p>"
    ticket = opened(bot, external_id=long_id, html=html)
    found = bot.find(long_id)
    assert found is not None
    assert found.id == ticket
    assert html in desk.state.messages(ticket)[-1].body_html


# --- appending ---------------------------------------------------------------------------------------


def test_each_kind_of_comment_stands_as_what_it_is(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    made = [
        bot.append(ticket, comment, MemoryJournal()).id
        for comment in (said("a/1"), said("b/1", author=None), said("c/1", public=False), said("d/1", None, False))
    ]
    messages = {str(message.id): message for message in desk.state.messages(ticket)}
    kinds = [(messages[m].from_agent, messages[m].public, messages[m].channel) for m in made]
    note = (True, False, "internal-note")
    assert kinds == [(False, True, "api"), (True, True, "api"), note, note]
    assert messages[made[2]].body_text.startswith("Ana Example")
    desk.clock.advance(60)
    assert desk.state.mails == [], "Gorgias sends nothing of ours"


@pytest.mark.parametrize("rest", ["close", "snooze"])
@pytest.mark.parametrize("opens_itself", [True, False])
def test_a_customer_wakes_a_ticket_at_rest_and_a_note_does_not(
    rest: str, opens_itself: bool, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    desk.settings.api_message_reopens = opens_itself
    ticket = opened(bot)
    getattr(desk, rest)(ticket)
    bot.append(ticket, said("n/1", public=False), MemoryJournal())
    assert desk.state.ticket(ticket).status == "closed"
    bot.append(ticket, said(), MemoryJournal())
    assert desk.state.ticket(ticket).status == "open"
    assert desk.state.ticket(ticket).snooze_at is None


@pytest.mark.parametrize("fault", ["lose_answer", "cut", "html"])
def test_a_message_whose_answer_was_lost_is_found_by_its_marker(
    fault: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    ticket = opened(bot)
    assert bot.find_appended(ticket, "m-9/1") is None
    getattr(desk.faults, fault)(method="POST", path="/messages")
    with pytest.raises(OutcomeUnknown):
        bot.append(ticket, said(), MemoryJournal())
    found = bot.find_appended(ticket, "m-9/1")
    written = desk.state.messages(ticket)[-1]
    assert (found is not None) == (written.external_id == "hs1:m-9/1")


@pytest.mark.parametrize("aside", ["trash", "spam"])
def test_a_customer_is_not_left_to_a_ticket_that_nobody_reads(
    aside: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    ticket = opened(bot)
    getattr(desk, aside)(ticket)
    with pytest.raises(TicketGone):
        bot.append(ticket, said(), MemoryJournal())
    assert len(desk.state.messages(ticket)) == 2


def test_a_ticket_that_is_gone_says_so(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    desk.purge(ticket)
    with pytest.raises(TicketGone):
        bot.append(ticket, said(public=False), MemoryJournal())
    with pytest.raises(TicketGone):
        bot.set_status(ticket, TicketStatus.SOLVED, "s")
    assert bot.read(ticket, None).deleted


def test_many_messages_of_many_threads_arrive_once_each(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    threads = [threading.Thread(target=bot.append, args=(ticket, said(f"t-{n}/1"), MemoryJournal())) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    markers = [f"hs1:t-{n}/1" for n in range(8)]
    assert [desk.state.markers[marker] for marker in markers] == [1] * 8


# --- status, assignee, tags ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "theirs"),
    [(TicketStatus.OPEN, "open"), (TicketStatus.WAITING_CUSTOMER, "open"), (TicketStatus.SOLVED, "closed")],
)
def test_a_status_ends_a_snooze(
    status: TicketStatus, theirs: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    ticket = opened(bot)
    desk.snooze(ticket)
    bot.set_status(ticket, status, "s")
    assert (desk.state.ticket(ticket).status, desk.state.ticket(ticket).snooze_at) == (theirs, None)


def test_tags_of_agents_stay(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    desk.add_tags(ticket, "vip")
    bot.set_tags(ticket, ("ai_paused", "order,\n 7"), ("human-handoff",), "t")
    assert set(desk.state.tags(ticket)) == {"handoff-sync", "vip", "ai_paused", "order 7"}


# --- reading -----------------------------------------------------------------------------------------


def test_a_reading_tells_what_is_new_and_only_that(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    first = bot.read(ticket, None)
    assert [c.author for c in first.comments] == [CommentAuthor.OURS, CommentAuthor.OURS]
    assert (first.status, first.assignee, first.changed_by) == (TicketStatus.OPEN, None, None)
    desk.reply(ticket, "I look into it\nnow", files={"a.txt": b"abc"})
    second = bot.read(ticket, first.cursor)
    (reply,) = second.comments
    assert (reply.author, reply.public, reply.text) == (CommentAuthor.AGENT, True, "I look into it\nnow")
    assert reply.agent is not None
    assert (reply.agent.name, [file.name for file in reply.attachments]) == ("Dana", ["a.txt"])
    assert second.assignee is not None and second.changed_by is not None
    assert (second.assignee.name, second.changed_by.name) == ("Dana", "Dana"), "who answers takes the ticket"
    third = bot.read(ticket, second.cursor)
    assert (third.comments, third.changed_by) == ((), None)


def test_our_own_writes_come_back_with_their_marker(bot: GorgiasConnector) -> None:
    ticket = opened(bot)
    bot.append(ticket, said("m-9/1"), MemoryJournal())
    assert bot.read(ticket, None).comments[-1].marker == "m-9/1"


def test_many_messages_are_read_to_the_end(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    for n in range(130):
        desk.note(ticket, f"note {n}")
    first = bot.read(ticket, None)
    assert len(first.comments) == 132
    desk.reply(ticket, "At last")
    assert [c.text for c in bot.read(ticket, first.cursor).comments] == ["At last"]


def test_send_and_close_is_an_answer_and_a_close_by_the_same_agent(
    bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    ticket = opened(bot)
    before = bot.read(ticket, None).cursor
    desk.settings.event_lag_s = 300
    desk.reply(ticket, "Done", close=True)
    now = bot.read(ticket, before)
    assert (now.status, now.raw_status, [c.text for c in now.comments]) == (TicketStatus.SOLVED, "closed", ["Done"])
    assert now.changed_by is not None
    assert now.changed_by.name == "Dana"


def test_a_snoozed_ticket_is_on_hold_whatever_its_status(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    for closed in (True, False):
        desk.settings.snoozed_is_closed = closed
        ticket = opened(bot, external_id=f"hs:{closed}")
        desk.snooze(ticket, 3600)
        now = bot.read(ticket, None)
        assert (now.status, now.raw_status) == (TicketStatus.ON_HOLD, "snoozed")


@pytest.mark.parametrize(("aside", "back", "raw"), [("trash", "restore", "trashed"), ("spam", "unspam", "spam")])
def test_what_is_put_aside_reads_as_deleted_until_it_comes_back(
    aside: str, back: str, raw: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    ticket = opened(bot)
    getattr(desk, aside)(ticket)
    gone = bot.read(ticket, None)
    assert (gone.deleted, gone.raw_status) == (True, raw)
    getattr(desk, back)(ticket)
    assert not bot.read(ticket, gone.cursor).deleted


@pytest.mark.parametrize("form", ["absolute", "relative", "slash"])
def test_a_merged_ticket_says_into_which_and_since_when(
    form: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    desk.settings.merge_location = form
    ours, other = opened(bot), opened(bot, external_id="hs:acme:2", requester=NAMELESS)
    desk.reply(other, "Of another talk")
    desk.merge(ours, other)
    merged_at = desk.state.events[-1].created_at
    desk.reply(other, "After the merge")
    now = bot.read(ours, None)
    assert (now.merged_into, now.deleted) == (other, False)
    assert abs(now.updated_at - merged_at) < timedelta(milliseconds=1)
    survivor = bot.read(other, None)
    assert [c.text for c in survivor.comments if c.author is CommentAuthor.AGENT and c.at > now.updated_at] == [
        "After the merge"
    ]
    with pytest.raises(TicketGone):
        bot.append(ours, said(), MemoryJournal())
    with pytest.raises(TicketGone):
        bot.append(ours, said(public=False), MemoryJournal())
    assert all(request.status == 301 for request in desk.state.requests(path_contains=f"/tickets/{ours}")[-2:])


def test_who_reopened_a_ticket_is_waited_for_a_moment(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    desk.close(ticket)
    solved = bot.read(ticket, None)
    assert solved.status is TicketStatus.SOLVED
    bot.append(ticket, said("resolved/1", None, False), MemoryJournal())  # a note of ours explains nothing
    desk.settings.event_lag_s = 5
    desk.reopen(ticket)
    with pytest.raises(RateLimited) as waits:
        bot.read(ticket, solved.cursor)
    assert waits.value.scope == "ticket"
    desk.clock.advance(5)
    now = bot.read(ticket, solved.cursor)
    assert now.status is TicketStatus.OPEN
    assert now.changed_by is not None
    assert now.changed_by.name == "Dana"


# --- the feed ------------------------------------------------------------------------------------------


def drained(bot: GorgiasConnector, cursor: str | None) -> tuple[set[str], str]:
    """Every id until nothing more is told, and the cursor after that."""
    ids: set[str] = set()
    for _ in range(50):
        changed: ChangedTickets = bot.changed(cursor, datetime.now(UTC))
        ids |= set(changed.ids)
        cursor = changed.cursor
        if not changed.more:
            return ids, cursor
    raise AssertionError("the feed never ends")


@pytest.mark.parametrize("named", ["Ticket", "TicketMessage"])
def test_changed_tickets_are_found_without_webhooks(named: str, bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    desk.settings.message_event_object = named
    first, second, third = (opened(bot, external_id=f"hs:{n}") for n in range(3))
    ids, cursor = drained(bot, None)
    assert ids == {first, second, third}
    for n in range(120):
        desk.note(first, f"note {n}")
    desk.close(second)
    again, _ = drained(bot, cursor)
    assert {first, second} <= again


def test_an_event_that_is_listed_late_is_not_missed(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    ticket = opened(bot)
    _, cursor = drained(bot, None)
    desk.settings.event_lag_s = 120
    desk.close(ticket)
    _, cursor = drained(bot, cursor)
    desk.settings.event_lag_s = 0
    ids, _ = drained(bot, cursor)
    assert ticket in ids


def test_the_sweep_waits_when_others_keep_the_account_busy(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    from handoff_connectors.gorgias.simulator import Limits

    desk.settings.limits = Limits(api_key=2, window_s=1.0)
    bot.find("hs:1")
    bot.find("hs:1")
    with pytest.raises(RateLimited) as waits:
        bot.changed(None, datetime.now(UTC))
    assert waits.value.scope == "ticket"


def test_the_limit_of_the_account_pauses_the_connection(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    desk.faults.fail(429, retry_after_s=41)
    with pytest.raises(RateLimited) as limited:
        bot.find("hs:1")
    assert (limited.value.scope, limited.value.retry_after_s) == ("connection", 41.0)


def test_a_gateway_that_fails_is_tried_again_later(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    desk.faults.fail(502)
    with pytest.raises(VendorDown):
        bot.find("hs:1")


# --- webhooks and setting up -----------------------------------------------------------------------------


def stored(bot: GorgiasConnector, **secrets: str) -> GorgiasConnector:
    """The connector once `secrets` are stored with its credentials."""
    credentials = bot._credentials
    assert isinstance(credentials, StoredSecrets)
    credentials.secrets = {**credentials.secrets, **secrets}
    return bot


def test_installed_integrations_tell_which_ticket_changed(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    with receiving() as hook:
        made = bot.install_webhook(hook.url)
        stored(bot, webhook_secret=made.changes["webhook_secret"])
        ticket = opened(bot)
        echoes = hook.wait(2)
        assert {h.json["message_external_id"][:4] for h in echoes} == {"hs1:"}
        hints = [bot.verify_webhook(WebhookRequest(h.headers, h.body, datetime.now(UTC))) for h in echoes]
        assert {hint.ignored for hint in hints} == {"our own message"}
        desk.reply(ticket, "Hello", close=True)
        hook.wait(6)
        for heard in hook.got[2:]:
            hint = bot.verify_webhook(WebhookRequest(heard.headers, heard.body, datetime.now(UTC)))
            assert hint.tickets == (ticket,)
        assert {"ticket-message-created", "ticket"} <= {
            bot.verify_webhook(WebhookRequest(h.headers, h.body, datetime.now(UTC))).topic for h in hook.got[2:]
        }
        assert all(b"Hello" not in heard.body for heard in hook.got)


@pytest.mark.parametrize("nothing", ["", "None"])
def test_webhooks_are_understood_without_the_undocumented_variables(
    nothing: str, bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    desk.settings.legacy_variables, desk.settings.null_renders = False, nothing
    with receiving() as hook:
        stored(bot, **bot.install_webhook(hook.url).changes)
        ticket = opened(bot)
        heard = hook.wait(1)[0]
        assert bot.verify_webhook(WebhookRequest(heard.headers, heard.body, datetime.now(UTC))).tickets == (ticket,)


def test_installing_twice_changes_nothing_and_repairs_what_was_switched_off(
    bot: GorgiasConnector, desk: GorgiasSimulator
) -> None:
    url = "https://hooks.example.com/hooks/unguessable"
    first = bot.install_webhook(url)
    stored(bot, **first.changes)
    assert bot.install_webhook(url) == first
    assert [i.name for i in desk.state.integrations] == ["handoff-sync messages", "handoff-sync status"]
    assert not desk.state.requests("PUT", "/integrations")
    desk.state.integrations[0].deactivated_at = datetime.now(UTC)
    (webhook,) = [finding for finding in bot.check() if finding.name == "webhook"]
    assert not webhook.ok
    assert "unguessable" not in webhook.detail
    assert bot.install_webhook(url).changes == first.changes
    assert desk.state.integrations[0].deactivated_at is None
    assert all(finding.ok for finding in bot.check())
    assert len(desk.state.requests("PUT", "/integrations")) == 1


def test_a_new_address_moves_our_integrations(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    first = bot.install_webhook("https://hooks.example.com/hooks/one")
    stored(bot, **first.changes)
    second = bot.install_webhook("https://hooks.example.com/hooks/two")
    assert (first.id, first.changes["webhook_secret"]) == (second.id, second.changes["webhook_secret"])


def test_a_check_says_what_is_missing_and_then_that_all_is_well(desk: GorgiasSimulator) -> None:
    desk.settings.auto_merge = True
    bot = connect(desk)
    wrong = {finding.name: finding for finding in bot.check() if not finding.ok}
    assert set(wrong) == {"webhook", "auto-merge"}
    assert all(finding.todo for finding in wrong.values())
    assert "handoff-sync" in wrong["auto-merge"].todo
    made = bot.install_webhook("https://hooks.example.com/hooks/one")
    well = stored(connect(desk, merge_exclusion_rule=True), **made.changes)
    assert all(finding.ok for finding in well.check())


def test_without_credentials_nothing_else_is_asked(desk: GorgiasSimulator, bot: GorgiasConnector) -> None:
    desk.auth.reset_api_key()
    (finding,) = bot.check()
    assert (finding.name, finding.ok) == ("credentials", False)
    assert finding.todo


def test_an_exclusion_rule_keeps_our_tickets_apart(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    desk.settings.auto_merge, desk.settings.auto_merge_excluded_tags = True, ("handoff-sync",)
    first, second = opened(bot, tags=()), opened(bot, external_id="hs:acme:2", tags=())
    desk.clock.advance(60)
    assert {bot.read(ticket, None).merged_into for ticket in (first, second)} == {None}
