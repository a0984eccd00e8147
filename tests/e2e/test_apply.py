"""One file for a workspace: applied twice it changes nothing, exported and applied elsewhere it is the same."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.bootstrap import App, build
from handoff_sync.core.events import HandoffRequested
from handoff_sync.core.model import Trigger
from handoff_sync.core.policy import Mode
from handoff_sync.service.apply import on_conversation
from handoff_sync.settings import load_settings
from handoff_sync.simulator.desk import Desk, simulated
from tests.e2e.command import ROOT
from tests.e2e.command import handoff_here as handoff

FAILED, CONFIGURATION = 1, 4
SECRET = "whsec_" + "QUJD" * 10
Done = subprocess.CompletedProcess[str]

SMALL = """\
[workspace]
name = "Halyard"
[policy]
handover_mode = "manual_only"
scenarios = []
"""


@pytest.fixture
def here(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with a migrated installation without any workspace."""
    (tmp_path / "data").mkdir()
    shutil.copyfile(sqlite_template, tmp_path / "data" / "handoff.db")
    return tmp_path


@pytest.fixture
def desk() -> Iterator[Desk]:
    running = simulated("zendesk")
    running.start()
    yield running
    running.stop()


def put(folder: Path, text: str) -> None:
    (folder / "workspace.toml").write_text(text, encoding="utf-8")


def apply(folder: Path, *options: str, typed: str = "", **variables: str) -> Done:
    return handoff("apply", "workspace.toml", *options, folder=folder, typed=typed, **variables)


def applied(folder: Path, *options: str, **variables: str) -> dict[str, Any]:
    done = apply(folder, *options, "--json", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def keys(summary: dict[str, Any]) -> list[str]:
    return [change["key"] for change in summary["changes"]]


def shown(folder: Path) -> dict[str, Any]:
    return dict(json.loads(handoff("workspace", "show", "--json", folder=folder).stdout))


def asked(folder: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "data" / "handoff.db")) as database:
        return database.execute(sql).fetchall()


def revision(folder: Path) -> int:
    return int(asked(folder, "SELECT revision FROM workspaces")[0][0])


