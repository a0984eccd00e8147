"""A JSON body with files in it, made piece by piece: base64 of a whole file would stand in memory more than once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence

from handoff_sync.contract.files import LocalFile


def with_files(body: Mapping[str, object], files: Sequence[LocalFile]) -> tuple[Iterator[bytes], int]:
    """The pieces of the body and the number of bytes in all of them.

    `attachment_files` alone: where addresses go along, files vanish (quirk IC-25).
    """
    frames = [_frame(file) for file in files]
    start, between, end = json.dumps(body).encode()[:-1] + b', "attachment_files": [', b", ", b"]}"
    data = sum(4 * -(-file.size // 3) for file in files)
    around = sum(len(head) + len(tail) for head, tail in frames) + len(between) * (len(files) - 1)
    length = len(start) + data + around + len(end)

    def pieces() -> Iterator[bytes]:
        yield start
        for index, (file, (head, tail)) in enumerate(zip(files, frames, strict=True)):
            yield (between if index else b"") + head
            yield from map(base64.b64encode, file.chunks())
            yield tail
        yield end

    return pieces(), length


def _frame(file: LocalFile) -> tuple[bytes, bytes]:
    """What stands around the data."""
    named = json.dumps({"content_type": file.content_type, "name": file.name})[:-1]
    return f'{named}, "data": "'.encode(), b'"}'
