"""The app's one webhook: what it is told, how it is signed, and what becomes of it when nobody answers."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from handoff_connectors.intercom.simulator import render, render_tickets
from handoff_connectors.intercom.simulator.model import Conversation, Happened, Subscription
from handoff_connectors.intercom.simulator.versions import parsed
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.webhooks import Attempt, Outgoing, WebhookSender, deliver

USER_AGENT: Final = "intercom-parrot-service-client/1.0"
TOPICS: Final = frozenset(
    f"conversation.{name}" for name in (
        "user.created", "user.replied", "admin.replied", "admin.closed", "admin.opened", "admin.snoozed",
        "admin.unsnoozed", "admin.assigned", "admin.open.assigned", "deleted", "contact.attached", "contact.detached",
    )
) | frozenset(
    f"ticket.{name}" for name in (
        "created", "state.updated", "admin.replied", "admin.assigned", "team.assigned", "contact.replied", "closed",
        "resolved", "admin.snoozed", "admin.unsnoozed",
    )
) | {"conversation_part.redacted", "contact.merged", "contact.deleted", "contact.archived"}  # fmt: skip
"""What an app of our kind subscribes to, where nothing else is asked for."""

EVERY_TOPIC: Final = TOPICS | {"conversation.admin.noted", "ticket.note.created",
                               "conversation.operator.replied", "conversation.read",
                               "conversation.priority.updated"}  # fmt: skip
PLAIN_SINCE: Final = (2, 15)
THROTTLE_S: Final = (60.0, 7200.0)
"""How long a receiver that answers 429 is left alone, at least and at most."""
PAUSE_AFTER: Final = 1000
PAUSE_S: Final = 900.0
SUSPEND_AFTER_S: Final = 7 * 86_400.0


class ProbeFailed(ValueError):
    """The address does not answer a HEAD request, so Intercom does not take it."""


def sign(secret: str, body: bytes) -> str:
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


class HookHub:
    """Listens to the workspace and feeds the sender."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._numbers = itertools.count(1)
        wanted = workspace.settings
        self.sender = WebhookSender(workspace.clock, self._retry, self._note, wanted.webhook_timeout_s)
        workspace.listeners.append(self._on_happened)

    def subscribe(self, url: str, topics: Iterable[str] = TOPICS) -> Subscription:
        """What a person does in the Developer Hub; there is no API for it.

        Raises:
            ProbeFailed: the address does not answer HEAD with 2xx.
        """
        outgoing = Outgoing(
            id="probe", hook_id="app", url=url, body=lambda: b"", headers=lambda body: {}, method="HEAD"
        )
        attempt = Attempt(outgoing=outgoing, number=1, at=datetime.now(UTC), headers={"User-Agent": USER_AGENT})
        deliver(attempt, self._workspace.settings.webhook_timeout_s)
        if attempt.status is None or not 200 <= attempt.status < 300:
            said = attempt.error or f"status {attempt.status}"
            raise ProbeFailed(f"The address does not answer a HEAD request with success ({said}).")
        with self._workspace.lock:
            self._workspace.subscription = Subscription(url=url, topics=frozenset(topics))
            return self._workspace.subscription

    def unsubscribe(self) -> None:
        with self._workspace.lock:
            self._workspace.subscription = None

    def ping(self) -> None:
        """The periodic sign of life, which is sent whatever the topics are."""
        self._send("ping", {"type": "ping"})

    def _on_happened(self, happened: Happened) -> None:
        hook = self._workspace.subscription
        if hook is not None and happened.topic in hook.topics:
            self._send(happened.topic, self._item(happened))

    def _item(self, happened: Happened) -> dict[str, Any]:
        if happened.conversation is None:
            return dict(happened.item or {})
        if happened.topic.startswith("ticket."):
            item = render_tickets.ticket(self._workspace, happened.conversation)
            return {"ticket": item} if happened.topic == "ticket.closed" else item
        return self._conversation(happened.conversation, happened)

    def _conversation(self, conversation: Conversation, happened: Happened) -> dict[str, Any]:
        """Only the parts that the event is about, not the history."""
        wanted = self._workspace.settings
        if wanted.minimal_webhooks:
            return {"type": "conversation", "id": conversation.id, "state": conversation.state}
        version = parsed(wanted.app_version)
        as_text = version >= PLAIN_SINCE
        item = render.list_item(self._workspace, conversation, version, as_text)
        shown = render.parts_list(happened.parts, len(conversation.parts), as_text)
        for rendered, part in zip(shown["conversation_parts"], happened.parts, strict=True):
            if as_text and part.attachments:
                rendered["body"] = "\n".join([rendered["body"] or "", *("[Attachment]" for _ in part.attachments)])
        return {**item, "conversation_parts": shown}

    def _send(self, topic: str, item: dict[str, Any]) -> None:
        hook, now = self._workspace.subscription, self._workspace.clock.unix()
        if hook is None or hook.status != "live" or hook.paused_until > now:
            return
        number, wanted = next(self._numbers), self._workspace.settings
        nameless = topic in wanted.null_id_topics or (wanted.null_id_every and number % wanted.null_id_every == 0)
        name = f"notif_{uuid.uuid4()}"
        envelope = {"type": "notification_event", "app_id": wanted.app_id, "id": None if nameless else name,
                    "topic": topic, "created_at": int(now), "first_sent_at": int(now), "delivery_attempts": 1,
                    "delivery_status": "pending", "delivered_at": 0, "links": {}, "self": None,
                    "data": {"type": "notification_event_data", "item": item}}  # fmt: skip
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        secret = self._workspace.credentials.client_secret
        self.sender.send(Outgoing(id=name, hook_id="app", url=hook.url, body=lambda: body, topic=topic,
                                  headers=lambda raw: _headers(secret, raw)))  # fmt: skip

    # --- answers ---------------------------------------------------------------------------------

    def _retry(self, attempt: Attempt) -> float | None:
        """One more try after a minute; a receiver that is throttled is tried for two hours."""
        if attempt.status is not None and (200 <= attempt.status < 300 or attempt.status == 410):
            return None
        if attempt.status == 429:
            wait_s = THROTTLE_S[0] * 2.0 ** (attempt.number - 1)
            return wait_s if wait_s < THROTTLE_S[1] else None
        return self._workspace.settings.webhook_retry_s if attempt.number == 1 else None

    def _note(self, attempt: Attempt, last: bool) -> None:
        """Count failures; too many pause the webhook, a week of them suspends it, and 410 turns it off."""
        hook, now = self._workspace.subscription, self._workspace.clock.unix()
        if hook is None or attempt.number == 0:
            return
        if attempt.status is not None and 200 <= attempt.status < 300:
            hook.failures, hook.failing_since = 0, None
            return
        hook.failures += 1
        hook.failing_since = hook.failing_since or now
        if attempt.status == 410:
            hook.status = "disabled"
        elif now - hook.failing_since >= SUSPEND_AFTER_S:
            hook.status = "suspended"
        elif hook.failures > PAUSE_AFTER:
            hook.failures, hook.paused_until = 0, now + PAUSE_S


def _headers(secret: str, body: bytes) -> dict[str, str]:
    return {"User-Agent": USER_AGENT, "Content-Type": "application/json", "Accept": "application/json",
            "X-Hub-Signature": sign(secret, body)}  # fmt: skip
