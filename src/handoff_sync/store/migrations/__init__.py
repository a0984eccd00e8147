"""Migrations of the schema, run by `handoff_sync.store.migrate`. Never changed once released; add a new one instead."""
