"""The files of messages on their way into a comment. What cannot be had never holds up the words.

What became of a file stands in the row's journal: a repeat neither fetches nor uploads it again where the helpdesk has
it, and says the same of it where not.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from handoff_sync.contract.connector import CommentDraft, Connector
from handoff_sync.contract.files import FileRule, LocalFile, TakesFiles
from handoff_sync.core.files import safe_name
from handoff_sync.core.model import Attachment, Message, Session
from handoff_sync.core.transcript import attachment_line
from handoff_sync.delivery.connections import Held
from handoff_sync.delivery.drafts import Clean, cleaner
from handoff_sync.delivery.lease import Lease
from handoff_sync.delivery.sources import Sources
from handoff_sync.errors import (
    FileTooLarge,
    FileUnavailable,
    OutcomeUnknown,
    RateLimited,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)
from handoff_sync.store.rows import OutboxRow

WAITS_S: Final = (5.0, 30.0)
"""Waits after the first and the second try of a file that may be had later; after the third the words go without it."""

RUN_S: Final = 60.0
"""How long one run may be busy with files; what comes after that is tried in the next."""

RECEIPT_S: Final = 2400.0
"""How long an upload is trusted to be still there."""

_ALL_REFUSED: Final = "files"
_FOR_THE_COMMENT: Final = "the helpdesk does not take it"

Place = tuple[str, int]
"""A file's message and its number there."""


@dataclass(slots=True)
class Prepared:
    """What became of the files. `why_not` has a reason for each that is not attached."""

    order: Sequence[Place]
    files: dict[Place, LocalFile] = field(default_factory=dict)
    why_not: dict[Place, str] = field(default_factory=dict)

    def shown(self, message: Message) -> Message:
        """The message with a line in its text for each file; as it is where nothing is known of them."""
        lines = [self._line(message.id, number, file) for number, file in enumerate(message.attachments)]
        return replace(message, text="\n".join([*filter(None, [message.text]), *lines]), attachments=())

    def on(self, comments: Sequence[CommentDraft]) -> tuple[CommentDraft, ...]:
        """The comments, the last of them with the files in the order in which they were sent."""
        *before, last = comments
        return (*before, replace(last, files=tuple(self.files[place] for place in self.order if place in self.files)))

    def _line(self, message: str, number: int, file: Attachment) -> str:
        place = (message, number)
        return attachment_line(file, self.why_not.get(place, ""), attached=place in self.files)


class Attacher:
    """Fetches files and lays them down at a helpdesk."""

    def __init__(self, sources: Sources, clock: Callable[[], datetime]) -> None:
        self._sources = sources
        self._clock = clock

    def rule(self, connector: Connector) -> FileRule | None:
        """What the connector takes; None where it takes nothing, or files are switched off."""
        if not isinstance(connector, TakesFiles) or self._sources.max_bytes == 0:
            return None
        rule = connector.file_rule
        return replace(rule, max_bytes=min(rule.max_bytes, self._sources.max_bytes))

    def prepare(
        self,
        lease: Lease,
        row: OutboxRow,
        connector: Connector,
        session: Session,
        open_files: ExitStack,
        messages: Sequence[Message],
    ) -> Prepared:
        """Everything that may go into the comment that `row` heads, the newest files first where not all may.

        What is not laid down at the helpdesk is there as long as `open_files`.

        Raises:
            Held: A file may be had later, and has tries left.
            RateLimited: The helpdesk takes no uploads now.
        """
        order = [(message, number) for message in messages for number in range(len(message.attachments))]
        made = Prepared([(message.id, number) for message, number in order])
        rule = self.rule(connector)
        if rule is None or not order:
            return made
        assert isinstance(connector, TakesFiles)
        work = _Work(
            sources=self._sources,
            lease=lease,
            row=row,
            connector=connector,
            session=session,
            open_files=open_files,
            rule=rule,
            clean=cleaner(session.handoff),
            now=self._clock(),
        )
        for message, number in reversed(order):
            work.take(made, message, number)
        if work.again is not None:
            raise Held(self._clock() + timedelta(seconds=work.again), "A file of the message is tried again.")
        return made

    def refuse_all(self, lease: Lease, row: OutboxRow) -> None:
        """The helpdesk refused the comment: from now on its words go alone."""
        lease.note(row, {_ALL_REFUSED: "refused"})


