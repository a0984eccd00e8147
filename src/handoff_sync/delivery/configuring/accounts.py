"""The helpdesk connections of a file: what each would be given, and what does not fit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from handoff_sync.contract.registry import connector_class
from handoff_sync.core.values import Mistakes, unknown
from handoff_sync.delivery.configuring.changes import Action, Change, differences
from handoff_sync.delivery.configuring.document import ConnectionEntry
from handoff_sync.delivery.configuring.references import Secrets, reference
from handoff_sync.delivery.connecting import misfits, secret_fields
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.rows import ConnectionRow

HIDDEN: Final = "(secret)"
_GIVEN: Final = "given:"
SecretsOf = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One connection to be made or changed. `set_up` false: only switched on or off."""

    name: str
    kind: str
    given: Mapping[str, Any] = field(repr=False)
    marks: Mapping[str, str] = field(repr=False)
    """What is to be remembered of the secrets that were given."""
    enabled: bool | None
    set_up: bool


@dataclass(slots=True)
class AccountPlan:
    accounts: list[Account] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def mark(name: str, value: str) -> tuple[str, str]:
    """By which a secret is known again that has been renewed since, as OAuth tokens are: it is not given anew."""
    return f"{_GIVEN}{name}", hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def plan_accounts(
    entries: Mapping[str, ConnectionEntry],
    stored: Mapping[str, ConnectionRow],
    secrets_of: SecretsOf,
    secrets: Secrets | None,
    *,
    offline: bool,
) -> AccountPlan:
    """Without `secrets` references are not followed: what they lead to may be unknown here."""
    plan = AccountPlan()
    for name, entry in entries.items():
        _plan(plan, name, entry, stored.get(name), secrets_of, secrets, offline)
    return plan


def _plan(
    plan: AccountPlan,
    name: str,
    entry: ConnectionEntry,
    before: ConnectionRow | None,
    secrets_of: SecretsOf,
    secrets: Secrets | None,
    offline: bool,
) -> None:
    where = f"connections.{name}"
    try:
        model = connector_class(entry.kind).settings_model
    except ConfigurationError as no_connector:
        plan.problems += [f"{where}.kind: {problem}" for problem in no_connector.problems]
        return
    if before is not None and before.kind != entry.kind:
        text = f"{where}.kind: the connection is a {before.kind} already: give the new one another name."
        plan.problems.append(text)
        return
    given = _given(plan, model, entry, where, secrets)
    known = before.settings if before is not None else {}
    problems = misfits(model, {**known, **given})
    problems += _missing(model, given) if before is None and not problems else []
    plan.problems += [f"{where}.{field}: {text}" if field else f"{where}: {text}" for field, text in problems]
    sealed = {field: str(value) for field, value in given.items() if field in secret_fields(model)}
    marks = dict(mark(field, value) for field, value in sealed.items())
    fresh = set(sealed)
    if before is not None and secrets is not None:
        fresh = _fresh(sealed, marks, secrets_of(before.id))
    kept = {field: value for field, value in given.items() if field not in sealed or field in fresh}
    changes = list(_changes(where, entry, before, kept, fresh))
    if not changes and before is not None and not offline and _without_webhook(model, before):
        changes = [Change(action=Action.ADD, key=f"{where}.webhook")]
    switch = entry.enabled is not None and entry.enabled != (before is None or before.enabled)
    plan.changes += changes
    if switch:
        plan.changes.append(
            Change(action=Action.CHANGE, key=f"{where}.enabled", before=not entry.enabled, after=entry.enabled)
        )
    if changes or switch:
        wanted = entry.enabled if entry.enabled is not None else before.enabled if before is not None else None
        plan.accounts.append(
            Account(name=name, kind=entry.kind, given=kept, marks=marks, enabled=wanted, set_up=bool(changes))
        )


def _given(
    plan: AccountPlan, model: Any, entry: ConnectionEntry, where: str, secrets: Secrets | None
) -> dict[str, Any]:
    """The settings with their references followed; what cannot be is a problem."""
    found: dict[str, Any] = {}
    for name, value in entry.values.items():
        place = f"{where}.{name}"
        try:
            if name not in model.model_fields:
                raise Mistakes([unknown(place, ["kind", "enabled", *model.model_fields])])
            if name in model.installed:
                raise Mistakes([f"{place}: is set when the webhook is installed: leave it out."])
            if name in secret_fields(model) or isinstance(value, Mapping):
                named = reference(value, place)
                found[name] = secrets.value(named, place) if secrets is not None else HIDDEN
            else:
                found[name] = value
        except Mistakes as bad:
            plan.problems += bad.lines
            if name in model.model_fields and name in secret_fields(model):
                found[name] = HIDDEN  # it is there, only not readable: no second complaint
    return found


def _missing(model: Any, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What this way to sign in needs and a new connection has not."""
    way = str(given.get("auth") or next(iter(model.asked), ""))
    fields = ((name, model.model_fields[name]) for name in model.asked.get(way, ()) if name not in given)
    return [(name, f"is missing. {field.description}") for name, field in fields if field.default is None]


def _fresh(sealed: Mapping[str, str], marks: Mapping[str, str], stored: Mapping[str, str]) -> set[str]:
    """The secrets that are not those of the last time."""
    return {
        name
        for name, value in sealed.items()
        if stored.get(name) != value and stored.get(f"{_GIVEN}{name}") != marks[f"{_GIVEN}{name}"]
    }


def _changes(
    where: str, entry: ConnectionEntry, before: ConnectionRow | None, given: Mapping[str, Any], fresh: set[str]
) -> list[Change]:
    shown = {name: HIDDEN if name in fresh else value for name, value in given.items()}
    if before is None:
        return [Change(action=Action.ADD, key=where, after={"kind": entry.kind, **shown})]
    known = before.settings
    old = {name: known.get(name, "") for name in shown if name not in fresh}
    changes = list(differences(where, old, {name: value for name, value in shown.items() if name not in fresh}))
    return changes + [
        Change(action=Action.CHANGE, key=f"{where}.{name}", before=HIDDEN, after=HIDDEN) for name in sorted(fresh)
    ]


def _without_webhook(model: Any, before: ConnectionRow) -> bool:
    """Whether it was stored without asking the helpdesk, so that nothing tells us of changes there."""
    return "webhook_url" in model.installed & set(model.model_fields) and not before.settings.get("webhook_url")
