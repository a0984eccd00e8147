"""Files at Zendesk: the clauses of every helpdesk, and what is Zendesk's own."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import pytest

from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.simulator import Limits, ZendeskSimulator
from handoff_sync.errors import DestinationRefused, FileUnavailable, VendorDown, VendorRejected
from tests.connectors.zendesk.conftest import Script, answer
from tests.contract.suite.parts import local_file


@pytest.fixture(scope="module")
def running() -> Iterator[ZendeskSimulator]:
    with ZendeskSimulator(limits=Limits.off()) as simulator:
        yield simulator


def test_an_upload_is_sent_as_it_is_and_named_in_the_address(zendesk: Script, connector: ZendeskConnector) -> None:
    zendesk.say(answer(201, {"upload": {"token": "tok1"}}))
    assert connector.upload(local_file('a"b &ü.txt', b"words", "text/plain")) == "tok1"
    heard = zendesk.heard[0]
    assert heard.method == "POST" and heard.target == "/api/v2/uploads.json?filename=a%22b+%26%C3%BC.txt"
    assert (heard.headers["content-type"], heard.headers["content-length"]) == ("text/plain", "5")
    assert heard.body == b"words" and heard.headers["authorization"].startswith("Basic ")


def test_a_refused_upload_is_told_from_one_that_may_work_later(zendesk: Script, connector: ZendeskConnector) -> None:
    for status, error in ((413, VendorRejected), (422, VendorRejected), (500, VendorDown), (503, VendorDown)):
        zendesk.say(answer(status, {"error": "AttachmentUnprocessable"}))
        with pytest.raises(error):
            connector.upload(local_file())


def test_credentials_do_not_follow_a_file_to_other_hosts(
    zendesk: Script, connector: ZendeskConnector, other: Script
) -> None:
    """Private attachments lead on to storage of Zendesk's, behind an address that is signed."""
    comment = {"id": 5, "type": "Comment", "public": True, "author_id": 1, "created_at": "2026-01-01T00:00:00Z"}
    file = {"file_name": "a.pdf", "content_type": "application/pdf", "size": 4, "content_url": f"{zendesk.url}/a/1"}
    page = {"comments": [{**comment, "attachments": [file]}], "users": [], "meta": {"has_more": False}}
    zendesk.say(answer(200, page), answer(302, location=f"{other.url}/stored?sig=1"))
    other.say(answer(200, b"%PDF", kind="application/pdf"))
    into = io.BytesIO()
    connector.download("35", "5", 0, into, 1000)
    assert into.getvalue() == b"%PDF"
    assert zendesk.heard[1].headers["authorization"].startswith("Basic ")
    assert "authorization" not in other.heard[0].headers
    assert other.heard[0].target == "/stored?sig=1"


def test_an_address_that_leads_inside_is_not_followed(zendesk: Script, connector: ZendeskConnector) -> None:
    comment = {"id": 5, "type": "Comment", "public": True, "author_id": 1, "created_at": "2026-01-01T00:00:00Z"}
    file = {"file_name": "a.pdf", "content_type": "application/pdf", "size": 4, "content_url": f"{zendesk.url}/a/1"}
    page = {"comments": [{**comment, "attachments": [file]}], "users": [], "meta": {"has_more": False}}
    zendesk.say(answer(200, page), answer(302, location="http://169.254.169.254/latest/meta-data"))
    with pytest.raises(DestinationRefused):
        connector.download("35", "5", 0, io.BytesIO(), 1000)


def test_a_file_with_malware_is_no_file(zendesk: Script, connector: ZendeskConnector) -> None:
    file = {"file_name": "a.pdf", "content_url": f"{zendesk.url}/a/1", "malware_scan_result": "malware_found"}
    comment = {"id": 5, "type": "Comment", "public": True, "attachments": [file]}
    zendesk.say(answer(200, {"comments": [comment], "users": [], "meta": {"has_more": False}}))
    with pytest.raises(FileUnavailable):
        connector.download("35", "5", 0, io.BytesIO(), 1000)
    assert len(zendesk.heard) == 1


@pytest.fixture
def other() -> Iterator[Script]:
    """Another host on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        script = Script(listening.getsockname()[1])
        thread = threading.Thread(target=script.serve, args=(listening,), daemon=True)
        thread.start()
        yield script
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)
