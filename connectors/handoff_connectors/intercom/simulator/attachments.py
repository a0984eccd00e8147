"""Files and pictures that come with a message."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from typing import Any, Final

from handoff_connectors.intercom.simulator import api_errors
from handoff_connectors.intercom.simulator.workspace import Workspace

MOST: Final = 10


def of_body(workspace: Workspace, base: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The attachments that a body brings. When it brings addresses and files, the files vanish.

    Raises:
        ApiError: 400, there are too many or one cannot be read.
    """
    urls, files = body.get("attachment_urls") or [], body.get("attachment_files") or []
    if len(urls) > MOST or len(files) > MOST:
        raise api_errors.invalid(f"A maximum of {MOST} attachments is allowed")
    if urls:
        return [_of_url(str(url)) for url in urls]
    return [_of_file(workspace, base, file) for file in files]


def _of_url(url: str) -> dict[str, Any]:
    name = url.rpartition("/")[2] or "image"
    kind = mimetypes.guess_type(name)[0] or "image/png"
    return {"type": "upload", "name": name, "url": url, "content_type": kind, "filesize": 1024, "width": 100,
            "height": 100}  # fmt: skip


def _of_file(workspace: Workspace, base: str, file: dict[str, Any]) -> dict[str, Any]:
    try:
        content = base64.b64decode(str(file["data"]), validate=True)
        return stored(workspace, base, str(file["name"]), content, str(file["content_type"]))
    except (KeyError, binascii.Error):
        raise api_errors.invalid("attachment_files is invalid") from None


def stored(workspace: Workspace, base: str, name: str, content: bytes, kind: str | None = None) -> dict[str, Any]:
    """Keep a file; what is shown of it."""
    kind = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
    url = base + workspace.store_file(name, kind, content)
    return {"type": "upload", "name": name, "url": url, "content_type": kind, "filesize": len(content)}
