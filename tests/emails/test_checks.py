"""Does mail go out: what is found without sending one, and that a machine without a network is no failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from handoff_sync.emails.checks import check_domain, check_mail, remedy, txt_records
from handoff_sync.emails.transport import MailServerDown, make_transport
from handoff_sync.errors import OutcomeUnknown, VendorAuthError, VendorDown, VendorRejected
from tests.emails.test_transport import scripted

SPF = {"example.com": ("google-site-verification=x", "v=spf1 include:_spf.example.net -all")}
DMARC = {"_dmarc.example.com": ("v=DMARC1; p=none",)}


def found(domain: str, records: Mapping[str, Sequence[str] | None]) -> list[bool | None]:
    """Whether SPF and DMARC are well."""
    return [finding.ok for finding in check_domain(domain, lambda name: records.get(name, ()))]


def test_what_the_dns_says_of_the_senders_domain() -> None:
    assert found("example.com", SPF | DMARC) == [True, True]
    assert found("example.com", {}) == [False, False]
    assert found("example.com", DMARC) == [False, True]
    assert found("help.example.com", SPF | DMARC) == [False, True], "DMARC counts for the domains below it, SPF not"
    assert found("example.com", {"example.com": ("V=SPF1 -all",)}) == [True, False]


def test_without_dns_nothing_is_claimed() -> None:
    findings = check_domain("example.com", lambda name: None)
    assert [finding.ok for finding in findings] == [None, None]
    assert all("not checked" in finding.detail for finding in findings)


def test_a_name_that_cannot_exist_is_no_crash() -> None:
    assert txt_records("no-such-name.invalid") in ((), None)
    assert txt_records("a" * 300) is None


def test_a_server_that_lets_us_in_is_well_and_gets_no_mail() -> None:
    with scripted("220 hi", "250 hi", "221 bye") as transport:
        server, *domain = check_mail(transport, "Acme <help@example.com>", lambda name: None)
    assert server.ok and "not encrypted" in server.detail and len(domain) == 2


def test_a_server_that_does_not_says_why_and_what_to_do() -> None:
    with scripted("220 hi", "250-hi\r\n250 AUTH PLAIN", "535 wrong") as transport:
        server, *_ = check_mail(replace(transport, user="bo", password="p@ss"), "help@example.com", lambda name: None)
    assert server.ok is False and "HANDOFF_SMTP_URL" in server.todo and "p@ss" not in server.detail


def test_mails_that_become_files_need_no_check() -> None:
    made = make_transport("capture:/tmp/nowhere")
    assert made is not None
    assert [finding.ok for finding in check_mail(made, "help@example.com")] == [True]


@pytest.mark.parametrize("kind", [MailServerDown, VendorAuthError, VendorRejected, OutcomeUnknown, VendorDown])
def test_every_failure_has_a_remedy_of_its_own(kind: type[VendorDown]) -> None:
    others = {MailServerDown, VendorAuthError, VendorRejected, OutcomeUnknown, VendorDown} - {kind}
    assert remedy(kind("x")) not in {remedy(other("x")) for other in others}
