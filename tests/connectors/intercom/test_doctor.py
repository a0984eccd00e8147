"""A check says line by line what is missing, and changes nothing."""

from __future__ import annotations

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_sync.contract.connector import Finding, InstalledWebhook
from tests.connectors.intercom.conftest import ME, US, Connect, Script, StoredSecrets, answer, problem

URL = "https://handoff.example/hooks/secret-path"


def missing(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {finding.name: finding.todo for finding in findings if not finding.ok}


@pytest.fixture
def everything(intercom: Script) -> Script:
    intercom.on("POST /contacts/search", {"data": []})
    intercom.on("GET /conversations/attributes", {"data": [{"name": "handoff_id"}]})
    return intercom


def test_all_is_well(everything: Script, connect: Connect) -> None:
    findings = connect(reference_attribute="handoff_id", webhook_url=URL).check()
    assert missing(findings) == {}
    assert [finding.name for finding in findings] == [
        "credentials", "region", "teammate", "conversations", "contacts", "version", "attribute", "webhook",
    ]  # fmt: skip
    assert "secret-path" not in str(findings)
    assert {heard.call for heard in everything.calls("P")} == {"POST /conversations/search", "POST /contacts/search"}


@pytest.mark.parametrize("said", [problem(401, "unauthorized"), answer(502, b"<html>", kind="text/html")])
def test_without_credentials_nothing_else_is_asked(said: bytes, everything: Script, connect: Connect) -> None:
    everything.on("GET /me", said)
    findings = connect().check()
    assert list(missing(findings)) == ["credentials"]
    assert len(everything.heard) == 1


def test_each_lack_is_named_with_its_cure(everything: Script, connect: Connect, secrets: StoredSecrets) -> None:
    secrets.secrets = {"access_token": "tok-canary"}
    everything.on("GET /me", {**ME, "app": {"id_code": "acme1", "region": "EU"}})
    everything.on("GET /admins/*", problem(404, "admin_not_found"))
    everything.on("POST /conversations/search", problem(403, "forbidden"))
    everything.on("POST /contacts/search", problem(403, "forbidden"))
    everything.on("GET /conversations/deleted", problem(400, "intercom_version_invalid"))
    lacks = missing(connect(reference_attribute="other").check())
    assert set(lacks) == {"region", "teammate", "conversations", "contacts", "version", "attribute", "webhook"}
    assert all(lacks.values())
    assert "eu" in lacks["region"]


def test_installing_learns_whose_webhooks_count(everything: Script, connect: Connect) -> None:
    new = connect(admin_id=None, workspace_id=None)
    expected = InstalledWebhook(id="acme1", changes={"webhook_url": URL, "admin_id": US, "workspace_id": "acme1"})
    assert new.install_webhook(URL) == expected
    assert everything.calls("POST") == []


def test_installing_makes_the_attribute_once(everything: Script, connect: Connect) -> None:
    everything.on("POST /conversations/attributes", {"id": 8})
    everything.on("GET /conversations/attributes", {"data": []}, {"data": [{"name": "handoff_id"}]})
    connector: IntercomConnector = connect(reference_attribute="handoff_id")
    connector.install_webhook(URL)
    connector.install_webhook(URL)
    (made,) = everything.calls("POST")
    assert (made.json["name"], made.json["data_type"]) == ("handoff_id", "string")
