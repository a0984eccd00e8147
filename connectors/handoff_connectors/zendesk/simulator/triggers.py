"""The account's own rules: conditions on a change, and what they do then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from handoff_connectors.zendesk.simulator import api_errors, text
from handoff_connectors.zendesk.simulator.account import Account, SentMail
from handoff_connectors.zendesk.simulator.model import TicketChange, Trigger
from handoff_connectors.zendesk.simulator.placeholders import resolver
from handoff_connectors.zendesk.simulator.ticket_fields import read_tags, set_status

WEB_SERVICE: Final = "5"
WEB_FORM: Final = "0"
ORDER: Final = ("new", "open", "pending", "hold", "solved", "closed")
FIELDS: Final = frozenset({"update_type", "status", "current_tags", "comment_is_public", "current_via_id", "role",
                           "assignee_id", "group_id", "priority", "type", "requester_id",
                           "custom_status_id"})  # fmt: skip
ACTIONS: Final = frozenset({"notification_webhook", "notification_user", "notification_group", "status", "priority",
                            "current_tags", "set_tags", "remove_tags", "assignee_id", "group_id"})  # fmt: skip


def check(given: dict[str, Any]) -> None:
    """
    Raises:
        ApiError: 422 for a condition or an action that the simulator does not know, or without any condition.
    """
    conditions = given.get("conditions") or {}
    listed = [*(conditions.get("all") or []), *(conditions.get("any") or [])]
    if not given.get("title"):
        raise api_errors.invalid_field("title", "Title: cannot be blank", "BlankValue")
    if not listed:
        raise api_errors.invalid_field("base", "Conditions: at least one condition is required")
    for condition in listed:
        if condition.get("field") not in FIELDS:
            raise api_errors.invalid_field("base", f"Condition: {condition.get('field')} is invalid")
    for action in given.get("actions") or []:
        if action.get("field") not in ACTIONS:
            raise api_errors.invalid_field("base", f"Action: {action.get('field')} is invalid")


class TriggerRunner:
    """Runs the active triggers over a change, in their order, each once. `notify(webhook id, body)` sends a webhook."""

    def __init__(self, account: Account, notify: Callable[[str, Callable[[], bytes]], None]) -> None:
        self._account, self._notify = account, notify

    def run(self, change: TicketChange) -> None:
        if change.kind not in ("created", "updated", "merged"):
            return
        for trigger in sorted(self._account.triggers.values(), key=lambda t: t.position):
            if trigger.active and self._fires(trigger, change):
                for action in trigger.actions:
                    self._act(action, trigger, change)

    def _fires(self, trigger: Trigger, change: TicketChange) -> bool:
        every, some = trigger.conditions.get("all") or [], trigger.conditions.get("any") or []
        if not all(self._holds(condition, change) for condition in every):
            return False
        return not some or any(self._holds(condition, change) for condition in some)

    def _holds(self, condition: dict[str, Any], change: TicketChange) -> bool:
        name, operator, value = condition["field"], condition.get("operator", "is"), condition.get("value")
        match name:
            case "update_type":
                now: Any = "Create" if change.kind == "created" else "Change"
            case "current_tags":
                has = bool(set(read_tags(value)) & set(change.after["tags"]))
                return has if operator in ("includes", "is") else not has
            case "comment_is_public":
                return _comment_condition(change, str(value).lower())
            case "current_via_id":
                now = WEB_SERVICE if change.audit.via["channel"] == "api" else WEB_FORM
            case "role":
                now = "agent" if change.actor.is_staff and value == "agent" else change.actor.role.replace("-", "_")
            case _:
                return _field_condition(name, operator, value, change)
        return (str(now) == str(value)) is (operator == "is")

    def _act(self, action: dict[str, Any], trigger: Trigger, change: TicketChange) -> None:
        name, value, ticket = action["field"], action.get("value"), change.ticket
        match name:
            case "notification_webhook" if isinstance(value, list) and value:
                self._notify(str(value[0]), self._body(value[1] if len(value) > 1 else "", change))
            case "notification_user":
                self._mail(trigger, change, value)
            case "status":
                set_status(self._account, ticket, str(value))
            case "priority" | "assignee_id" | "group_id":
                setattr(ticket, name, int(str(value)) if name.endswith("_id") else value)
            case "current_tags":
                ticket.tags = list(dict.fromkeys([*ticket.tags, *read_tags(value)]))
            case "set_tags":
                ticket.tags = read_tags(value)
            case "remove_tags":
                ticket.tags = [tag for tag in ticket.tags if tag not in read_tags(value)]
            case _:
                pass

    def _body(self, template: Any, change: TicketChange) -> Callable[[], bytes]:
        """Placeholders are pasted as they are when the webhook is sent, not when the trigger fires."""
        raw = template if isinstance(template, str) else str(dict(template))

        def build() -> bytes:
            with self._account.lock:
                return text.expand(raw, resolver(self._account, change.ticket, change.actor)).encode()

        return build

    def _mail(self, trigger: Trigger, change: TicketChange, value: Any) -> None:
        """Write down the mail that the requester gets, in the account and in the audit."""
        account, ticket = self._account, change.ticket
        requester = account.users[ticket.requester_id]
        if requester.email is None or requester.id == change.actor.id:
            return
        template = value[1] if isinstance(value, list) and len(value) > 1 else "{{ticket.title}}"
        subject = text.expand(str(template), resolver(account, ticket, change.actor))
        account.mails.append(SentMail(ticket.id, requester.email, subject, account.clock.now()))
        via = {"channel": "rule", "source": {"from": {"id": trigger.id, "title": trigger.title}, "to": {},
                                             "rel": "trigger"}}  # fmt: skip
        change.audit.events.append({"id": account.new_id(), "type": "Notification", "via": via, "subject": subject,
                                    "body": "", "recipients": [requester.id]})  # fmt: skip


def _comment_condition(change: TicketChange, value: str) -> bool:
    if change.comment is None:
        return False
    return value in ("not_relevant", "requester_can_see_comment", str(change.comment.public).lower())


def _field_condition(name: str, operator: str, value: Any, change: TicketChange) -> bool:
    before, now = change.before.get(name), change.after.get(name)
    match operator:
        case "is":
            return str(now or "") == str(value or "")
        case "is_not":
            return str(now or "") != str(value or "")
        case "changed":
            return change.changed(name)
        case "not_changed":
            return not change.changed(name)
        case "value":
            return change.changed(name) and str(now) == str(value)
        case "value_previous":
            return change.changed(name) and str(before) == str(value)
        case "less_than" | "greater_than" if name == "status" and value in ORDER:
            lower = ORDER.index(str(now)) < ORDER.index(str(value))
            return lower if operator == "less_than" else not lower and now != value
        case _:
            return False
