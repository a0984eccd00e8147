"""Tickets that are deleted and restored, at every helpdesk (rule T64)."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller

from handoff_sync.contract.features import Feature
from handoff_sync.core.events import Resolved, Resumed
from handoff_sync.core.model import LinkState, Phase
from handoff_sync.simulator.desk import Desk
from handoff_sync.store.committer import Job
from tests.delivery.desk_rig import EVA, DeskRig, desk_rig
from tests.emails.test_transport import Mailbox
from tests.engines import free_port


def deleted(rig: DeskRig, ticket: str) -> None:
    rig.desk.delete(ticket)
    rig.notice()
    rig.later(60)  # where a first look may err, a second one follows


def test_a_deleted_ticket_is_loud_and_is_not_made_again(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    deleted(at_desk, ticket)
    assert at_desk.link_state() is LinkState.DELETED and at_desk.session().human_handoff
    assert at_desk.loud() == ["mail", "ticket_deleted"]
    at_desk.say("<<hello?>>")
    at_desk.work()
    at_desk.notice()
    assert at_desk.desk.ticket_ids() == (ticket,)
    assert at_desk.loud() == ["mail", "ticket_deleted"], "once"


def test_every_way_to_take_it_away_is_the_same(at_desk: DeskRig) -> None:
    for name, remove in at_desk.desk.removals.items():
        ticket = at_desk.opened(name)
        remove(ticket)
        at_desk.notice()
        at_desk.later(60)
        assert at_desk.link_state(name) is LinkState.DELETED, name
        assert at_desk.loud(name) == ["mail", "ticket_deleted"], name


def test_the_mail_has_the_transcript(tmp_path: Path, sqlite_url: str, desk: Desk) -> None:
    mailbox, port = Mailbox(), free_port()
    post_office = Controller(mailbox, hostname="127.0.0.1", port=port)
    post_office.start()
    mails = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "help@example.com"}
    with desk_rig(tmp_path, sqlite_url, desk, **mails) as rig:
        deleted(rig, rig.opened())
    post_office.stop()
    *_, last = [message_from_bytes(mail, policy=policy.default) for mail in mailbox.mails]
    (transcript,) = [part.get_content() for part in last.walk() if part.get_filename() == "transcript.txt"]
    assert "<<first of talk>>" in transcript


def test_after_the_end_a_deletion_is_quiet(at_desk: DeskRig) -> None:
    for talk, end in {"done": Resolved, "back": Resumed}.items():
        ticket = at_desk.opened(talk)
        at_desk.order(end, EVA, talk)
        at_desk.notice()
        deleted(at_desk, ticket)
        assert at_desk.link_state(talk) is LinkState.DELETED
        assert at_desk.loud(talk) == []


def test_a_new_handoff_has_a_new_ticket(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.order(Resolved, EVA)
    deleted(at_desk, ticket)
    at_desk.say("<<again>>")
    at_desk.work()
    second = at_desk.ticket_id()
    assert second != ticket
    assert at_desk.on(second, "<<first of talk>>") and at_desk.on(second, "<<again>>")


def test_words_on_their_way_to_a_deleted_ticket_stay_visible(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.delete(ticket)
    at_desk.say("<<missed>>")
    at_desk.work()
    at_desk.later(240)
    assert at_desk.link_state() is LinkState.DELETED
    (parked,) = [row for row in at_desk.parked() if row.kind.startswith("ticket.")]
    at_desk.needs(Feature.RESTORE)
    at_desk.desk.restore(ticket)
    at_desk.notice()
    assert at_desk.app.committer.run(Job(run=lambda uow: uow.unpark(at_desk.workspace, parked.id)))
    at_desk.work()
    assert len(at_desk.on(ticket, "<<missed>>")) == 1


def test_a_restored_ticket_is_followed_again(at_desk: DeskRig) -> None:
    ticket = at_desk.opened()
    at_desk.desk.reply(ticket, "<<before>>")
    at_desk.notice()
    deleted(at_desk, ticket)
    at_desk.needs(Feature.RESTORE)
    at_desk.desk.restore(ticket)
    at_desk.notice()
    assert at_desk.link_state() is LinkState.LINKED
    at_desk.say("<<still here>>")
    at_desk.work()
    assert len(at_desk.on(ticket, "<<still here>>")) == 1
    at_desk.desk.reply(ticket, "<<after>>")
    at_desk.notice()
    assert at_desk.heard() == ["<<before>>", "<<after>>"]
    at_desk.desk.solve(ticket)
    at_desk.notice()
    at_desk.later(60)
    assert at_desk.phase() is Phase.RESOLVED


def test_a_restored_ticket_is_as_it_was(at_desk: DeskRig) -> None:
    """Its tags and its holder are no news: nobody put them there now."""
    at_desk.needs(Feature.RESTORE)
    ticket = at_desk.opened()
    at_desk.desk.assign(ticket, at_desk.desk.agent_name)
    at_desk.notice()
    before = at_desk.session()
    deleted(at_desk, ticket)
    at_desk.desk.restore(ticket)
    at_desk.notice()
    after = at_desk.session()
    assert (after.labels, after.assignee, after.phase) == (before.labels, before.assignee, Phase.HUMAN)


def test_a_ticket_that_comes_back_after_it_was_replaced_stays_aside(at_desk: DeskRig) -> None:
    at_desk.needs(Feature.RESTORE)
    ticket = at_desk.opened()
    at_desk.order(Resumed, EVA)
    deleted(at_desk, ticket)
    at_desk.hand_over()
    at_desk.work()
    second = at_desk.ticket_id()
    at_desk.desk.restore(ticket)
    at_desk.notice()
    assert at_desk.session().links[0].state is LinkState.DETACHED
    assert (at_desk.ticket_id(), at_desk.link_state()) == (second, LinkState.LINKED)
