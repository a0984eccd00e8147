"""The command line: what operators type, what it answers, and with which exit code it ends."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.simulator.desk import Desk, simulated
from tests.e2e.command import PROGRAM, environment
from tests.e2e.command import handoff as handoff_process
from tests.e2e.command import handoff_here as handoff
from tests.engines import free_port

FAILED, USAGE, NOT_READY, CONFIGURATION = 1, 2, 3, 4


@pytest.fixture
def desk() -> Iterator[Desk]:
    running = simulated("zendesk")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def installed(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with a migrated installation and one workspace."""
    (tmp_path / "data").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "data" / "handoff.db")
    made = handoff("workspace", "create", "Halyard", "--recipient", "admin@example.com", "--json", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    (tmp_path / "key").write_text(json.loads(made.stdout)["api_key"])
    return tmp_path


def listed(*arguments: str, folder: Path) -> Any:
    done = handoff(*arguments, "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_help_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    program = "import sys; from handoff_sync import cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"sqlalchemy", "fastapi", "dramatiq", "uvicorn", "zenpy", "httpx", "pydantic"})
    assert handoff_process("--help", folder=tmp_path).returncode == 0


def test_every_command_explains_itself(tmp_path: Path) -> None:
    from handoff_sync.cli import app

    commands = [[command.name or command.callback.__name__] for command in app.registered_commands if command.callback]
    commands += [[group.name or ""] for group in app.registered_groups]
    assert len(commands) >= 14
    for command in commands:
        done = handoff(*command, "--help", folder=tmp_path)
        assert done.returncode == 0, (command, done.stderr)
        assert "Usage: handoff-sync" in done.stdout


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    from importlib.metadata import version

    assert handoff("--version", folder=tmp_path).stdout.strip() == version("handoff-sync")


# --- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("demo", "--once"),
        ("demo", "--dialogues", "nowhere.jsonl", "--once"),
        ("workspace", "create", "A", "--preset", "nonsense"),
        ("workspace", "create", "A", "--mode", "automatic"),
        ("callback", "add", "ftp://example.com"),
        ("deliveries", "show", "one"),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = handoff(*arguments, folder=tmp_path)
    assert done.returncode == USAGE, done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["web", "doctor"])
def test_a_database_that_is_not_migrated_ends_with_3(tmp_path: Path, command: str) -> None:
    done = handoff_process(command, folder=tmp_path)
    assert done.returncode == NOT_READY, done.stderr
    assert "handoff-sync migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_settings_end_with_4_and_are_all_listed(tmp_path: Path) -> None:
    done = handoff("config", "show", folder=tmp_path, HANDOFF_PROT="1", HANDOFF_LEASE_S="soon")
    assert done.returncode == CONFIGURATION
    assert "2 settings are not right" in done.stderr
    assert "Did you mean HANDOFF_PORT?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_of_its_own_needs_a_shared_broker(tmp_path: Path) -> None:
    done = handoff("worker", folder=tmp_path)
    assert done.returncode == CONFIGURATION
    assert "redis://" in done.stderr


def test_what_is_not_there_is_named(installed: Path) -> None:
    for arguments in (("sessions", "show", "nobody"), ("deliveries", "show", "7"), ("deliveries", "retry", "7")):
        done = handoff(*arguments, folder=installed)
        assert done.returncode == FAILED, arguments
        assert arguments[-1] in done.stderr
    assert "No workspace 'other'" in handoff("sessions", "list", "-w", "other", folder=installed).stderr


# --- an installation ------------------------------------------------------------------------------


def test_migrating_twice_is_harmless(tmp_path: Path) -> None:
    for _ in range(2):
        assert handoff("migrate", folder=tmp_path).returncode == 0


def test_a_workspace_is_made_with_a_policy_and_a_key(installed: Path) -> None:
    (workspace,) = listed("workspace", "list", folder=installed)
    assert workspace["name"] == "Halyard"
    assert workspace["mode"] == "semi_automatic"
    assert workspace["recipients"] == ["admin@example.com"]
    made = listed("workspace", "key", "platform", folder=installed)
    assert made["scopes"] == ["events", "gate", "sessions:read"]
    with closing(sqlite3.connect(installed / "data" / "handoff.db")) as database:
        dump = "\n".join(database.iterdump())
    assert made["api_key"] not in dump
    assert (installed / "key").read_text() not in dump


def test_with_several_workspaces_one_must_be_named(installed: Path) -> None:
    assert handoff("workspace", "create", "B", "--mode", "manual_only", folder=installed).returncode == 0
    done = handoff("sessions", "list", folder=installed)
    assert done.returncode == FAILED
    assert "--workspace" in done.stderr
    assert handoff("sessions", "list", "--workspace", "B", folder=installed).stdout == "No sessions.\n"