@dataclass(slots=True, kw_only=True)
class _Work:
    """One run over the files of one comment."""

    sources: Sources
    lease: Lease
    row: OutboxRow
    connector: TakesFiles
    session: Session
    open_files: ExitStack
    rule: FileRule
    clean: Clean
    now: datetime
    again: float | None = None
    """Seconds after which what may be had later is tried again."""
    bytes: int = 0
    ends_at: float = field(default_factory=lambda: time.monotonic() + RUN_S)

    def take(self, made: Prepared, message: Message, number: int) -> None:
        place = (message.id, number)
        try:
            self._must_fit(made, message.attachments[number])
            made.files[place] = file = self._known(place) or self._fetched(message, number)
            self.bytes += file.size
        except FileUnavailable as error:
            made.why_not[place] = error.reason
        except _NotYet:
            return  # the whole comment waits for it

    def _must_fit(self, made: Prepared, file: Attachment) -> None:
        if self.lease.noted(self.row).get(_ALL_REFUSED):
            raise FileUnavailable(_FOR_THE_COMMENT)
        if len(made.files) >= self.rule.most:
            raise FileUnavailable(f"a comment takes {self.rule.most} files")
        for ending, why in self.rule.refused.items():
            if safe_name(file.name).lower().endswith(ending):
                raise FileUnavailable(why)

    def _known(self, place: Place) -> LocalFile | None:
        """What an earlier run knew of it."""
        stored = self.lease.noted(self.row).get(_key(place))
        if stored is None:
            return None
        known = json.loads(stored)
        if "why_not" in known:
            raise FileUnavailable(known["why_not"])
        if self.now - datetime.fromisoformat(known.pop("at")) > timedelta(seconds=RECEIPT_S):
            return None
        return LocalFile(**known)

    def _fetched(self, message: Message, number: int) -> LocalFile:
        place = (message.id, number)
        try:
            if time.monotonic() > self.ends_at:
                raise VendorDown("The files before it took too long.")
            return self._uploaded(place, self._spooled(message, number))
        except RateLimited:
            raise
        except (VendorDown, OutcomeUnknown, OSError):
            self._try_again(place)
            raise _NotYet from None
        except VendorAuthError:
            error = FileUnavailable("the helpdesk does not let us attach files")
        except VendorRejected:
            error = FileUnavailable(_FOR_THE_COMMENT)
        except FileUnavailable as refused:
            error = refused
        self._note(place, {"why_not": error.reason})
        raise error

    def _spooled(self, message: Message, number: int) -> LocalFile:
        content = self.open_files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - without a name, so no crash leaves it
        left = self.rule.max_total_bytes - self.bytes
        self.lease.before_call()
        try:
            kind = self.sources.fetch(self.session, message, number, content, min(self.rule.max_bytes, left))
        except FileTooLarge as error:
            content.close()
            if left >= self.rule.max_bytes:
                raise
            raise FileUnavailable("the files of this comment are too large together") from error
        except BaseException:
            content.close()  # gives its room on the disk back at once
            raise
        name = safe_name(self.clean(message.attachments[number].name))
        return LocalFile(name=name, content_type=kind, size=content.tell(), content=content)

    def _uploaded(self, place: Place, file: LocalFile) -> LocalFile:
        self.lease.before_call()
        assert file.content is not None
        file.content.seek(0)
        receipt = self.connector.upload(file)
        if not receipt:
            return file
        file.content.close()  # gives its room on the disk back
        laid = {"name": file.name, "content_type": file.content_type, "size": file.size, "receipt": receipt}
        self._note(place, {**laid, "at": self.now.isoformat()})
        return replace(file, content=None, receipt=receipt)

    def _try_again(self, place: Place) -> None:
        """Counts a try; the last one makes it final."""
        name = f"{_key(place)} tries"
        tries = int(self.lease.noted(self.row).get(name, "0"))
        if tries >= len(WAITS_S):
            reason = "it could not be fetched"
            self._note(place, {"why_not": reason})
            raise FileUnavailable(reason)
        self.lease.note(self.row, {name: str(tries + 1)})
        self.again = max(self.again or 0.0, WAITS_S[tries])

    def _note(self, place: Place, what: dict[str, object]) -> None:
        self.lease.note(self.row, {_key(place): json.dumps(what)})


class _NotYet(Exception):
    """The file may be had later."""


def _key(place: Place) -> str:
    return f"file {place[0]}/{place[1]}"
