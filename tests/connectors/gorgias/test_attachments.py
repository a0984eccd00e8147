"""Files at Gorgias: the clauses of every helpdesk, and what is Gorgias' own."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_sync.errors import FileUnavailable, VendorDown, VendorRejected
from tests.connectors.gorgias.conftest import Script
from tests.connectors.zendesk.conftest import answer
from tests.contract.suite.parts import local_file
from tests.loopback import Server, serve

PUBLIC = {"id": 7, "channel": "email", "public": True, "from_agent": True, "via": "helpdesk"}


@pytest.fixture
def other() -> Iterator[Server]:
    """Another host on this machine, with a file."""

    def give(peer: socket.socket) -> None:
        peer.sendall(answer(200, b"%PDF", kind="application/pdf"))
        peer.close()

    with serve(give) as server:
        yield server


def test_an_upload_is_a_form_with_one_file(gorgias: Script, connector: GorgiasConnector) -> None:
    told = {"url": "https://uploads.example.com/1-a.txt", "name": "a.txt", "size": 5, "content_type": "text/plain"}
    gorgias.say("POST /api/upload", answer(201, [told]))
    receipt = connector.upload(local_file('a"\nb\u202e.txt', b"words", "text/plain"))
    (heard,) = gorgias.to("POST /api/upload")
    assert heard.target == "/api/upload?type=attachment"
    assert heard.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert heard.body.count(b"Content-Disposition") == 1 and b'name="file"' in heard.body
    assert b"\r\n\r\nwords\r\n--" in heard.body and b'filename="a%22%0Ab' in heard.body
    assert json.loads(receipt) == told


def test_a_refused_upload_is_told_from_one_that_may_work_later(gorgias: Script, connector: GorgiasConnector) -> None:
    for status, error in ((413, VendorRejected), (400, VendorRejected), (500, VendorDown)):
        gorgias.say("POST /api/upload", answer(status, {"error": {"msg": "no"}}))
        with pytest.raises(error):
            connector.upload(local_file())


def test_our_key_is_shown_to_our_own_host_alone(gorgias: Script, connector: GorgiasConnector, other: Server) -> None:
    files = [{"url": "https://acme.gorgias.com/api/attachment/download/x/a.pdf", "name": "a.pdf"},
             {"url": f"{other.url}/b.pdf", "name": "b.pdf"}]  # fmt: skip
    gorgias.say("GET /api/tickets/5/messages/7", answer(200, {**PUBLIC, "attachments": files}))
    gorgias.say("GET /api/attachment/download/x/a.pdf", answer(200, b"%PDF", kind="application/pdf"))
    for number in (0, 1):
        into = io.BytesIO()
        connector.download("5", "7", number, into, 1000)
        assert into.getvalue() == b"%PDF"
    assert gorgias.heard[-2].headers["authorization"].startswith("Basic ")
    assert b"authorization" not in other.requests[0].lower()


@pytest.mark.parametrize(
    "more",
    [{"public": False}, {"channel": "internal-note"}, {"deleted_datetime": "2026-01-01T00:00:00"},
     {"source": {"type": "internal-note"}}],
)  # fmt: skip
def test_no_sign_of_a_note_is_overlooked(gorgias: Script, connector: GorgiasConnector, more: dict[str, object]) -> None:
    file = {"url": f"{gorgias.url}/a.pdf", "name": "a.pdf"}
    gorgias.say("GET /api/tickets/5/messages/7", answer(200, {**PUBLIC, "attachments": [file], **more}))
    with pytest.raises(FileUnavailable):
        connector.download("5", "7", 0, io.BytesIO(), 1000)
    assert not gorgias.to("GET /a.pdf")
