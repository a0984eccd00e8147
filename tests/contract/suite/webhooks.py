"""Webhooks: installed by us, believed only when proven, and never more than a reason to look at a ticket."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from handoff_sync.contract.connector import Connector, WebhookHint, WebhookRequest
from handoff_sync.contract.features import Feature
from handoff_sync.contract.registry import package_of
from handoff_sync.core.model import TicketStatus
from handoff_sync.errors import UnrecognisedPayload, WebhookRefused
from tests.contract.suite.bench import CANARY, Bench, Webhooks

SECRET: Final = f"{CANARY}-webhook-secret"
BEFORE: Final = f"{CANARY}-webhook-secret-before"
PATIENCE_S: Final = 3.0


# --- installing -----------------------------------------------------------------------------------------


def installing_again_changes_nothing(bench: Bench) -> None:
    """A second installation, by any process, finds the webhook as it should be and only looks."""
    with bench.listening() as hooks:
        first = bench.connector.install_webhook(hooks.url)
        log = bench.desk.simulator.log
        before = len(log.all())
        again = bench.another().install_webhook(hooks.url)
        assert (again.id, again.changes) == (first.id, first.changes)
        signing_in = ("oauth", "auth")
        writes = [call.path for call in log.all()[before:] if call.method != "GET"]
        assert [path for path in writes if not any(word in path for word in signing_in)] == []


def installing_again_mends_what_people_broke(bench: Bench) -> None:
    """Switched off, sent elsewhere, without its secret: after another installation webhooks come and verify."""
    bench.needs(Feature.INSTALL_WEBHOOK)
    ticket = bench.opened()
    mishaps = bench.desk.webhook_mishaps
    assert len(mishaps) >= 2
    with bench.listening() as hooks:
        for name, spoil in mishaps.items():
            spoil()
            unwell = [finding for finding in bench.another().check() if not finding.ok]
            assert any("webhook" in finding.name for finding in unwell), f"{name}: the check does not see it"
            bench.remember(bench.connector.install_webhook(hooks.url).changes)
            hooks.came.clear()
            bench.desk.reply(ticket, f"after {name}")
            assert ticket in _named(bench, hooks, ticket), name


def what_agents_do_is_told(bench: Bench) -> None:
    """Whatever the agent does to a ticket, a webhook comes that verifies and names it."""
    ticket, other = bench.opened("hs:acme:1"), bench.opened("hs:acme:2")
    desk = bench.desk
    deeds: Mapping[str, Callable[[], object]] = {
        "reply": lambda: desk.reply(ticket, "Hello."),
        "assign": lambda: desk.assign(ticket, desk.colleague_name),
        "unassign": lambda: desk.assign(ticket, None),
        "rest": lambda: desk.set_status(ticket, TicketStatus.ON_HOLD),
        "wake": lambda: desk.reopen(ticket),
        "customer": lambda: desk.customer_reply(ticket, "Hello?"),
        "solve": lambda: desk.solve(ticket),
        "reopen": lambda: desk.reopen(ticket),
        "merge": lambda: desk.merge(other, ticket),
        "delete": lambda: desk.delete(ticket),
    }
    with bench.listening() as hooks:
        for name, deed in deeds.items():
            hooks.came.clear()
            deed()
            assert {ticket, other} & _named(bench, hooks, *([ticket, other] if name == "merge" else [ticket])), name


# --- believing -----------------------------------------------------------------------------------------


def a_genuine_webhook_names_its_ticket(bench: Bench) -> None:
    """Signed with the stored secret, now or up to a minute apart: it names its tickets, the same each time."""
    connector, request = _receiving(bench), _genuine(bench)
    hint = connector.verify_webhook(request)
    assert hint.tickets and not hint.ignored and hint.delivery_id
    assert connector.verify_webhook(request) == hint
    for seconds in (-60, 60):
        assert connector.verify_webhook(_genuine(bench, at=_now() + timedelta(seconds=seconds))).tickets == hint.tickets


def a_replay_is_the_same_delivery(bench: Bench) -> None:
    """The same webhook once more has the same delivery id; another one has another."""
    connector, request = _receiving(bench), _genuine(bench)
    first = connector.verify_webhook(request)
    others = [_signed(bench, path.read_bytes()) for path in _fixtures(bench) if _expected(path)]
    assert len({connector.verify_webhook(other).delivery_id for other in others}) > 1
    late = connector.verify_webhook(replace(request, received_at=request.received_at + timedelta(seconds=30)))
    assert late.tickets == first.tickets
    if not bench.capabilities.can(Feature.SIGNED_BODY):
        bench.exempt(Feature.SIGNED_BODY)
    assert late.delivery_id == first.delivery_id


def a_changed_body_is_refused(bench: Bench) -> None:
    """One flipped bit anywhere, one byte more or less: not authentic."""
    bench.needs(Feature.SIGNED_BODY)
    connector, request = _receiving(bench), _genuine(bench)
    body = request.body
    for place in (0, len(body) // 2, len(body) - 1):
        flipped = bytearray(body)
        flipped[place] ^= 1
        _is_refused(connector, replace(request, body=bytes(flipped)))
    for other in (body + b" ", body[:-1], b"", body * 2):
        _is_refused(connector, replace(request, body=other))


def a_changed_proof_is_refused(bench: Bench) -> None:
    """Each header that proves it: flipped, cut, missing, empty, doubled, padded, non-ASCII, no text at all."""
    connector, request = _receiving(bench), _genuine(bench)
    proofs = _proofs(bench)
    assert proofs, "something must prove a webhook"
    for name in proofs:
        value = request.headers[name]
        for place in (0, len(value) // 2, len(value) - 1):
            _is_refused(
                connector, _with(request, name, value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :])
            )
        for other in ("", value[:-1], f"{value}, {value}", f"{value}{value}", f"{value} {value}", f"{value}\x00",
                      f"\xe9{value}", f"{value}\udc80", "\u0661" * len(value), "x" * 100_000):  # fmt: skip
            _is_refused(connector, _with(request, name, other))
        _is_refused(connector, replace(request, headers={n: v for n, v in request.headers.items() if n != name}))
    _is_refused(connector, replace(request, headers={}))


def an_old_webhook_is_refused(bench: Bench) -> None:
    """Genuine, but of an hour ago or ahead: not authentic any more."""
    bench.needs(Feature.SIGNED_TIME)
    connector = _receiving(bench)
    for hours in (-1, 1, -24 * 365):
        request = _genuine(bench, at=_now() + timedelta(hours=hours))
        _is_refused(connector, replace(request, received_at=_now()))


def another_secret_is_refused(bench: Bench) -> None:
    """Signed with another secret, or with an empty one; and whatever comes while none is stored, or an empty one."""
    connector = _receiving(bench)
    for secret in ("", "x", SECRET[:-1], f"{SECRET} ", SECRET.upper()):
        _is_refused(connector, _genuine(bench, secret=secret))
    stores: tuple[Mapping[str, str], ...] = (
        {},
        {bench.desk.webhook_secret: ""},
        {bench.desk.webhook_secret: "", _previous(bench): ""},
    )
    for stored in stores:
        connector = _receiving(bench, stored)
        for secret in ("", SECRET, "None"):
            request = _genuine(bench, secret=secret)
            _is_refused(connector, request)
            for name in _proofs(bench):
                _is_refused(connector, _with(request, name, ""))


def two_secrets_are_good_during_a_rotation(bench: Bench) -> None:
    """The secret and the one before it prove a webhook; with the former gone, it proves nothing."""
    bench.needs(Feature.SIGN_ROTATION)
    both = _receiving(bench, {bench.desk.webhook_secret: SECRET, _previous(bench): BEFORE})
    assert both.verify_webhook(_genuine(bench)).tickets
    assert both.verify_webhook(_genuine(bench, secret=BEFORE)).tickets
    _is_refused(_receiving(bench), _genuine(bench, secret=BEFORE))


# --- reading --------------------------------------------------------------------------------------------


def every_fixture_names_what_is_expected(bench: Bench) -> None:
    """Each file of fixtures/webhooks, signed, names the tickets that the file of its name with `.expected` says."""
    connector = _receiving(bench)
    found = _fixtures(bench)
    assert len(found) >= 12, "a dozen kinds of webhooks, at least"
    expectations = (_folder(bench) / "webhooks").glob("*.expected.json")
    assert {path.with_suffix(".expected.json") for path in found} == set(expectations)
    ignored = 0
    for path in found:
        expected = json.loads(path.with_suffix(".expected.json").read_bytes())
        hint = asdict(connector.verify_webhook(_signed(bench, path.read_bytes())))
        hint["tickets"] = list(hint["tickets"])
        assert {name: hint[name] for name in expected} == expected, path.name
        assert bool(hint["tickets"]) != bool(hint["ignored"]), f"{path.name}: tickets, or why there are none"
        assert hint["delivery_id"]
        ignored += bool(hint["ignored"])
    assert 1 <= ignored < len(found), "what does not concern us is ignored with a reason"
    assert {"tickets", "topic", "ignored"} <= set(expected)


def an_unreadable_body_is_unrecognised(bench: Bench) -> None:
    """Genuine and not to be understood: no JSON, no UTF-8, no object, a key twice, nested without end."""
    connector = _receiving(bench)
    whole = _genuine(bench).body.strip()
    twice = whole[:-1] + b"," + whole[1:]
    for body in (b"[]", b"null", b'"x"', b"7", b"{}", b"{", b"\xff\xfe\xfa", b"[" * 10_000, b'{"a":' * 10_000,
                 b"[" * 10_000 + b"]" * 10_000, b'{"a": NaN}', b'{"a": 1e999}', twice, b"x" * 3_000_000):  # fmt: skip
        with pytest.raises(UnrecognisedPayload) as caught:
            connector.verify_webhook(_signed(bench, body))
        assert len(str(caught.value)) < 500
    padded = b'{"pad": "' + b"x" * 3_000_000 + b'", ' + whole[1:]
    assert connector.verify_webhook(_signed(bench, padded)).tickets, "extra fields do no harm"


def odd_values_are_read_or_unrecognised(bench: Bench) -> None:
    """Any value of a genuine webhook replaced by any other: ticket ids are ids, or the payload is unrecognised."""
    connector = _receiving(bench)
    known = frozenset(ticket for path in _fixtures(bench) for ticket in _expected(path))
    for path in _fixtures(bench)[:6]:
        for body in _mutilated(json.loads(path.read_bytes())):
            hint = _hint_or_none(connector, _signed(bench, json.dumps(body).encode()))
            for ticket in hint.tickets if hint is not None else ():
                assert ticket in known or ticket == "7", (path.name, ticket)


def any_bytes_end_in_our_errors(bench: Bench) -> None:
    """Whatever comes, signed or not: a hint, WebhookRefused or UnrecognisedPayload."""
    connector = _receiving(bench)
    names = some.sampled_from([*_genuine(bench).headers, "x-other"])
    values = some.text(max_size=40)
    small = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8)
    keys = some.sampled_from(
        ["id", "ticket_id", "type", "topic", "data", "item", "ticket", "event", "detail", "subject"]
    )
    trees = some.recursive(
        small, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(keys, inner, max_size=5)
    )
    bodies = some.binary(max_size=200) | trees.map(lambda tree: json.dumps(tree).encode())

    @settings(max_examples=60, database=None, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(body=bodies, headers=some.dictionaries(names, values, max_size=4), signed=some.booleans())
    def ends_well(body: bytes, headers: dict[str, str], signed: bool) -> None:
        request = _signed(bench, body)
        _hint_or_none(connector, request if signed else replace(request, headers=headers))

    ends_well()


# --- making them ----------------------------------------------------------------------------------------


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _receiving(bench: Bench, stored: Mapping[str, str] | None = None) -> Connector:
    """A connector that knows just these webhook secrets: SECRET, unless others are given."""
    name = bench.desk.webhook_secret
    others = {key: value for key, value in bench.secrets.secrets.items() if key not in (name, _previous(bench))}
    bench.secrets.secrets = {**others, **(stored if stored is not None else {name: SECRET})}
    return bench.another(**_settings(bench))


def _settings(bench: Bench) -> Mapping[str, object]:
    """What the fixtures need to be read: fixtures/connection.json, if there is one."""
    path = _folder(bench) / "connection.json"
    found: Mapping[str, object] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found


def _previous(bench: Bench) -> str:
    return f"{bench.desk.webhook_secret}_previous"


def _folder(bench: Bench) -> Path:
    return Path(str(import_module(package_of(bench.desk.kind)).__file__)).parent / "fixtures"


def _fixtures(bench: Bench) -> list[Path]:
    found = sorted((_folder(bench) / "webhooks").glob("*.json"))
    return [path for path in found if not path.name.endswith(".expected.json")]


def _expected(path: Path) -> list[str]:
    tickets: list[str] = json.loads(path.with_suffix(".expected.json").read_bytes())["tickets"]
    return tickets


def _genuine(bench: Bench, *, secret: str = SECRET, at: datetime | None = None) -> WebhookRequest:
    """A fixture that names a ticket, signed."""
    naming = next(path for path in _fixtures(bench) if _expected(path))
    return _signed(bench, naming.read_bytes(), secret, at)


def _signed(bench: Bench, body: bytes, secret: str = SECRET, at: datetime | None = None) -> WebhookRequest:
    at = at or _now()
    return WebhookRequest(dict(bench.desk.signed(body, secret, at)), body, at)


def _with(request: WebhookRequest, name: str, value: str) -> WebhookRequest:
    return replace(request, headers={**request.headers, name: value})


def _proofs(bench: Bench) -> list[str]:
    """Headers that depend on what is proven."""
    one, other = _now(), _now() - timedelta(days=1)
    first, second = bench.desk.signed(b"{}", "a", one), bench.desk.signed(b"{} ", "b", other)
    return [name for name in first if first[name] != second[name]]


def _is_refused(connector: Connector, request: WebhookRequest) -> None:
    with pytest.raises(WebhookRefused) as caught:
        connector.verify_webhook(request)
    assert 0 < len(caught.value.reason) < 200
    assert CANARY not in f"{caught.value!r} {caught.value.reason}"


def _hint_or_none(connector: Connector, request: WebhookRequest) -> WebhookHint | None:
    try:
        return connector.verify_webhook(request)
    except (WebhookRefused, UnrecognisedPayload):
        return None
    except Exception as foreign:
        raise AssertionError(f"{type(foreign).__name__} for {request.body[:80]!r}") from foreign


def _mutilated(whole: Any) -> Iterator[Any]:
    """Copies with one value missing or replaced by something odd."""
    for place in _places(whole, ()):
        for odd in (None, "", 0, 7, -1, True, [], {}, "../7", "\u0667", [7], _GONE):
            changed = copy.deepcopy(whole)
            holder = changed
            for step in place[:-1]:
                holder = holder[step]
            if odd is _GONE:
                del holder[place[-1]]
            else:
                holder[place[-1]] = odd
            yield changed


_GONE: Final = object()


def _places(value: Any, above: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in inner:
        yield (*above, step)
        if len(above) < 4:
            yield from _places(below, (*above, step))


def _named(bench: Bench, hooks: Webhooks, *wanted: str) -> set[str]:
    """The tickets that the webhooks of the next seconds name; ends as soon as one of those wanted is."""
    until, read, named = time.monotonic() + PATIENCE_S, 0, set[str]()
    while time.monotonic() < until and not named & set(wanted):
        for request in hooks.came[read:]:
            read += 1
            named |= set(bench.connector.verify_webhook(request).tickets)
        time.sleep(0.005)
    return named
