"""The chat platform: keeps its conversations, asks the gate before its AI speaks, and obeys the callbacks."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from handoff_sync.simulator.chat.script import answer
from handoff_sync.simulator.chat.service import Service, ServiceRefused
from handoff_sync.simulator.chat.signature import is_authentic
from handoff_sync.simulator.chat.talk import Charge, Talk

T = TypeVar("T")
THINKING_S: Final = 0.9
AI_NAME: Final = "Pip"
CUSTOMERS: Final = (
    {"name": "Maya Lindqvist", "email": "maya@example.com", "email_verified": True, "external_id": "cust-1001"},
    {"name": "Jonas Okafor", "email": "jonas@example.com", "external_id": "cust-1002"},
    {"name": "Noor Haddad", "email": "noor@example.com"},
    {"name": "Sam"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One callback as it came. `authentic` false: the signature was wrong, and nothing was done with it."""

    id: str
    type: str
    conversation_id: str
    data: Mapping[str, Any]
    authentic: bool
    received_at: float


class ChatPlatform:
    """Thread-safe. `thinking_s` is how long the AI seems to think: a takeover in that time must win.

    `unix_time` is the clock by which callbacks are too old.
    """

    def __init__(self, thinking_s: float = THINKING_S, unix_time: Callable[[], float] = time.time) -> None:
        self._service = Service("http://127.0.0.1", "")
        self._secret = ""
        self._thinking_s, self._unix_time = thinking_s, unix_time
        self._changed = threading.Condition()
        self._talks: dict[str, Talk] = {}
        self._callbacks: dict[str, Callback] = {}
        self._ai = ThreadPoolExecutor(max_workers=4, thread_name_prefix="chat-ai")
        self.narrate: Callable[[str], None] = lambda _text: None

    def connect(self, service: Service, callback_secret: str) -> None:
        """From now on this is the service it works with; before, nothing can be said and no callback is believed."""
        self._service, self._secret = service, callback_secret

    # --- conversations --------------------------------------------------------------------------

    def begin(self, conversation_id: str | None = None, customer: Mapping[str, Any] | None = None) -> Talk:
        """A new conversation; without a customer, the next of the invented ones."""
        with self._changed:
            known = customer if customer is not None else CUSTOMERS[len(self._talks) % len(CUSTOMERS)]
            talk = Talk(id=conversation_id or f"chat-{secrets.token_hex(4)}", customer=dict(known))
            self._talks[talk.id] = talk
            return talk

    def talk(self, conversation_id: str) -> Talk | None:
        return self._talks.get(conversation_id)

    def view(self, conversation_id: str, after: int, trace_after: int) -> dict[str, Any] | None:
        with self._changed:
            talk = self._talks.get(conversation_id)
            return talk.view(after, trace_after) if talk else None

    def callbacks(self, conversation_id: str, kind: str = "") -> list[Callback]:
        """What came for a conversation so far, in order of arrival."""
        with self._changed:
            found = [one for one in self._callbacks.values() if one.conversation_id == conversation_id]
            return [one for one in found if not kind or one.type == kind]

    def all_callbacks(self) -> list[Callback]:
        with self._changed:
            return list(self._callbacks.values())

    def wait(self, probe: Callable[[], T | None], timeout_s: float, every_s: float = 0.05) -> T | None:
        """The first true value of `probe`, asked again after each callback and `every_s`; None when time is up."""
        deadline = time.monotonic() + timeout_s
        while not (found := probe()) and time.monotonic() < deadline:
            with self._changed:
                self._changed.wait(every_s)
        return found or None

    # --- what the customer and the AI do ----------------------------------------------------------

    def customer_says(self, conversation_id: str, text: str) -> dict[str, Any]:
        """The customer's words go on the screen and to the service."""
        talk = self._talks[conversation_id]
        message_id = f"m-{secrets.token_hex(6)}"
        with self._changed:
            talk.add("customer", talk.greeting_name, text, message_id)
            self._changed.notify_all()
        return self._tell(conversation_id, "customer.message", message={"id": message_id, "text": text})

    def ai_says(self, conversation_id: str, text: str, *, thinking_s: float = 0.0) -> str:
        """The gate's answer: allow, draft or block. Asks first, thinks, then speaks under the epoch it was given."""
        epoch = int(self._service.gate(conversation_id)["epoch"])
        if thinking_s:
            time.sleep(thinking_s)  # in a thread of the demo's AI; nothing else waits for it
        return self.propose(conversation_id, text, epoch)

    def propose(self, conversation_id: str, text: str, epoch: int) -> str:
        """The gate's answer to one message of the AI, written under `epoch`. It is shown only when allowed."""
        message = {"id": f"m-{secrets.token_hex(6)}", "text": text}
        decision = str(self._service.gate(conversation_id, epoch, message)["decision"])
        talk = self._talks[conversation_id]
        with self._changed:
            if decision == "allow":
                talk.add("ai", AI_NAME, text, message["id"])
            self._note(talk, f"The AI wants to speak under epoch {epoch}: {decision}")
        if decision == "allow":
            self._tell(conversation_id, "ai.message.sent", message=message)
        return decision

    def automation_says(self, conversation_id: str, text: str) -> None:
        """A line of the platform's own machinery: part of the transcript, no takeover."""
        message = {"id": f"m-{secrets.token_hex(6)}", "text": text}
        self._tell(conversation_id, "human.message", author_class="automation", message=message)

    def hand_over(self, conversation_id: str, trigger: str, reason: str) -> dict[str, Any]:
        return self._tell(conversation_id, "handoff.requested", trigger=trigger, reason=reason)

    def _tell(self, conversation_id: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Every event says who the customer is: whichever comes first starts the session."""
        talk = self._talks[conversation_id]
        return self._service.send(conversation_id, kind, channel=talk.channel, customer=talk.customer, **fields)

    def chat(self, conversation_id: str, text: str) -> None:
        """What the page sends: the customer speaks, and the AI answers in its own time."""
        self.customer_says(conversation_id, text)
        self._ai.submit(self._answer, conversation_id, text)

    def _answer(self, conversation_id: str, text: str) -> None:
        said = answer(text)
        try:
            if self._service.gate(conversation_id)["decision"] == "block":
                self._trace(conversation_id, "The gate is closed: the AI stays silent")
                return
            if self.ai_says(conversation_id, said.text, thinking_s=self._thinking_s) == "allow" and said.reason:
                self.hand_over(conversation_id, "customer_request", said.reason)
                self._trace(conversation_id, f"Handoff requested: {said.reason}")
        except (ServiceRefused, OSError) as error:
            self._trace(conversation_id, f"The service did not answer as hoped: {error}")

    # --- what the service tells ------------------------------------------------------------------

    def receive(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Takes a callback in; false when it is not authentic. The same id twice is done once."""
        authentic = is_authentic(self._secret, headers, body, self._unix_time())
        content = json.loads(body) if authentic else {}
        data = content.get("data", {})
        with self._changed:
            delivery = headers.get("webhook-id", f"forged-{len(self._callbacks)}")
            if delivery in self._callbacks:
                return authentic
            self._callbacks[delivery] = Callback(
                id=delivery,
                type=str(content.get("type", "")),
                conversation_id=str(data.get("conversation_id", "")),
                data=data,
                authentic=authentic,
                received_at=time.perf_counter(),
            )
            self._obey(self._callbacks[delivery])
            self._changed.notify_all()
        return authentic

    def _obey(self, callback: Callback) -> None:
        talk = self._talks.get(callback.conversation_id)
        if talk is None or not callback.authentic:
            return
        self._note(talk, f"Callback {callback.type}{_detail(callback)}, signature valid")
        match callback.type:
            case "message.deliver":
                message = callback.data["message"]
                author = message.get("author") or {}
                talk.add("human", author.get("name") or "Support", message["text"], message["id"])
            case "ai_mode.changed":
                self._switch(talk, callback.data)
            case "customer.notice":
                talk.add("notice", "", next(iter(callback.data["texts"].values()), ""))
            case "session.changed" if callback.data.get("change") == "resolved":
                talk.charge, talk.human = Charge.RESOLVED, ""
                talk.add("notice", "", callback.data.get("marker") or "The session was resolved")
            case "session.changed" if callback.data.get("change") == "assigned":
                talk.human = (callback.data.get("assignee") or {}).get("name") or ""
                talk.charge = Charge.HUMAN if talk.human else Charge.WAITING
            case _:
                pass

    def _switch(self, talk: Talk, data: Mapping[str, Any]) -> None:
        epoch = int(data["epoch"])
        if epoch < talk.epoch:
            return  # an older change that came late
        talk.epoch = epoch
        talk.human = (data.get("human") or {}).get("name") or ""
        if data["new"] in ("auto", "auto_pending"):
            talk.charge, talk.human = Charge.AI, ""
        elif data["new"] in ("paused", "copilot", "stopped"):
            talk.charge = Charge.HUMAN if talk.human else Charge.WAITING

    def _trace(self, conversation_id: str, text: str) -> None:
        with self._changed:
            self._note(self._talks[conversation_id], text)

    def _note(self, talk: Talk, text: str) -> None:
        talk.trace.append(text)
        self.narrate(f"{talk.greeting_name}: {text}")
        self._changed.notify_all()

    def close(self) -> None:
        self._ai.shutdown(wait=False, cancel_futures=True)


def _detail(callback: Callback) -> str:
    """What a reader of the trace wants to know of a callback."""
    data = callback.data
    match callback.type:
        case "ai_mode.changed":
            return f": {data['previous']} → {data['new']}, epoch {data['epoch']}"
        case "session.changed" | "quota.changed":
            return f": {data['change']}"
        case "message.deliver":
            return f": a reply of {(data['message'].get('author') or {}).get('name') or 'somebody'}"
        case _:
            return ""
