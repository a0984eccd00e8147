"""The connector's README and its code tell the same."""

from __future__ import annotations

import re
from pathlib import Path

import handoff_connectors.gorgias
from handoff_connectors.gorgias import GorgiasConnector
from handoff_connectors.gorgias.settings import SECRET_FIELDS, GorgiasSettings
from handoff_connectors.gorgias.talk import MOST_BYTES, MOST_MESSAGES
from handoff_connectors.gorgias.tokens import SCOPE

ROOM = Path(handoff_connectors.gorgias.__file__).parent
README = (ROOM / "README.md").read_text()
TESTS = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


def test_every_quirk_has_a_number_a_line_and_a_test() -> None:
    lines = re.findall(r"^\| GO-(\d+) \|.*$", README, re.MULTILINE)
    assert [int(number) for number in lines] == list(range(1, len(lines) + 1))
    named = set(re.findall(r"`(test_\w+)`", README))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()
    for line in re.findall(r"^\| GO-\d+ \|.*$", README, re.MULTILINE):
        assert "`test_" in line, line[:12]


def test_every_quirk_of_the_code_is_in_the_readme() -> None:
    code = "".join(path.read_text() for path in ROOM.glob("*.py"))
    assert set(re.findall(r"GO-\d+", code)) <= set(re.findall(r"GO-\d+", README))


def test_every_setting_is_explained() -> None:
    table = README.partition("### Settings")[2].partition("### Webhooks")[0]
    assert set(GorgiasSettings.model_fields) <= set(re.findall(r"`(\w+)`", table))
    named = {name for name in GorgiasSettings.model_fields if re.search("secret|token|api_key", name)}
    assert named == SECRET_FIELDS


def test_the_figures_are_those_of_the_code() -> None:
    budgets = {budget.name: budget for budget in GorgiasConnector.budgets}
    assert f"{GorgiasConnector.capabilities.max_comment_bytes:,} bytes" in README
    assert f"{budgets['*'].limit} in {budgets['*'].window_s} s" in README
    assert f"of these {budgets['events'].limit} for the sweep" in README
    assert f"newest {MOST_MESSAGES - 2} messages or {MOST_BYTES:,} bytes" in README
    assert SCOPE in " ".join(README.split())
