"""Files both ways: the optional part of the contract.

A connector that has `upload` gets the files of the chat into its tickets, one that has `download` gives out those of
its agents. One that lacks either says why in `Capabilities.cannot` (FILES_TO_TICKET, FILES_TO_CHAT).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, ClassVar, Final, Protocol, runtime_checkable

from handoff_sync.core.model import Attachment

CHUNK: Final = 49_152
"""Bytes that are in memory at a time; a multiple of three, so that pieces in base64 can be put together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file on its way into a comment. `name` and `content_type` may be shown and sent as they are.

    `receipt` is what `upload` returned for it; with one the content may be gone (None) by now.
    """

    name: str
    content_type: str
    size: int
    content: BinaryIO | None = field(default=None, repr=False, compare=False)
    receipt: str = field(default="", repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The content from its start, in pieces of CHUNK bytes."""
        assert self.content is not None, "only what was not laid down has content"
        self.content.seek(0)
        while piece := self.content.read(CHUNK):
            yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """What the helpdesk takes: bytes of one file and of all files of one comment, and how many in one comment.

    `refused` are endings of names in lower case (".exe"), each with the reason for people.
    """

    max_bytes: int
    max_total_bytes: int
    most: int = 10
    refused: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class TakesFiles(Protocol):
    """A connector that puts `CommentDraft.files` on a comment."""

    file_rule: ClassVar[FileRule]

    def upload(self, file: LocalFile) -> str:
        """Lays a file down where the next `append` finds it by the receipt that is returned.

        One that no comment takes up does no harm and is forgotten by the helpdesk. An empty receipt says that the
        helpdesk takes files only along with the comment: `append` then reads the content.

        Raises:
            VendorRejected: It does not take this file.
        """
        ...


@runtime_checkable
class GivesFiles(Protocol):
    """A connector that reads the files of its agents."""

    def download(self, ticket: str, comment: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        """Writes a file of a comment into `into` and says what it is. `number` counts as `TicketComment.attachments`.

        The comment is read again: its addresses may have expired, and what has become internal is not given out.
        Credentials go to the helpdesk's own host alone.

        Raises:
            FileUnavailable: There is no such file, or no such public comment, any more.
            FileTooLarge: More than `max_bytes` came; nothing of `into` counts.
        """
        ...
