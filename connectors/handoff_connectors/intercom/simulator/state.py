"""What a test or a person may want to know about the workspace: the control API's `state`."""

from __future__ import annotations

from typing import Any

from handoff_connectors.intercom.simulator import render, text
from handoff_connectors.intercom.simulator.model import Contact, Conversation, Part, Subscription
from handoff_connectors.intercom.simulator.workspace import Workspace
from handoff_sync.simulator.request_log import LoggedRequest, RequestLog


class SimulatorState:
    """A view of the workspace. Objects are the live ones: read them, do not change them."""

    def __init__(self, workspace: Workspace, log: RequestLog) -> None:
        self._workspace, self._log = workspace, log

    @property
    def conversations(self) -> list[Conversation]:
        """All conversations, deleted ones too, oldest first."""
        with self._workspace.lock:
            return list(self._workspace.conversations.values())

    def conversation(self, conversation_id: int | str) -> Conversation:
        """
        Raises:
            KeyError: there is none.
        """
        return self._workspace.conversations[str(conversation_id)]

    def parts(self, conversation_id: int | str, part_type: str | None = None) -> list[Part]:
        """Parts of a conversation, oldest first; the first message is not among them."""
        with self._workspace.lock:
            return [p for p in self.conversation(conversation_id).parts if part_type in (None, p.part_type)]

    def texts(self, conversation_id: int | str, public: bool | None = None) -> list[str]:
        """The words of a conversation, the first message first; only what the customer sees, or only notes."""
        conversation = self.conversation(conversation_id)
        with self._workspace.lock:
            said = [] if public is False else [text.plain(conversation.source.body)]
            for part in conversation.parts:
                if part.body is not None and public in (None, part.shown_to_customer):
                    said.append(text.plain(part.body))
            return said

    def begun_with(self, token: str) -> list[Conversation]:
        """Every conversation whose first message holds the token. More than one is a doubled ticket."""
        return [c for c in self.conversations if token in c.source.text]

    def notified(self, conversation_id: int | str) -> list[Part]:
        """The parts that the customer was told of by Messenger or mail."""
        return [part for part in self.parts(conversation_id) if part.notified]

    @property
    def contacts(self) -> list[Contact]:
        """All contacts ever made, oldest first."""
        with self._workspace.lock:
            return list(self._workspace.contacts.values())

    def contact(self, contact_id: str) -> Contact:
        return self._workspace.contacts[contact_id]

    @property
    def webhook(self) -> Subscription | None:
        return self._workspace.subscription

    def requests(self, method: str | None = None, path_contains: str = "") -> list[LoggedRequest]:
        return self._log.all(method, path_contains)

    def as_dict(self, requests: bool = True) -> dict[str, Any]:
        """Everything, as JSON."""
        workspace, hook = self._workspace, self._workspace.subscription
        with workspace.lock:
            shown: dict[str, Any] = {
                "now": workspace.clock.now().isoformat(),
                "conversations": [self._conversation(c) for c in workspace.conversations.values()],
                "contacts": [self._contact(c) for c in workspace.contacts.values()],
                "tags": [render.tag(t) for t in workspace.tags.values()],
                "webhook": {"url": hook.url, "topics": sorted(hook.topics), "status": hook.status} if hook else None,
            }
        if requests:
            shown["requests"] = [entry.as_dict() for entry in self._log.all()]
        return shown

    def _conversation(self, conversation: Conversation) -> dict[str, Any]:
        shown = render.conversation(self._workspace, conversation)
        return {**shown, "merged_into": conversation.merged_into, "deleted_at": conversation.deleted_at}

    def _contact(self, contact: Contact) -> dict[str, Any]:
        shown = render.contact(self._workspace.settings.app_id, contact)
        return {**shown, "archived": contact.archived, "merged_into": contact.merged_into}
