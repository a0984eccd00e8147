"""Connections for contract/http.py: made to checked addresses only, and none outlives the deadline of its call."""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from handoff_sync.contract.address import AddressGuard

_SLICE: Final = 65_536


class Deadline(threading.local):
    """The end of the call that this thread is making, on the monotonic clock."""

    ends_at: float = math.inf

    def start(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def stop(self) -> None:
        self.ends_at = math.inf

    def clip(self, timeout: float | None) -> float:
        """`timeout`, or what is left when that is less; never above an hour and never below zero."""
        left = self.ends_at - time.monotonic()
        return max(0.0, min(left, 3600.0 if timeout is None else timeout))


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves once, refuses any unsafe answer, connects to the checked literals in turn.

    Host header and TLS name stay those of the request: httpcore takes them from the URL, not from the socket.
    """

    def __init__(self, guard: AddressGuard, deadline: Deadline) -> None:
        self._guard = guard
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = Deadline()
        left.start(self._deadline.clip(timeout))
        refused: Exception | None = None
        for address in self._guard.addresses(host, port, left.clip(None)):
            seconds = left.clip(None)
            if seconds <= 0:
                break
            try:
                stream = self._sockets.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
            else:
                return _Stream(stream, self._deadline)
        raise refused or httpcore.ConnectTimeout("no time left")


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the call."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        seconds = self._deadline.clip(timeout)
        if seconds <= 0:
            raise httpcore.ReadTimeout("the call's deadline has passed")
        return self._stream.read(max_bytes, seconds)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE):
            seconds = self._deadline.clip(timeout)
            if seconds <= 0:
                raise httpcore.WriteTimeout("the call's deadline has passed")
            self._stream.write(buffer[start : start + _SLICE], seconds)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._deadline.clip(timeout)
        if seconds <= 0:
            raise httpcore.ConnectTimeout("the call's deadline has passed")
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
