"""Reading a file of a helpdesk: its address may lead on to another host, our credentials never do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final
from urllib.parse import urljoin, urlsplit

from handoff_sync.contract.deadline import ends_at
from handoff_sync.contract.http import Answer, HttpClient
from handoff_sync.errors import DestinationRefused, FileUnavailable, VendorDown

MOST_HOPS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})

Headers = Callable[[str], Mapping[str, str]]
"""The headers for an origin such as https://acme.example.com: credentials for the account's own, else none."""


def download(http: HttpClient, url: str, into: BinaryIO, max_bytes: int, headers: Headers) -> Answer:
    """The last answer, whatever its status. Every hop passes the address guard, and none leaves https for http.

    Raises:
        FileUnavailable, FileTooLarge, DestinationRefused, VendorDown: as `HttpClient.download`.
    """
    until = ends_at()
    for _ in range(MOST_HOPS + 1):
        left = until - time.monotonic()
        if left <= 0:
            break
        answer = http.download(url, into, max_bytes, headers(origin_of(url)), left)
        if answer.status not in _MOVED:
            return answer
        url = _following(url, answer.headers.get("location", ""))
    raise VendorDown("The address of a file leads on and on, or too slowly.")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in lower case."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def at_account(url: str, origin: str, base: str | None) -> str:
    """The address of something of the account at `origin`; where a simulator plays it, at the simulator's `base`."""
    if base is None or origin_of(url) != origin.lower():
        return url
    return f"{base}{url[len(origin) :]}"


def believed(answer: Answer, what: str, wait_s: float | None = None) -> Answer:
    """The answer if it was a success; FileUnavailable where the file is gone or refused, VendorDown where it may come.

    Args:
        what: Whose server answered, as people call it.
    """
    if answer.ok:
        return answer
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise VendorDown(f"{what} did not give the file ({answer.status}).", wait_s)
    if answer.status in (404, 410):
        raise FileUnavailable("it is not there any more")
    if answer.status in (401, 403):
        raise FileUnavailable("its server wants credentials for it, or its address has expired")
    if 300 <= answer.status < 400:
        raise FileUnavailable("its address leads elsewhere")
    raise FileUnavailable(f"its server refuses it ({answer.status})")


def _following(url: str, location: str) -> str:
    try:
        there = urljoin(url, location)
        plain = urlsplit(there).scheme != "https" and urlsplit(url).scheme == "https"
    except ValueError:
        raise FileUnavailable("its address leads nowhere") from None
    if not location or plain:
        raise DestinationRefused("The address of a file leads on to one without TLS, or nowhere.")
    return there
