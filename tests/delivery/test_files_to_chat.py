"""Files of agents on the way to the customer: under addresses of ours, and only what customers may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.api.auth import Scope
from handoff_sync.web import make_app
from tests.delivery.rig import Rig, make_rig
from tests.loopback import serve

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


@pytest.fixture
def rig(tmp_path: Path, simulator: ZendeskSimulator) -> Iterator[Rig]:
    rig = make_rig(tmp_path, simulator, attachment_max_mb=1, private_destinations="127.0.0.0/8",
                   public_url="https://handoff.example.com")  # fmt: skip
    rig.say("Help")
    rig.hand_over()
    rig.work()
    yield rig
    rig.app.stop()


@pytest.fixture
def client(rig: Rig) -> Iterator[TestClient]:
    with TestClient(make_app(rig.app, workers=False)) as client:
        client.headers["Authorization"] = f"Bearer {key(rig, rig.workspace, Scope.SESSIONS_READ)}"
        yield client


def key(rig: Rig, workspace: str, scope: Scope) -> str:
    return rig.app.admin.create_api_key(workspace, scope, (scope,)).key


def answered(rig: Rig, files: dict[str, bytes]) -> str:
    """An agent answers; returns the message's id."""
    rig.simulator.reply(rig.ticket(), "Here you are", files=files)
    rig.advance(400)
    rig.work()
    return rig.app.reads.messages(rig.session().id)[-1].message.id


def path_of(rig: Rig, message: str, number: int = 0, session: str = "") -> str:
    place = quote(message, safe="")
    return f"/v1/sessions/{session or rig.session().id}/messages/{place}/attachments/{number}"


def test_the_callback_and_the_transcript_name_an_address_of_ours(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF-1.7", "page.html": b"<script>"})
    files = client.get(f"/v1/sessions/{rig.session().id}/transcript").json()["items"][-1]["attachments"]
    assert [file["url"] for file in files] == [
        f"https://handoff.example.com{path_of(rig, said, number)}" for number in (0, 1)
    ]
    for file, content in zip(files, (b"%PDF-1.7", b"<script>"), strict=True):
        answer = client.get(file["url"].removeprefix("https://handoff.example.com"))
        assert (answer.status_code, answer.content) == (200, content)


def test_a_file_comes_as_something_to_save_and_nothing_to_run(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {'../a"b ünï🙂.html': b"<script>alert(1)</script>", "photo.png": PNG})
    page, photo = (client.get(path_of(rig, said, number)) for number in (0, 1))
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"] == (
        "attachment; filename=\"a b _n__.html\"; filename*=UTF-8''a%20b%20%C3%BCn%C3%AF%F0%9F%99%82.html"
    )
    assert photo.headers["content-type"] == "image/png" and photo.content == PNG
    assert photo.headers["content-length"] == str(len(PNG))
    for answer in (page, photo):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


def test_a_notes_file_has_no_address(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    note = rig.simulator.reply(rig.ticket(), "Look", public=False, files={"salary.pdf": b"%PDF"})
    rig.advance(400)
    rig.work()
    for known in rig.app.reads.messages(rig.session().id):
        if known.kind == "note":
            assert client.get(path_of(rig, known.message.id)).status_code == 404
    link = said.rpartition(":")[0]
    assert client.get(path_of(rig, f"{link}:{note.id}")).status_code == 404


def test_what_became_private_at_the_helpdesk_is_gone(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    rig.simulator.make_private(rig.ticket(), int(said.rpartition(":")[2]))
    answer = client.get(path_of(rig, said))
    assert (answer.status_code, answer.json()["code"]) == (410, "attachment_gone")


def test_another_workspace_and_another_scope_get_nothing(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    other = rig.app.admin.create_workspace("Other").id
    path = path_of(rig, said)
    for token, status in (
        (key(rig, other, Scope.ADMIN), 404),
        (key(rig, rig.workspace, Scope.EVENTS), 403),
        (key(rig, rig.workspace, Scope.SESSIONS_WRITE), 403),
        ("hsk_nobody", 401),
    ):
        answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status and b"%PDF" not in answer.content
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_no_file_of_an_agent_is_not_found(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    assert client.get(path_of(rig, said, 1)).status_code == 404
    assert client.get(path_of(rig, "m-1")).status_code == 404
    assert client.get(path_of(rig, said, session="ses_other")).status_code == 404
    for wrong in ("-1", "x", "1000", "0x0"):
        assert client.get(path_of(rig, said).replace("/0", f"/{wrong}")).status_code == 422


def test_a_file_over_the_limit_is_told(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"big.bin": bytes(1_000_001)})
    answer = client.get(path_of(rig, said))
    assert (answer.status_code, answer.json()["code"]) == (413, "attachment_too_large")


def test_a_helpdesk_that_is_away_is_told_with_a_time(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    rig.simulator.faults.rate_limit(33, path="/comments")
    limited = client.get(path_of(rig, said))
    assert (limited.status_code, limited.headers["retry-after"]) == (503, "33")
    assert limited.json()["code"] == "helpdesk_unavailable"
    rig.simulator.faults.clear()
    rig.simulator.faults.fail(500, path="/attachments", count=None)
    away = client.get(path_of(rig, said))
    assert away.status_code == 503 and int(away.headers["retry-after"]) >= 1
    rig.simulator.faults.clear()
    assert client.get(path_of(rig, said)).status_code == 200


def test_a_stopped_connection_says_so(rig: Rig, client: TestClient) -> None:
    said = answered(rig, {"terms.pdf": b"%PDF"})
    rig.app.admin.stop_connection(rig.connection, "refused")
    assert client.get(path_of(rig, said)).status_code == 503
    assert not rig.simulator.state.requests("GET", "/attachments/")


def test_the_callback_names_the_same_addresses(rig: Rig) -> None:
    with serve() as platform:
        rig.app.admin.create_endpoint(rig.workspace, platform.url)
        said = answered(rig, {"page.html": b"<script>", "photo.png": PNG})
        bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in platform.requests]
    (told,) = [body["data"]["message"]["attachments"] for body in bodies if body["type"] == "message.deliver"]
    assert [file["url"] for file in told] == [f"https://handoff.example.com{path_of(rig, said, n)}" for n in (0, 1)]
    assert [(f["name"], f["content_type"]) for f in told] == [
        ("page.html", "application/octet-stream"),
        ("photo.png", "image/png"),
    ]
