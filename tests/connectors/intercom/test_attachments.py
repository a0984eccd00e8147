"""Files at Intercom: the clauses of every helpdesk, and what is Intercom's own."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_connectors.intercom.sending import with_files
from handoff_connectors.intercom.simulator import IntercomSimulator, Limits
from handoff_sync.errors import DestinationRefused, FileUnavailable, VendorRejected
from tests.connectors.intercom.conftest import (
    ANA_ID,
    NOTE,
    US,
    WORDS,
    MemoryJournal,
    Script,
    answer,
    conversation,
    part,
)
from tests.contract.suite.parts import PNG, local_file


@pytest.fixture(scope="module")
def running() -> Iterator[IntercomSimulator]:
    with IntercomSimulator(limits=Limits.off()) as simulator:
        yield simulator


@pytest.mark.parametrize("size", [0, 1, 2, 3, 49_151, 49_152, 49_153, 200_001])
def test_a_body_made_in_pieces_is_the_json_that_it_would_be_in_one(size: int) -> None:
    files = [local_file('a "quoted" \u2028 🙂.bin', bytes(size), "text/plain"), local_file("b.png", b"b" * size)]
    pieces, length = with_files({"body": "words", "type": "user"}, files)
    whole = b"".join(pieces)
    assert len(whole) == length
    assert json.loads(whole) == {
        "body": "words",
        "type": "user",
        "attachment_files": [
            {"name": f.name, "content_type": f.content_type, "data": base64.b64encode(content).decode()}
            for f, content in zip(files, (bytes(size), b"b" * size), strict=True)
        ],
    }


def test_files_go_with_the_reply_and_never_beside_addresses(intercom: Script, connector: IntercomConnector) -> None:
    theirs, ours = (
        part(9, by=f"user:{ANA_ID}", body="<p>theirs</p>"),
        part(10, "note", f"admin:{US}", body="<p>ours</p>"),
    )
    intercom.on("POST /conversations/*/reply", conversation(theirs), conversation(theirs, ours))
    for comment in (WORDS, NOTE):
        connector.append("499", replace(comment, files=(local_file(),)), MemoryJournal())
        heard = intercom.calls("POST /conversations/499/reply")[-1]
        assert int(heard.headers["content-length"]) == len(heard.body) and "transfer-encoding" not in heard.headers
        (file,) = heard.json["attachment_files"]
        assert base64.b64decode(file["data"]) == PNG and (file["name"], file["content_type"]) == (
            "photo.png",
            "image/png",
        )
        assert "attachment_urls" not in heard.json


def test_a_refused_file_is_a_refused_comment(intercom: Script, connector: IntercomConnector) -> None:
    """Then the words are said again without it, by whoever called."""
    intercom.on("POST /conversations/*/reply", answer(422, {"errors": [{"code": "parameter_invalid"}]}))
    with pytest.raises(VendorRejected):
        connector.append("499", replace(NOTE, files=(local_file(),)), MemoryJournal())


def test_signed_addresses_are_read_anew_and_get_no_token(intercom: Script, connector: IntercomConnector) -> None:
    file = {"type": "upload", "name": "a.pdf", "url": f"{intercom.url}/old?sig=1", "content_type": "application/pdf"}
    intercom.on("GET /conversations/*", conversation(part(5, body="<p>Here</p>", attachments=[file])))
    intercom.on("GET /old", answer(403, b"expired"))
    intercom.on("GET /new", answer(200, b"%PDF", kind="application/pdf"))
    with pytest.raises(FileUnavailable):
        connector.download("499", "5", 0, io.BytesIO(), 1000)
    anew = {**file, "url": f"{intercom.url}/new?sig=2"}
    intercom.on("GET /conversations/*", conversation(part(5, body="<p>Here</p>", attachments=[anew])))
    into = io.BytesIO()
    connector.download("499", "5", 0, into, 1000)
    assert into.getvalue() == b"%PDF"
    assert all(
        "authorization" not in heard.headers for heard in (*intercom.calls("GET /old"), *intercom.calls("GET /new"))
    )


@pytest.mark.parametrize("kind", ["note", "note_and_reopen", "assignment", "assign_and_reopen", "something_new"])
def test_only_parts_that_customers_see_give_files(intercom: Script, connector: IntercomConnector, kind: str) -> None:
    file = {"type": "upload", "name": "a.pdf", "url": f"{intercom.url}/a", "content_type": "application/pdf"}
    intercom.on("GET /conversations/*", conversation(part(5, kind, body="<p>Here</p>", attachments=[file])))
    with pytest.raises(FileUnavailable):
        connector.download("499", "5", 0, io.BytesIO(), 1000)
    assert not intercom.calls("GET /a")


def test_a_picture_in_the_text_has_the_type_that_is_served(intercom: Script, connector: IntercomConnector) -> None:
    body = f'<p>Look <img src="{intercom.url}/p.png" alt="p"></p>'
    intercom.on("GET /conversations/*", conversation(part(5, body=body)))
    intercom.on("GET /p.png", answer(200, PNG, kind="image/png"))
    into = io.BytesIO()
    assert connector.download("499", "5", 0, into, 1_000_000).content_type == "image/png"
    assert into.getvalue() == PNG


def test_an_address_in_a_text_meets_the_guard(intercom: Script, connector: IntercomConnector) -> None:
    body = '<p><img src="http://169.254.169.254/latest/meta-data"></p>'
    intercom.on("GET /conversations/*", conversation(part(5, body=body)))
    with pytest.raises(DestinationRefused):
        connector.download("499", "5", 0, io.BytesIO(), 1000)
