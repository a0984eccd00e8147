"""Letters of every kind, and a reader of their HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from handoff_sync.core.model import AuthorClass, Trigger
from handoff_sync.core.policy import OnDecisionExpiry
from handoff_sync.emails.digest import ORDER, digests
from handoff_sync.emails.letters import (
    AdminJoined,
    Alert,
    ConnectionDown,
    Conversation,
    Decided,
    DecidedAs,
    DecisionNeeded,
    DigestItem,
    Handover,
    Letter,
    Line,
    Reminder,
    Test,
    TicketFailed,
    TicketLine,
)

LANGUAGES = ("en", "pt", "es")

ANN = Conversation(
    session_url="https://chat.example.com/1",
    chat_url="https://chat.example.com/1",
    customer_name="Ann Lee",
    customer_address="ann@example.com",
    channel="web",
    trigger=Trigger.CUSTOMER_REQUEST,
    scenarios=("Refund requests over $200",),
    reason="wants\nmoney",
    summary="Order 7 is late.",
    waiting_since="2026-03-02 12:01 UTC",
    excerpt=(Line(author="Ann Lee", at="2026-03-02 12:00 UTC", text="hello\nthere", role=AuthorClass.CUSTOMER),),
    tickets=(TicketLine(title="Zendesk", url="https://acme.example.com/7"), TicketLine(title="Gorgias")),
    workspace_name="Acme",
)
DECIDE = "https://handoff.example.com/decide/abc"


def about_a_session(conversation: Conversation = ANN, words: str = "Bo") -> list[Letter]:
    """One of every kind, and one of every outcome, with `words` wherever a name or text of others can stand."""
    return [
        Handover(conversation=conversation),
        DecisionNeeded(
            conversation=conversation,
            decision_url=DECIDE,
            code="K7Q2MX",
            expires_at="2026-03-02 12:30 UTC",
            on_expiry=OnDecisionExpiry.KEEP_AI,
        ),
        DecisionNeeded(conversation=conversation, decision_url=DECIDE, again=True),
        *(
            Decided(
                conversation=conversation,
                outcome=outcome,
                decided_by=words,
                decided_at="2026-03-02 12:10 UTC",
                decided_via="mail",
                decision_url=DECIDE,
            )
            for outcome in DecidedAs
        ),
        Reminder(conversation=conversation, waiting_minutes=5),
        TicketFailed(conversation=conversation, helpdesk=words, reason=words),
    ]


def others(words: str = "Bo") -> list[Letter]:
    url = "https://handoff.example.com"
    items = [DigestItem(kind=kind, customer_name=words, why=words, by=words, url=url) for kind in ORDER]
    return [
        *digests(items, words),
        ConnectionDown(connection=words, helpdesk=words, since=words, said=words, todo=words, url=url, waiting=3),
        ConnectionDown(connection=words, stopped=True, waiting=1, workspace_name=words),
        Alert(title=words or "Alert", detail=words, todo=words, url=url),
        AdminJoined(customer_name=words, human_name=words, workspace_name=words),
        Test(sent_at=words, server=words, workspace_name=words),
    ]


def letters(conversation: Conversation = ANN, words: str = "Bo") -> list[Letter]:
    return about_a_session(conversation, words) + others(words)


def full_of(words: str) -> Conversation:
    """A conversation with these words in every place that others fill."""
    return Conversation(
        session_url="https://x.example.com",
        chat_url="https://y.example.com",
        customer_name=words,
        customer_address=words,
        channel=words,
        why=words,
        scenarios=(words,) * 9,
        reason=words,
        summary=words,
        waiting_since=words,
        excerpt=(Line(author=words, at=words, text=words),) * 12,
        tickets=(TicketLine(title=words, url="https://x.example.com/" + "&" * 500),) * 9,
        workspace_name=words,
    )


def ids(letter: Letter) -> str:
    return letter.template


class Page(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def seen(markup: str) -> str:
    """The visible words of a page, without styles."""
    return " ".join("".join(Page(re.sub(r"(?s)<style.*?</style>", "", markup)).words).split())
