"""From a letter to the message on the wire: sender, envelope, and the id that is the same on every try."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

from handoff_sync.core.policy import Recipient
from handoff_sync.delivery.letters import Post
from handoff_sync.emails.letters import Digest
from handoff_sync.emails.message import Envelope, build_message
from handoff_sync.emails.render import render
from handoff_sync.store.rows import OutboxRow


class Postage:
    """`templates` is the operator's folder of templates."""

    def __init__(self, sender: str, templates: Path | None = None) -> None:
        self._sender = sender
        self._templates = templates

    def single(self, post: Post, row: OutboxRow, workspace: str) -> Callable[[], EmailMessage]:
        """The mail of one row; mails about one session are one thread."""
        owner = row.session_id or workspace
        thread = (row.session_id,) if row.session_id is not None else ()
        return lambda: self._built(post, row, f"{owner}:{row.key}", workspace, thread)

    def part(self, to: Recipient, letter: Digest, head: OutboxRow, workspace: str) -> Callable[[], EmailMessage]:
        """One mail of the digest that begins with the row `head`."""
        post = Post(letter=letter, address=to.email, name=to.name, language=to.language)
        return lambda: self._built(post, head, f"{workspace}:digest:{head.id}:{letter.part}", workspace, ())

    def _built(self, post: Post, row: OutboxRow, key: str, workspace: str, thread: tuple[str, ...]) -> EmailMessage:
        envelope = Envelope(
            key=key,
            sender=self._sender,
            recipient=post.address,
            recipient_name=post.name,
            workspace=workspace,
            thread=thread,
        )
        rendered = render(post.letter, post.language, self._templates)
        return build_message(rendered, envelope, row.created_at, post.files)
