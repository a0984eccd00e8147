"""The command as people run it: in a process of its own, or, much quicker, in this one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sysconfig.get_path("scripts")) / "handoff-sync"
FOREIGN = ("HANDOFF_", "ZENDESK_", "PORT", "DATABASE_URL", "REDIS_URL", "NO_COLOR")
"""Variables of whoever runs the tests; they must not change the outcome."""


def handoff(
    *arguments: str | Path, folder: Path, typed: str = "", timeout_s: float = 110, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs `handoff-sync` in `folder` with only these variables of its own set; never raises for an exit code."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        cwd=folder,
        env=environment(folder, variables),
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )


def handoff_here(
    *arguments: str | Path, folder: Path, typed: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """As `handoff`, through the same entry point but without a new process. Not for commands that serve."""
    from handoff_sync.cli import main

    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            patch.delenv(name)
        for name, value in ours(folder, variables).items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", [str(PROGRAM), *map(str, arguments)])
        patch.setattr(sys, "stdin", io.StringIO(typed))
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return subprocess.CompletedProcess(sys.argv, code, out.getvalue(), err.getvalue())


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | ours(folder, variables)


def ours(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    return {"HANDOFF_DATA_DIR": str(folder / "data"), "PYTHONUTF8": "1", **variables}
