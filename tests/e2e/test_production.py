"""The processes of the Procfile on PostgreSQL and Redis, set up by commands alone: the story holds there too."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from handoff_sync.bootstrap import build
from handoff_sync.core.policy import Mode
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import load_settings
from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.service import Service
from handoff_sync.simulator.chat.web import chat_app
from handoff_sync.simulator.desk import Desk, simulated
from handoff_sync.simulator.dialogues import read_dialogues
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.simulator.story import Story
from tests.e2e.command import PROGRAM, ROOT, environment
from tests.e2e.command import handoff_here as handoff
from tests.engines import free_port


def test_separate_processes_tell_the_same_story(tmp_path: Path, empty_postgres_url: str, redis_url: str) -> None:
    port = free_port()
    variables = {
        "DATABASE_URL": empty_postgres_url.replace("postgresql://", "postgres://"),  # as hosting platforms write it
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "HANDOFF_SECRET_KEYS": new_key(),
        "HANDOFF_PRIVATE_DESTINATIONS": "127.0.0.1/32",
        "HANDOFF_SWEEP_INTERVAL_S": "0.5",
        "HANDOFF_LOG_FORMAT": "json",
    }
    assert handoff("web", folder=tmp_path, **variables).returncode == 3  # not migrated yet
    assert handoff("migrate", folder=tmp_path, **variables).returncode == 0
    logs = [tmp_path / "web.log", tmp_path / "worker.log"]
    with ExitStack() as stack:
        stack.enter_context(running("web", folder=tmp_path, log=logs[0], variables=variables))
        stack.enter_context(running("worker", folder=tmp_path, log=logs[1], variables=variables))
        desk = simulated("zendesk")
        desk.start()
        stack.callback(desk.stop)
        platform = ChatPlatform()
        stack.callback(platform.close)
        chat = LoopbackServer(chat_app(platform))
        chat.start()
        stack.callback(chat.stop)
        wait_for(f"http://127.0.0.1:{port}/readyz", logs)
        key, secret = set_up(tmp_path, variables, desk, chat.base_url)
        service = Service(f"http://127.0.0.1:{port}", key)
        platform.connect(service, secret)
        told = io.StringIO()
        narrator = Narrator(told)
        Story(platform=platform, service=service, desks=(desk,), narrator=narrator).play(
            read_dialogues(ROOT / "examples" / "dialogues.jsonl")[2]
        )
        assert narrator.failed == [], told.getvalue() + "".join(log.read_text() for log in logs)
        parked = handoff("deliveries", "list", "--status", "parked", "--json", folder=tmp_path, **variables)
        told_by_mail = {row["to"] for row in json.loads(parked.stdout)}
        assert told_by_mail == {"mail:admin@example.com"}, "no mail server is configured"
    words = [log.read_text() for log in logs]
    assert not any("Traceback" in text for text in words), words
    assert not any(hidden in text for text in words for hidden in (key, secret, "<script>", "طلبي"))


def set_up(folder: Path, variables: dict[str, str], desk: Desk, chat_url: str) -> tuple[str, str]:
    """What an operator types; returns the platform's key and the secret of its callbacks."""
    create = ("workspace", "create", "Halyard", "--mode", "automatic", "--recipient", "admin@example.com")
    assert handoff(*create, folder=folder, **variables).returncode == 0
    made = handoff("workspace", "key", "chat product", "--json", folder=folder, **variables)
    options = [f"{name}={value}" for name, value in desk.access.settings.items()]
    secrets = {f"ZENDESK_{name.upper()}": value for name, value in desk.access.secrets.items()}
    connected = handoff("connect", "zendesk", *options, folder=folder, **variables, **secrets)
    assert connected.returncode == 0, connected.stdout + connected.stderr
    added = handoff("callback", "add", f"{chat_url}/callbacks", "--json", folder=folder, **variables)
    shorten_the_grace(folder, variables)
    return json.loads(made.stdout)["api_key"], json.loads(added.stdout)["secret"]


def shorten_the_grace(folder: Path, variables: dict[str, str]) -> None:
    """A solved ticket counts after a minute; nobody waits that long for a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        app = build(load_settings(data_dir=folder))
    app.start(workers=False, sweeper=False)
    try:
        (row,) = app.admin.workspaces()
        assert row.policy.handover_mode is Mode.AUTOMATIC
        app.admin.update_workspace(row.id, policy=replace(row.policy, solved_grace_seconds=0))
    finally:
        app.stop()


@contextmanager
def running(command: str, *, folder: Path, log: Path, variables: dict[str, str]) -> Iterator[None]:
    """One process of the Procfile, ended as a hosting platform ends it."""
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), command],
            cwd=folder,
            env=environment(folder, variables),
            stdout=file,
            stderr=file,
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()
    finally:
        process.kill()
        process.wait()


def wait_for(url: str, logs: list[Path]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("The service did not start: " + "".join(log.read_text() for log in logs))
