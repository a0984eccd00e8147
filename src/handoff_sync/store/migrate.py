from handoff_sync.store.engine import Database
from handoff_sync.store.tables import metadata


def migrate(db: Database) -> None:
    metadata.create_all(db.write)


def pending_migrations(db: Database) -> bool:
    return False
