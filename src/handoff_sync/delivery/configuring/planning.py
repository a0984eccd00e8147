"""Comparing a file with what is stored: what would change, what is wrong, and what will surprise."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from handoff_sync.contract.signatures import is_secret
from handoff_sync.core.contradictions import is_address, is_language
from handoff_sync.core.policy import Policy
from handoff_sync.core.presets import PRESETS
from handoff_sync.core.scope import Surroundings, overlaid, review
from handoff_sync.core.values import Mistakes
from handoff_sync.delivery.configuring.accounts import HIDDEN, Account, SecretsOf, plan_accounts
from handoff_sync.delivery.configuring.changes import Action, Change, differences
from handoff_sync.delivery.configuring.document import CallbackEntry, Document, KeyEntry, MemberEntry
from handoff_sync.delivery.configuring.references import Secrets
from handoff_sync.delivery.configuring.stored import Stored, answers_close, overrides_with_names, with_names
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.codec import policy_values

DEFAULT_PRESET: Final = "handover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`secrets` None: references are not followed. `alone`: what the file does not tell may well exist."""

    secrets: Secrets | None = None
    prune: bool = False
    offline: bool = False
    plain_http: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """An endpoint to be made or changed; `secret` None makes one for a new endpoint and keeps that of an old one."""

    entry: CallbackEntry
    secret: str | None = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Plan:
    """`policy` and `teams` are None where they stay. Both name connections by their names."""

    document: Document
    stored: Stored
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    name: str | None = None
    policy: Policy | None = None
    teams: Mapping[str, Mapping[str, object]] | None = None
    accounts: list[Account] = field(default_factory=list)
    members: list[MemberEntry] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    keys: list[KeyEntry] = field(default_factory=list)
    gone: dict[str, list[str]] = field(default_factory=dict)
    """What is pruned: names by section."""


@dataclass(frozen=True, slots=True)
class Secretive:
    """Reads the stored secrets that a file's are compared with."""

    of_connection: SecretsOf
    of_endpoint: Any


def make_plan(document: Document, stored: Stored, secretive: Secretive, options: Options) -> Plan:
    """ConfigurationError lists everything that is wrong with the file, each with its line."""
    planning = _Planning(document, stored, secretive, options)
    planning.run()
    if planning.problems:
        raise ConfigurationError([document.located(problem) for problem in planning.problems])
    return planning.plan


