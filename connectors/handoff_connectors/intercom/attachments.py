"""Files of an Intercom workspace: sent along with a reply, and read from one."""

from __future__ import annotations

from typing import BinaryIO, Final

from handoff_connectors.intercom.api import IntercomApi
from handoff_connectors.intercom.mapping import RELAYED, attachments_of, parts_of, says_something, text_at
from handoff_sync.contract.files import FileRule
from handoff_sync.core.model import Attachment
from handoff_sync.errors import FileUnavailable, TicketGone

RULE: Final = FileRule(max_bytes=20_000_000, max_total_bytes=20_000_000)
"""Ten files are documented, sizes are not; these can be sent within the time of a call (quirk IC-25)."""

_GONE: Final = "it is not there any more"


def download(api: IntercomApi, conversation: str, part: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
    """Only of a part that customers may see; its addresses are signed anew at each reading (quirk IC-26)."""
    try:
        parts = parts_of(api.conversation(conversation))
    except TicketGone:
        raise FileUnavailable(_GONE) from None
    for found in parts:
        if found["id"].identifier() == part and text_at(found, "part_type") in RELAYED and says_something(found):
            files = attachments_of(found)
            if number < len(files):
                kind = api.download(files[number].url, into, max_bytes)
                return _typed(files[number], kind)
    raise FileUnavailable(_GONE)


def _typed(file: Attachment, served: str) -> Attachment:
    """A picture in a text has no type of its own."""
    if not file.content_type.endswith("/*"):
        return file
    return Attachment(name=file.name, content_type=served, size=file.size, url=file.url)
