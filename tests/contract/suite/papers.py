"""What a connector says of itself: its README, its settings, its capabilities, and its check of a connection."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from handoff_sync.contract.features import Feature
from tests.contract.suite.bench import CANARY, Bench

_SENTENCE: Final = re.compile(r"[A-Z][^\n]{18,}[.]")
_SEALED: Final = re.compile(r"secret|token|api_key|password|code$")


def the_readme_names_every_setting(bench: Bench) -> None:
    """The part "Settings" has each field of the model, and tells what of it is kept sealed."""
    part = _readme(bench).partition("### Settings")[2].partition("\n### ")[0]
    named = set(re.findall(r"`(\w+)`", part))
    assert set(_model(bench).model_fields) <= named
    assert "sealed" in part


def the_readme_names_what_the_check_looks_at(bench: Bench) -> None:
    """Roles, scopes and rules that a person must grant or make stand in the README by the names that findings have."""
    words = {word.rstrip("s") for word in re.findall(r"[\w-]+", _readme(bench).lower())}
    with bench.listening():
        findings = bench.connector.check()
    assert [
        finding.name for finding in findings if not {word.rstrip("s") for word in finding.name.lower().split()} <= words
    ] == []


def the_readme_has_the_figures(bench: Bench) -> None:
    """The longest comment, the calls of the connection, the time to settle, and the quirks by number."""
    readme, can = _readme(bench), bench.capabilities
    every = next(budget for budget in type(bench.connector).budgets if budget.name == "*")
    for figure in (f"{can.max_comment_bytes:,} bytes", f"{every.limit:,}", f"{can.settle_s:.0f} s"):
        assert figure in readme, figure
    assert len(re.findall(r"^\| [A-Z]{2}-\d+ \|", readme, re.MULTILINE)) >= 5


def what_it_cannot_do_has_a_reason(bench: Bench) -> None:
    """Each thing that it cannot do is named with a sentence for people, each with one of its own."""
    cannot = bench.capabilities.cannot
    for feature, reason in cannot.items():
        assert isinstance(feature, Feature)
        assert _SENTENCE.fullmatch(reason), f"{feature.value}: {reason!r} is no sentence"
    can = bench.capabilities
    assert can.can(Feature.IDEMPOTENT_CREATION) == (can.idempotency_s is not None)
    assert 5_000 <= can.max_comment_bytes <= 1_000_000
    assert 0 <= can.settle_s <= 600


def settings_take_nothing_unknown(bench: Bench) -> None:
    """A field that is not there is refused by name; every field is described in a sentence or a part of one."""
    model = _model(bench)
    with pytest.raises(ValidationError, match="surprise"):
        model.model_validate({**bench.settings, "surprise": 1})
    assert [name for name, field in model.model_fields.items() if len(field.description or "") < 10] == []
    assert model.model_validate(bench.settings).model_config.get("frozen") is True


def secrets_are_sealed(bench: Bench) -> None:
    """Whatever is a secret is of the type that hides itself; nothing that shows settings shows one."""
    model = _model(bench)
    secret = {
        name
        for name, field in model.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    }
    assert set(bench.desk.access.secrets) <= secret
    assert {bench.desk.webhook_secret, f"{bench.desk.webhook_secret}_previous"} <= secret
    assert {name for name in model.model_fields if _SEALED.search(name)} == secret
    made = model.model_validate({**bench.settings, **{name: f"{CANARY}-{name}" for name in secret}})
    for shown in (repr(made), str(made), made.model_dump_json(), repr(made.model_dump())):
        assert CANARY not in shown


def an_address_stays_on_this_machine(bench: Bench) -> None:
    """`base_url` is for simulators: only this machine, or with `allow_private` what a person allowed, and an origin."""
    model = _model(bench)
    elsewhere = ("http://10.0.0.7:8001", "https://example.com", "http://localhost.example.com", "http://[::2]:80",
                 "http://169.254.169.254", "http://127.0.0.1.example.com:1")  # fmt: skip
    never = (
        "ftp://127.0.0.1",
        "http://user:pw@127.0.0.1",
        "127.0.0.1:8001",
        "http://",
        "http://127.0.0.1?x=1",
        "file:///etc",
    )
    for url in ("http://127.0.0.1:8001", "http://[::1]:8001", "http://127.9.9.9"):
        assert model.model_validate({**bench.settings, "base_url": url}) is not None
    for url in elsewhere:
        with pytest.raises(ValidationError):
            model.model_validate({**bench.settings, "base_url": url})
        assert model.model_validate({**bench.settings, "base_url": url, "allow_private": True}) is not None
    for url in never:
        with pytest.raises(ValidationError):
            model.model_validate({**bench.settings, "base_url": url, "allow_private": True})


def a_healthy_connection_has_no_todo(bench: Bench) -> None:
    """Set up as the README says, every finding is ok; and checking twice changes nothing at the helpdesk."""
    with bench.listening():
        bench.desk.set_in_order()
        findings = bench.connector.check()
        assert len(findings) >= 4
        assert [f"{finding.name}: {finding.detail}" for finding in findings if not finding.ok] == []
        assert [finding.name for finding in findings if finding.todo] == []
        assert len({finding.name for finding in findings}) == len(findings)
        assert bench.another().check() == findings
    assert bench.desk.ticket_ids() == ()


def wrong_credentials_are_all_that_a_check_finds(bench: Bench) -> None:
    """With a wrong secret the finding `credentials` fails, says what to do, and nothing else is asked."""
    bench.secrets.secrets = {name: f"{CANARY}-{name}" for name in bench.secrets.secrets}
    findings = bench.another().check()
    assert [(finding.name, finding.ok) for finding in findings] == [("credentials", False)]
    assert findings[0].todo and findings[0].detail
    asked = bench.desk.simulator.log.all()
    assert len(asked) <= 2 and all((call.status or 0) >= 400 for call in asked)


def a_connection_without_secrets_says_which_are_missing(bench: Bench) -> None:
    """Nothing stored: the check names the secret that is missing, and nothing is sent."""
    bench.secrets.secrets = {}
    findings = bench.another().check()
    assert [finding.ok for finding in findings] == [False]
    assert any(name in findings[0].detail for name in bench.desk.access.secrets), findings[0].detail
    assert bench.desk.simulator.log.all() == []


def _model(bench: Bench) -> type[BaseModel]:
    model: type[BaseModel] = _class(bench).settings_model
    return model


def _class(bench: Bench) -> type[Any]:
    return type(bench.connector)


def _readme(bench: Bench) -> str:
    return (Path(inspect.getfile(_class(bench))).parent / "README.md").read_text(encoding="utf-8")