def test_a_callback_endpoint_shows_its_secret_once(installed: Path) -> None:
    made = listed("callback", "add", "https://chat.example.com/hooks", folder=installed)
    assert made["secret"].startswith("whsec_")
    (row,) = listed("callback", "list", folder=installed)
    assert row["url"] == "https://chat.example.com/hooks"
    assert "secret" not in row
    assert made["secret"].encode() not in (installed / "data" / "handoff.db").read_bytes()


def test_connecting_checks_installs_the_webhook_and_keeps_the_secret(installed: Path, desk: Desk) -> None:
    options = [f"{name}={value}" for name, value in desk.access.settings.items()]
    secrets = "".join(f"{name}={value}\n" for name, value in desk.access.secrets.items())
    for _ in range(2):  # a second time gives the same connection its settings anew
        done = handoff("connect", "zendesk", *options, "--secret-file", "-", folder=installed, typed=secrets)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "credentials: Signed in" in done.stdout
        assert not any(value in done.stdout + done.stderr for value in desk.access.secrets.values())
    (workspace,) = listed("workspace", "list", folder=installed)
    assert workspace["connections"] == ["zendesk"]
    simulator: Any = desk
    assert [hook.endpoint for hook in simulator.simulator.state.webhooks] == [
        "http://127.0.0.1:8000/hooks/" + _hook_token(installed)
    ]
    stored = (installed / "data" / "handoff.db").read_bytes()
    assert not any(value.encode() in stored for value in desk.access.secrets.values())


def test_connecting_with_wrong_credentials_stores_nothing(installed: Path, desk: Desk) -> None:
    options = [f"{name}={value}" for name, value in desk.access.settings.items()]
    done = handoff("connect", "zendesk", *options, folder=installed, ZENDESK_CLIENT_SECRET="wrong-secret")
    assert done.returncode == FAILED, done.stdout
    assert "To do:" in done.stdout
    assert "wrong-secret" not in done.stdout + done.stderr
    assert listed("workspace", "list", folder=installed)[0]["connections"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("subdomain=https://acme.zendesk.com", "client_id=a"), "subdomain"),
        (("subdomain=acme", "client_id=a", "colour=red"), "colour: there is no such setting"),
        (("subdomain=acme", "client_id=a", "nonsense"), "name=value"),
        (("client_id=a",), "subdomain: is missing"),
        (("subdomain=acme", "client_id=a", "client_secret=x"), "client_secret: is a secret"),
        (("subdomain=acme", "client_id=a", "--secret-file", "nowhere"), "nowhere cannot be read"),
    ],
)
def test_a_connection_that_cannot_be_is_explained(installed: Path, options: tuple[str, ...], said: str) -> None:
    done = handoff("connect", "zendesk", *options, folder=installed, ZENDESK_CLIENT_SECRET="s")
    assert done.returncode == CONFIGURATION, done.stdout + done.stderr
    assert said in done.stderr


def test_the_doctor_says_what_to_do(installed: Path, desk: Desk) -> None:
    done = handoff("doctor", folder=installed)
    assert done.returncode == FAILED
    assert "database: ok" in done.stdout
    assert "handoff-sync connect zendesk" in done.stdout
    desk.stop()
    options = [f"{name}={value}" for name, value in desk.access.settings.items()]
    away = handoff("connect", "zendesk", *options, folder=installed, ZENDESK_CLIENT_SECRET="s")
    assert away.returncode == FAILED
    assert "Traceback" not in away.stderr


