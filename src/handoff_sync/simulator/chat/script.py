"""What the scripted AI says. No model behind it: the demo must run anywhere and say the same each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the AI wants to say, and why it then wants a human; `reason` empty: it does not."""

    text: str
    reason: str = ""


_HUMAN: Final = ("human", "person", "agent", "someone", "representative", "colleague", "staff", "manager")
_ANGRY: Final = ("angry", "ridiculous", "terrible", "worst", "unacceptable", "complain", "lawyer")
_SCRIPT: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("where", "order", "deliver", "track", "parcel"),
        "Order 4711 left our workshop yesterday and arrives on Thursday.",
    ),
    (("return", "size", "exchange"), "You can send it back within 30 days. Shall I mail you the label?"),
    (("refund", "money", "charged"), "I can see the payment. Refunds take three working days once the return is here."),
    (("open", "hours", "shop"), "The shop is open Monday to Saturday, 9 to 18 h."),
    (("thank", "great", "perfect"), "You are welcome! Anything else?"),
    (("hello", "hi ", "hey", "good morning"), "Hello! I am Pip. Ask me about an order, a return or a refund."),
)
_FALLBACK: Final = "I am only a script, so I know orders, returns and refunds. Shall I get you a human?"


def answer(text: str) -> Answer:
    """The AI's answer to what a customer wrote."""
    words = f"{text.lower()} "
    if any(word in words for word in _HUMAN):
        return Answer(
            text="Of course. I am asking a colleague to join us here.", reason="The customer asks for a human"
        )
    if any(word in words for word in _ANGRY):
        return Answer(text="I am sorry about this. A colleague will look into it.", reason="The customer is upset")
    return Answer(text=next((said for cues, said in _SCRIPT if any(cue in words for cue in cues)), _FALLBACK))
