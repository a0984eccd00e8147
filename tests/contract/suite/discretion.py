"""What must never be told, in errors, logs, journals and findings: secrets, and what customers say and are called."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from structlog.testing import capture_logs

from handoff_sync.contract.connector import Requester
from handoff_sync.core.model import Customer
from handoff_sync.errors import VendorAuthError
from handoff_sync.simulator.faults import FaultKind
from tests.contract.suite.bench import ANA, CANARY, WORDS, Bench
from tests.contract.suite.operations import HOOK, OPERATIONS, Outcome, Sort, Trials
from tests.contract.suite.parts import MemoryJournal

_CREDENTIALS: Final = re.compile(r"\b(Basic|Bearer) +[A-Za-z0-9+/]{12,}", re.IGNORECASE)
_LIBRARIES: Final = ("httpx", "httpcore", "urllib3", "requests", "zenpy", "handoff_connectors", "handoff_sync")
_SPOILED: Final = ((FaultKind.DROP, {}), (FaultKind.HTML, {"status": 200}), (FaultKind.WARPED, {}))
_STATUSES: Final = (200, 400, 401, 409, 422, 429)


def errors_and_logs_tell_nothing(bench: Bench) -> None:
    """Whatever fails, even where the helpdesk's answer repeats our words and secrets: no error and no log has them."""
    with _overhearing() as logged:
        trials, secret = Trials(bench), _Secret(bench)
        for operation in OPERATIONS:
            trials.plain(operation, bench.connector)
            for kind, fields in (
                *_SPOILED,
                *((FaultKind.BODY, {"status": s, "body": _echo(bench)}) for s in _STATUSES),
            ):
                for call in range(2):
                    outcome = trials.once(operation, bench.connector, kind, call, **fields)
                    _silent(secret, [outcome] if outcome is not None else [])
    _in_none(secret, logged)


def refused_secrets_are_not_told(bench: Bench) -> None:
    """A connector whose secrets are all wrong says so, without saying which ones it has."""
    trials = Trials(bench)
    bench.secrets.secrets = {name: f"{CANARY}-{name}" for name in bench.secrets.secrets}
    secret = _Secret(bench)
    with _overhearing() as logged:
        stranger = bench.another()
        for operation in OPERATIONS:
            try:
                result = trials.plain(operation, stranger)
            except VendorAuthError as error:
                _in_errors(secret, error, operation.name)
            else:
                assert operation.sort is Sort.CHECK or operation.name == "find_appended", operation.name
                secret.is_not_in(repr(result), operation.name)
    _in_none(secret, logged)


def journals_and_findings_hold_no_secret(bench: Bench) -> None:
    """What is kept across attempts has no secret in it, and a check names no secret and no path of a webhook."""
    journal = MemoryJournal()
    ticket = bench.connector.open(bench.draft(), journal).id
    for comment in (bench.words(), bench.remark()):
        bench.connector.append(ticket, comment, journal)
    with bench.listening() as hooks:
        connector = bench.another(webhook_url=hooks.url)
        path = "/".join(hooks.url.split("/")[3:])
        secret = _Secret(bench, path, HOOK)
        findings = connector.check()
    for kept in journal.kept.values():
        _Secret(bench, words=()).is_not_in(kept, "the journal")
    for finding in findings:
        secret.is_not_in(repr(finding), "a finding")


def a_claimed_address_leads_to_nobody_else(bench: Bench) -> None:
    """An address that nobody vouches for is not looked up: whoever claims it sees and gets nothing of its owner."""
    owner = bench.opened()
    claimed = Customer(name="Mallory Example", email=ANA.customer.email, email_verified=False)
    other = bench.opened("hs:acme:2", requester=Requester(external_id="acme:c-2", customer=claimed))
    assert bench.desk.ticket(owner).requester_name == "Ana Example"
    assert bench.desk.ticket(other).requester_name == "Mallory Example"


# --- looking for it -------------------------------------------------------------------------------------


class _Secret:
    """Everything of this connection that nobody may be told. `words` are what the customer says and is called."""

    def __init__(self, bench: Bench, *more: str, words: Iterable[str] | None = None) -> None:
        customer = (WORDS, ANA.customer.name or "", ANA.customer.email or "", "ana%40example.com")
        mine = [*bench.secrets.secrets.values(), CANARY, *more]
        self._all = [each for each in (*mine, *(customer if words is None else words)) if each]

    def is_not_in(self, text: str, where: str) -> None:
        found = [each for each in self._all if each in text]
        assert not found and not _CREDENTIALS.search(text), f"{where} tells a secret: {text[:300]}"


def _in_none(secret: _Secret, logged: list[str]) -> None:
    assert logged, "something was logged, or nothing was overheard"
    for line in logged:
        secret.is_not_in(line, "a log record")


def _silent(secret: _Secret, outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        where = f"{outcome.operation.name}, spoiled from call {outcome.call}"
        if outcome.error is not None:
            _in_errors(secret, outcome.error, where)
        if outcome.operation.sort is Sort.CHECK:
            secret.is_not_in(repr(outcome.result), where)


def _in_errors(secret: _Secret, error: BaseException, where: str) -> None:
    """In the error, and in every error that it came from."""
    seen: list[BaseException] = []
    left = [error]
    while left:
        one = left.pop()
        seen.append(one)
        held = {name: value for name, value in vars(one).items() if isinstance(value, str | int | float | list | tuple)}
        for text in (str(one), repr(one), repr(one.args), repr(held), *getattr(one, "__notes__", [])):
            secret.is_not_in(text, f"{where}, {type(one).__name__}")
        left += [c for c in (one.__cause__, one.__context__) if c is not None and c not in seen]


def _echo(bench: Bench) -> str:
    """An error answer that repeats everything, under every name that errors have."""
    all_of_it = (
        f"{WORDS} {CANARY} {ANA.customer.email} Bearer {CANARY}0123456789 {' '.join(bench.secrets.secrets.values())}"
    )
    inner = [{"code": all_of_it, "description": all_of_it, "message": all_of_it, "field": all_of_it}]
    return json.dumps(
        {"error": {"title": all_of_it, "message": all_of_it, "msg": all_of_it, "data": {all_of_it: [all_of_it]}},
         "errors": inner, "message": all_of_it, "description": all_of_it, "details": {all_of_it: inner},
         "request_id": all_of_it, "type": all_of_it}
    )  # fmt: skip


@contextmanager
def _overhearing() -> Iterator[list[str]]:
    """What this thread logs meanwhile, at the most talkative level of every library."""
    heard, ours = _Listener(), threading.get_ident()
    heard.addFilter(lambda record: record.thread == ours)
    loggers = [logging.getLogger(), *map(logging.getLogger, _LIBRARIES)]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(heard)
    try:
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        with capture_logs() as structured:
            yield heard.lines
        heard.lines += map(repr, structured)
    finally:
        loggers[0].removeHandler(heard)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {self.format(record)}")
