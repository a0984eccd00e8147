"""The file of a workspace: what is written can be read, and whatever is wrong is named with line and remedy."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handoff_sync.api.auth import Scope
from handoff_sync.core import policy as p
from handoff_sync.core.policy import ConnectionRule, CustomerNotice, Mode, Policy, Recipient, Scenario
from handoff_sync.core.presets import PRESETS
from handoff_sync.core.scope import complaints
from handoff_sync.delivery.configuring.changes import differences
from handoff_sync.delivery.configuring.document import KeyScope, read_document
from handoff_sync.delivery.configuring.files import judged, read_file
from handoff_sync.delivery.configuring.lines import Lines
from handoff_sync.delivery.configuring.stored import NOTHING
from handoff_sync.delivery.configuring.writing import written
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.codec import encode_policy
from handoff_sync.store.rows import WorkspaceRow

ROOT = Path(__file__).parents[2]


def mistakes(text: str) -> list[str]:
    """What is wrong with the file, line by line."""
    with pytest.raises(ConfigurationError) as error:
        judged(read_document(text, "ws.toml"))
    return error.value.problems


# --- writing and reading again -------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
title = words.filter(lambda text: bool(text.strip()))
label = st.none() | title
minutes = st.integers(1, 527_040)
tags = st.lists(title, max_size=3).map(tuple)
texts = st.dictionaries(st.sampled_from(["en", "pt", "es", "pt-BR"]), title, max_size=3)
MADE: Mapping[Any, st.SearchStrategy[Any]] = {
    "scenarios": st.lists(
        st.builds(
            Scenario, title=title, instruction=words, mode=st.none() | st.sampled_from(Mode), team=st.just(None),
            priority=label, tags=tags, enabled=st.booleans(),
        ), max_size=3, unique_by=lambda one: one.title,
    ).map(tuple),
    "connections": st.lists(
        st.builds(
            ConnectionRule, connection=title, group=label, tags=tags, priority=label,
            custom_fields=st.dictionaries(words, words, max_size=2), subject=st.just("Help {name}"),
        ), max_size=3, unique_by=lambda one: one.connection,
    ).map(tuple),
    "recipients": st.lists(
        st.builds(
            Recipient, email=st.integers(0, 99).map(lambda n: f"a{n}@example.com"), name=words,
            language=st.sampled_from(["en", "pt", "es"]),
            kinds=st.lists(st.sampled_from(p.MailKind), max_size=3, unique=True).map(tuple),
        ), max_size=3, unique_by=lambda one: one.email,
    ).map(tuple),
    "customer_notice": st.builds(CustomerNotice, on_handover=texts, on_join=texts, on_return=texts, on_resolve=texts),
    "pause_presets": st.lists(st.none() | minutes, max_size=5).map(tuple),
    "default_pause_minutes": st.none() | minutes,
    "claim_reminder_minutes": st.none() | minutes,
    "claim_timeout_minutes": st.none() | minutes,
    "decision_timeout_minutes": minutes,
    "decline_mute_minutes": minutes,
    "reopen_window_hours": st.integers(0, 87_840),
    "retake_window_hours": st.integers(0, 87_840),
    "solved_grace_seconds": st.integers(0, 86_400),
    "upgrade_url": st.sampled_from([None, "https://example.com/plans?a=1&b=%22"]),
    "chat_url": st.sampled_from([None, "https://example.com/{session_id}"]),
    "timezone": st.sampled_from(["UTC", "Europe/Lisbon"]),
}  # fmt: skip


def any_policy() -> st.SearchStrategy[Policy]:
    """Policies that contradict nothing, with every setting at any of its values."""
    chosen = {}
    for field in fields(Policy):
        default = getattr(Policy(), field.name)
        if field.name in MADE:
            chosen[field.name] = MADE[field.name]
        elif isinstance(default, bool):
            chosen[field.name] = st.booleans()
        else:
            chosen[field.name] = st.sampled_from(type(default))
    return st.builds(Policy, **chosen).filter(lambda policy: not complaints(policy))


@given(policy=any_policy())
@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
def test_what_was_written_of_a_policy_is_read_as_the_same(policy: Policy) -> None:
    row = WorkspaceRow(id="ws", name="A", policy=policy, teams={}, revision=1)
    plan = judged(read_document(written(row, NOTHING, {}), "ws.toml"))
    assert plan.policy is not None
    assert encode_policy(plan.policy) == encode_policy(policy)


def test_what_was_written_of_teams_is_read_as_the_same() -> None:
    teams: dict[str, dict[str, object]] = {
        "sales": {"default_pause_minutes": None, "pause_presets": [5, None]},
        'odd "name".x': {"recipients": [{"email": "a@example.com", "team": None}]},
        "none": {},
    }
    row = WorkspaceRow(id="ws", name="A", policy=PRESETS["pause-and-resume"], teams=teams, revision=1)
    read = read_document(written(row, NOTHING, {}), "ws.toml").teams
    assert read == {**teams, 'odd "name".x': {"recipients": [{"email": "a@example.com"}]}}


values: st.SearchStrategy[Any] = st.recursive(
    st.integers() | words | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@given(tree=st.dictionaries(words, values, max_size=4), multiline=st.booleans())
@settings(max_examples=150, deadline=None)
def test_lines_are_counted_in_whatever_text_is_toml(tree: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(tree, multiline_strings=multiline)
    assert tomllib.loads(text) is not None
    assert all(Lines(text).of(name) for name in tree if name.isidentifier())


def test_the_line_of_a_key_is_found_however_it_is_written() -> None:
    text = (ROOT / "tests" / "delivery" / "workspace_lines.toml").read_text(encoding="utf-8")
    wanted = {
        path: number
        for number, line in enumerate(text.splitlines(), start=1)
        for path in line.partition("# at ")[2].split()
    }
    lines = Lines(text)
    assert len(wanted) > 12
    assert {path: lines.of(path) for path in wanted} == wanted
    assert lines.of("policy.recipients[1].nothing.here") == wanted["policy.recipients[1]"]
    assert lines.of("nowhere") is None


# --- mistakes ------------------------------------------------------------------------------------

TEN = """\
[workspace]
name = "A"
preset = "handovers"
[policy]
handover_mod = "automatic"
decision_timeout_minutes = 0
timezone = "Mars/Base"
live_handback = false
on_ticket_solved = "return_to_ai"
claim_reminder_minutes = 30
claim_timeout_minutes = 10
on_claim_timeout = "resolve"
recipients = [
  { email = "ana@example.com" },
  { email = "nobody" },
]
[[policy.scenarios]]
title = "Refunds"
team = "seles"
[teams.sales]
[connections.zendesk]
kind = "zendesk"
subdomain = "acme"
client_id = "x"
client_secret = "in-the-open-1234"
[[keys]]
name = "platform"
scopes = ["everything"]
"""


def test_ten_mistakes_are_ten_lines_each_with_its_place_and_remedy() -> None:
    found = mistakes(TEN)
    assert [problem.split(": ")[:2] for problem in found] == [
        ["ws.toml:3", "workspace.preset"],
        ["ws.toml:28", "keys[0].scopes[0]"],
        ["ws.toml:25", "connections.zendesk.client_secret"],
        ["ws.toml:5", "policy.handover_mod"],
        ["ws.toml:6", "policy.decision_timeout_minutes"],
        ["ws.toml:7", "policy.timezone"],
        ["ws.toml:9", "policy.on_ticket_solved"],
        ["ws.toml:10", "policy.claim_reminder_minutes"],
        ["ws.toml:19", "policy.scenarios[0].team"],
        ["ws.toml:15", "policy.recipients[1].email"],
    ]
    assert "Did you mean handover_mode?" in found[3]
    assert '{ env = "NAME" }' in found[2]
    assert "in-the-open-1234" not in "\n".join(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[workspace", "ws.toml: this is no TOML"),
        ("[workspac]\nname = 'a'", "ws.toml:1: workspac: there is no such setting. Did you mean workspace?"),
        ("[policy]", "workspace.name: is missing"),
        ("policy = 3", "policy: write it as a table"),
        ("[connections]\nzd = 3", "connections.zd: write it as a table"),
        ("[connections.zd]\nkind = 'zendsk'", "connections.zd.kind: There is no connector 'zendsk'"),
        ("[connections.zd]\nsubdomain = 'a'", "connections.zd.kind: is missing"),
        ("[connections.zd]\nkind = 'zendesk'\nsub = 'a'", "connections.zd.sub: there is no such setting"),
        ("[connections.zd]\nkind = 'zendesk'\nclient_id = 'a'", "connections.zd.subdomain: Field required"),
        ("[connections.zd]\nkind = 'zendesk'\nsubdomain = 'a'", "connections.zd: auth = client_credentials needs"),
        (
            "[connections.zd]\nkind = 'zendesk'\nsubdomain = 'a'\nclient_id = 'b'",
            "connections.zd.client_secret: is missing",
        ),
        ("[connections.zd]\nkind = 'zendesk'\nwebhook_url = 'x'", "connections.zd.webhook_url: is set when"),
        ("[connections.zd]\nkind = 'zendesk'\nclient_secret = {}", "client_secret: names neither"),
        ("[connections.zd]\nkind = 'zendesk'\nclient_secret = {key='a'}", "client_secret.key: there is no such"),
        ("[members]\nemail = 'a'", "members: write each of them under a line of its own: [[members]]"),
        ("[[members]]\nemail = 'a'", "members[0].email: 'a' is no address"),
        ("[[members]]\nname = 'a'", "members[0].email: is missing"),
        ("[[members]]\nemail = 'a@b.c'\nrole = 'boss'", "members[0].role: 'boss' is none of owner, admin, agent"),
        ("[[members]]\nemail = 'a@b.c'\nlanguage = '?'", "members[0].language: '?' is no language code"),
        ("[teams.a]\n[[members]]\nemail = 'a@b.c'\nteams = ['b']", "members[0].teams: there is no team 'b'"),
        ("[[members]]\nemail = 'a@b.c'\n[[members]]\nemail = 'A@b.c'", "members[1].email: 'A@b.c' stands here twice"),
        ("[[callbacks]]\nurl = 'ftp://x'", "callbacks[0].url: 'ftp://x' must start with https://"),
        ("[[callbacks]]\nurl = 'https://x'\nsecret = 'whsec_x'", "callbacks[0].secret: is a secret"),
        ("[[keys]]\nname = 'a'\n[[keys]]\nname = 'a'", "ws.toml:4: keys[1].name: 'a' stands here twice"),
        ("[teams.sales]\nlive_handbak = true", "ws.toml:2: teams.sales.live_handbak: there is no such setting"),
        ("[policy]\ndecision_timeout_minutes = 'none'", "policy.decision_timeout_minutes: expected a whole number"),
        ("[policy]\npause_presets = [15, 'never']", "policy.pause_presets[1]: expected a whole number"),
    ],
)
def test_every_mistake_says_what_to_do(text: str, says: str) -> None:
    assert any(says in problem for problem in mistakes(text)), mistakes(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("nowhere.toml", "odd.toml"):
        with pytest.raises(ConfigurationError, match=name):
            read_file(tmp_path / name)


def test_keys_have_the_scopes_of_the_api() -> None:
    assert [scope.value for scope in KeyScope] == [scope.value for scope in Scope]


# --- differences ---------------------------------------------------------------------------------


def test_differences_read_like_sentences() -> None:
    one, two = {"title": "A", "tags": []}, {"title": "B", "tags": ["x"]}
    shown: Callable[[Any, Any], list[str]] = lambda old, new: [str(one) for one in differences("p", old, new)]  # noqa: E731
    assert shown({"a": 1, "b": None}, {"a": 2, "b": None}) == ["~ p.a: 1 -> 2"]
    assert shown([two], [one, two]) == ['+ p["A"]: title "A"']
    assert shown([one, two], [two, one]) == ['~ p (order): ["A", "B"] -> ["B", "A"]']
    assert shown([one], [{**one, "tags": ["x"]}]) == ['~ p["A"].tags: [] -> ["x"]']
    assert shown({"a": 1}, {}) == ["- p.a: 1"]
    assert shown({"a": 1}, {"a": 1}) == []


def test_the_example_is_right() -> None:
    plan = judged(read_file(ROOT / "examples" / "workspace.toml"))
    assert plan.warnings == []
    assert os.environ.get("ZENDESK_CLIENT_SECRET") is None  # nothing of it had to be there
