"""Runs an ASGI app on a loopback port in a thread: a helpdesk that other processes can talk to."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from handoff_sync.simulator.fault_middleware import DROP_CONNECTION

START_TIMEOUT_S: Final = 10.0


class LoopbackServer:
    """One app on one port. Port 0 takes a free one and keeps it, so a stopped server comes back at the same address."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> None:
        self._app, self.host, self.port = app, host, port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Without a slash at the end. Known after the first `start`, or at once when a port was given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen and serve. Returns when calls are answered; does nothing when it runs already.

        Raises:
            OSError: the port is taken.
            RuntimeError: the server did not come up.
        """
        if self.running:
            return
        listener = self._listen()
        config = uvicorn.Config(
            self._with_drop,
            log_config=None,
            access_log=False,
            lifespan="off",
            http="httptools",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=server.run, args=([listener],), name=f"simulator:{self.port}", daemon=True
        )
        self._thread.daemon = True
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"The simulator did not start on {self.base_url}.")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop serving; open connections get one second. State of the app is kept."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(5)
        self._server = self._thread = None

    def wait(self) -> None:
        """Block until the server ends."""
        while self.running and self._thread is not None:
            self._thread.join(0.5)

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        return listener

    async def _with_drop(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[DROP_CONNECTION] = lambda: self._drop(scope.get("client"))
        await self._app(scope, receive, send)

    def _drop(self, client: Any) -> None:
        if self._server is None:
            return
        for connection in list(self._server.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None and getattr(connection, "client", None) == client:
                transport.abort()