class _Planning:
    def __init__(self, document: Document, stored: Stored, secretive: Secretive, options: Options) -> None:
        self.document = document
        self.stored = stored
        self.secretive = secretive
        self.options = options
        self.plan = Plan(document=document, stored=stored)
        self.problems = list(document.problems)

    def run(self) -> None:
        self._workspace()
        self._prune()
        self._accounts()
        self._policy()
        self._members()
        self._callbacks()
        self._keys()

    def _add(self, changes: Iterable[Change]) -> None:
        self.plan.changes += changes

    # --- workspace ---------------------------------------------------------------------------------

    def _workspace(self) -> None:
        header, row = self.document.header, self.stored.workspace
        if header.name is None and (header.id is None or (row is None and not self.options.alone)):
            self.problems.append("workspace.name: is missing: say under [workspace] what it is called.")
        if row is None:
            start = {"preset": header.preset or DEFAULT_PRESET}
            self._add([Change(action=Action.ADD, key=f"workspace {header.name or ''}".strip(), after=start)])
        elif header.name is not None and header.name != row.name:
            self.plan.name = header.name
            self._add(differences("workspace.name", row.name, header.name))
        if header.name is not None and not header.name.strip():
            self.problems.append("workspace.name: is empty: write what people call it.")

    def _prune(self) -> None:
        """Only of what the file mentions: one that says nothing of callbacks removes none."""
        if not self.options.prune:
            return
        mentioned: dict[str, tuple[Collection[str] | None, Collection[str]]] = {
            "connections": (self.document.connections, self.stored.connections),
            "teams": (self.document.teams, self._old_teams),
            "members": (_names(self.document.members, "email"), self.stored.members),
            "callbacks": (_names(self.document.callbacks, "url"), self.stored.endpoints),
        }
        for section, (wanted, there) in mentioned.items():
            if wanted is not None and (gone := [name for name in there if name not in wanted]):
                self.plan.gone[section] = gone
                self._add(Change(action=Action.REMOVE, key=f"{section}.{name}", before={}) for name in gone)

    # --- connections and policy --------------------------------------------------------------------

    def _accounts(self) -> None:
        found = plan_accounts(
            self.document.connections or {},
            self.stored.connections,
            self.secretive.of_connection,
            self.options.secrets,
            offline=self.options.offline,
        )
        self.problems += found.problems
        self.plan.accounts += found.accounts
        self._add(found.changes)

    @property
    def _old_teams(self) -> dict[str, dict[str, Any]]:
        row = self.stored.workspace
        teams = row.teams if row is not None else {}
        return {name: overrides_with_names(one, self.stored.names) for name, one in teams.items()}

    def _policy(self) -> None:
        row, document = self.stored.workspace, self.document
        preset = document.header.preset if document.header.preset in PRESETS else DEFAULT_PRESET
        before = with_names(row.policy, self.stored.names) if row is not None else PRESETS[preset or DEFAULT_PRESET]
        after, problems = overlaid(before, document.policy or {})
        self.problems += [f"policy.{problem}" for problem in problems]
        old = self._old_teams
        gone = self.plan.gone.get("teams", ())
        teams = {name: one for name, one in {**old, **(document.teams or {})}.items() if name not in gone}
        self._judge(after, teams)
        if after != before or row is None:
            self.plan.policy = after
            self._add(differences("policy", policy_values(before), policy_values(after)))
        if teams != old:
            self.plan.teams = teams
            still = {name: one for name, one in old.items() if name not in gone}
            self._add(differences("teams", still, teams))

    def _judge(self, policy: Policy, teams: Mapping[str, Mapping[str, object]]) -> None:
        document = self.document
        says = (document.policy, document.teams, document.connections)
        if self.stored.workspace is not None and all(section is None for section in says):
            return
        gone = self.plan.gone.get("connections", ())
        kinds = {name: one.kind for name, one in self.stored.connections.items() if name not in gone}
        kinds |= {name: one.kind for name, one in (document.connections or {}).items()}
        alone = self.options.alone
        around = Surroundings(
            teams=None if alone and document.teams is None else teams,
            connections=None if alone and document.connections is None else tuple(kinds),
            answers_close=answers_close(kinds),
        )
        for found in review(policy, around):
            text = str(found) if found.key.startswith("teams.") else f"policy.{found}"
            if found.warning:
                self.plan.warnings.append(document.located(text))
            else:
                self.problems.append(text)

    # --- people, callbacks, keys -------------------------------------------------------------------

    def _members(self) -> None:
        teams = {*self._old_teams, *(self.document.teams or {})} - set(self.plan.gone.get("teams", ()))
        judged = not (self.options.alone and self.document.teams is None)
        for at, entry in (self.document.members or {}).items():
            where = f"members[{at}]"
            if not is_address(entry.email):
                self.problems.append(f"{where}.email: {entry.email[:80]!r} is no address; write ana@example.com.")
            if not is_language(entry.language):
                self.problems.append(f"{where}.language: {entry.language!r} is no language code; write en, pt or es.")
            for team in entry.teams if judged else ():
                if team not in teams:
                    self.problems.append(f"{where}.teams: there is no team {team!r}: add [teams.{team}].")
            self._member(entry)

    def _member(self, entry: MemberEntry) -> None:
        email = entry.email.strip().lower()
        row = self.stored.members.get(email)
        after = {"name": entry.name, "role": entry.role.value, "teams": [*entry.teams], "language": entry.language}
        if row is None:
            self._add([Change(action=Action.ADD, key=f"members.{email}", after=after)])
        else:
            before = {"name": row.name, "role": row.role.value, "teams": [*row.teams], "language": row.language}
            if before == after:
                return
            self._add(differences(f"members.{email}", before, after))
        self.plan.members.append(entry)

    def _callbacks(self) -> None:
        for at, entry in (self.document.callbacks or {}).items():
            where = f"callbacks[{at}]"
            parts = urlsplit(entry.url)
            if parts.scheme not in ("https", "http") or not parts.hostname:
                self.problems.append(f"{where}.url: {entry.url[:100]!r} must start with https://.")
            elif parts.scheme == "http" and not self.options.plain_http and not self.options.alone:
                text = "only https:// reaches the internet; http:// needs HANDOFF_PRIVATE_DESTINATIONS."
                self.problems.append(f"{where}.url: {text}")
            if entry.url not in self.stored.endpoints:
                self._must_be_free(entry.secret_file, f"{where}.secret_file")
            try:
                self._callback(entry, self._secret(entry, f"{where}.secret"))
            except Mistakes as bad:
                self.problems += bad.lines

    def _secret(self, entry: CallbackEntry, where: str) -> str | None:
        if entry.secret is None or self.options.secrets is None:
            return None
        value = self.options.secrets.value(entry.secret, where)
        if not is_secret(value):
            raise Mistakes([f"{where}: must be whsec_ followed by base64: make one, or leave it out to get one."])
        return value

    def _callback(self, entry: CallbackEntry, secret: str | None) -> None:
        key = f"callbacks.{entry.url}"
        row = self.stored.endpoints.get(entry.url)
        if row is None:
            switched = {} if entry.enabled is not False else {"enabled": "false"}
            self._add([Change(action=Action.ADD, key=key, after=switched)])
            self.plan.callbacks.append(Callback(entry=entry, secret=secret))
            return
        changes = []
        if secret is not None and secret != self.secretive.of_endpoint(row.id)[0]:
            changes.append(Change(action=Action.CHANGE, key=f"{key}.secret", before=HIDDEN, after=HIDDEN))
        if entry.enabled is not None and entry.enabled != row.enabled:
            changes.append(Change(action=Action.CHANGE, key=f"{key}.enabled", before=row.enabled, after=entry.enabled))
        if changes:
            self._add(changes)
            self.plan.callbacks.append(Callback(entry=entry, secret=secret))

    def _must_be_free(self, file: str | None, where: str) -> None:
        """Before a secret is made that can be shown only once."""
        if file is None or self.options.secrets is None:
            return
        path = self.options.secrets.folder / file
        if path.exists():
            self.problems.append(f"{where}: {file} exists already: move it away, or name another file.")
        elif not path.parent.is_dir():
            self.problems.append(f"{where}: the folder of {file} does not exist: make it first.")

    def _keys(self) -> None:
        for at, entry in (self.document.keys or {}).items():
            row = self.stored.keys.get(entry.name)
            if row is None:
                self._must_be_free(entry.key_file, f"keys[{at}].key_file")
                self._add([Change(action=Action.ADD, key=f"keys.{entry.name}", after={"scopes": [*entry.scopes]})])
                self.plan.keys.append(entry)
            elif set(row.scopes) != {scope.value for scope in entry.scopes}:
                text = f"the key has {', '.join(row.scopes)}, which cannot be changed: give a new key another name."
                self.problems.append(f"keys[{at}].scopes: {text}")


def _names(entries: Mapping[int, Any] | None, field: str) -> set[str] | None:
    if entries is None:
        return None
    names = {str(getattr(entry, field)) for entry in entries.values()}
    return {name.strip().lower() for name in names} if field == "email" else names
