"""A test stand: a simulated Zendesk that outlives everything, and the service in processes that may be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from handoff_connectors.zendesk.simulator import ZendeskSimulator
from handoff_sync.bootstrap import build
from handoff_sync.core.policy import Mode, Policy
from handoff_sync.settings import load_settings
from handoff_sync.store.migrate import migrate
from tests.engines import free_port

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


def until(what: str, probe: Callable[[], T | None], seconds: float = 30.0) -> T:
    """The first answer that is not empty; AssertionError when none comes in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"Not within {seconds} s: {what}.")


class Stand:
    """One workspace with one connection. `embedded`: one process; else a web and a worker process."""

    def __init__(self, folder: Path, simulator: ZendeskSimulator, database_url: str, broker_url: str) -> None:
        self.simulator = simulator
        self.embedded = database_url.startswith("sqlite")
        self.port = free_port()
        self._folder = folder
        self._environment = {
            **os.environ,
            "HANDOFF_DATA_DIR": str(folder / "data"),
            "HANDOFF_DATABASE_URL": database_url,
            "HANDOFF_BROKER_URL": broker_url,
            "HANDOFF_PORT": str(self.port),
            "HANDOFF_LEASE_S": "2",
            "HANDOFF_SWEEP_INTERVAL_S": "0.2",
            "HANDOFF_POLL_INTERVAL_S": "2",
            "HANDOFF_PRIVATE_DESTINATIONS": "127.0.0.0/8",
            "HANDOFF_LOG_LEVEL": "warning",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._prepare(database_url, broker_url)

    def _prepare(self, database_url: str, broker_url: str) -> None:
        from handoff_sync.secret_keys import new_key

        self._environment["HANDOFF_SECRET_KEYS"] = new_key()
        settings = load_settings(
            data_dir=self._folder / "data",
            database_url=database_url,
            broker_url=broker_url,
            secret_keys=self._environment["HANDOFF_SECRET_KEYS"],
        )
        app = build(settings)
        migrate(app.db)
        app.start(workers=False, sweeper=False)
        try:
            policy = Policy(handover_mode=Mode.AUTOMATIC, solved_grace_seconds=0)
            self.workspace = app.admin.create_workspace("Acme", policy=policy).id
            self.key = app.admin.create_api_key(self.workspace, "test", ["admin"]).key
            known = self.simulator.credentials
            connection = app.admin.create_connection(
                self.workspace,
                "zendesk",
                "acme",
                {"subdomain": "acme", "client_id": known.client_id, "base_url": self.simulator.base_url},
                {"client_secret": known.client_secret},
            )
            self.connection, self.hook_token = connection.id, connection.hook_token
        finally:
            app.stop()

    # --- processes ------------------------------------------------------------------------------

    def start(self, point: str = "") -> None:
        """Starts what does not run; the process that delivers kills itself at `point`."""
        if self.embedded:
            self._spawn("run", point)
        else:
            self._spawn("web", "")
            self._spawn("worker", point)
        until("the service answers", lambda: self._ready() or self.dead())

    def _spawn(self, role: str, point: str) -> None:
        if role in self._processes and self._processes[role].poll() is None:
            return
        command = [sys.executable, "-m", "tests.e2e.crashing", role, point]
        with (self._folder / f"{role}.log").open("ab") as log:
            self._processes[role] = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def delivering(self) -> subprocess.Popen[bytes]:
        """The process that talks to the helpdesk."""
        return self._processes["run" if self.embedded else "worker"]

    def dead(self) -> bool:
        return self.delivering.poll() is not None

    def was_killed(self) -> None:
        """Waits for the process to die by SIGKILL."""
        code = until("the process is killed", lambda: self.delivering.poll())
        assert code == -signal.SIGKILL, (code, self.logs())

    def kill(self) -> None:
        os.kill(self.delivering.pid, signal.SIGKILL)
        self.delivering.wait()

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()

    def logs(self) -> str:
        return "\n".join(path.read_text()[-4000:] for path in self._folder.glob("*.log"))

    # --- the platform ---------------------------------------------------------------------------

    def send(self, **event: Any) -> dict[str, Any]:
        """One event; repeated with the same id until it is accepted, as a platform does."""

        def attempt() -> dict[str, Any] | None:
            if self.embedded and self.dead():
                self.start()
            try:
                answer = httpx.post(
                    f"http://127.0.0.1:{self.port}/v1/events", json=event, headers=self._headers(), timeout=10
                )
            except httpx.HTTPError:
                return None
            if answer.status_code == 503:
                return None
            assert answer.status_code < 300, (answer.status_code, answer.text)
            return dict(answer.json())

        return until(f"event {event['id']} is accepted", attempt)

    def get(self, path: str) -> Any:
        answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=self._headers(), timeout=10)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return json.loads(answer.content)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    # --- what the helpdesk holds ------------------------------------------------------------------

    def texts(self) -> str:
        """Everything that stands on the tickets, in order."""
        tickets = self.simulator.state.tickets
        return "\n".join(text for ticket in tickets for text in self.simulator.state.texts(ticket.id))
