"""A simulated Paperdesk as one object: account, API, webhooks and agent page behind one address."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.routing import Route

from handoff_paperdesk.simulator.account import Account, Ticket
from handoff_paperdesk.simulator.api import PaperdeskApi, Settings, error_answer
from handoff_paperdesk.simulator.pages import Pages
from handoff_sync.contract.signatures import hmac_hex
from handoff_sync.simulator.entrance import Entrance, agent_page
from handoff_sync.simulator.helpdesk import SimulatedHelpdesk, Works
from handoff_sync.simulator.webhooks import Attempt, Outgoing, WebhookSender


class SimulatedPaperdesk(SimulatedHelpdesk[Settings]):
    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, port: int = 0) -> None:
        super().__init__(Settings())
        self.account = Account(self.clock, self._tell)
        api = PaperdeskApi(self.account, self.settings, self.clock)
        entrance = Entrance(
            answer=api.answer,
            error_answer=error_answer,
            pages=[Route("/tickets/{id}", agent_page)],
            for_people=("/tickets",),
        )
        works = Works(
            store=self.account,
            entrance=entrance,
            sender=WebhookSender(self.clock, _retry),
            pages=Pages(self.account),
            state=lambda: {"tickets": sorted(self.account.tickets)},
            forget=(api.forget,),
        )
        self.open_at("127.0.0.1", port, works)

    def _tell(self, ticket: Ticket, entry: Mapping[str, Any]) -> None:
        """The webhook of an entry. Its secret is the one at the time of sending."""
        hook = self.account.hook
        if hook is None or not hook.active:
            return
        delivery, topic = f"d-{entry['no']}", f"ticket.{entry.get('what', 'slip')}"
        told = {"delivery": delivery, "topic": topic, "ticket": ticket.id, "by": entry["by"]["kind"]}
        body = json.dumps(told).encode()
        self.webhooks.send(
            Outgoing(
                id=delivery,
                hook_id="hook",
                url=hook.url,
                topic=topic,
                body=lambda: body,
                headers=lambda sent: signed(sent, hook.secret, int(time.time())),
            )
        )


def signed(body: bytes, secret: str, at: int) -> dict[str, str]:
    """The headers of a genuine webhook, in lower case."""
    proof = hmac_hex(secret.encode(), f"{at}.".encode() + body)
    return {"content-type": "application/json", "x-paperdesk-time": str(at), "x-paperdesk-signature": proof}


def _retry(attempt: Attempt) -> float | None:
    """Three tries, a minute apart."""
    done = attempt.status is not None and 200 <= attempt.status < 300
    return None if done or attempt.number >= 3 else 60.0
