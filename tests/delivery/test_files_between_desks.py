"""An agent's file at one helpdesk stands on the session's other tickets, too; names that lead inside lead nowhere."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.http import HttpClient
from handoff_sync.core.model import Attachment, AuthorClass, Message, Session
from handoff_sync.delivery.sources import Sources
from handoff_sync.errors import FileUnavailable
from tests.delivery.rig import Rig, make_rig

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def other() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator() as other:
        yield other


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator, other: ZendeskSimulator) -> Iterator[Rig]:
    rig = make_rig(tmp_path, simulator)
    known = other.credentials
    settings = {"subdomain": "acme", "client_id": known.client_id, "base_url": other.base_url}
    rig.app.admin.create_connection(rig.workspace, "zendesk", "other", settings, {"client_secret": known.client_secret})
    yield rig
    rig.app.stop()


def test_an_agents_file_stands_on_the_other_ticket(rig: Rig, other: ZendeskSimulator) -> None:
    rig.say("Help")
    rig.hand_over()
    rig.work()
    here = next(link for link in rig.session().links if link.connection == rig.connection)
    rig.simulator.reply(str(here.remote_id), "Here", files={"terms.pdf": b"%PDF"})
    rig.advance(400)
    rig.work()
    copy = next(c for c in other.state.comments(other.state.tickets[0].id) if c.attachments)
    assert not copy.public and [f["file_name"] for f in copy.attachments] == ["terms.pdf"]
    assert "[Attachment: terms.pdf, application/pdf, 4 bytes]" in copy.plain_body
    assert "attachments/token" not in copy.plain_body


@pytest.mark.parametrize("answers", [("10.0.0.5",), ("93.184.216.34", "127.0.0.1"), ("::ffff:169.254.169.254",)])
def test_a_name_that_leads_inside_is_refused(answers: tuple[str, ...]) -> None:
    def resolver(host: str, port: int) -> Iterable[str]:
        return answers

    connections: Any = None  # no ticket is concerned
    with HttpClient(AddressGuard(resolver=resolver)) as http:
        sources = Sources(http, connections, lambda: AT, 1_000_000, ())
        file = Attachment(name="a.png", content_type="image/png", size=1, url="https://files.example.com/a.png")
        said = Message(id="m", author_class=AuthorClass.CUSTOMER, text="", at=AT, attachments=(file,))
        session = Session(id="s", workspace="w", conversation_id="c", created_at=AT)
        with pytest.raises(FileUnavailable, match="its address is not a public one with https"):
            sources.fetch(session, said, 0, io.BytesIO(), 1_000_000)
