"""HTTP integrations at work: what changes is told to the addresses that the merchant entered, and told again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from handoff_connectors.gorgias.simulator import templates
from handoff_connectors.gorgias.simulator.account import Account, SentMail
from handoff_connectors.gorgias.simulator.model import Change, Integration
from handoff_connectors.gorgias.simulator.schemas import GROUP_B
from handoff_sync.simulator.webhooks import Attempt, Outgoing, WebhookSender

JSON: Final = "application/json"
BODILESS: Final = frozenset({"GET", "HEAD"})


class HookHub:
    """Listens to the account and feeds the sender. Calls carry no signature, only the headers of the integration."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._numbers = itertools.count(1)
        self.sender = WebhookSender(account.clock, self._retry, self._note, account.settings.webhook_timeout_s)
        account.listeners.append(self._on_change)

    def _on_change(self, change: Change) -> None:
        for integration in list(self._account.integrations.values()):
            wanted = {name for name, on in (integration.http.get("triggers") or {}).items() if on}
            for trigger in sorted(wanted & change.triggers):
                if integration.deactivated_at is None:
                    self._send(integration, change, trigger)

    def _send(self, integration: Integration, change: Change, trigger: str) -> None:
        http, account = integration.http, self._account
        if trigger in GROUP_B:
            whole: Any = templates.short_ticket(account, change)
            context: Mapping[str, Any] = {"ticket": whole}
        else:
            whole = context = templates.full_context(account, change, trigger)
        null, method = account.settings.null_renders, http.get("method", "POST")
        form = templates.filled(http.get("form"), context, whole, null)
        kind = http.get("request_content_type", JSON)
        url = str(templates.filled(http["url"], context, "", null))
        body = b""
        if method in BODILESS:
            url += f"?{urlencode(form)}" if isinstance(form, dict) and form else ""
        elif form is not None:
            body = (json.dumps(form) if kind == JSON else urlencode(form)).encode()
        given = templates.filled(http.get("headers") or {}, context, "", null)
        headers = {"User-Agent": "Gorgias HTTP integration", "Accept": JSON, "Content-Type": kind, **given}
        self.sender.send(Outgoing(id=f"call-{next(self._numbers)}", hook_id=str(integration.id), url=url,
                                  body=lambda: body, headers=lambda raw: headers, method=method,
                                  topic=trigger))  # fmt: skip

    def _retry(self, attempt: Attempt) -> float | None:
        """Timeouts, dead connections, 429 and 5xx are tried again; any other answer is final."""
        waits = self._account.settings.webhook_retry_waits_s
        again = attempt.status is None or attempt.status == 429 or attempt.status >= 500
        return waits[attempt.number - 1] if again and attempt.number <= len(waits) else None

    def _note(self, attempt: Attempt, last: bool) -> None:
        """Count failures in a row; too many switch the integration off and tell the admin."""
        with self._account.lock:
            integration = self._account.integrations.get(int(attempt.outgoing.hook_id))
            if integration is None or attempt.number == 0:
                return
            if attempt.status is not None and attempt.status < 300:
                integration.failures = 0
                return
            integration.failures += 1
            limit = self._account.settings.deactivate_after
            if integration.failures >= limit and integration.deactivated_at is None:
                self._deactivate(integration)

    def _deactivate(self, integration: Integration) -> None:
        now = self._account.clock.now()
        integration.deactivated_at = now
        subject = f"Your HTTP integration {integration.name} was disabled"
        self._account.mails.append(SentMail(None, None, self._account.credentials.email, subject, now))
