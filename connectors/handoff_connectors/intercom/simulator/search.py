"""Search queries: fields, operators, nesting, and how dates are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from handoff_connectors.intercom.simulator import api_errors

MAX_FILTERS: Final = 15
MAX_NESTING: Final = 2
Document = Mapping[str, Any]
Predicate = Callable[[Document], bool]


class Kind(StrEnum):
    TEXT = "text"
    WORDS = "words"  # compared with each word of the text by itself
    MANY = "many"  # several texts; one that fits is enough
    NUMBER = "number"
    TRUTH = "truth"
    DATE = "date"  # Unix seconds, at the second
    DAY = "day"  # Unix seconds, by whole day of the workspace


OPERATORS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.TEXT: frozenset({"=", "!=", "IN", "NIN", "~", "!~", "^", "$"}),
    Kind.WORDS: frozenset({"=", "!=", "IN", "NIN", "~", "!~", "^", "$"}),
    Kind.MANY: frozenset({"=", "!=", "IN", "NIN"}),
    Kind.NUMBER: frozenset({"=", "!=", "IN", "NIN", ">", "<", ">=", "<="}),
    Kind.TRUTH: frozenset({"=", "!="}),
    Kind.DATE: frozenset({"=", "!=", "IN", "NIN", ">", "<", ">=", "<="}),
    Kind.DAY: frozenset({"=", ">", "<"}),
}

CONVERSATION_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("id", "source.type", "source.id", "source.delivered_as", "source.subject", "source.author.id",
                     "source.author.type", "source.author.name", "source.author.email", "source.url", "state",
                     "priority", "statistics.last_closed_by_id"), Kind.TEXT),
    "source.body": Kind.WORDS,
    **dict.fromkeys(("contact_ids", "teammate_ids", "tag_ids"), Kind.MANY),
    **dict.fromkeys(("admin_assignee_id", "team_assignee_id", "statistics.count_reopens",
                     "statistics.count_assignments", "statistics.count_conversation_parts"), Kind.NUMBER),
    **dict.fromkeys(("open", "read", "ai_agent_participated"), Kind.TRUTH),
    **dict.fromkeys(("created_at", "updated_at", "waiting_since", "snoozed_until", "statistics.last_contact_reply_at",
                     "statistics.last_admin_reply_at", "statistics.last_close_at"), Kind.DATE),
}  # fmt: skip

TICKET_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("id", "title", "description", "category", "ticket_type_id", "state"), Kind.TEXT),
    **dict.fromkeys(("contact_ids", "teammate_ids"), Kind.MANY),
    **dict.fromkeys(("admin_assignee_id", "team_assignee_id"), Kind.NUMBER),
    "open": Kind.TRUTH,
    **dict.fromkeys(("created_at", "updated_at", "snoozed_until"), Kind.DATE),
}  # fmt: skip

CONTACT_FIELDS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("id", "role", "name", "email", "email_domain", "phone", "owner_id", "external_id"), Kind.TEXT),
    **dict.fromkeys(("created_at", "updated_at", "signed_up_at", "last_seen_at", "last_replied_at"), Kind.DAY),
}  # fmt: skip


def predicate(query: Any, fields: Mapping[str, Kind], timezone: str) -> Predicate:
    """Whether a document fits a query.

    Raises:
        ApiError: 400 for an unknown field or operator, a value that does not fit, or too much of it.
    """
    return _group_or_filter(query, fields, ZoneInfo(timezone), 0)


def _group_or_filter(query: Any, fields: Mapping[str, Kind], zone: ZoneInfo, depth: int) -> Predicate:
    if not isinstance(query, dict):
        raise api_errors.invalid("query is invalid")
    if query.get("operator") not in ("AND", "OR"):
        return _filter(query, fields, zone)
    inner = query.get("value")
    if not isinstance(inner, list) or not inner:
        raise api_errors.invalid("query is invalid: a group needs filters")
    if len(inner) > MAX_FILTERS:
        raise api_errors.invalid(f"query is invalid: more than {MAX_FILTERS} filters in a group")
    if depth > MAX_NESTING:
        raise api_errors.invalid(f"query is invalid: more than {MAX_NESTING} nested groups")
    parts = [_group_or_filter(part, fields, zone, depth + 1) for part in inner]
    every = all if query["operator"] == "AND" else any
    return lambda document: every(part(document) for part in parts)


def _filter(query: Mapping[str, Any], fields: Mapping[str, Kind], zone: ZoneInfo) -> Predicate:
    name, operator, value = str(query.get("field")), str(query.get("operator")), query.get("value")
    kind = fields.get(name) or (fields.get("custom_attributes.*") if name.startswith("custom_attributes.") else None)
    if kind is None:
        raise api_errors.invalid(f"query is invalid: unknown field {name}")
    if operator not in OPERATORS[kind]:
        raise api_errors.invalid(f"query is invalid: operator {operator} is not supported for {name}")
    if (operator in ("IN", "NIN")) is not isinstance(value, list):
        raise api_errors.invalid(f"query is invalid: the value for {operator} has the wrong type")
    wanted = [_value(kind, v) for v in value] if isinstance(value, list) else _value(kind, value)
    return lambda document: _fits(kind, operator, document.get(name), wanted, zone)


def _value(kind: Kind, value: Any) -> Any:
    if kind is Kind.TRUTH:
        return value is True or str(value).lower() == "true"
    if kind in (Kind.NUMBER, Kind.DATE, Kind.DAY):
        if value is None:
            return None
        if isinstance(value, bool) or not str(value).removeprefix("-").isdigit():
            raise api_errors.invalid(f"query is invalid: {value!r} is not a number")
        return int(value)
    return None if value is None else str(value).lower()


def _fits(kind: Kind, operator: str, has: Any, wanted: Any, zone: ZoneInfo) -> bool:
    match kind:
        case Kind.MANY:
            return _one_of([str(h).lower() for h in has or ()], operator, wanted)
        case Kind.WORDS:
            return _one_of(str(has or "").lower().split(), operator, wanted)
        case Kind.TEXT:
            return _text_fits(operator, None if has is None else str(has).lower(), wanted)
        case Kind.DAY:
            return has is not None and wanted is not None and _day_fits(operator, int(has), wanted, zone)
        case _:
            return _number_fits(operator, has, wanted)


def _one_of(have: list[str], operator: str, wanted: Any) -> bool:
    if operator in ("!=", "NIN", "!~"):
        return not _one_of(have, {"!=": "=", "NIN": "IN", "!~": "~"}[operator], wanted)
    return any(_text_fits(operator, h, wanted) for h in have)


def _text_fits(operator: str, has: Any, wanted: Any) -> bool:
    match operator:
        case "=":
            return bool(has == wanted)
        case "!=":
            return bool(has != wanted)
        case "IN":
            return has in wanted
        case "NIN":
            return has not in wanted
        case "~":
            return has is not None and wanted in has
        case "!~":
            return has is None or wanted not in has
        case "^":
            return has is not None and bool(has.startswith(wanted))
        case _:
            return has is not None and bool(has.endswith(wanted))


def _number_fits(operator: str, has: Any, wanted: Any) -> bool:
    """For `>` and `<` equal is enough, as documented for conversations."""
    match operator:
        case "=" | "!=" | "IN" | "NIN":
            return _text_fits(operator, has, wanted)
        case ">" | ">=":
            return has is not None and wanted is not None and bool(has >= wanted)
        case _:
            return has is not None and wanted is not None and bool(has <= wanted)


def _day_fits(operator: str, has: int, wanted: int, zone: ZoneInfo) -> bool:
    """`=` is the whole day, `>` begins with the next one, `<` ends before it."""
    day = datetime.fromtimestamp(wanted, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    begin, end = day.timestamp(), (day + timedelta(days=1)).timestamp()
    match operator:
        case "=":
            return begin <= has < end
        case ">":
            return has >= end
        case _:
            return has < begin
