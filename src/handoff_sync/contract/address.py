"""Which addresses outgoing calls may reach. Nothing internal, unless the operator lists its network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from handoff_sync.errors import ConfigurationError, DestinationRefused, VendorDown

Network: TypeAlias = IPv4Network | IPv6Network
Resolver: TypeAlias = Callable[[str, int], Iterable[str]]

# Global by name only: each reaches, or is translated into, addresses that are not.
_NEVER: Final[tuple[Network, ...]] = tuple(
    ip_network(cidr)
    for cidr in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "fec0::/10",  # site-local
        "::/96",  # IPv4-compatible
        "168.63.129.16/32",  # a cloud's host agent
        "192.0.0.0/24",  # protocol assignments; older interpreters call them global, as the next three
        "192.88.99.0/24",  # 6to4 relays
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)


def is_blocked(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is none of the public internet's."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_blocked(address.ipv4_mapped)
    listed = any(address.version == network.version and address in network for network in _NEVER)
    return listed or not address.is_global or address.is_multicast


def networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Networks from settings. ConfigurationError names every entry that is none."""
    found: list[Network] = []
    problems: list[str] = []
    for cidr in cidrs:
        try:
            found.append(ip_network(cidr.strip()))
        except ValueError:
            problems.append(f"private_destinations: {cidr!r} is no network. Write it like 10.1.2.0/24 or ::1/128.")
    if problems:
        raise ConfigurationError(problems)
    return tuple(found)


def system_resolver(host: str, port: int) -> Iterable[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Resolves once and lets only safe addresses pass; who connects must use the returned literals.

    `allowed` are the operator's exceptions. `only_allowed` refuses everything else (for calls without TLS).
    """

    allowed: tuple[Network, ...] = ()
    only_allowed: bool = False
    resolver: Resolver = system_resolver

    def addresses(self, host: str, port: int, timeout_s: float = 3.0) -> tuple[str, ...]:
        """Addresses of `host`, all of them checked, in the resolver's order.

        Raises:
            DestinationRefused: At least one answer is not allowed.
            VendorDown: The name does not resolve (in time).
        """
        answers = tuple(dict.fromkeys(self._answers(host, port, timeout_s)))
        if not answers:
            raise VendorDown(f"The name {host} has no address. Check the host name and the DNS of this machine.")
        for answer in answers:
            self.check(answer, host)
        return answers

    def check(self, literal: str, host: str) -> None:
        """Raises DestinationRefused unless calls may reach this address."""
        try:
            address = ip_address(literal)
        except ValueError:
            raise DestinationRefused(f"{host} resolves to something that is no address.") from None
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address.version == network.version and address in network for network in self.allowed):
            return
        if self.only_allowed:
            raise DestinationRefused(f"Calls to {host} without TLS are not allowed. Use https.")
        if is_blocked(address):
            raise DestinationRefused(
                f"{host} leads to an internal or special address, which calls may not reach. "
                "If it is meant, add its network to private_destinations."
            )

    def _answers(self, host: str, port: int, timeout_s: float) -> Iterable[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return _in_time(lambda: self.resolver(host, port), host, timeout_s)


def _in_time(resolve: Callable[[], Iterable[str]], host: str, timeout_s: float) -> Iterable[str]:
    """The system's resolver knows no timeout; a thread that hangs in it is left behind."""
    answers: list[str] = []
    failed: list[Exception] = []

    def run() -> None:
        try:
            answers.extend(resolve())
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="resolve", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive() or failed:
        cause = failed[0] if failed else None
        raise VendorDown(f"The name {host} could not be resolved. Check it and the DNS of this machine.") from cause
    return answers
