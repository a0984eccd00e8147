"""Members, the links that lead them to decisions, and rows of the outbox that concern no session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from handoff_sync.core.effects import AlertOps, MailAdmin
from handoff_sync.core.policy import MailKind, Recipient
from handoff_sync.errors import NotFound
from handoff_sync.store.admin.members import mailbox
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import DecisionLinkRow, Role
from tests.store.world import NOON, WORKSPACE, Store, note, save, session


def revision(store: Store) -> int:
    row = store.admin.workspace(WORKSPACE)
    assert row is not None
    return row.revision


# --- members ----------------------------------------------------------------------------------------


def test_a_member_is_one_person_however_the_address_is_typed(store: Store) -> None:
    before = revision(store)
    first = store.admin.put_member(WORKSPACE, " Mona@Example.com ", name="Mona", role=Role.ADMIN, teams=["sales"])
    again = store.admin.put_member(WORKSPACE, "mona@example.COM", name="Mona M.", role=Role.OWNER, language="pt")
    assert (first.email, first.teams, first.language) == ("mona@example.com", ("sales",), "en")
    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert (again.name, again.role, again.teams, again.language) == ("Mona M.", Role.OWNER, (), "pt")
    assert store.admin.members(WORKSPACE) == (again,)
    assert revision(store) == before + 2


def test_members_are_found_by_id_and_address_in_their_workspace_alone(store: Store) -> None:
    mona = store.admin.put_member(WORKSPACE, "mona@example.com")
    store.admin.create_workspace("Other", id="ws2")
    assert store.admin.member_named(WORKSPACE, mona.id) == mona
    assert store.admin.member_named(WORKSPACE, "MONA@example.com") == mona == store.admin.member(WORKSPACE, mona.email)
    assert store.admin.member_named("ws2", mona.id) is None and store.admin.member("ws2", mona.email) is None
    assert store.admin.has_members(WORKSPACE) and not store.admin.has_members("ws2")
    assert not store.admin.delete_member("ws2", mona.email)
    with pytest.raises(NotFound):
        store.admin.put_member("ws9", "x@example.com")


def test_members_come_in_pages_and_go(store: Store) -> None:
    for name in ("c", "a", "b"):
        store.admin.put_member(WORKSPACE, f"{name}@example.com")
    first = store.admin.members(WORKSPACE, limit=2)
    rest = store.admin.members(WORKSPACE, after=first[-1].email, limit=2)
    assert [row.email[0] for row in (*first, *rest)] == ["a", "b", "c"]
    before = revision(store)
    assert store.admin.delete_member(WORKSPACE, mailbox("A@example.com"))
    assert not store.admin.delete_member(WORKSPACE, "a@example.com")
    assert revision(store) == before + 1


# --- decision links ---------------------------------------------------------------------------------


@dataclass
class Links:
    store: Store

    def make(self, token: str, version: int = 1, recipient: str = "mona@example.com") -> DecisionLinkRow:
        return self.store.admin.create_decision_link(
            token,
            workspace_id=WORKSPACE,
            session_id="s1",
            handoff=1,
            version=version,
            recipient=recipient,
            recipient_name="Mona",
            language="pt",
            code_hash="code",
            expires_at=self.store.clock() + timedelta(hours=24),
        )


@pytest.fixture
def links(store: Store) -> Links:
    store.committer.run(save(session()))
    return Links(store)


def test_a_mail_written_again_carries_the_link_that_is_there(links: Links) -> None:
    first = links.make("t1")
    assert links.store.admin.count_decision_try("t1") == 1
    links.store.clock.forward(60)
    again = links.make("t1")
    assert (again.created_at, again.expires_at, again.tries) == (NOON, NOON + timedelta(hours=24), 1)
    assert links.store.admin.decision_link("t1") == again
    assert (first.recipient, first.recipient_name, first.language) == ("mona@example.com", "Mona", "pt")


def test_tries_are_counted_and_unknown_links_are_none(links: Links) -> None:
    links.make("t1")
    assert [links.store.admin.count_decision_try("t1") for _ in range(3)] == [1, 2, 3]
    assert links.store.admin.count_decision_try("t9") == 0
    assert links.store.admin.decision_link("t9") is None


def test_a_decision_that_was_made_revokes_its_links_and_no_others(links: Links) -> None:
    for token, version in (("t1", 1), ("t2", 1), ("t3", 2)):
        links.make(token, version)
    assert links.store.admin.revoke_decision_links("s1", 1, 1) == 2
    assert links.store.admin.revoke_decision_links("s1", 1, 1) == 0
    revoked = {token: row.revoked_at for token in ("t1", "t2", "t3") if (row := links.store.admin.decision_link(token))}
    assert revoked == {"t1": NOON, "t2": NOON, "t3": None}


def test_old_links_are_forgotten(links: Links) -> None:
    links.make("t1")
    links.store.clock.forward(3600)
    links.make("t2")
    assert links.store.admin.forget_decision_links(NOON + timedelta(hours=24, minutes=1)) == 1
    assert links.store.admin.decision_link("t1") is None and links.store.admin.decision_link("t2") is not None


# --- what concerns no session -----------------------------------------------------------------------

ALERT = AlertOps(kind="connection_stopped", cause="con1", detail="The token was refused.")
LANE = f"{WORKSPACE}/mail:mona@example.com"


def tell(workspace: str, key: str) -> Job[None]:
    return Job(lambda uow: uow.tell(workspace, "mail:mona@example.com", key, ALERT))


def test_a_row_without_a_session_happens_once_in_its_workspace(store: Store) -> None:
    store.admin.create_workspace("Other", id="ws2")
    for workspace in (WORKSPACE, WORKSPACE, "ws2"):
        store.committer.run(tell(workspace, "down:con1"))
    assert store.take_rung() == {LANE, "ws2/mail:mona@example.com"}
    claim = store.must_claim(LANE)
    assert [(row.key, row.session_id, row.effect) for row in claim.rows] == [("down:con1", None, ALERT)]
    assert (claim.session_id, claim.workspace_id, claim.destination) == (None, WORKSPACE, "mail:mona@example.com")
    (shown,) = store.reads.deliveries(WORKSPACE).items
    assert shown.session_id is None


def test_a_key_of_a_session_and_one_of_no_session_are_two(store: Store) -> None:
    effect = note("one")
    store.committer.run(save(session(), effect))
    store.committer.run(tell(WORKSPACE, effect.key))
    assert len(store.reads.deliveries(WORKSPACE).items) == 2


class _Addressed(MailAdmin):
    """A mail that goes through the lane of its recipient."""

    @property
    def destination(self) -> str:
        return f"mail:{self.recipient.email}"


def test_mails_of_several_sessions_to_one_person_share_a_lane(store: Store) -> None:
    mail = _Addressed(kind=MailKind.HANDOVER, handoff=1, recipient=Recipient(email="mona@example.com"))
    store.committer.run(save(session(), mail))
    store.committer.run(save(session("s2", "c2"), mail))
    claim = store.must_claim(LANE)
    assert {row.session_id for row in claim.rows} == {"s1", "s2"}
    assert claim.session_id is None
