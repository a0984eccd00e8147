"""What counts as internal, and how an operator makes exceptions."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from handoff_sync.contract.address import AddressGuard, is_blocked, networks
from handoff_sync.errors import ConfigurationError, DestinationRefused

BLOCKED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:168.63.129.16",
    "::ffff:224.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

PUBLIC = ["8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("literal", BLOCKED)
def test_internal_and_special_addresses_are_blocked(literal: str) -> None:
    assert is_blocked(ip_address(literal))
    with pytest.raises(DestinationRefused):
        AddressGuard().addresses(literal, 443)


@pytest.mark.parametrize("literal", PUBLIC)
def test_public_addresses_are_not(literal: str) -> None:
    assert AddressGuard().addresses(literal, 443) == (str(ip_address(literal)),)


def test_an_exception_opens_its_network_alone_and_its_mapped_form() -> None:
    guard = AddressGuard(allowed=networks(["10.1.0.0/16", "::1/128"]))
    for literal in ("10.1.2.3", "::ffff:10.1.2.3", "::1"):
        guard.check(literal, "x.example.com")
    for literal in ("10.2.0.1", "127.0.0.1", "::2"):
        with pytest.raises(DestinationRefused):
            guard.check(literal, "x.example.com")


def test_wrong_networks_are_all_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        networks(["10.0.0.0/8", "10.0.0.1/8", "office"])
    assert len(caught.value.problems) == 2 and "office" in str(caught.value)


def test_a_resolver_that_gives_nonsense_is_refused() -> None:
    with pytest.raises(DestinationRefused):
        AddressGuard(resolver=lambda host, port: ["not an address"]).addresses("x.example.com", 443)
