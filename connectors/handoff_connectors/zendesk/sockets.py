"""Connections for guard.py: only to addresses that were looked up once and checked; the certificate is the host's.

urllib3 would look a name up by itself, and a name may lead elsewhere from one look to the next (quirk ZD-22).
"""

from __future__ import annotations

import socket
import sys
import time

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util.connection import create_connection

from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.connector import CONNECT_TIMEOUT_S
from handoff_sync.errors import DestinationRefused


class _Connection(HTTPConnection):
    """Host header and TLS name stay those of the URL; only the socket is made otherwise."""

    addresses: AddressGuard

    def connect(self) -> None:
        """Whatever goes wrong here, nothing has been sent yet, and the error says so."""
        try:
            super().connect()
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, HTTPError) as error:
            raise NewConnectionError(self, f"no connection ({type(error).__name__})") from error

    def _new_conn(self) -> socket.socket:
        seconds = self.timeout if isinstance(self.timeout, int | float) else CONNECT_TIMEOUT_S
        ends_at = time.monotonic() + seconds
        failed: OSError = TimeoutError("no time left")
        for address in self._checked(seconds):
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            try:
                made = create_connection((address, self.port), left, self.source_address, self.socket_options)
            except OSError as error:
                failed = error
            else:
                sys.audit("http.client.connect", self, self.host, self.port)
                return made
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, f"No connection within {seconds:.1f} s.") from failed
        raise NewConnectionError(self, f"no connection ({type(failed).__name__})") from failed

    def _checked(self, seconds: float) -> tuple[str, ...]:
        try:
            return self.addresses.addresses(self.host, self.port, seconds)
        except DestinationRefused:
            raise DestinationRefused(
                f"{self.host} leads to an internal or special address, where no call may go; nothing was sent. "
                "Check the DNS of this machine, and base_url if the connection has one."
            ) from None


def pools_to(addresses: AddressGuard, connections: int, maxsize: int) -> PoolManager:
    """Pools of kept connections, all of them made to addresses that `addresses` lets pass."""

    class Plain(_Connection):
        pass

    class Tls(_Connection, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    Plain.addresses = Tls.addresses = addresses
    manager = PoolManager(num_pools=connections, maxsize=maxsize)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
    return manager
