"""The configuration: workspaces, keys, connections, callback endpoints."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handoff_sync.core.policy import Policy
from handoff_sync.errors import ConfigurationError, NotFound, Refused
from handoff_sync.store.admin import Admin
from handoff_sync.store.admin.keys import key_hash
from handoff_sync.store.committer import Job
from handoff_sync.store.rows import ConnectionRow
from handoff_sync.store.vault import Vault
from tests.store.world import NOON, WORKSPACE, Store, link, note, save, session


def connect(store: Store, name: str = "acme") -> ConnectionRow:
    return store.admin.create_connection(WORKSPACE, "zendesk", name, {"subdomain": "acme"}, {"token": "secret-token"})


def every_stored_text(store: Store) -> str:
    tables = ("workspaces", "api_keys", "connections", "callback_endpoints")
    with store.db.read.connect() as connection:
        return repr([connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables])


# --- workspaces -------------------------------------------------------------------------------------


def test_workspaces_are_made_changed_and_listed(store: Store) -> None:
    made = store.admin.create_workspace("Other", Policy(redact=False))
    assert store.admin.workspace(made.id) == made
    store.admin.update_workspace(made.id, name="Renamed", teams={"sales": {"redact": True}})
    changed = store.admin.workspace(made.id)
    assert changed == replace(made, name="Renamed", teams={"sales": {"redact": True}}, revision=2)
    assert {row.id for row in store.admin.workspaces()} == {WORKSPACE, made.id}
    assert store.admin.workspace("ws9") is None
    with pytest.raises(NotFound):
        store.admin.update_workspace("ws9", name="x")


# --- API keys ---------------------------------------------------------------------------------------


def test_a_key_is_found_by_its_hash_and_stored_nowhere(store: Store) -> None:
    made = store.admin.create_api_key(WORKSPACE, "platform", ["events", "gate"], NOON + timedelta(days=1))
    assert made.key.startswith("hsk_")
    assert made.key.startswith(made.row.prefix)
    assert store.admin.api_key(key_hash(made.key)) == made.row
    assert store.admin.api_keys(WORKSPACE) == (made.row,)
    assert store.admin.api_key(key_hash("hsk_other")) is None
    assert made.key not in every_stored_text(store)


def test_a_revoked_key_says_so(store: Store) -> None:
    made = store.admin.create_api_key(WORKSPACE, "platform", ["events"])
    assert not store.admin.revoke_api_key("ws2", made.row.id)
    assert store.admin.revoke_api_key(WORKSPACE, made.row.id)
    assert not store.admin.revoke_api_key(WORKSPACE, made.row.id)
    row = store.admin.api_key(key_hash(made.key))
    assert row is not None
    assert row.revoked_at == NOON


# --- connections ------------------------------------------------------------------------------------


def test_a_connection_is_found_in_every_way(store: Store) -> None:
    made, other = connect(store), connect(store, "second")
    assert made.settings == {"subdomain": "acme"}
    assert store.admin.connection(made.id) == made
    assert store.admin.connection_by_hook_token(made.hook_token) == made
    assert store.admin.connection_by_name(WORKSPACE, "acme") == made
    both = tuple(sorted((made, other), key=lambda row: row.id))
    assert store.admin.connections(WORKSPACE) == both == store.admin.connections()
    assert store.admin.connections("ws2") == ()
    assert store.admin.connection("con9") is None
    assert store.admin.connection_by_hook_token("guessed") is None


def test_a_connection_s_name_is_unique_in_its_workspace(store: Store) -> None:
    connect(store)
    with pytest.raises(Refused, match="Choose another name"):
        connect(store)
    with pytest.raises(NotFound):
        store.admin.create_connection("ws9", "zendesk", "acme", {}, {})


def test_secrets_are_sealed_and_bound_to_their_connection(store: Store) -> None:
    made, other = connect(store), connect(store, "second")
    assert store.admin.connection_secrets(made.id) == {"token": "secret-token"}
    assert "secret-token" not in every_stored_text(store)
    store.admin.save_connection_secrets(made.id, {"token": "fresh"})
    assert store.admin.connection_secrets(made.id) == {"token": "fresh"}
    with store.db.write.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE connections SET secrets = (SELECT secrets FROM connections WHERE id = '{made.id}')"
            f" WHERE id = '{other.id}'"
        )
    with pytest.raises(ConfigurationError):
        store.admin.connection_secrets(other.id)
    with pytest.raises(NotFound):
        store.admin.connection_secrets("con9")
    with pytest.raises(NotFound):
        store.admin.save_connection_secrets("con9", {})


def test_only_one_caller_may_refresh_credentials_at_a_time(store: Store) -> None:
    made = connect(store)
    assert store.admin.take_refresh_lease(made.id, 30)
    assert not store.admin.take_refresh_lease(made.id, 30)
    store.clock.forward(30)
    assert store.admin.take_refresh_lease(made.id, 30)
    store.admin.save_connection_secrets(made.id, {"token": "new"})
    assert store.admin.take_refresh_lease(made.id, 30)
    store.clock.forward(-3600)
    assert store.admin.take_refresh_lease(made.id, 30), "a clock that was set back must not lock everybody out"


def test_a_pause_is_only_ever_made_longer(store: Store) -> None:
    made = connect(store)
    for seconds in (60, 10):
        store.admin.pause_connection(made.id, NOON + timedelta(seconds=seconds))
    paused = store.admin.connection(made.id)
    assert paused is not None
    assert paused.paused_until == NOON + timedelta(seconds=60)


def test_a_connection_stops_once_and_starts_with_what_waited(store: Store) -> None:
    made = connect(store)
    store.committer.run(save(session(links=(link(connection=made.id),)), note("one")))
    claim = store.must_claim("s1/ticket:l1")
    later = NOON + timedelta(hours=1)
    store.committer.run(Job(lambda uow: uow.retry(claim, later, "stopped", count=False)))
    assert store.admin.stop_connection(made.id, "401")
    assert not store.admin.stop_connection(made.id, "again")
    stopped = store.admin.connection(made.id)
    assert stopped is not None
    assert stopped.stopped_reason == "401"
    store.take_rung()
    assert store.admin.start_connection(made.id)
    assert store.take_rung() == {"s1/ticket:l1"}
    assert store.admin.connection(made.id) == made
    assert store.reads.due_lanes(5) == ("s1/ticket:l1",)
    assert not store.admin.start_connection("con9")


def test_a_connection_is_changed_and_deleted(store: Store) -> None:
    made = connect(store)
    store.admin.update_connection(made.id, name="new name", settings={"subdomain": "b"}, enabled=False)
    assert store.admin.connection(made.id) == replace(made, name="new name", settings={"subdomain": "b"}, enabled=False)
    assert store.admin.delete_connection(made.id)
    assert store.admin.connection(made.id) is None
    assert not store.admin.delete_connection(made.id)


# --- callback endpoints -----------------------------------------------------------------------------


def test_an_endpoint_signs_with_its_two_newest_secrets(store: Store) -> None:
    endpoint, first = store.admin.create_endpoint(WORKSPACE, "https://one.example.com/hook")
    assert first.startswith("whsec_")
    assert store.admin.endpoint_secrets(endpoint.id) == (first,)
    second = store.admin.rotate_endpoint_secret(endpoint.id)
    third = store.admin.rotate_endpoint_secret(endpoint.id)
    assert store.admin.endpoint_secrets(endpoint.id) == (third, second)
    assert not {part for part in (first, second, third) if part in every_stored_text(store)}
    with pytest.raises(NotFound):
        store.admin.endpoint_secrets("ep9")


def test_an_endpoint_s_troubles_are_remembered_until_it_is_enabled_again(store: Store) -> None:
    endpoint, _ = store.admin.create_endpoint(WORKSPACE, "https://one.example.com/hook")
    store.admin.endpoint_failing_since(endpoint.id, NOON)
    store.admin.disable_endpoint(endpoint.id, "410 Gone")
    assert store.admin.endpoint(endpoint.id) == replace(
        endpoint, enabled=False, disabled_reason="410 Gone", failing_since=NOON
    )
    store.admin.enable_endpoint(endpoint.id)
    assert store.admin.endpoints(WORKSPACE) == (endpoint,)
    store.admin.update_endpoint(endpoint.id, url="https://two.example.com")
    assert store.admin.endpoints(WORKSPACE)[0].url == "https://two.example.com"
    assert store.admin.delete_endpoint(endpoint.id)
    assert store.admin.endpoints(WORKSPACE) == ()


def test_another_key_ring_opens_nothing(store: Store) -> None:
    made = connect(store)
    stranger = Admin(store.db, store.committer, Vault({"k2": bytes(range(32))}))
    with pytest.raises(ConfigurationError, match="'k1'"):
        stranger.connection_secrets(made.id)
