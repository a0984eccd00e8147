"""The simulated Intercom as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

COMMAND = [sys.executable, "-m", "handoff_connectors.intercom.simulator"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process and what it says when it is ready."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        try:
            yield process, dict(map(str.strip, line.split(":", 1)) for line in lines)  # type: ignore[misc]
        finally:
            process.kill()


def test_it_says_how_to_reach_it_and_ends_cleanly() -> None:
    with started("--port", "0") as (process, told):
        headers = {"Authorization": f"Bearer {told['Access token']}"}
        me = httpx.get(f"{told['Simulated Intercom']}/me", headers=headers).json()
        assert me["app"]["id_code"] == told["Workspace"]
        assert httpx.get(told["Agent page"]).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_taken_port_is_explained() -> None:
    with started("--port", "0") as (_, told):
        port = told["Simulated Intercom"].rsplit(":", 1)[1]
        second = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert f"Port {port}" in second.stderr
    assert "--port 0" in second.stderr
