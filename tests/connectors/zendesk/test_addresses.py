"""Where calls to Zendesk may go: the name is looked up once, every answer is checked, and the certificate counts."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest
import requests

from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.guard import Call, Guard, calling, session_to
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_sync.contract.address import AddressGuard, Resolver, networks
from handoff_sync.contract.connector import CommentDraft
from handoff_sync.errors import DestinationRefused, VendorDown
from tests.connectors.zendesk.conftest import ME, MemoryJournal, Script, Spending, StoredSecrets, answer
from tests.loopback import certificate, serve

NAME = "acme.example.com"
LOOPBACK = networks(["127.0.0.1/32"])
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
CLOSING = JSON.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")

INTERNAL = {
    "loopback": ["127.0.0.1"],
    "private": ["10.0.0.1"],
    "cloud metadata": ["169.254.169.254"],
    "mapped": ["::ffff:127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1"],
    "good and bad": ["93.184.216.34", "10.0.0.1"],
    "bad and good": ["fd00::1", "2606:4700::1111"],
    "no address": ["localhost"],
}
NO_SIMULATOR = ["169.254.169.254", "168.63.129.16", "[fe80::1]", "0.0.0.0", "2852039166", "0xa9fea9fe"]


def answering(*addresses: str) -> Resolver:
    def resolve(host: str, port: int) -> Iterable[str]:
        return addresses

    return resolve


@contextmanager
def calling_from(base: str | None, guard: AddressGuard, trust: Path | None = None) -> Iterator[requests.Session]:
    """A session as the connector has one; without `base` it calls the helpdesk itself."""
    with session_to(NAME, Guard(base, guard, str(trust) if trust else None)) as session:
        yield session


def get(session: requests.Session) -> int:
    with calling(Call()):
        return session.get(f"https://{NAME}/api/v2/users/me.json").status_code


def account(secrets: StoredSecrets, **settings: object) -> ZendeskConnector:
    """A connector as the service makes it."""
    return ZendeskConnector(
        ZendeskSettings.model_validate(
            {"subdomain": "acme", "auth": "api_token", "email": "bot@example.com"} | settings
        ),
        secrets,
        Spending(),
    )


@pytest.mark.parametrize("answers", INTERNAL.values(), ids=INTERNAL.keys())
def test_a_name_that_leads_inside_is_never_called(
    answers: list[str], secrets: StoredSecrets, journal: MemoryJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything real but the DNS: what the machine's resolver says is what an attacker controls."""
    asked: list[str] = []

    def resolves(host: str, port: int, *args: object, **more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolves)
    connector = account(secrets)
    with pytest.raises(DestinationRefused, match=r"acme\.zendesk\.com"):
        connector.append("35", CommentDraft(marker="m-1", html="<p>words</p>", public=False), journal)
    with pytest.raises(DestinationRefused):
        connector.changed("after:xyz", datetime.now(UTC))
    credentials = connector.check()[0]
    connector.close()
    assert asked == ["acme.zendesk.com"] * 3, "one look per call, and nothing else was looked up"
    assert (credentials.name, credentials.ok) == ("credentials", False)


def test_a_flipping_resolver_never_gets_through() -> None:
    flips = cycle(["127.0.0.1", "127.0.0.2"])

    def rebinding(host: str, port: int) -> Iterable[str]:
        return [next(flips)]

    outcomes = []
    with serve(CLOSING) as allowed, serve(host="127.0.0.2", port=allowed.port) as internal:
        guard = AddressGuard(allowed=LOOPBACK, resolver=rebinding)
        with calling_from(f"http://{NAME}:{allowed.port}", guard) as session:
            for _ in range(300):
                try:
                    outcomes.append(get(session))
                except DestinationRefused:
                    outcomes.append(0)
        assert internal.connections == 0
    assert outcomes.count(200) == outcomes.count(0) == 150


def test_one_unsafe_answer_refuses_all() -> None:
    guard = AddressGuard(allowed=LOOPBACK, resolver=answering("127.0.0.1", "10.0.0.1"))
    with serve(JSON) as server, calling_from(f"http://{NAME}:{server.port}", guard) as session:
        with pytest.raises(DestinationRefused):
            get(session)
        assert server.connections == 0


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    guard = AddressGuard(allowed=networks(["127.0.0.0/8"]), resolver=answering("127.0.0.3", "127.0.0.1"))
    with serve(JSON) as server, calling_from(f"http://{NAME}:{server.port}", guard) as session:
        assert get(session) == 200


