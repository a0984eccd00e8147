"""What an error of the database means for the one who asked."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from handoff_sync.errors import HandoffError, NotReady


class StoreError(HandoffError):
    """A statement failed for a reason of its own: a fault in this product, or a database without its migrations."""


_UNAVAILABLE_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
    }
)
# PostgreSQL classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNAVAILABLE_CLASSES = ("08", "25006", "53", "57", "58")
_CONFLICT_CODES = frozenset({"40001", "40P01", "55P03", "23505"})


def is_conflict(error: BaseException) -> bool:
    """Whether someone else was faster: the same job may well succeed when it is repeated."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error, IntegrityError) and isinstance(error.orig, sqlite3.Error):
        return True
    return getattr(error.orig, "sqlstate", None) in _CONFLICT_CODES


def is_unavailable(error: BaseException) -> bool:
    """Whether the database, or the disk under it, cannot take work now."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    original = error.orig
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", None)
        return code is not None and (code & 0xFF) in _UNAVAILABLE_SQLITE
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return bool(state.startswith(_UNAVAILABLE_CLASSES))
    return error.connection_invalidated or isinstance(error, OperationalError)


def is_missing_table(error: BaseException) -> bool:
    """Whether the schema is not there at all."""
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return "no such table" in str(original)
    return getattr(original, "sqlstate", None) == "42P01"


def not_ready(error: BaseException) -> NotReady:
    """The same, in our words; the driver's text stays out, it may quote values."""
    kind = type(getattr(error, "orig", None) or error).__name__
    return NotReady(f"The database cannot take work now ({kind}). Check that it runs and that its disk has space.")


def in_our_words(error: BaseException) -> BaseException:
    """An error that may be shown and logged. A database's own text may quote the row that it refused."""
    if not isinstance(error, SQLAlchemyError):
        return error
    if is_conflict(error) and not isinstance(error, IntegrityError):
        return not_ready(error)
    original = getattr(error, "orig", None)
    # SQLite names tables and columns, never values; PostgreSQL's text quotes values, its code does not.
    told = str(original) if isinstance(original, sqlite3.Error) else getattr(original, "sqlstate", None)
    return StoreError(f"The database refused a statement: {type(original or error).__name__} ({told}).")
