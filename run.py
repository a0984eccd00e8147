#!/usr/bin/env python3
"""Runs handoff-sync from a fresh checkout: needs Python 3.11 or newer with pip, nothing else.

    python3 run.py demo            the demo (see `python3 run.py demo --help`)
    python3 run.py test [...]      the test suite; further words go to pytest
    python3 run.py check           linters, types and layering, as CI runs them
    python3 run.py COMMAND [...]   any other command of handoff-sync

The first run puts uv into .tools/ and the packages of uv.lock into .venv/; nothing outside this folder changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools"
OLDEST = (3, 11)
UV = "uv>=0.8,<1"
CHECKS = (
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy"],
    ["lint-imports", "--no-logo"],
)


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST:
        return explain(f"This is Python {sys.version.split()[0]}; needed is {OLDEST[0]}.{OLDEST[1]} or newer.")
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    uv = find_uv()
    if uv is None:
        return 1
    environment = uv_environment()
    developing = arguments[0] in ("test", "check")
    if not install(uv, environment, developing=developing):
        return 1
    return max(call([uv, "run", "--no-sync", "--frozen", *PYTHON, *step], environment) for step in steps(arguments))


def steps(arguments: list[str]) -> list[list[str]]:
    """The commands behind one word of ours."""
    if arguments[0] == "test":
        return [["pytest", *arguments[1:]]]
    if arguments[0] == "check":
        return [list(check) for check in CHECKS]
    return [["handoff-sync", *arguments]]


PYTHON = ["--python", sys.executable]


def find_uv() -> str | None:
    """uv from .tools/, put there if need be; else one that the machine has; else None, explained."""
    own = TOOLS / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    if own.exists():
        return str(own)
    say("Getting uv (once) ...")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(TOOLS), UV]
    done = subprocess.run(pip, cwd=ROOT, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}, check=False)
    if done.returncode == 0 and own.exists():
        return str(own)
    installed = shutil.which("uv")
    if installed is None:
        explain(
            "pip could not install uv (its message is above). If pip itself is missing: `apt install python3-pip`, "
            "or `python3 -m ensurepip`. Without access to a package index, install uv by hand and put it on the PATH."
        )
    return installed


def install(uv: str, environment: dict[str, str], *, developing: bool) -> bool:
    """Brings .venv/ to what uv.lock says. `--inexact`: what a developer added by hand stays."""
    groups = ["--group", "browser"] if developing else ["--no-default-groups"]
    if not (ROOT / ".venv").exists():
        say("Installing packages (once, about a minute) ...")
    quiet = ["sync", "--frozen", "--inexact", "--quiet", *PYTHON, *groups]
    if call([uv, *quiet], environment) == 0:
        return True
    explain(
        "The packages could not be installed (uv's message is above). Check the network, HTTPS_PROXY and the free disk "
        "space; delete .venv/ if it is damaged. Then run the same command again: it goes on where it stopped."
    )
    return False


def uv_environment() -> dict[str, str]:
    """The machine's certificates, no download of another Python, and a cache that can be written."""
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    environment.pop("VIRTUAL_ENV", None)
    environment["UV_PROJECT_ENVIRONMENT"] = str(ROOT / ".venv")
    if "UV_CACHE_DIR" not in environment and not home_is_open(environment):
        environment["UV_CACHE_DIR"] = str(TOOLS / "cache")
    return environment


def home_is_open(environment: dict[str, str]) -> bool:
    """Whether uv can keep its cache in the home folder (containers often have none that can be written)."""
    cache = environment.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(cache) / "uv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    except OSError:
        return False


def call(command: list[str], environment: dict[str, str]) -> int:
    """Runs one command to its end; Ctrl-C reaches it too, so wait for its own goodbye."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def explain(problem: str) -> int:
    say(f"run.py: {problem}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
