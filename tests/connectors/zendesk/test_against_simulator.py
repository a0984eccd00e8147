"""The connector against the simulated Zendesk, over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import handoff_connectors.zendesk
from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_connectors.zendesk.simulator import Limits, SimulatorSettings, ZendeskSimulator
from handoff_connectors.zendesk.simulator.model import Trigger
from handoff_sync.contract.connector import (
    CommentAuthor,
    CommentDraft,
    Requester,
    TicketDraft,
    TicketSnapshot,
    WebhookRequest,
)
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.errors import (
    OutcomeUnknown,
    RateLimited,
    TicketClosed,
    TicketFull,
    TicketGone,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from tests.connectors.zendesk.conftest import MemoryJournal, Spending, StoredSecrets

ANA = Requester(
    external_id="acme:c-1", customer=Customer(name="Ana Example", email="ana@example.com", email_verified=True)
)
CLAIMED = Requester(external_id="acme:c-2", customer=Customer(name="Bo Example", email="dana@example.com"))
NAMELESS = Requester(external_id="acme:conversation-9", customer=Customer())


def draft(external_id: str = "hs:acme:1", requester: Requester = ANA) -> TicketDraft:
    return TicketDraft(
        external_id=external_id,
        subject="Customer needs your help: Ana Example",
        requester=requester,
        html='<p dir="auto">First line<br>second line</p>',
        tags=("handoff-sync", "human-handoff"),
    )


def said(marker: str = "m-1", author: Requester | None = ANA, public: bool = True) -> CommentDraft:
    return CommentDraft(marker=marker, html='<p dir="auto">Is somebody there?</p>', public=public, author=author)


@pytest.fixture(scope="module")
def running() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator(limits=Limits.off()) as simulator:
        yield simulator


@pytest.fixture
def desk(running: ZendeskSimulator) -> ZendeskSimulator:
    """A fresh account with settings of its own; starting a server takes longer than most tests."""
    fresh = SimulatorSettings(limits=Limits.off())
    running.apply_settings(
        {f.name: getattr(fresh, f.name) for f in fields(fresh) if f.name not in ("subdomain", "limits")}
    )
    running.settings.limits = fresh.limits
    running.reset()
    return running


def connect(desk: ZendeskSimulator, **settings: object) -> ZendeskConnector:
    chosen = {"subdomain": "acme", "client_id": desk.credentials.client_id, "base_url": desk.base_url, **settings}
    secrets = StoredSecrets(
        client_secret=desk.credentials.client_secret,
        refresh_token=desk.credentials.refresh_token,
        token=desk.credentials.api_token,
    )
    return ZendeskConnector(ZendeskSettings.model_validate(chosen), secrets, Spending())


@pytest.fixture
def bot(desk: ZendeskSimulator) -> Iterator[ZendeskConnector]:
    made = connect(desk)
    yield made
    made.close()


def opened(bot: ZendeskConnector, **changes: object) -> str:
    return bot.open(replace(draft(), **changes), MemoryJournal()).id  # type: ignore[arg-type]


def news(bot: ZendeskConnector, ticket: str, cursor: str | None = None) -> TicketSnapshot:
    return bot.read(ticket, cursor)


# --- signing in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["client_credentials", "refresh_token", "api_token"])
def test_each_way_to_sign_in_works(auth: str, desk: ZendeskSimulator) -> None:
    bot = connect(desk, auth=auth, email=desk.credentials.email)
    assert opened(bot)


@pytest.mark.parametrize("auth", ["client_credentials", "refresh_token"])
def test_a_revoked_token_is_renewed_within_the_call(auth: str, desk: ZendeskSimulator) -> None:
    bot = connect(desk, auth=auth)
    ticket = opened(bot)
    desk.auth.revoke_all()
    assert bot.append(ticket, said(), MemoryJournal()).id
    assert len(desk.state.comments(ticket)) == 2


def test_a_wrong_secret_stops_the_connection(desk: ZendeskSimulator) -> None:
    bot = connect(desk, client_id="somebody_else")
    with pytest.raises(VendorAuthError):
        opened(bot)


# --- opening -----------------------------------------------------------------------------------------


def test_a_ticket_is_opened_with_all_that_was_asked(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    group = next(g for g in desk.account.groups.values() if g.name == "Billing")
    field = desk.account.field_ids[0]
    ref = bot.open(
        replace(draft(), priority="high", group=str(group.id), custom_fields={str(field): "745"}), MemoryJournal()
    )
    ticket = desk.state.ticket(ref.id)
    assert (ticket.subject, ticket.priority, ticket.group_id) == (draft().subject, "high", group.id)
    assert ticket.custom_fields[field] == "745"
    assert set(ticket.tags) >= {"handoff-sync", "human-handoff"}
    (comment,) = desk.state.comments(ref.id)
    assert (comment.public, comment.author_id) == (False, desk.account.connector.id)
    assert comment.plain_body == "First line\nsecond line"
    assert ref.comment_id == str(comment.id)
    assert ref.url == f"https://acme.zendesk.com/agent/tickets/{ref.id}"
    assert desk.state.mails == [], "a first note mails nobody"
    assert "x-zendesk-api-warn" not in desk.state.requests("POST", "/tickets")[-1].headers


def test_a_vouched_address_finds_the_customer_and_leaves_the_profile_alone(
    bot: ZendeskConnector, desk: ZendeskSimulator
) -> None:
    known = desk.account.add_user("Ana Ruiz (VIP)", "end-user", "ana@example.com")
    known.external_id = "crm-77"
    ticket = desk.state.ticket(opened(bot))
    assert ticket.requester_id == known.id
    assert (known.name, known.external_id) == ("Ana Ruiz (VIP)", "crm-77")


def test_a_claimed_address_is_nobodys(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    """Bo claims the address of an agent in the chat; the ticket must not become hers."""
    ticket = desk.state.ticket(opened(bot, requester=CLAIMED))
    requester = desk.state.user(ticket.requester_id)
    assert (requester.name, requester.role, requester.emails) == ("Bo Example", "end-user", [])


@pytest.mark.parametrize("requester", [CLAIMED, NAMELESS])
def test_a_customer_without_a_vouched_address_is_one_user(
    requester: Requester, bot: ZendeskConnector, desk: ZendeskSimulator
) -> None:
    before = len(desk.state.users)
    first = opened(bot, requester=requester)
    second = opened(connect(desk), requester=requester, external_id="hs:acme:2")
    assert desk.state.ticket(first).requester_id == desk.state.ticket(second).requester_id
    assert len(desk.state.users) == before + 1


def test_a_suspended_customer_gets_a_ticket_in_our_name(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    desk.account.add_user("Ana", "end-user", "ana@example.com").suspended = True
    desk.account.add_user("Bo", "end-user").suspended = True
    desk.state.users[-1].external_id = CLAIMED.external_id
    for number, requester in enumerate((ANA, CLAIMED)):
        ticket = opened(bot, requester=requester, external_id=f"hs:acme:{number}")
        assert desk.state.ticket(ticket).requester_id == desk.account.connector.id
        assert desk.state.texts(ticket)[0].startswith(requester.display_name)
        bot.append(ticket, said(author=requester), MemoryJournal())
        assert desk.state.texts(ticket)[1].startswith(requester.display_name)
        assert desk.state.ticket(ticket).status == "open"


@pytest.mark.parametrize("fault", ["lose_answer", "cut", "html", "fail"])
def test_whatever_happens_to_the_answer_there_is_one_ticket(
    fault: str, bot: ZendeskConnector, desk: ZendeskSimulator
) -> None:
    journal = MemoryJournal()
    getattr(desk.faults, fault)(method="POST", path="/tickets")
    with pytest.raises(OutcomeUnknown):
        bot.open(draft(), journal)
    again = connect(desk).open(draft(), journal)
    assert desk.state.creations["hs:acme:1"] == 1
    assert bot.find("hs:acme:1") == replace(again, comment_id=None)


def test_after_the_key_is_forgotten_the_ticket_is_looked_up(desk: ZendeskSimulator, bot: ZendeskConnector) -> None:
    journal = MemoryJournal()
    desk.faults.lose_answer(method="POST", path="/tickets")
    with pytest.raises(OutcomeUnknown):
        bot.open(draft(), journal)
    desk.clock.advance(3 * 3600)
    written = json.loads(journal.kept["request"])
    journal.put("request", json.dumps({**written, "at": written["at"] - 3 * 3600}))
    assert bot.open(draft(), journal).id
    assert desk.state.creations["hs:acme:1"] == 1


def test_of_two_tickets_the_first_is_kept_and_the_other_put_aside(
    desk: ZendeskSimulator, bot: ZendeskConnector
) -> None:
    first, second = opened(bot), opened(bot)
    desk.clock.advance(3 * 3600)  # the key is forgotten
    third = opened(bot)
    assert first == second != third
    found = bot.find("hs:acme:1")
    assert found is not None
    assert found.id == first
    loser = desk.state.ticket(third)
    assert loser.status == "solved"
    assert "handoff-duplicate" in loser.tags
    assert f"#{first}" in desk.state.texts(third, public=False)[-1]
    bot.find("hs:acme:1")
    assert len(desk.state.comments(third)) == 2, "put aside once"


def test_nothing_is_found_where_nothing_is(bot: ZendeskConnector) -> None:
    assert bot.find("hs:acme:none & #1") is None


def test_a_follow_up_continues_a_closed_ticket(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    first = opened(bot)
    desk.close(first)
    second = opened(bot, external_id="hs:acme:1:2", follow_up_of=first)
    assert desk.state.ticket(first).followup_ids == [int(second)]


@pytest.mark.parametrize("change", [{"priority": "medium"}, {"group": "Billing"}, {"group": "5"}])
def test_what_zendesk_does_not_know_is_refused_for_good(change: dict[str, str], bot: ZendeskConnector) -> None:
    with pytest.raises(VendorRejected):
        opened(bot, **change)


def test_placeholders_of_a_customer_stay_text(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot, html="<p>{{ticket.requester.email}}</p>", subject="{{ticket.id}} help")
    assert desk.state.texts(ticket) == ["{{ticket.requester.email}}"]


# --- appending ---------------------------------------------------------------------------------------


def test_the_customer_is_shown_as_the_author_and_reopens(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.set_status(ticket, "solved")
    ref = bot.append(ticket, said(), MemoryJournal())
    comment = desk.state.comments(ticket)[-1]
    assert (str(comment.id), comment.public) == (ref.id, True)
    assert comment.author_id == desk.state.ticket(ticket).requester_id
    assert desk.state.ticket(ticket).status == "open"


def test_a_note_of_ours_reopens_nothing(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.set_status(ticket, "solved")
    bot.append(ticket, said(author=None, public=False), MemoryJournal())
    assert desk.state.comments(ticket)[-1].public is False
    assert desk.state.ticket(ticket).status == "solved"


def test_a_comment_whose_answer_was_lost_is_found_by_its_marker(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.faults.lose_answer(method="PUT")
    with pytest.raises(OutcomeUnknown):
        bot.append(ticket, said("m-7"), MemoryJournal())
    found = bot.find_appended(ticket, "m-7")
    assert found is not None
    assert found.id == str(desk.state.comments(ticket)[-1].id)
    assert bot.find_appended(ticket, "m-8") is None


@pytest.mark.parametrize("sortable", [True, False])
def test_a_marker_is_found_on_every_page(sortable: bool, bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    desk.settings.audits_sortable = sortable
    ticket = opened(bot)
    for number in range(105):
        desk.note(ticket, f"note {number}")
        if number == 1:
            bot.append(ticket, said("early"), MemoryJournal())
    assert bot.find_appended(ticket, "early") is not None
    assert bot.find_appended(ticket, "never") is None


def test_final_states_are_told_apart(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    closed, deleted, full = (opened(bot, external_id=f"hs:acme:{n}") for n in range(3))
    desk.close(closed)
    desk.delete(deleted)
    desk.settings.max_comments = 1
    for ticket, error in ((closed, TicketClosed), (deleted, TicketGone), (full, TicketFull)):
        with pytest.raises(error):
            bot.append(ticket, said(), MemoryJournal())
    with pytest.raises(TicketClosed):
        bot.set_status(closed, TicketStatus.SOLVED, "m")


def test_the_limit_of_one_ticket_parks_that_ticket(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket, other = opened(bot), opened(bot, external_id="hs:acme:2")
    desk.settings.limits = replace(Limits.off(), updates_per_ticket_and_user_in_10_min=2)
    for number in range(2):
        bot.append(ticket, said(f"m-{number}"), MemoryJournal())
    with pytest.raises(RateLimited) as limited:
        bot.append(ticket, said("m-3"), MemoryJournal())
    assert limited.value.scope == "ticket"
    assert 1 <= limited.value.retry_after_s <= 600
    assert bot.append(other, said(), MemoryJournal()).id


def test_a_limit_of_the_account_pauses_the_connection(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.faults.rate_limit(33)
    with pytest.raises(RateLimited) as limited:
        bot.read(ticket, None)
    assert (limited.value.scope, limited.value.retry_after_s) == ("connection", 33)


# --- status, assignee, tags --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TicketStatus.OPEN, "open"),
        (TicketStatus.WAITING_CUSTOMER, "pending"),
        (TicketStatus.ON_HOLD, "hold"),
        (TicketStatus.SOLVED, "solved"),
    ],
)
def test_each_status_goes_there_and_comes_back(
    ours: TicketStatus, theirs: str, bot: ZendeskConnector, desk: ZendeskSimulator
) -> None:
    ticket = opened(bot)
    bot.set_status(ticket, ours, "s-1")
    assert desk.state.ticket(ticket).status == theirs
    assert news(bot, ticket).status is ours
    assert desk.state.markers["s-1"] == 1


def test_solving_a_ticket_of_nobody_makes_it_ours(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    bot.set_status(ticket, TicketStatus.SOLVED, "s-1")
    assert desk.state.ticket(ticket).assignee_id == desk.account.connector.id


def test_solving_leaves_the_agent_who_has_it(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.assign(ticket, "Dana")
    bot.set_status(ticket, TicketStatus.SOLVED, "s-1")
    assert desk.state.ticket(ticket).assignee_id == desk.account.agent("Dana").id


def test_tags_of_agents_stay(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.add_tags(ticket, "vip")
    bot.set_tags(ticket, ("ai_paused", "Two Words"), ("human-handoff",), "t-1")
    assert set(desk.state.ticket(ticket).tags) == {"handoff-sync", "vip", "ai_paused", "two_words"}


# --- reading -----------------------------------------------------------------------------------------


def test_who_wrote_a_comment(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    bot.append(ticket, said("m-1"), MemoryJournal())
    desk.reply(ticket, "I look into it.\n\nDana")
    desk.note(ticket, "/ai pause 30m")
    desk.customer_reply(ticket, "Thanks by mail")
    bot.append(ticket, said("m-2", author=None, public=False), MemoryJournal())
    comments = news(bot, ticket).comments
    assert [(c.author, c.public) for c in comments] == [
        (CommentAuthor.OURS, False),
        (CommentAuthor.OURS, True),
        (CommentAuthor.AGENT, True),
        (CommentAuthor.AGENT, False),
        (CommentAuthor.CUSTOMER, True),
        (CommentAuthor.OURS, False),
    ]
    assert [c.marker for c in comments] == ["create:hs:acme:1", "m-1", None, None, None, "m-2"]
    assert comments[2].text == "I look into it.\n\nDana"
    assert comments[2].agent is not None
    assert comments[2].agent.name == "Dana"


def test_an_employee_who_tries_the_chat_is_the_customer(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    dana = Requester(external_id="acme:d", customer=Customer(name="D", email="dana@example.com", email_verified=True))
    ticket = opened(bot, requester=dana)
    desk.reply(ticket, "hello, am I through?", agent="Dana")
    assert news(bot, ticket).comments[-1].author is CommentAuthor.CUSTOMER


def test_a_person_who_shares_our_user_is_an_agent_on_the_web(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.reply(ticket, "typed by hand", agent=desk.credentials.email)
    snapshot = news(bot, ticket)
    assert snapshot.comments[-1].author is CommentAuthor.AGENT
    assert snapshot.changed_by is not None


def test_another_program_with_our_user_is_automation(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    bot._api.update_ticket(ticket, {"comment": {"html_body": "robot", "public": True}}, repeatable=False)
    assert news(bot, ticket).comments[-1].author is CommentAuthor.AUTOMATION


def test_a_long_talk_is_read_whole(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    for number in range(210):
        desk.reply(ticket, f"{number}")
    snapshot = news(bot, ticket)
    assert [c.text for c in snapshot.comments[1:]] == [str(n) for n in range(210)]
    desk.clock.advance(600)
    desk.reply(ticket, "later")
    before = len(desk.state.requests("GET", "/comments"))
    assert [c.text for c in news(bot, ticket, snapshot.cursor).comments] == ["later"]
    assert len(desk.state.requests("GET", "/comments")) - before <= 3


def test_a_quiet_ticket_costs_two_calls(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    cursor = news(bot, ticket).cursor
    before = len(desk.state.requests())
    news(bot, ticket, cursor)
    assert len(desk.state.requests()) - before == 2


def test_who_changed_the_status(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    cursor = news(bot, ticket).cursor
    desk.set_status(ticket, "solved", agent="Omar")
    solved = news(bot, ticket, cursor)
    assert solved.changed_by is not None
    assert (solved.status, solved.changed_by.name) == (TicketStatus.SOLVED, "Omar Haddad")
    bot.append(ticket, said("m-1"), MemoryJournal())
    reopened = news(bot, ticket, solved.cursor)
    assert (reopened.status, reopened.changed_by) == (TicketStatus.OPEN, None), "we did it, not Omar"
    bot.set_status(ticket, TicketStatus.WAITING_CUSTOMER, "s-1")
    desk.note(ticket, "only a note", agent="Dana")
    pending = news(bot, ticket, reopened.cursor)
    assert (pending.status, pending.changed_by) == (TicketStatus.WAITING_CUSTOMER, None), "a note decides nothing"
    desk.add_tags(ticket, "ai_resume", agent="Dana")
    tagged = news(bot, ticket, pending.cursor)
    assert tagged.changed_by is not None
    assert tagged.changed_by.name == "Dana"


def test_a_custom_status_counts_as_its_category(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    custom = next(s for s in desk.account.statuses.values() if s.label == "Waiting for parts")
    bot._api.update_ticket(ticket, {"custom_status_id": custom.id}, repeatable=True)
    assert news(bot, ticket).status is TicketStatus.WAITING_CUSTOMER


@pytest.mark.parametrize("public", [False, True])
def test_a_merged_ticket_says_into_which(public: bool, bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    desk.settings.merge_comments_public = public
    source, target = opened(bot), opened(bot, external_id="hs:acme:2")
    cursor, there = news(bot, source).cursor, news(bot, target).cursor
    desk.merge(source, target)
    snapshot = news(bot, source, cursor)
    assert (snapshot.status, snapshot.merged_into) == (TicketStatus.CLOSED, target)
    assert news(bot, source, snapshot.cursor).merged_into == target, "also when it was seen before"
    merged = news(bot, target, there)
    assert merged.merged_into is None
    assert [c.author for c in (*snapshot.comments, *merged.comments)] == [CommentAuthor.AUTOMATION] * 2


# --- what changed ------------------------------------------------------------------------------------


def test_changed_tickets_are_found_without_webhooks(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    start = bot.changed(None, datetime.now(UTC))
    assert (start.ids, start.more) == ((), False)
    tickets = [opened(bot, external_id=f"hs:acme:{n}") for n in range(3)]
    assert bot.changed(start.cursor, datetime.now(UTC)).ids == (), "the newest minute is kept back"
    desk.clock.advance(61)
    found = bot.changed(start.cursor, datetime.now(UTC))
    assert sorted(found.ids) == sorted(tickets)
    desk.delete(tickets[0])
    desk.clock.advance(61)
    later = bot.changed(found.cursor, datetime.now(UTC))
    assert (later.ids, later.more) == ((tickets[0],), False)
    assert bot.changed(later.cursor, datetime.now(UTC) + timedelta(hours=1)).ids == ()


# --- webhooks and check --------------------------------------------------------------------------------


def test_installing_makes_one_webhook_and_says_its_secret(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    first = bot.install_webhook("https://hs.example.com/hooks/1")
    again = bot.install_webhook("https://hs.example.com/hooks/1")
    (webhook,) = desk.state.webhooks
    assert first == again
    assert first.id == webhook.id
    assert first.changes == {"signing_secret": webhook.secret, "webhook_url": "https://hs.example.com/hooks/1"}
    assert len(desk.state.requests("PATCH")) == 0, "what is right is left alone"


def test_installing_corrects_what_somebody_changed(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    bot.install_webhook("https://hs.example.com/hooks/1")
    (webhook,) = desk.state.webhooks
    webhook.status, webhook.subscriptions = "inactive", webhook.subscriptions[:2]
    bot.install_webhook("https://hs.example.com/hooks/2")
    assert (webhook.status, webhook.endpoint) == ("active", "https://hs.example.com/hooks/2")
    assert "zen:event-type:ticket.merged" in webhook.subscriptions


def test_a_check_says_what_is_missing_and_then_that_all_is_well(desk: ZendeskSimulator) -> None:
    bot = connect(desk)
    findings = {f.name: f for f in bot.check()}
    assert findings["credentials"].ok
    assert findings["admin role"].ok
    assert findings["incremental export"].ok
    assert not findings["webhook"].ok
    assert "proactive" in findings["triggers"].detail
    assert all(f.todo for f in findings.values() if not f.ok)

    changes = bot.install_webhook("https://hs.example.com/hooks/1").changes
    bot._credentials.secrets = {**bot._credentials.secrets, **changes}  # type: ignore[attr-defined]
    for trigger in desk.account.triggers.values():
        trigger.conditions["all"].append(
            {"field": "current_tags", "operator": "not_includes", "value": "spam handoff-sync"}
        )
    assert all(f.ok for f in bot.check())
    assert not any("/hooks/1" in f.detail for f in bot.check()), "the path of our webhook is secret"
    before = len(desk.state.requests("POST")) + len(desk.state.requests("PUT"))
    bot.check()
    assert len(desk.state.requests("POST")) + len(desk.state.requests("PUT")) == before, "a check changes nothing"


def test_a_user_who_is_no_admin_is_told_so(desk: ZendeskSimulator) -> None:
    desk.account.connector.role = "agent"
    findings = {f.name: f for f in connect(desk).check()}
    assert not findings["admin role"].ok
    assert not findings["incremental export"].ok


def test_every_webhook_of_a_talk_names_its_ticket(
    desk: ZendeskSimulator, hook: tuple[str, list[WebhookRequest]]
) -> None:
    url, came = hook
    bot = connect(desk)
    bot._credentials.secrets = {**bot._credentials.secrets, **bot.install_webhook(url).changes}  # type: ignore[attr-defined]
    ticket = opened(bot)
    desk.reply(ticket, "hello — “quoted”\nand more")
    desk.assign(ticket, "Omar")
    desk.add_tags(ticket, "ai_pause")
    desk.set_status(ticket, "solved")
    desk.delete(ticket)
    assert desk.webhooks.wait_idle()
    hints = [bot.verify_webhook(request) for request in came]
    assert {hint.tickets for hint in hints} == {(ticket,)}
    assert {hint.topic.rpartition(".")[2] for hint in hints} >= {
        "comment_added",
        "agent_assignment_changed",
        "tags_changed",
        "status_changed",
        "soft_deleted",
    }
    assert len({hint.delivery_id for hint in hints}) == len(hints)


def test_a_webhook_for_triggers_stays_one_and_is_understood(
    desk: ZendeskSimulator, hook: tuple[str, list[WebhookRequest]]
) -> None:
    url, came = hook
    bot = connect(desk)
    made = {"name": "handoff-sync", "endpoint": "https://old.example.com", "status": "active", "http_method": "POST",
            "request_format": "json", "subscriptions": ["conditional_ticket_events"]}  # fmt: skip
    bot._api.create_webhook(made)
    bot._credentials.secrets = {**bot._credentials.secrets, **bot.install_webhook(url).changes}  # type: ignore[attr-defined]
    (webhook,) = desk.state.webhooks
    assert (webhook.endpoint, webhook.subscriptions) == (url, ["conditional_ticket_events"])
    readme = (Path(handoff_connectors.zendesk.__file__).parent / "README.md").read_text()
    body = readme.partition("```json\n")[2].partition("```")[0]
    now = desk.clock.now()
    conditions = {"all": [{"field": "current_tags", "operator": "includes", "value": "handoff-sync"}], "any": []}
    actions = [{"field": "notification_webhook", "value": [webhook.id, body]}]
    desk.account.triggers[1] = Trigger(
        id=1, title="Tell the chat", created_at=now, updated_at=now, conditions=conditions, actions=actions
    )
    ticket = opened(bot)
    desk.reply(ticket, 'with a "quote"\nand a break')
    assert desk.webhooks.wait_idle()
    hints = [bot.verify_webhook(request) for request in came]
    assert [(hint.tickets, hint.topic) for hint in hints] == [((ticket,), "trigger")] * 2
    assert len({hint.delivery_id for hint in hints}) == 2


# --- under load ----------------------------------------------------------------------------------------


def test_many_threads_share_one_connection(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    """zenpy loses fields when a client is shared; ours is one per thread."""
    failed: list[Exception] = []

    def work(number: int) -> None:
        try:
            for n in range(5):
                name = f"hs:acme:{number}-{n}"
                ticket = bot.open(replace(draft(name), subject=name, priority="urgent"), MemoryJournal()).id
                bot.append(ticket, said(f"m-{name}"), MemoryJournal())
        except Exception as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(desk.state.tickets) == 30
    assert all((t.subject, t.priority, len(t.comments)) == (t.external_id, "urgent", 2) for t in desk.state.tickets)
    assert set(desk.state.creations.values()) == {1}


def test_a_helpdesk_that_is_switched_off_is_down(bot: ZendeskConnector, desk: ZendeskSimulator) -> None:
    ticket = opened(bot)
    desk.stop()
    with pytest.raises((VendorDown, OutcomeUnknown)):
        bot.append(ticket, said(), MemoryJournal())
    with pytest.raises(VendorDown):
        bot.read(ticket, None)
    desk.start()
    assert bot.find("hs:acme:1") is not None
