"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_ZONE = "A time without a zone cannot be stored; use aware UTC."


class Moment(TypeDecorator[datetime]):
    """A point in time, aware UTC: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        wanted: TypeEngine[Any] = BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(wanted)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return microseconds(value)
        if value is not None and value.tzinfo is None:
            raise ValueError(_NO_ZONE)
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _EPOCH + timedelta(microseconds=value) if dialect.name == "sqlite" else value.astimezone(UTC)


def microseconds(value: datetime | None) -> int | None:
    """A point in time as SQLite keeps it."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(_NO_ZONE)
    return (value - _EPOCH) // _MICROSECOND


def counter() -> TypeEngine[int]:
    """The type of a key that counts up by itself; SQLite does so for INTEGER alone."""
    return BigInteger().with_variant(Integer(), "sqlite")
