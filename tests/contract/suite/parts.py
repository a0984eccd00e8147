"""What the service lends a connector, kept in memory: journal, credentials and limiter."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class MemoryJournal:
    """Outlives connectors, as the row of an effect does. `before_put` is told what is about to be kept."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.kept.get(name)

    def put(self, name: str, value: str) -> None:
        self.kept[name] = value


class StoredSecrets:
    """Credentials of one connection, shared by all connectors that stand for its processes."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets: Mapping[str, str] = dict(secrets)

    def current(self) -> Mapping[str, str]:
        return self.secrets

    def refresh(self, renew: Callable[[Mapping[str, str]], Mapping[str, str]], stale: str) -> Mapping[str, str]:
        if self.secrets.get("access_token", "") == stale:
            self.secrets = renew(self.secrets)
        return self.secrets


class Spending:
    """A limiter without limits that remembers what was spent."""

    def __init__(self) -> None:
        self.spent: list[str] = []

    def spend(self, name: str) -> None:
        self.spent.append(name)
