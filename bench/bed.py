"""What every measurement needs: a fresh database with one workspace, and servers as processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from handoff_sync.bootstrap import build
from handoff_sync.core.policy import Mode, Policy
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.store.migrate import migrate
from tests.engines import free_port

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Bed:
    """A prepared installation. `environment` starts processes on it."""

    environment: dict[str, str]
    workspace: str
    key: str


def prepare(folder: Path, database_url: str = "", broker_url: str = "memory://", zendesk: object = None) -> Bed:
    """An automatic-mode workspace; with `zendesk` (a simulator) also a connection to it."""
    environment = {
        "HANDOFF_DATA_DIR": str(folder),
        "HANDOFF_DATABASE_URL": database_url or f"sqlite:///{folder}/handoff.db",
        "HANDOFF_BROKER_URL": broker_url,
        "HANDOFF_SECRET_KEYS": new_key(),
        "HANDOFF_LOG_LEVEL": "error",
        "HANDOFF_PRIVATE_DESTINATIONS": "127.0.0.0/8",
    }
    os.environ.update(environment)
    app = build(load_settings())
    migrate(app.db)
    app.start(workers=False, sweeper=False)
    try:
        workspace = app.admin.create_workspace("Bench", policy=Policy(handover_mode=Mode.AUTOMATIC)).id
        key = app.admin.create_api_key(workspace, "bench", ["admin"]).key
        if zendesk is not None:
            known = zendesk.credentials  # type: ignore[attr-defined]
            settings = {"subdomain": "acme", "client_id": known.client_id, "base_url": zendesk.base_url}  # type: ignore[attr-defined]
            app.admin.create_connection(workspace, "zendesk", "acme", settings, {"client_secret": known.client_secret})
    finally:
        app.stop()
    return Bed(environment, workspace, key)


@contextlib.contextmanager
def process(bed: Bed, *command: str, port: int | None = None) -> Iterator[None]:
    """A process of ours, waited for until `port` answers, and ended afterwards."""
    running = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **bed.environment})
    try:
        if port is not None:
            _wait(port)
        yield
    finally:
        running.terminate()
        running.wait(timeout=30)


def _wait(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/livez", timeout=1).status_code == 200:
                return
        time.sleep(0.05)
    raise SystemExit(f"Nothing answers on port {port}.")


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="handoff-bench-")


__all__ = ["Bed", "folder", "free_port", "prepare", "process"]
