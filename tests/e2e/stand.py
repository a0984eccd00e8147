"""A test stand: a simulated helpdesk that outlives everything, and the service in processes that may be killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from handoff_sync.bootstrap import build
from handoff_sync.core.policy import ConnectionRule, Mode, Policy
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.simulator.desk import Desk, simulated
from handoff_sync.store.migrate import migrate
from tests.e2e.processes import Command, Forked, Process, ended
from tests.engines import free_port

T = TypeVar("T")

SETTLE_S: Final = 3.0
"""Longer than any lag below, as in real life: else the service could not keep its promise, and should not."""
LAGS: Final[Mapping[str, Mapping[str, float]]] = {
    "zendesk": {"search_lag_s": 5.0},  # its keys make waiting for the search needless
    "gorgias": {"list_lag_s": 2.0},
    "intercom": {"search_lag_s": 2.0},
}
CONNECTIONS: Final[Mapping[str, Mapping[str, object]]] = {"intercom": {"recreate_after_s": 4}}
"""Settings of a connection that must fit the lags."""


def until(what: str, probe: Callable[[], T | None], seconds: float = 30.0) -> T:
    """The first answer that is not empty; AssertionError when none comes in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"Not within {seconds} s: {what}.")


def lagging(kind: str) -> Desk:
    """A simulated helpdesk, not started, whose search is as far behind as a stand can wait for."""
    desk = simulated(kind)
    desk.simulator.apply_settings(LAGS.get(kind, {}))
    return desk


