"""The connector's README and its code tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import handoff_connectors.zendesk
from handoff_connectors.zendesk import ZendeskConnector
from handoff_connectors.zendesk.settings import SECRET_FIELDS, ZendeskSettings

ROOM = Path(handoff_connectors.zendesk.__file__).parent
README = (ROOM / "README.md").read_text()
TESTS = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


def test_every_quirk_has_a_number_a_line_and_a_test() -> None:
    lines = re.findall(r"^\| ZD-(\d+) \|.*$", README, re.MULTILINE)
    assert [int(number) for number in lines] == list(range(1, len(lines) + 1))
    named = set(re.findall(r"`(test_\w+)`", README))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()
    for line in re.findall(r"^\| ZD-\d+ \|.*$", README, re.MULTILINE):
        assert "`test_" in line, line[:12]


def test_every_quirk_of_the_code_is_in_the_readme() -> None:
    code = "".join(path.read_text() for path in ROOM.glob("*.py"))
    assert set(re.findall(r"ZD-\d+", code)) <= set(re.findall(r"ZD-\d+", README))


def test_every_setting_is_explained() -> None:
    table = README.partition("### Settings")[2].partition("### Webhooks")[0]
    assert set(ZendeskSettings.model_fields) <= set(re.findall(r"`(\w+)`", table))
    assert {name for name in ZendeskSettings.model_fields if "secret" in name or "token" in name} == SECRET_FIELDS


def test_the_figures_are_those_of_the_code() -> None:
    budgets = {budget.name: budget for budget in ZendeskConnector.budgets}
    assert f"{ZendeskConnector.capabilities.max_comment_bytes:,} bytes" in README
    assert f"{budgets['*'].limit} a minute" in README
    assert f"{budgets['incremental'].limit} calls a minute" in README
