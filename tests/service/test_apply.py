"""Applying events: what a session learns about its customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handoff_sync.core.events import CustomerMessage
from handoff_sync.core.model import AuthorClass, Customer, Message, Session
from handoff_sync.service.apply import on_conversation
from handoff_sync.store.admin import Admin
from handoff_sync.store.committer import Committer
from handoff_sync.store.engine import open_database
from handoff_sync.store.reads import Reads
from handoff_sync.store.vault import Vault

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Talk:
    """One conversation in a fresh database."""

    def __init__(self, committer: Committer, reads: Reads, workspace: str) -> None:
        self._committer, self.reads, self.workspace, self._count = committer, reads, workspace, 0

    def say(self, customer: Customer | None) -> Session:
        self._count += 1
        message = Message(id=f"m{self._count}", author_class=AuthorClass.CUSTOMER, text="Hello", at=NOW)
        event = CustomerMessage(id=f"e{self._count}", at=NOW, message=message)
        applied = self._committer.run(on_conversation(self.workspace, "talk", event, customer=customer))
        assert applied.session is not None
        return applied.session


@pytest.fixture
def talk(sqlite_url: str, tmp_path: Path) -> Iterator[Talk]:
    db = open_database(sqlite_url)
    with Committer(db) as committer:
        admin = Admin(db, committer, Vault({"k1": bytes(range(32))}))
        yield Talk(committer, Reads(db), admin.create_workspace("Acme").id)
    db.dispose()


def test_a_name_that_is_told_later_is_learnt(talk: Talk) -> None:
    assert talk.say(None).customer == Customer()
    assert talk.say(Customer(name="Ana Ruiz")).customer == Customer(name="Ana Ruiz")


def test_what_is_not_told_again_is_not_forgotten(talk: Talk) -> None:
    ana = Customer(external_id="u-1", name="Ana Ruiz", email="ana@example.com", email_verified=True)
    talk.say(ana)
    assert talk.say(Customer(phone="+351 210 000 000")).customer == replace(ana, phone="+351 210 000 000")


def test_a_new_address_is_believed_only_as_far_as_it_is_vouched_for(talk: Talk) -> None:
    talk.say(Customer(email="ana@example.com", email_verified=True))
    assert talk.say(Customer(email="other@example.com")).customer.email_verified is False


def test_nothing_new_leaves_no_trace(talk: Talk) -> None:
    ana = Customer(external_id="u-1", name="Ana Ruiz")
    first = talk.say(ana)
    again = talk.say(ana)
    assert again.version == first.version + 1
    assert [line.kind for line in talk.reads.timeline(first.id)] == ["customer.message"] * 2
