"""What the connector asks is judged by the description of Gorgias' API, which refuses every unknown field."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.mapping import author_of, is_public
from handoff_connectors.gorgias.simulator import GorgiasSimulator
from handoff_connectors.gorgias.webhook import HEADER, read_webhook
from handoff_sync.contract.connector import CommentAuthor, WebhookRequest
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.endpoints import Answer, Call
from tests.connectors.gorgias import openapi
from tests.connectors.gorgias.conftest import DANA, connect
from tests.connectors.gorgias.test_against_simulator import NAMELESS, draft, opened, said
from tests.connectors.zendesk.conftest import MemoryJournal

pytestmark = pytest.mark.skipif(not openapi.FILE.exists(), reason=f"needs {openapi.FILE}")


def everything(bot: GorgiasConnector, desk: GorgiasSimulator) -> None:
    """All that the connector can ask."""
    bot.check()
    bot.install_webhook("https://hooks.example.com/hooks/1")
    desk.state.integrations[0].deactivated_at = datetime.now(UTC)
    bot.install_webhook("https://hooks.example.com/hooks/1")
    ticket, dana = opened(bot, priority="high"), str(desk.account.agent("Dana").id)
    other = opened(bot)
    bot.find("hs:acme:1")
    bot.open(draft(), MemoryJournal())
    for number, (author, public) in enumerate([(NAMELESS, True), (NAMELESS, False), (None, True), (None, False)]):
        bot.append(ticket, said(f"{number}/1", author, public), MemoryJournal())
    desk.snooze(ticket)
    bot.append(ticket, said("9/1"), MemoryJournal())
    bot.find_appended(ticket, "none")
    bot.set_assignee(ticket, dana, "a")
    bot.set_assignee(ticket, None, "a")
    bot.set_status(ticket, TicketStatus.SOLVED, "s")
    bot.set_tags(ticket, ("a",), ("b",), "t")
    bot.read(ticket, None)
    desk.merge(other, ticket)
    bot.read(other, None)
    desk.settings.message_event_object = "TicketMessage"
    desk.note(ticket, "x")
    bot.changed(bot.changed(None, datetime.now(UTC)).cursor, datetime.now(UTC))


@pytest.mark.parametrize("mode", ["note", "thread"])
def test_every_request_is_as_described(mode: str, desk: GorgiasSimulator) -> None:
    heard: list[Call] = []

    def listen(call: Call, answer: Answer) -> None:
        heard.append(call)

    desk.api.observers.append(listen)
    everything(connect(desk, transcript_mode=mode, attach_customer_email=True), desk)
    desk.api.observers.remove(listen)
    mistakes = [f"{c.method} {c.path}: {openapi.request_mistakes(c.method, c.path, c.raw)}" for c in heard if c.raw]
    assert [found for found in mistakes if not found.endswith("[]")] == []
    for call in heard:
        described = openapi.operation(call.method, call.path)
        assert described is not None, call.path
        names = {parameter["name"] for parameter in described["parameters"]}
        assert {name for name, _ in call.query.pairs()} <= names, call.path
    assert len({(c.method, c.path) for c in heard}) > 20


@pytest.mark.skipif(not openapi.EXAMPLES.exists(), reason=f"needs {openapi.EXAMPLES}")
def test_recorded_shapes_of_webhooks_name_their_ticket() -> None:
    bodies = {n: b for n, b in openapi.examples().items() if n.startswith(("webhook_", "short_"))}
    for body in bodies.values():
        request = WebhookRequest({HEADER.lower(): "s"}, json.dumps(body).encode(), datetime.now(UTC))
        assert read_webhook(request, ["s"]).tickets == ("70011",)
    assert len(bodies) > 3


@pytest.mark.skipif(not openapi.EXAMPLES.exists(), reason=f"needs {openapi.EXAMPLES}")
def test_of_recorded_messages_only_the_answer_is_relayed() -> None:
    told = {
        name: (author_of(message, 51200999, Wild(DANA)), is_public(message))
        for name, body in openapi.examples().items()
        if name.startswith("webhook_context")
        for message in [Wild(body["message"])]
    }
    assert told == {
        "webhook_context_agent_reply": (CommentAuthor.AGENT, True),
        "webhook_context_internal_note": (CommentAuthor.AGENT, False),
        "webhook_context_own_echo": (CommentAuthor.OURS, True),
    }
