"""The processes of a test stand: forked ones that may kill themselves, and those of the Procfile as they are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.e2e.command import PROGRAM
from tests.e2e.crashing import started


class Process(Protocol):
    """`code` is the exit code, negative for a signal; None while it runs."""

    @property
    def code(self) -> int | None: ...

    def signal(self, number: signal.Signals) -> None:
        """To the process alone."""
        ...

    def kill(self) -> None:
        """SIGKILL to the process and all of its children; returns when they are gone."""
        ...


class Forked:
    """A process of `tests.e2e.crashing`."""

    def __init__(self, role: str, point: str, environment: Mapping[str, str], log: Path) -> None:
        self._process = started(role, point, environment, log)

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    def signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


class Command:
    """A command of the Procfile, in a process group of its own as a supervisor starts it."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), *arguments],
                cwd=log.parent,
                env=dict(environment),
                stdout=words,
                stderr=words,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """The group outlives its leader: a worker whose master has died is killed as well."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def ended(process: Process, seconds: float) -> float:
    """Waits for the end of a process; returns how long that took."""
    began = time.monotonic()
    while process.code is None:
        assert time.monotonic() - began < seconds, f"The process still runs after {seconds} s."
        time.sleep(0.02)
    return time.monotonic() - began
