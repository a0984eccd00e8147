"""Files of a Zendesk account: laid down for a comment, and read from one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from handoff_connectors.zendesk.api import ZendeskApi
from handoff_connectors.zendesk.mapping import attachments_of, is_public
from handoff_sync.contract.files import FileRule, LocalFile
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Attachment
from handoff_sync.errors import FileUnavailable, OutcomeUnknown, UnrecognisedPayload

RULE: Final = FileRule(max_bytes=50_000_000, max_total_bytes=100_000_000)
"""50 MB a file is Zendesk's own limit; for a comment none is known."""

_GONE: Final = "it is not there any more"


def upload(api: ZendeskApi, file: LocalFile) -> str:
    """The token that a comment takes the file by, once. Unused ones expire (quirk ZD-23)."""
    answer = api.upload(file)
    try:
        return answer["upload"]["token"].text()
    except UnrecognisedPayload:
        raise OutcomeUnknown("Zendesk took a file without saying its token.") from None


def tokens_of(files: tuple[LocalFile, ...]) -> dict[str, object]:
    """The fields of a comment that name its files."""
    return {"uploads": [file.receipt for file in files]} if files else {}


def download(api: ZendeskApi, ticket: str, comment: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
    """Only of a comment that is public at this moment: agents may have made it private since (quirk ZD-24)."""
    file = _file(api, ticket, comment, number)
    api.download(file.url, into, max_bytes)
    return file


def _file(api: ZendeskApi, ticket: str, comment: str, number: int) -> Attachment:
    for found in _comments(api, ticket):
        if found["id"].identifier() == comment:
            files = attachments_of(found) if is_public(found) else ()
            if number < len(files):
                return files[number]
            break
    raise FileUnavailable(_GONE)


def _comments(api: ZendeskApi, ticket: str) -> Iterator[Wild]:
    for page in api.comments(ticket):
        yield from page["comments"]
