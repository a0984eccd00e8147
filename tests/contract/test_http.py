"""Outgoing calls: whole answers or our own errors, and never an address that is not allowed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import cycle
from pathlib import Path

import pytest

from handoff_sync.contract.address import AddressGuard, Resolver, networks
from handoff_sync.contract.http import Answer, HttpClient, Timeouts
from handoff_sync.errors import DestinationRefused, OutcomeUnknown, VendorDown, VendorRejected
from tests.loopback import OK, certificate, serve

NAME = "helpdesk.example.com"
LOOPBACK = networks(["127.0.0.1/32"])
QUICK = Timeouts(connect_s=0.5, read_s=0.3, total_s=0.8)


def answering(*addresses: str) -> Resolver:
    def resolve(host: str, port: int) -> Iterable[str]:
        return addresses

    return resolve


def client(timeouts: Timeouts | None = None, **options: object) -> HttpClient:
    guard = AddressGuard(allowed=LOOPBACK, resolver=answering("127.0.0.1"))
    return HttpClient(guard, timeouts=timeouts, **options)  # type: ignore[arg-type]


# --- answers -------------------------------------------------------------------------------------


def test_an_answer_is_read_whole() -> None:
    with serve(b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-Name: a\r\n\r\nmade") as server, client() as http:
        answer = http.request("POST", server.url + "/t?a=1", json={"b": 2}, headers={"x-key": "k"})
    assert (answer.status, answer.body, answer.headers["x-name"], answer.ok) == (201, b"made", "a", True)
    sent = server.requests[0].lower()
    assert sent.startswith(b"post /t?a=1 http/1.1\r\n") and b"x-key: k" in sent and sent.endswith(b'{"b":2}')
    assert b"accept-encoding: identity" in sent


def test_a_connection_is_used_again() -> None:
    with serve() as server, client() as http:
        assert [http.request("GET", server.url).status for _ in range(3)] == [200, 200, 200]
        assert server.connections == 1


def test_a_redirect_is_an_answer() -> None:
    with serve() as target:
        moved = f"HTTP/1.1 302 Found\r\nlocation: {target.url}\r\ncontent-length: 0\r\n\r\n".encode()
        with serve(moved) as server, client() as http:
            assert http.request("GET", server.url).status == 302
        assert target.connections == 0


def test_cookies_are_not_kept() -> None:
    setting = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
    with serve(setting) as server, client() as http:
        http.request("GET", server.url)
        http.request("GET", server.url)
    assert b"cookie" not in server.requests[1].lower()


def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as proxy, serve() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with client() as http:
            assert http.request("GET", server.url).status == 200
        assert proxy.connections == 0


# --- failures ------------------------------------------------------------------------------------


def test_a_refused_connection_was_not_executed() -> None:
    with serve() as server:
        pass
    with client() as http, pytest.raises(VendorDown):
        http.request("POST", server.url)


def test_a_name_without_address_was_not_executed() -> None:
    def unknown(host: str, port: int) -> Iterable[str]:
        raise socket.gaierror(-2, "unknown")

    for resolver in (unknown, answering()):
        with HttpClient(AddressGuard(resolver=resolver)) as http, pytest.raises(VendorDown, match=NAME):
            http.request("POST", f"https://{NAME}/")


def test_a_silent_resolver_ends_with_the_connect_timeout() -> None:
    released = threading.Event()

    def silent(host: str, port: int) -> Iterable[str]:
        released.wait(30)
        return ()

    started = time.monotonic()
    with HttpClient(AddressGuard(resolver=silent), timeouts=QUICK) as http, pytest.raises(VendorDown):
        http.request("POST", f"https://{NAME}/")
    released.set()
    assert time.monotonic() - started < 5


def drip(peer: socket.socket) -> None:
    """An answer that never ends, each byte well within the read timeout."""
    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    for _ in range(10_000):
        peer.sendall(b"x")
        time.sleep(0.05)


BROKEN = {
    "cut before the answer": lambda peer: peer.close(),
    "silent": lambda peer: peer.recv(1),
    "dripping past the deadline": drip,
    "half a body": lambda peer: (peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), peer.close()),
    "half a chunk": lambda peer: (
        peer.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf"),
        peer.close(),
    ),
    "not HTTP": lambda peer: peer.sendall(b"SSH-2.0-x\r\n\r\n"),
    "too large": lambda peer: peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5000),
    "too large in chunks": lambda peer: peer.sendall(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 5
    ),
    "broken compression": lambda peer: peer.sendall(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok"
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_without_a_whole_answer_a_write_is_uncertain_and_a_read_may_be_repeated(fault: str) -> None:
    with serve(BROKEN[fault]) as server, client(QUICK, max_answer_bytes=4000) as http:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            http.request("POST", server.url + "/secret-path?token=hidden", content=b"x")
        assert time.monotonic() - started < 3
        with pytest.raises(VendorDown):
            http.request("GET", server.url)
        with pytest.raises(VendorDown):
            http.request("POST", server.url, safe=True)


def test_messages_name_the_call_without_secrets() -> None:
    with serve(lambda peer: peer.close()) as server, client() as http, pytest.raises(OutcomeUnknown) as caught:
        http.request("POST", f"http://bo:pa55@127.0.0.1:{server.port}/tickets?token=hidden", content=b"words")
    assert "POST http://127.0.0.1/tickets" in str(caught.value)
    assert not {"pa55", "hidden", "words"} & set(str(caught.value).replace("?", " ").split())


def test_a_header_that_cannot_be_sent_is_rejected() -> None:
    with serve() as server, client() as http, pytest.raises(VendorRejected):
        http.request("POST", server.url, headers={"x-a": "b\r\nx-c: d"})
    assert server.requests == []


NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0.5", 0.5), ("999999", 3600), ("Mon, 02 Mar 2026 12:01:00 GMT", 60), ("-3", None), ("soon", None),
     ("Mon, 02 Mar 2026 11:00:00 GMT", 0), ("1e999", None), ("", None), ("Mon, 02 Mar 2026 12:01:00", None)],
)  # fmt: skip
def test_retry_after_is_understood_or_ignored(value: str, seconds: float | None) -> None:
    assert Answer(status=429, headers={"retry-after": value}, body=b"").retry_after_s(NOW) == seconds


# --- addresses -----------------------------------------------------------------------------------


def test_internal_addresses_are_never_reached() -> None:
    with serve() as server, HttpClient(AddressGuard()) as http:
        for host in ("127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"):
            for scheme in ("http", "https"):
                with pytest.raises((DestinationRefused, VendorDown)):
                    http.request("GET", f"{scheme}://{host}:{server.port}/")
        assert server.connections == 0


def test_one_unsafe_answer_refuses_all() -> None:
    with serve() as server:
        guard = AddressGuard(allowed=LOOPBACK, resolver=answering("127.0.0.1", "10.0.0.1"))
        with HttpClient(guard) as http, pytest.raises(DestinationRefused, match=NAME):
            http.request("GET", f"http://{NAME}:{server.port}/")
        assert server.connections == 0


def test_a_flipping_resolver_never_gets_through() -> None:
    flips = cycle(["127.0.0.1", "127.0.0.2"])

    def rebinding(host: str, port: int) -> Iterable[str]:
        return [next(flips)]

    closing = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
    outcomes = []
    with serve(closing) as allowed, serve(host="127.0.0.2", port=allowed.port) as internal:
        with HttpClient(AddressGuard(allowed=LOOPBACK, resolver=rebinding)) as http:
            for _ in range(1000):
                try:
                    outcomes.append(http.request("GET", f"http://{NAME}:{allowed.port}/").status)
                except DestinationRefused:
                    outcomes.append(0)
        assert internal.connections == 0
    assert outcomes.count(200) == outcomes.count(0) == 500


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    guard = AddressGuard(allowed=networks(["127.0.0.0/8"]), resolver=answering("127.0.0.3", "127.0.0.1"))
    with serve() as server, HttpClient(guard) as http:
        assert http.request("GET", f"http://{NAME}:{server.port}/").status == 200


def test_without_tls_only_listed_addresses_are_called() -> None:
    guard = AddressGuard(resolver=answering("93.184.216.34"))
    with HttpClient(guard) as http, pytest.raises(DestinationRefused, match="https"):
        http.request("GET", f"http://{NAME}/")


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "/relative", "http://", "https://a\x00b", "ws://a"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with client() as http, pytest.raises(DestinationRefused):
        http.request("GET", url)


def test_host_and_tls_name_stay_those_of_the_url(tmp_path: Path) -> None:
    server_tls, trusting = certificate(tmp_path, NAME)
    names: list[str | None] = []
    server_tls.sni_callback = lambda sock, name, context: names.append(name)  # type: ignore[assignment]
    with serve(tls=server_tls) as server, client(tls=trusting) as http:
        assert http.request("GET", f"https://{NAME}:{server.port}/").body == b"ok"
    assert names == [NAME]
    assert f"host: {NAME}:{server.port}".encode() in server.requests[0].lower()


def test_a_wrong_certificate_sends_nothing(tmp_path: Path) -> None:
    server_tls, trusting = certificate(tmp_path, "other.example.com")
    with serve(tls=server_tls) as server, client(tls=trusting) as http, pytest.raises(VendorDown):
        http.request("POST", f"https://{NAME}:{server.port}/", content=b"x")
    assert server.requests == []


def test_the_guard_gives_back_the_literals_it_checked() -> None:
    guard = AddressGuard(resolver=answering("93.184.216.34", "93.184.216.34", "2606:2800:220:1::1"))
    assert guard.addresses(NAME, 443) == ("93.184.216.34", "2606:2800:220:1::1")
    assert all(ip_address(literal) for literal in guard.addresses(NAME, 443))
