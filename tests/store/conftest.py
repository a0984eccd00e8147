"""A running store on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.world import Store, opened, with_workspace


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """With one workspace, on SQLite and on PostgreSQL."""
    with opened(database_url) as running:
        yield with_workspace(running)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    with opened(sqlite_url) as running:
        yield with_workspace(running)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with opened(postgres_url) as running:
        yield with_workspace(running)
