"""The command as people run it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sysconfig.get_path("scripts")) / "handoff-sync"


def handoff(
    *arguments: str | Path, folder: Path, typed: str = "", timeout_s: float = 100, **variables: str
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


def environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """A clean one: settings of whoever runs the tests must not change the outcome."""
    dropped = ("HANDOFF_", "ZENDESK_", "PORT", "DATABASE_URL", "REDIS_URL", "NO_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"HANDOFF_DATA_DIR": str(folder / "data"), "PYTHONUTF8": "1"} | variables