def test_a_name_is_looked_up_once_per_connection_and_connections_are_kept() -> None:
    asked = []

    def resolve(host: str, port: int) -> Iterable[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with serve(JSON) as server:
        guard = AddressGuard(allowed=LOOPBACK, resolver=resolve)
        with calling_from(f"http://{NAME}:{server.port}", guard) as session:
            assert {get(session) for _ in range(20)} == {200}
        assert (server.connections, asked) == (1, [NAME])


def test_a_name_without_address_means_that_nothing_was_sent() -> None:
    with calling_from(None, AddressGuard(resolver=answering())) as session, pytest.raises(VendorDown):
        get(session)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_redirect_is_not_followed(scheme: str, connector: ZendeskConnector, zendesk: Script) -> None:
    with serve(JSON) as internal:
        zendesk.say(answer(302, {}, Location=f"{scheme}://127.0.0.1:{internal.port}/latest/meta-data/"))
        with pytest.raises(VendorDown):
            connector.read("35", None)
        assert internal.connections == 0
    assert len(zendesk.heard) == 1


def test_proxy_variables_are_ignored(
    connector: ZendeskConnector, zendesk: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    zendesk.say(answer(200, ME))
    with serve(JSON) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        connector.check()
        assert proxy.connections == 0
    assert zendesk.heard


# --- a simulator, the one exception ---------------------------------------------------------------


@pytest.mark.parametrize("base", ["http://127.0.0.1", "http://localhost", "http://[::1]", "https://127.0.0.9"])
def test_a_simulator_on_this_machine_may_be_called(base: str) -> None:
    settings = ZendeskSettings(subdomain="acme", client_id="hs", base_url=base)
    host = base.partition("://")[2].strip("[]")
    assert settings.addresses.addresses(host, 443)
    for elsewhere in ("10.0.0.8", "93.184.216.34", "169.254.169.254"):
        with pytest.raises(DestinationRefused):
            settings.addresses.addresses(elsewhere, 443)


def test_a_private_simulator_may_be_called_on_purpose() -> None:
    settings = ZendeskSettings(subdomain="acme", client_id="hs", base_url="http://simulator", allow_private=True)
    for private in ("10.0.0.8", "172.18.0.2", "192.168.1.7", "fd00::8", "127.0.0.1"):
        assert settings.addresses.addresses(private, 80) == (private,)
    with pytest.raises(DestinationRefused):
        settings.addresses.addresses("93.184.216.34", 80)  # in public there is https alone
    with_tls = settings.model_copy(update={"base_url": "https://simulator.example.com"})
    assert with_tls.addresses.addresses("93.184.216.34", 443)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", NO_SIMULATOR)
def test_no_exception_reaches_what_is_neither_private_nor_public(
    host: str, scheme: str, secrets: StoredSecrets
) -> None:
    """Also in the forms that only a resolver understands."""
    connector = account(secrets, base_url=f"{scheme}://{host}:9", allow_private=True)
    with pytest.raises((DestinationRefused, VendorDown)):
        connector.read("35", None)
    connector.close()


def test_the_setting_is_no_way_inside_by_a_name(secrets: StoredSecrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` counts as this machine; where its resolver says otherwise, nothing is called."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 9))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)
    connector = account(secrets, base_url="http://localhost:9")
    with pytest.raises(DestinationRefused, match="base_url"):
        connector.read("35", None)
    connector.close()


# --- certificates -----------------------------------------------------------------------------------


def test_host_and_tls_name_stay_those_of_the_url(tmp_path: Path) -> None:
    server_tls, _ = certificate(tmp_path, NAME)
    names: list[str | None] = []
    server_tls.sni_callback = lambda sock, name, context: names.append(name)
    guard = AddressGuard(allowed=LOOPBACK, resolver=answering("127.0.0.1"))
    with serve(JSON, tls=server_tls) as server:
        adapter = Guard(None, guard, str(tmp_path / f"{NAME}.pem"))
        with session_to(f"{NAME}:{server.port}", adapter) as session, calling(Call()):
            assert session.get(f"https://{NAME}:{server.port}/api/v2/users/me.json").status_code == 200
        assert f"host: {NAME}:{server.port}".encode() in server.requests[0].lower()
    assert names == [NAME]


@pytest.mark.parametrize(
    ("served", "trusted"), [("other.example.com", "other.example.com"), (NAME, None)], ids=["other name", "unknown"]
)
def test_a_wrong_certificate_is_sent_nothing(tmp_path: Path, served: str, trusted: str | None) -> None:
    server_tls, _ = certificate(tmp_path, served)
    guard = AddressGuard(allowed=LOOPBACK, resolver=answering("127.0.0.1"))
    trust = tmp_path / f"{trusted}.pem" if trusted else None
    with serve(JSON, tls=server_tls) as server:
        with (
            calling_from(f"https://{NAME}:{server.port}", guard, trust) as session,
            calling(Call()),
            pytest.raises(VendorDown, match="nothing was sent"),
        ):
            session.post(f"https://{NAME}/api/v2/tickets.json", json={"ticket": {}})
        assert server.requests == []
