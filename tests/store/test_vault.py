"""Secrets at rest: unreadable without the key, and useless in another place."""

from __future__ import annotations

import pytest

from handoff_sync.errors import ConfigurationError
from handoff_sync.store.vault import Vault, place

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
HERE = place("ws1", "connections", "con1", "secrets")


def test_what_was_sealed_is_opened() -> None:
    vault = Vault({"k1": OLD})
    token = vault.seal("pässword", HERE)
    assert vault.open(token, HERE) == "pässword"
    assert "ssword" not in token
    assert vault.seal("pässword", HERE) != token


def test_a_sealed_value_moved_elsewhere_cannot_be_opened() -> None:
    vault = Vault({"k1": OLD})
    token = vault.seal("x", HERE)
    for other in (place("ws2", "connections", "con1", "secrets"), place("ws1", "connections", "con2", "secrets")):
        with pytest.raises(ConfigurationError, match="moved"):
            vault.open(token, other)


def test_places_cannot_be_confused() -> None:
    assert place("a", "b", "c", "d") != place("a\x1fb", "c", "d", "") != place("a", "b", "cd", "")


@pytest.mark.parametrize("broken", ["", "x", "v1.k1.", "v1.k1.!!!", "v1.k1.AAAA", "v2.k1.AAAA"])
def test_a_broken_value_tells_what_to_do(broken: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Enter it again|Put that key back"):
        Vault({"k1": OLD}).open(broken, HERE)


def test_a_changed_value_is_noticed() -> None:
    vault = Vault({"k1": OLD})
    token = vault.seal("secret", HERE)
    for position in range(len("v1.k1."), len(token) - 2, 7):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(ConfigurationError):
            vault.open(changed, HERE)


def test_the_newest_key_seals_and_older_ones_still_open() -> None:
    before, after = Vault({"k1": OLD}), Vault({"k2": NEW, "k1": OLD})
    token = before.seal("x", HERE)
    assert after.open(token, HERE) == "x"
    assert after.stale(token)
    assert not after.stale(after.seal("x", HERE))
    with pytest.raises(ConfigurationError, match="'k1'"):
        Vault({"k2": NEW}).open(token, HERE)


def test_without_a_key_nothing_starts() -> None:
    with pytest.raises(ConfigurationError, match="HANDOFF_SECRET_KEYS"):
        Vault({})