def at_desk(desk: Desk, **more: str) -> str:
    """A workspace with the simulated helpdesk; its secrets come from variables."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in {**desk.access.settings, **more}.items()]
    lines += [f'{name} = {{ env = "DESK_{name.upper()}" }}' for name in desk.access.secrets]
    return SMALL + "\n".join(["[connections.desk]", 'kind = "zendesk"', *lines, ""])


def secrets(desk: Desk) -> dict[str, str]:
    return {f"DESK_{name.upper()}": value for name, value in desk.access.secrets.items()}


@contextmanager
def running(folder: Path) -> Iterator[App]:
    """The parts of the installation, as a process has them."""
    database = f"sqlite:///{folder / 'data' / 'handoff.db'}"
    app = build(load_settings(data_dir=folder / "data", database_url=database, broker_url="memory://"))
    app.start(workers=False, sweeper=False)
    try:
        yield app
    finally:
        app.stop()


# --- the example, and again ----------------------------------------------------------------------


def test_the_example_is_applied_and_a_second_time_changes_nothing(here: Path) -> None:
    put(here, (ROOT / "examples" / "workspace.toml").read_text(encoding="utf-8"))
    variables = {"ZENDESK_CLIENT_SECRET": "not-to-be-shown", "CALLBACK_SECRET": SECRET}
    first = apply(here, "--offline", **variables)
    assert first.returncode == 0, first.stderr
    assert "+ connections.zendesk" in first.stdout
    assert "not-to-be-shown" not in first.stdout + first.stderr
    before = revision(here)
    second = apply(here, "--offline", **variables)
    assert (second.returncode, second.stdout) == (0, "Nothing to change.\n")
    assert revision(here) == before
    policy = shown(here)
    assert policy["decision_timeout_minutes"] == 20
    assert [one["email"] for one in policy["recipients"]] == ["ana@example.com", "billing@example.com"]
    (connection,) = asked(here, "SELECT id FROM connections")
    assert policy["connections"][0]["connection"] == connection[0]
    assert asked(here, "SELECT email, role FROM members ORDER BY email") == [
        ("ana@example.com", "owner"),
        ("bo@example.com", "agent"),
    ]


def test_a_key_is_made_once_and_handed_over_in_a_file_for_its_owner_alone(here: Path) -> None:
    put(here, SMALL + '[[keys]]\nname = "platform"\nkey_file = "platform.key"\n[[keys]]\nname = "other"\n')
    done = apply(here)
    file = here / "platform.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text().strip()
    assert key.startswith("hsk_")
    assert key not in done.stdout + done.stderr
    assert "hsk_" in done.stderr and "hsk_" not in done.stdout
    assert apply(here).stdout == "Nothing to change.\n"
    put(
        here,
        SMALL + '[[keys]]\nname = "platform"\nscopes = ["admin"]\n[[keys]]\nname = "new"\nkey_file = "platform.key"\n',
    )
    refused = apply(here)
    assert refused.returncode == CONFIGURATION
    assert "cannot be changed" in refused.stderr and "platform.key exists already" in refused.stderr


def test_a_dry_run_shows_everything_and_changes_nothing(here: Path) -> None:
    put(here, SMALL)
    dry = apply(here, "--dry-run")
    assert dry.returncode == 0
    assert '~ policy.handover_mode: "semi_automatic" -> "manual_only"' in dry.stdout
    assert "nothing was changed" in dry.stdout
    assert asked(here, "SELECT count(*) FROM workspaces") == [(0,)]


def test_what_the_file_does_not_mention_is_left_alone(here: Path) -> None:
    put(here, SMALL + "[teams.sales]\nlive_handback = true\n[[callbacks]]\nurl = 'https://chat.example.com/'\n")
    applied(here)
    handoff("workspace", "set", "solved_grace_seconds=7", folder=here)
    put(here, '[workspace]\nname = "Halyard"\n[policy]\ndecline_mute_minutes = 5\n')
    assert keys(applied(here, "--prune")) == ["policy.decline_mute_minutes"]
    policy = shown(here)
    assert (policy["solved_grace_seconds"], policy["handover_mode"]) == (7, "manual_only")
    assert asked(here, "SELECT count(*) FROM callback_endpoints") == [(1,)]


def test_what_a_section_does_not_name_goes_only_when_that_is_asked_for_and_confirmed(here: Path) -> None:
    two = "[[callbacks]]\nurl = 'https://one.example.com'\n[[callbacks]]\nurl = 'https://two.example.com'\n"
    put(here, SMALL + two + "[[members]]\nemail = 'ana@example.com'\nrole = 'owner'\n")
    applied(here)
    put(here, SMALL + "[[callbacks]]\nurl = 'https://two.example.com'\n")
    assert keys(applied(here)) == []
    refused = apply(here, "--prune", typed="n\n")
    assert refused.returncode == FAILED
    assert "callbacks.https://one.example.com" in refused.stdout
    assert asked(here, "SELECT count(*) FROM callback_endpoints") == [(2,)]
    assert keys(applied(here, "--prune", "--yes")) == ["callbacks.https://one.example.com"]
    assert asked(here, "SELECT url FROM callback_endpoints") == [("https://two.example.com",)]
    assert asked(here, "SELECT count(*) FROM members") == [(1,)]


def test_a_callback_has_the_secret_that_it_was_given(here: Path) -> None:
    entry = '[[callbacks]]\nurl = "https://chat.example.com/"\nsecret = { file = "hook.secret" }\n'
    put(here, SMALL + entry)
    (here / "hook.secret").write_text(f"{SECRET}\n")
    assert SECRET not in apply(here).stderr
    assert apply(here).stdout == "Nothing to change.\n"
    (here / "hook.secret").write_text("whsec_" + "RUZH" * 10)
    assert keys(applied(here)) == ["callbacks.https://chat.example.com/.secret"]
    assert keys(applied(here)) == []
    (here / "hook.secret").write_text("not one")
    refused = apply(here)
    assert refused.returncode == CONFIGURATION
    assert "whsec_ followed by base64" in refused.stderr and "not one" not in refused.stderr


def test_an_exported_workspace_applied_elsewhere_is_the_same(
    here: Path, tmp_path_factory: Any, sqlite_template: Path
) -> None:
    put(here, (ROOT / "examples" / "workspace.toml").read_text(encoding="utf-8"))
    variables = {"ZENDESK_CLIENT_SECRET": "shh", "CALLBACK_SECRET": SECRET, "CALLBACK_1_SECRET": SECRET}
    applied(here, "--offline", **variables)
    exported = handoff("export", folder=here)
    assert exported.returncode == 0
    assert "shh" not in exported.stdout and SECRET not in exported.stdout
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "data").mkdir()
    shutil.copyfile(sqlite_template, elsewhere / "data" / "handoff.db")
    put(elsewhere, exported.stdout)
    applied(elsewhere, "--offline", **variables)
    here_now, there_now = handoff("export", folder=here).stdout, handoff("export", folder=elsewhere).stdout
    assert there_now == here_now
    put(here, exported.stdout)
    assert apply(here, "--offline", **variables).stdout == "Nothing to change.\n"


# --- mistakes ------------------------------------------------------------------------------------


def test_every_mistake_is_listed_with_its_line_and_nothing_is_changed(here: Path) -> None:
    put(here, SMALL + 'colour = "red"\nredact = "yes"\n[connections.zd]\nkind = "zendesk"\nclient_secret = "open"\n')
    refused = apply(here)
    assert refused.returncode == CONFIGURATION
    assert "workspace.toml:6: policy.colour" in refused.stderr
    assert "workspace.toml:7: policy.redact" in refused.stderr
    assert "workspace.toml:10: connections.zd.client_secret" in refused.stderr
    assert asked(here, "SELECT count(*) FROM workspaces") == [(0,)]
    assert handoff("policy", "check", "workspace.toml", folder=here).returncode == CONFIGURATION


def test_a_missing_secret_and_an_unclear_workspace_are_named(here: Path) -> None:
    put(here, SMALL + "[[callbacks]]\nurl = 'https://a.example.com'\nsecret = { env = 'NOWHERE' }\n")
    assert "callbacks[0].secret: the variable NOWHERE is not set" in apply(here).stderr
    put(here, "[policy]\n")
    assert "workspace.name: is missing" in apply(here).stderr
    put(here, SMALL)
    for _ in range(2):
        assert handoff("workspace", "create", "Halyard", "--mode", "manual_only", folder=here).returncode == 0
    assert "give the id of one" in apply(here).stderr


def test_a_connection_that_the_policy_needs_is_not_pruned_away(here: Path) -> None:
    rule = '[[policy.connections]]\nconnection = "old"\n'
    account = '[connections.old]\nkind = "gorgias"\ndomain = "a"\nemail = "a@example.com"\napi_key = { env = "KEY" }\n'
    put(here, SMALL + rule + account)
    applied(here, "--offline", KEY="k")
    put(here, SMALL + rule + "[connections]\n")
    refused = apply(here, "--prune", "--yes", "--offline")
    assert refused.returncode == CONFIGURATION
    assert "there is no connection 'old'" in refused.stderr
    put(here, SMALL + "connections = []\n[connections]\n")
    assert keys(applied(here, "--prune", "--yes", "--offline")) == ["connections.old", 'policy.connections["old"]']


def test_a_warning_is_shown_and_stops_nothing(here: Path) -> None:
    account = '[connections.go]\nkind = "gorgias"\ndomain = "a"\nemail = "a@example.com"\napi_key = { env = "KEY" }\n'
    put(here, SMALL + 'on_ticket_solved = "return_to_ai"\n' + account)
    done = apply(here, "--offline", KEY="k")
    assert done.returncode == 0
    assert "Warning: workspace.toml:6: policy.on_ticket_solved: agents of go close" in done.stderr
    changed = handoff("workspace", "set", "on_ticket_closed=return_to_ai", folder=here)
    assert changed.returncode == 0
    assert "Warning: on_ticket_closed" in changed.stderr


# --- with a helpdesk -----------------------------------------------------------------------------


def test_a_connection_is_checked_gets_its_webhook_and_is_not_asked_again(here: Path, desk: Desk) -> None:
    put(here, at_desk(desk))
    done = apply(here, **secrets(desk))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "credentials: Signed in" in done.stdout
    calls = len(desk.simulator.log.all())
    assert apply(here, **secrets(desk)).stdout == "Nothing to change.\n"
    assert len(desk.simulator.log.all()) == calls
    stored = (here / "data" / "handoff.db").read_bytes()
    assert not any(value.encode() in stored for value in desk.access.secrets.values())
    put(here, at_desk(desk, agent_url="https://desk.example.com"))
    assert keys(applied(here, **secrets(desk))) == ["connections.desk.agent_url"]


def test_what_was_stored_offline_is_set_up_as_soon_as_the_helpdesk_may_be_asked(here: Path, desk: Desk) -> None:
    put(here, at_desk(desk))
    applied(here, "--offline", **secrets(desk))
    assert keys(applied(here, **secrets(desk))) == ["connections.desk.webhook"]
    assert keys(applied(here, **secrets(desk))) == []


def test_credentials_that_do_not_work_change_nothing_that_worked(here: Path, desk: Desk) -> None:
    put(here, at_desk(desk))
    applied(here, **secrets(desk))
    put(here, at_desk(desk) + "[[callbacks]]\nurl = 'https://chat.example.com'\n")
    wrong = apply(here, **dict.fromkeys(secrets(desk), "wrong"))
    assert wrong.returncode == FAILED
    assert "The credentials of desk do not work" in wrong.stderr
    assert asked(here, "SELECT count(*) FROM callback_endpoints") == [(0,)]
    assert keys(applied(here, **secrets(desk))) == ["callbacks.https://chat.example.com"]


def test_a_connection_is_switched_off_and_on_by_the_file(here: Path, desk: Desk) -> None:
    put(here, at_desk(desk) + "enabled = false\n")
    applied(here, **secrets(desk))
    assert asked(here, "SELECT enabled FROM connections") == [(0,)]
    assert keys(applied(here, **secrets(desk))) == []
    put(here, at_desk(desk) + "enabled = true\n")
    assert keys(applied(here, **secrets(desk))) == ["connections.desk.enabled"]
    assert asked(here, "SELECT enabled FROM connections") == [(1,)]


def test_a_secret_that_was_renewed_since_is_not_given_anew_until_the_reference_holds_another(here: Path) -> None:
    """Refresh tokens are good once: the old one would lock the connection out."""
    values = 'subdomain = "a"\nclient_id = "b"\nauth = "refresh_token"\nclient_secret = { env = "S" }\n'
    put(here, SMALL + f'[connections.zd]\nkind = "zendesk"\n{values}refresh_token = {{ env = "TOKEN" }}\n')
    applied(here, "--offline", S="s", TOKEN="first")
    with running(here) as app:
        (connection,) = app.admin.connections()
        kept = app.admin.connection_secrets(connection.id)
        app.admin.save_connection_secrets(connection.id, {**kept, "refresh_token": "renewed"})
    assert keys(applied(here, "--offline", S="s", TOKEN="first")) == []
    assert keys(applied(here, "--offline", S="s", TOKEN="second")) == ["connections.zd.refresh_token"]
    with running(here) as app:
        assert app.admin.connection_secrets(connection.id)["refresh_token"] == "second"


# --- in words ------------------------------------------------------------------------------------


def test_a_policy_is_explained_from_a_file_and_from_what_is_stored(here: Path) -> None:
    put(here, SMALL + "[teams.sales]\nreopen_window_hours = 24\n")
    from_file = handoff("policy", "explain", "workspace.toml", folder=here)
    assert "only people start a handover" in from_file.stdout
    assert "In team sales, instead:" in from_file.stdout and "within 24 hours" in from_file.stdout
    applied(here)
    told = json.loads(handoff("policy", "explain", "--json", folder=here).stdout)
    assert told["workspace"][0] in from_file.stdout
    assert len(told["teams"]["sales"]) == 2


def test_scenarios_are_listed_and_templates_can_be_put_into_a_file(here: Path) -> None:
    templates = handoff("scenarios", "templates", "--toml", folder=here).stdout
    put(here, SMALL.replace("scenarios = []\n", "") + templates)
    applied(here)
    listed = json.loads(handoff("scenarios", "list", "--json", folder=here).stdout)
    assert len(listed) == 7
    assert {(one["mode"], one["enabled"]) for one in listed} == {("manual_only", False)}
    assert "Frustrated customers" in handoff("scenarios", "templates", folder=here).stdout


# --- deciding ------------------------------------------------------------------------------------


def undecided(folder: Path) -> str:
    """A session in which an admin is asked."""
    with running(folder) as app:
        (workspace,) = app.admin.workspaces()
        now = datetime.now(UTC)
        asks = HandoffRequested(id="evt", at=now, trigger=Trigger.CUSTOMER_REQUEST, mode=Mode.SEMI_AUTOMATIC)
        session = app.committer.run(on_conversation(workspace.id, "talk", asks)).session
        assert session is not None
        return session.id


def test_a_member_who_may_decides_by_command_and_everybody_else_learns_who_did(here: Path) -> None:
    people = [("ana", "admin", 'name = "Ana"'), ("bo", "agent", "")]
    entries = [f'[[members]]\nemail = "{who}@example.com"\nrole = "{role}"\n{more}\n' for who, role, more in people]
    put(here, SMALL + "".join(entries))
    applied(here)
    session = undecided(here)
    assert (
        "--as which member decides: ana@example.com"
        in handoff("sessions", "decide", session, "accept", folder=here).stderr
    )
    agent = handoff("sessions", "decide", session, "accept", "--as", "bo@example.com", folder=here)
    assert agent.returncode == FAILED and "owners and admins decide" in agent.stderr
    done = handoff("sessions", "decide", session, "decline", "--as", "ana@example.com", folder=here)
    assert (done.returncode, done.stdout) == (0, "Declined: the AI goes on.\n"), done.stderr
    late = handoff("sessions", "decide", session, "accept", "--as", "ana@example.com", folder=here)
    assert late.returncode == FAILED and "already declined by Ana" in late.stderr


def test_who_decided_by_command_can_take_it_back_by_command(here: Path) -> None:
    put(here, SMALL)
    applied(here)
    session = undecided(here)
    handoff("sessions", "decide", session, "accept", "--as", "ana@example.com", folder=here)
    done = handoff("sessions", "decide", session, "undo", "--as", "ana@example.com", folder=here)
    assert (done.returncode, done.stdout) == (0, "Undone: the question is open again.\n"), done.stderr
