"""The chat's file server, as it should be and as it should not."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.loopback import Server, serve

Said = bytes | Callable[[socket.socket], None]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def file(content: bytes = PNG, kind: str = "image/png", status: int = 200, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if "content_length" not in headers and "transfer_encoding" not in headers:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content


def endless(peer: socket.socket) -> None:
    """Five gigabytes, if anybody takes them."""
    peer.sendall(file(b"", transfer_encoding="chunked"))
    piece = b"10000\r\n" + bytes(65_536) + b"\r\n"
    for _ in range(80_000):
        peer.sendall(piece)


@dataclass
class FileServer:
    """Answers by path; the last of several answers is repeated."""

    answers: dict[str, list[Said]] = field(default_factory=dict)
    server: Server | None = None
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def has(self, *answers: Said) -> str:
        """The address of a new file."""
        assert self.server is not None
        path = f"/f{next(self._names)}"
        self.answers[path] = list(answers)
        return f"{self.server.url}{path}"

    def asked(self, url: str) -> list[bytes]:
        assert self.server is not None
        path = url.removeprefix(self.server.url).encode()
        return [request for request in self.server.requests if request.startswith(b"GET " + path + b" ")]

    def __call__(self, peer: socket.socket) -> None:
        assert self.server is not None
        waiting = self.answers[self.server.requests[-1].split(b" ")[1].decode()]
        said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        with contextlib.suppress(OSError):
            if callable(said):
                said(peer)
            else:
                peer.sendall(said)
        peer.close()


@contextlib.contextmanager
def file_server() -> Iterator[FileServer]:
    files = FileServer()
    with serve(files) as server:
        files.server = server
        yield files