def test_the_api_is_described(tmp_path: Path) -> None:
    done = handoff("openapi", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "/v1/events" in json.loads(done.stdout)["paths"]
    assert not (tmp_path / "data").exists()


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    shown = handoff("config", "show", folder=tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/a.db", HANDOFF_PORT="81")
    assert "HANDOFF_PORT" in shown.stdout
    assert "81" in shown.stdout
    table = handoff("config", "table", folder=tmp_path)
    assert "| `HANDOFF_PORT` |" in table.stdout


# --- running -------------------------------------------------------------------------------------


def test_run_serves_until_sigterm(tmp_path: Path) -> None:
    """Everything in one process from an empty folder; SIGTERM ends it cleanly."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "run", "--port", str(port)],
        cwd=tmp_path,
        env=environment(tmp_path, {"HANDOFF_LOG_FORMAT": "json", "HANDOFF_DISK_FLOOR_MB": "0"}),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert _answers(f"http://127.0.0.1:{port}/readyz"), process.poll()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=25)
    finally:
        process.kill()
    assert process.returncode in (0, -signal.SIGTERM), errors
    assert "Traceback" not in errors
    lines = [line for line in errors.splitlines() if line.startswith("{")]
    assert lines
    assert all("event" in json.loads(line) for line in lines)


def test_the_simulated_helpdesk_runs_by_itself(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "simulate", "zendesk", "--port", "0"],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().removeprefix("Agent page: ").strip()
        assert _answers(address)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()


def _answers(url: str) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


def _hook_token(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "data" / "handoff.db")) as database:
        return str(database.execute("SELECT hook_token FROM connections").fetchone()[0])


# --- looking at what happened ----------------------------------------------------------------------


@pytest.fixture
def handed_over(installed: Path) -> Path:
    """With one session that waits for a human, whose mail is parked for want of a mail server."""
    from handoff_sync.bootstrap import build
    from handoff_sync.core.events import HandoffRequested
    from handoff_sync.core.model import Customer, Trigger
    from handoff_sync.core.policy import Mode
    from handoff_sync.service.apply import on_conversation
    from handoff_sync.settings import load_settings

    database = f"sqlite:///{installed / 'data' / 'handoff.db'}"
    app = build(load_settings(data_dir=installed / "data", database_url=database, broker_url="memory://"))
    app.start(workers=False, sweeper=False)
    try:
        (workspace,) = app.admin.workspaces()
        asked = HandoffRequested(
            id="evt-1", at=datetime.now(UTC), trigger=Trigger.CUSTOMER_REQUEST, mode=Mode.AUTOMATIC
        )
        app.committer.run(on_conversation(workspace.id, "talk-1", asked, customer=Customer(name="Maya")))
        for lane in app.reads.due_lanes(10):
            app.runner.run(lane)
    finally:
        app.stop()
    return installed


def test_sessions_are_listed_and_told(handed_over: Path) -> None:
    (session,) = listed("sessions", "list", "--needs-human", folder=handed_over)
    assert (session["conversation"], session["customer"], session["phase"]) == ("talk-1", "Maya", "waiting")
    assert listed("sessions", "list", "--status", "resolved", folder=handed_over) == []
    told = listed("sessions", "show", session["id"], folder=handed_over)
    assert "T11" in [line["rule"] for line in told["timeline"]]
    table = handoff("sessions", "show", session["id"], folder=handed_over).stdout
    assert "T11" in table
    assert "waiting" in table


def test_a_parked_delivery_says_why_and_can_be_retried(handed_over: Path) -> None:
    (parked,) = listed("deliveries", "list", "--status", "parked", folder=handed_over)
    assert parked["kind"] == "mail.admin"
    shown = listed("deliveries", "show", str(parked["id"]), folder=handed_over)
    assert "HANDOFF_SMTP_URL" in shown["why"]
    assert "1 to be done again" in handoff("deliveries", "retry", str(parked["id"]), folder=handed_over).stdout
    assert listed("deliveries", "list", "--status", "parked", folder=handed_over) == []
    (pending,) = listed("deliveries", "list", "--status", "pending", folder=handed_over)
    assert (pending["id"], pending["attempts"]) == (parked["id"], 0)
    again = handoff("deliveries", "retry", str(parked["id"]), folder=handed_over)
    assert again.returncode == FAILED
    assert "not parked" in again.stderr
    assert handoff("deliveries", "retry", folder=handed_over).stdout == "Nothing is parked.\n"


def test_a_policy_is_changed_setting_by_setting(installed: Path) -> None:
    changed = handoff(
        "workspace", "set", "on_ticket_solved=return_to_ai", "pause_presets=[15, null]", "handover_mode=automatic",
        folder=installed,
    )  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    policy = listed("workspace", "show", folder=installed)
    assert policy["on_ticket_solved"] == "return_to_ai"
    assert policy["pause_presets"] == [15, None]


def test_every_mistake_in_a_policy_is_named_and_nothing_is_changed(installed: Path) -> None:
    before = listed("workspace", "show", folder=installed)
    refused = handoff("workspace", "set", "on_ticket_solved=sometimes", "colour=red", folder=installed)
    assert refused.returncode == CONFIGURATION
    assert "on_ticket_solved" in refused.stderr and "colour" in refused.stderr
    assert listed("workspace", "show", folder=installed) == before


def test_a_mode_that_needs_somebody_to_notify_is_not_switched_on_without(installed: Path) -> None:
    refused = handoff("workspace", "set", "recipients=[]", "handover_mode=automatic", folder=installed)
    assert refused.returncode == CONFIGURATION and "recipient" in refused.stderr
