"""Files of a Gorgias account: laid down for a message, and read from one."""

from __future__ import annotations

import json
from typing import BinaryIO, Final

from handoff_connectors.gorgias.api import GorgiasApi
from handoff_connectors.gorgias.mapping import attachments_of, int_at, is_public, text_at
from handoff_sync.contract.files import FileRule, LocalFile
from handoff_sync.core.model import Attachment
from handoff_sync.errors import FileUnavailable, OutcomeUnknown, VendorRejected

RULE: Final = FileRule(max_bytes=25_000_000, max_total_bytes=25_000_000)
"""No limit is documented; these are a mail's, which a message may become."""

_GONE: Final = "it is not there any more"


def upload(api: GorgiasApi, file: LocalFile) -> str:
    """What Gorgias says of the file, as a message's `attachments` want it."""
    told = api.upload(file)
    url = text_at(told, "url")
    if not url:
        raise OutcomeUnknown("Gorgias took a file without saying its address.")
    size = int_at(told, "size") or file.size
    known = {"url": url, "name": text_at(told, "name") or file.name, "content_type": file.content_type, "size": size}
    return json.dumps(known, ensure_ascii=False)


def fields_of(files: tuple[LocalFile, ...]) -> dict[str, object]:
    """The field of a message that names its files."""
    return {"attachments": [json.loads(file.receipt) for file in files]} if files else {}


def download(api: GorgiasApi, ticket: str, message: str, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
    """Only of a message that is public at this moment (quirk GO-20)."""
    try:
        found = api.message(ticket, message)
    except VendorRejected:
        raise FileUnavailable(_GONE) from None
    files = attachments_of(found) if is_public(found) and found.get("deleted_datetime") is None else ()
    if number >= len(files):
        raise FileUnavailable(_GONE)
    api.download(files[number].url, into, max_bytes)
    return files[number]
