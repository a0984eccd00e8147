"""Somebody with a browser who follows a decision link: looks, reads, fills in the form. Standard library only."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT_S: Final = 15.0
READING_S: Final = 2.2
"""The page believes nobody who answers sooner than two seconds after it was shown."""
_ACTION: Final = re.compile(r'<form[^>]*\bid="decide"[^>]*\baction="([^"]*)"')
_NONCE: Final = re.compile(r'name="nonce" value="([^"]+)"')
_TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it was shown."""

    status: int
    html: str

    @property
    def words(self) -> str:
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    @property
    def asks(self) -> bool:
        """Whether there is a form in which nothing is chosen yet."""
        both = all(f'value="{choice}"' in self.html for choice in ("accept", "decline"))
        return both and _NONCE.search(self.html) is not None and " checked" not in self.html


class Visitor:
    """One browser at one link."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}
        self._page = Shown(0, "")
        self._since = 0.0

    def look(self, method: str = "GET") -> Shown:
        """Follows the link."""
        self._page, self._since = self._call(method, self._url), time.monotonic()
        return self._page

    @property
    def has_read(self) -> bool:
        return time.monotonic() - self._since >= READING_S

    def send(self, **chosen: str) -> Shown:
        """Sends the form of the page that was last looked at, with these fields filled in."""
        action, nonce = _ACTION.search(self._page.html), _NONCE.search(self._page.html)
        fields = {"nonce": unescape(nonce[1]) if nonce else "", **chosen}
        address = urljoin(self._url, unescape(action[1]) if action else "")
        return self._call("POST", address, fields)

    def _call(self, method: str, url: str, fields: Mapping[str, str] | None = None) -> Shown:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if fields is not None:
            headers |= {
                "Origin": f"{parts.scheme}://{parts.netloc}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self._cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
        if answer.status == 303:
            return self._call("GET", urljoin(url, answer.headers["location"]))
        return Shown(answer.status, text)