class Stand:
    """One workspace with one connection to a helpdesk that runs already.

    With SQLite all is one process, else there are a web and a worker process. `commands`: those of the Procfile, which
    cannot be told to die at a point. `rule` says how tickets are opened. `poll_s`: how often changes are looked for.
    `patience_s`: for how long an event is sent again until it is accepted.
    """

    def __init__(
        self,
        folder: Path,
        desk: Desk,
        database_url: str,
        broker_url: str,
        *,
        commands: bool = False,
        rule: Mapping[str, Any] | None = None,
        poll_s: float = 2.0,
        threads: int = 8,
        patience_s: float = 30.0,
        lease_s: float = 2.0,
    ) -> None:
        self.desk = desk
        self.database_url = database_url
        self.port = free_port()
        self._embedded = database_url.startswith("sqlite")
        self._commands = commands
        self._patience_s = patience_s
        self._folder = folder
        self._processes: dict[str, Process] = {}
        self._ends: list[int | None] = []
        self._starting = threading.Lock()
        self._environment = {
            **os.environ,
            "HANDOFF_DATA_DIR": str(folder / "data"),
            "HANDOFF_DATABASE_URL": database_url,
            "HANDOFF_BROKER_URL": broker_url,
            "HANDOFF_SECRET_KEYS": new_key(),
            "HANDOFF_PORT": str(self.port),
            "HANDOFF_LEASE_S": str(lease_s),
            "HANDOFF_SETTLE_S": str(SETTLE_S),
            "HANDOFF_SWEEP_INTERVAL_S": "0.2",
            "HANDOFF_POLL_INTERVAL_S": str(poll_s),
            "HANDOFF_PRIVATE_DESTINATIONS": "127.0.0.0/8",
            "HANDOFF_LOG_LEVEL": "warning",
            "HANDOFF_WORKER_THREADS": str(threads),
        }
        self._prepare(database_url, broker_url, rule or {})
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.key}"}, timeout=10
        )

    def _prepare(self, database_url: str, broker_url: str, rule: Mapping[str, Any]) -> None:
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
            workspace = app.admin.create_workspace("Acme").id
            self.key = app.admin.create_api_key(workspace, "test", ["admin"]).key
            kind, access = self.desk.kind, self.desk.access
            wanted = {**access.settings, **CONNECTIONS.get(kind, {})}
            connection = app.admin.create_connection(workspace, kind, "acme", wanted, access.secrets).id
            policy = Policy(
                handover_mode=Mode.AUTOMATIC,
                solved_grace_seconds=0,
                connections=(ConnectionRule(connection=connection, **rule),),
            )
            app.admin.update_workspace(workspace, policy=policy)
        finally:
            app.stop()

    # --- processes ------------------------------------------------------------------------------

    def start(self, point: str = "") -> None:
        """Starts what does not run; the process that delivers kills itself at `point`."""
        with self._starting:
            for role in ("run",) if self._embedded else ("web", "worker"):
                self._spawn(role, point if role != "web" else "")
        try:
            until("the service answers", lambda: self._ready() or self.dead(), 60)
        except AssertionError as late:
            codes = {role: process.code for role, process in self._processes.items()}
            raise AssertionError(f"{late} {codes}\n{self.logs()}") from late

    def _spawn(self, role: str, point: str) -> None:
        if role in self._processes:
            if self._processes[role].code is None:
                return
            self._ends.append(self._processes[role].code)
        log = self._folder / f"{role}.log"
        if self._commands:
            assert not point
            self._processes[role] = Command((role,), self._environment, log)
        else:
            self._processes[role] = Forked(role, point, self._environment, log)

    def _ready(self) -> bool:
        try:
            return self.http.get("/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def delivering(self) -> Process:
        """The process that talks to the helpdesk."""
        return self._processes["run" if self._embedded else "worker"]

    def dead(self) -> bool:
        return self.delivering.code is not None

    def was_killed(self, times: int = 1) -> None:
        """Waits for a process to die by SIGKILL; sending an event may have started the next one since."""
        until("the process is killed", lambda: len(self._ends) + self.dead() >= times)
        code = self._ends[times - 1] if len(self._ends) >= times else self.delivering.code
        assert code == -signal.SIGKILL, (code, self.logs())

    def kill(self) -> None:
        """SIGKILL to what delivers; accepting events ends with it where all is one process."""
        self.delivering.kill()

    def terminate(self, seconds: float) -> float:
        """SIGTERM to what delivers; returns how long it took to end."""
        process = self.delivering
        process.signal(signal.SIGTERM)
        took = ended(process, seconds)
        assert process.code in (0, -signal.SIGTERM), (process.code, self.logs())
        return took

    def stop(self) -> None:
        self.http.close()
        for process in self._processes.values():
            if process.code is None:
                process.kill()

    def retry_parked(self) -> None:
        """What a person does about deliveries that were set aside."""
        log = self._folder / "retry.log"
        command = Command(("deliveries", "retry"), self._environment, log)
        ended(command, 60)
        assert command.code == 0, log.read_text()

    def logs(self) -> str:
        return "\n".join(path.read_text()[-4000:] for path in self._folder.glob("*.log"))

    # --- the platform ---------------------------------------------------------------------------

    def send(self, **event: Any) -> dict[str, Any]:
        """One event; repeated with the same id until it is accepted, as a platform does."""

        def attempt() -> dict[str, Any] | None:
            if self._embedded and self.dead():
                self.start()
            try:
                answer = self.http.post("/v1/events", json=event)
            except httpx.HTTPError:
                return None
            if answer.status_code == 503:
                return None
            assert answer.status_code < 300, (answer.status_code, answer.text)
            return dict(answer.json())

        return until(f"event {event['id']} is accepted", attempt, self._patience_s)

    def say(self, talk: str, number: int, text: str = "") -> None:
        """The customer says `words(talk, number)`, and `text` behind it."""
        self.send(
            id=f"{talk}-say-{number}",
            type="customer.message",
            conversation_id=talk,
            customer={"external_id": f"u-{talk}", "name": "Ana Ruiz"},
            message={"id": f"m-{number}", "text": words(talk, number) + text},
        )

    def hand_over(self, talk: str) -> None:
        self.send(id=f"{talk}-please", type="handoff.requested", conversation_id=talk, trigger="customer_request")

    def get(self, path: str) -> Any:
        answer = self.http.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return json.loads(answer.content)

    def ticket_of(self, talk: str) -> str | None:
        """The id of the one ticket that the talk's one session is linked to; None before that is known."""
        sessions = self.get(f"/v1/sessions?conversation_id={talk}")["items"]
        assert len(sessions) <= 1, sessions
        links = self.get(f"/v1/sessions/{sessions[0]['id']}")["tickets"] if sessions else []
        assert len(links) <= 1, links
        remote: str | None = links[0].get("remote_id") if links else None
        return remote

    def idle(self, seconds: float = 60.0) -> None:
        """Waits until nothing is left to be delivered."""
        until("all deliveries are done", lambda: not self.get("/v1/deliveries?status=pending")["items"], seconds)

    def linked(self, talk: str) -> str:
        return until(f"{talk} has a ticket", lambda: self.ticket_of(talk))


def words(talk: str, number: int) -> str:
    """What stands in one message and nowhere else."""
    return f"<<{talk} {number}>>"
