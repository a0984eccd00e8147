"""A desk rig with a mailbox and an API: what tickets, mails, callbacks and answers show, side by side."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from handoff_sync.api.auth import Scope
from handoff_sync.core import events as ev
from handoff_sync.core.model import Trigger
from handoff_sync.simulator.desk import Desk
from handoff_sync.web import make_app
from tests.delivery.desk_rig import DeskRig, desk_rig


@dataclass(slots=True)
class House:
    """A rig with a mailbox and an API."""

    rig: DeskRig
    folder: Path
    api: TestClient

    def mails(self) -> list[EmailMessage]:
        """Oldest first."""
        files = sorted(self.folder.glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]

    def mailed(self) -> set[str]:
        return {str(mail["To"].addresses[0].addr_spec) for mail in self.mails()}

    def mail_text(self) -> str:
        return "\n".join(body_of(mail, "plain") for mail in self.mails())

    def ticket_text(self, talk: str = "talk") -> str:
        return "\n".join(said.text for said in self.rig.desk.ticket(self.rig.ticket_id(talk)).comments)

    def ask(self, talk: str = "talk", **fields: Any) -> None:
        """The AI asks for a human."""
        self.rig.order(ev.HandoffRequested, talk=talk, **({"trigger": Trigger.CUSTOMER_REQUEST} | fields))

    def second(self) -> str:
        """Another connection to the same helpdesk."""
        desk = self.rig.desk
        settings = {**desk.access.settings, **desk.hurried}
        secrets = dict(desk.access.secrets)
        return self.rig.app.admin.create_connection(self.rig.workspace, desk.kind, "second", settings, secrets).id

    def tickets_at(self, talk: str = "talk") -> list[str]:
        """The connections of its tickets."""
        return sorted(link.connection for link in self.rig.session(talk).links)


def body_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@contextmanager
def furnished(folder: Path, database: str, desk: Desk) -> Iterator[House]:
    mails = folder / "mails"
    with desk_rig(folder, database, desk, smtp_url=f"capture:{mails}", mail_from="help@example.com") as rig:
        api = TestClient(make_app(rig.app, workers=False))
        key = rig.app.admin.create_api_key(rig.workspace, "all", tuple(Scope)).key
        api.headers["Authorization"] = f"Bearer {key}"
        yield House(rig, mails, api)
