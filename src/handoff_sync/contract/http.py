"""The one place that makes HTTP clients. Every outgoing call passes the address guard and ends in our errors.

A call either returns a whole answer, or raises: VendorDown when nothing was executed, OutcomeUnknown when it may
have been, DestinationRefused when the address is not allowed.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, BinaryIO, Final, NoReturn, Self

import httpcore
import httpx

from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.backend import Deadline, GuardedBackend
from handoff_sync.contract.connector import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from handoff_sync.contract.deadline import scaled
from handoff_sync.contract.files import LocalFile
from handoff_sync.contract.waiting import retry_after_s
from handoff_sync.errors import (
    DestinationRefused,
    FileTooLarge,
    FileUnavailable,
    OutcomeUnknown,
    VendorDown,
    VendorRejected,
)

MAX_ANSWER_BYTES: Final = 5_000_000
_MAX_CONNECTIONS: Final = 64
_WORTH_READING_BYTES: Final = 65_536
_PIECE: Final = 65_536
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds. `total` holds from the start of the call to the last byte of the answer."""

    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = READ_TIMEOUT_S
    total_s: float = CALL_DEADLINE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. Header names are lower case. Redirects are answers, never followed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def retry_after_s(self, now: datetime) -> float | None:
        """How long the other side asks us to wait: 0 to 3600 s, None if it does not say or says nonsense."""
        return retry_after_s(self.headers, now)


class HttpClient:
    """Calls over a pool of connections; safe to share between threads. It lives as long as its connection does."""

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        """Calls without TLS reach only what `guard` allows explicitly. `tls` replaces the usual trusted authorities."""
        guard = guard or AddressGuard()
        self.timeouts = timeouts or Timeouts()
        self._max_answer_bytes = max_answer_bytes
        self._deadline = Deadline()
        context = tls or _trusted()
        plain = AddressGuard(allowed=guard.allowed, only_allowed=True, resolver=guard.resolver)
        self._client = httpx.Client(
            # What is not https, whatever its scheme, meets the stricter guard.
            transport=_Transport(GuardedBackend(plain, self._deadline), context),
            mounts={"https://": _Transport(GuardedBackend(guard, self._deadline), context)},
            timeout=httpx.Timeout(self.timeouts.read_s, connect=self.timeouts.connect_s, pool=self.timeouts.connect_s),
            headers={"accept-encoding": "identity", "user-agent": "handoff-sync"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | Iterable[bytes] | None = None,
        form_file: LocalFile | None = None,
        auth: tuple[str, str] | None = None,
        safe: bool | None = None,
        status_only: bool = False,
        total_s: float | None = None,
    ) -> Answer:
        """One call, never repeated by itself.

        Args:
            content: The body; pieces are sent as they come and need a content-length among the headers.
            form_file: The body is a form with this one file in its field `file`, read piece by piece.
            total_s: The longest that this call may take, where that is not the client's usual limit.
            safe: Whether the call changes nothing, so that a failure is VendorDown at any time; None decides by
                the method.
            status_only: Only the status counts; the answer has an empty body, whatever comes of it.
        """
        what = _checked_name(method, url)
        safe = method.upper() in _READING if safe is None else safe
        files = {"file": _from_its_start(form_file)} if form_file is not None else None
        with (
            self._in_our_words(what, safe, total_s),
            self._client.stream(
                method, url, params=params, headers=headers, json=json, content=content, files=files, auth=auth
            ) as response,
        ):
            body = self._discard(response) if status_only else self._read(response)
            return _answer(response, body)

    def download(
        self,
        url: str,
        into: BinaryIO,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        total_s: float | None = None,
    ) -> Answer:
        """A GET whose body is written into `into` as it comes; the answer's own is empty. Only a success is read.

        Raises:
            FileTooLarge: More came than `max_bytes`, or was announced. What is announced is not believed otherwise.
            FileUnavailable: It comes compressed, so that what arrives tells nothing of its size.
            DestinationRefused: Also for an address with user and password in it: they would be sent.
        """
        what = _checked_name("GET", url)
        if httpx.URL(url).userinfo:
            raise DestinationRefused("The address holds credentials.")
        with self._in_our_words(what, True, total_s), self._client.stream("GET", url, headers=headers) as response:
            if response.is_success:
                _save(response, into, max_bytes)
            return _answer(response, b"")

    @contextmanager
    def _in_our_words(self, what: str, safe: bool, total_s: float | None) -> Iterator[None]:
        """One call within its time; its failures become our errors."""
        self._deadline.start(scaled(self.timeouts.total_s) if total_s is None else total_s)
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise VendorDown(f"No connection for {what} ({type(error).__name__}).") from error
        except (httpx.LocalProtocolError, UnicodeError) as error:
            raise VendorRejected(f"{what} could not be sent: a header or value of it is not allowed.") from error
        except (httpx.HTTPError, httpx.StreamError, _TooBig) as error:
            _unbelievable(what, error, safe)
        finally:
            self._deadline.stop()

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_answer_bytes:
                raise _TooBig(f"the answer is larger than {self._max_answer_bytes} bytes")
        return bytes(body)

    def _discard(self, response: httpx.Response) -> bytes:
        """A short body is read to its end, so that the connection can be used again."""
        left = _WORTH_READING_BYTES
        with suppress(httpx.HTTPError, httpx.StreamError):
            for chunk in response.iter_raw():
                left -= len(chunk)
                if left < 0:
                    break
        return b""

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answer(response: httpx.Response, body: bytes) -> Answer:
    names = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=names, body=body)


def _from_its_start(file: LocalFile) -> tuple[str, BinaryIO, str]:
    assert file.content is not None, "only what was not laid down has content"
    file.content.seek(0)
    return file.name, file.content, file.content_type


def _save(response: httpx.Response, into: BinaryIO, max_bytes: int) -> None:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FileUnavailable("its server sends it compressed only")
    announced = response.headers.get("content-length", "")
    left = max_bytes - (int(announced) if announced.isdigit() else 0)
    if left >= 0:
        left = max_bytes
        for chunk in response.iter_raw(_PIECE):
            left -= len(chunk)
            if left < 0:
                break
            into.write(chunk)
    if left < 0:
        raise FileTooLarge(f"it is larger than {max_bytes / 1_000_000:g} MB")


class _TooBig(Exception):
    """An answer that is not read to its end."""


class _Transport(httpx.HTTPTransport):
    """httpx's own transport over a pool whose connections are made by the guarded backend."""

    def __init__(self, backend: GuardedBackend, tls: ssl.SSLContext) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


@cache
def _trusted() -> ssl.SSLContext:
    """Building it takes 20 ms; SSL_CERT_FILE adds an authority."""
    return httpx.create_ssl_context()


def _unbelievable(what: str, error: Exception, safe: bool) -> NoReturn:
    detail = str(error) if isinstance(error, _TooBig) else type(error).__name__
    if safe:
        raise VendorDown(f"No usable answer to {what} ({detail}).") from error
    raise OutcomeUnknown(f"{what} was sent, but no usable answer came ({detail}).") from error


def _checked_name(method: str, url: str) -> str:
    """The call for messages: without user, password and query. DestinationRefused when it is no web address."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise DestinationRefused(f"The address of a {method.upper()} call cannot be read. Use https.") from error
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise DestinationRefused(f"The address of a {method.upper()} call is no web address. Use https.")
    return f"{method.upper()} {parsed.scheme}://{parsed.host}{parsed.path}"
