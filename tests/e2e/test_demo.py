"""The demo is the product's own proof: the whole story on real sockets, and it notices when a step does not hold."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.core.policy import Outcome
from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.dialogues import Dialogue, UnreadableDialogues, read_dialogues
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.story import Story
from handoff_sync.simulator.takeover import NOTE
from tests.e2e.command import PROGRAM, ROOT, environment, handoff, handoff_here

EXAMPLES = ROOT / "examples" / "dialogues.jsonl"
SHARED = Path(os.environ.get("HANDOFF_SHARED", ROOT.parent / "shared")) / "data" / "dialogues.jsonl"


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def figures(output: str) -> dict[str, list[str]]:
    """The lines of the summary: a name, and one value or one for each helpdesk."""
    lines = output.partition("Summary")[2].splitlines()
    return {name: values for name, *values in (re.split(r"\s{2,}", line.strip()) for line in lines if line.strip())}


def assert_held(output: str, dialogues: int, helpdesks: int = 1) -> None:
    assert "Every step held." in output
    counts = figures(output)
    assert counts["dialogues"] == [str(dialogues)]
    assert counts["tickets"] == [str(dialogues)] * helpdesks
    assert counts["AI attempts blocked"] == counts["replies to the customer"] == [str(2 * dialogues)]


def test_the_story_holds_for_every_example(tmp_path: Path) -> None:
    done = handoff("demo", "--once", "--dialogues", EXAMPLES, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert_held(done.stdout, len(lines_of(EXAMPLES)))
    assert "\x1b" not in done.stdout  # no colour where nobody sees it
    assert list(tmp_path.iterdir()) == []  # nothing is left behind


def test_the_story_holds_on_redis_and_postgresql_and_the_ai_comes_back(
    tmp_path: Path, redis_url: str, empty_postgres_url: str
) -> None:
    stores = ("--broker", redis_url, "--database", empty_postgres_url)
    done = handoff("demo", "--once", "--dialogues", EXAMPLES, "--on-solved", "return_to_ai", *stores, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(PostgreSQL, Redis)" in done.stdout
    assert done.stdout.count("the AI answers again") == len(lines_of(EXAMPLES))
    assert_held(done.stdout, len(lines_of(EXAMPLES)))


@pytest.mark.skipif(not SHARED.exists(), reason="needs recorded dialogues, which are not part of the repository")
def test_the_story_holds_for_real_dialogues(tmp_path: Path) -> None:
    done = handoff("demo", "--once", "--dialogues", SHARED, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_held(done.stdout, len(lines_of(SHARED)))


@pytest.mark.parametrize("helpdesk", ["gorgias", "intercom"])
def test_the_story_holds_with_every_helpdesk(tmp_path: Path, helpdesk: str) -> None:
    """Two dialogues: Gorgias allows two calls a second, and a third dialogue would wait for them."""
    some = tmp_path / "dialogues.jsonl"
    some.write_text("\n".join(EXAMPLES.read_text(encoding="utf-8").split("\n")[:2]), encoding="utf-8")
    done = handoff("demo", "--once", "--dialogues", some, "--helpdesks", helpdesk, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_held(done.stdout, 2)


@pytest.fixture
def one_dialogue(tmp_path: Path) -> Path:
    """More of them would wait for Gorgias, which allows two calls a second."""
    path = tmp_path / "dialogues.jsonl"
    path.write_text(EXAMPLES.read_text(encoding="utf-8").split("\n")[0], encoding="utf-8")
    return path


ALL = "zendesk,gorgias,intercom"


def test_the_story_holds_with_three_helpdesks_at_once(tmp_path: Path, one_dialogue: Path) -> None:
    done = handoff("demo", "--once", "--dialogues", one_dialogue, "--helpdesks", ALL, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_held(done.stdout, 1, helpdesks=3)
    assert figures(done.stdout)["copies of the others'"] == ["0", "2", "2"]


def test_three_helpdesks_at_once_on_redis_and_postgresql(
    tmp_path: Path, one_dialogue: Path, redis_url: str, empty_postgres_url: str
) -> None:
    stores = ("--broker", redis_url, "--database", empty_postgres_url, "--on-solved", "return_to_ai")
    done = handoff("demo", "--once", "--dialogues", one_dialogue, "--helpdesks", ALL, *stores, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "(PostgreSQL, Redis)" in done.stdout
    assert_held(done.stdout, 1, helpdesks=3)


@pytest.mark.parametrize("answering", [1, 2])
def test_an_agent_of_any_helpdesk_may_answer(answering: int) -> None:
    told = io.StringIO()
    narrator = Narrator(told)
    with playing(narrator, "intercom", "gorgias", "zendesk") as parts:
        story = Story(
            platform=parts.platform,
            service=parts.service,
            desks=parts.desks,
            narrator=narrator,
            answering=answering,
        )
        story.play(read_dialogues(EXAMPLES)[0])
    assert narrator.failed == [], told.getvalue()
    answered = [desk.from_agent for desk in story.totals.desks.values()]
    assert answered == [2 if place == answering else 0 for place in range(3)]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("", "needs names"),
        ("zendesk,", "needs names"),
        ("zendesk,freshdesk", "no simulated 'freshdesk'"),
        ("gorgias,zendesk,gorgias", "'gorgias' twice"),
    ],
)
def test_helpdesks_that_cannot_be_played_are_explained(tmp_path: Path, named: str, said: str) -> None:
    done = handoff_here("demo", "--helpdesks", named, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    if "twice" not in said:
        assert "gorgias, intercom, zendesk" in done.stderr


def test_the_live_demo_serves_its_pages_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "demo", "--helpdesks", "intercom,zendesk"],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "What happens (Ctrl-C ends the demo)\n"))
        addresses = set(re.findall(r"http://127\.0\.0\.1:\d+/(?:chat/\S+|agent)", told))
        addresses |= set(re.findall(r"The mails of Ada and Ben: *(\S+)", told))
        assert len(addresses) == 4
        for address in addresses:
            with urllib.request.urlopen(address, timeout=5) as page:
                assert b"<!doctype html>" in page.read().lower()
        assert [number in told for number in ("1.", "2.", "3.")] == [True] * 3
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


# --- the demo must not believe itself ------------------------------------------------------------


class Sabotage:
    """A desk that does something wrong in one place."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)


class PublicNote(Sabotage):
    def note(self, ticket_id: str, text: str) -> None:
        self._desk.reply(ticket_id, text)


class SilentAgent(Sabotage):
    def reply(self, ticket_id: str, text: str) -> None:
        pass


class MumblingHelpdesk(Sabotage):
    """Shows what others wrote without their name."""

    def ticket(self, ticket_id: str) -> Any:
        ticket = self._desk.ticket(ticket_id)
        return replace(ticket, comments=tuple(replace(c, text=c.text.replace("Dana", "")) for c in ticket.comments))


class EchoingHelpdesk(Sabotage):
    """Shows everything that it was told twice."""

    def ticket(self, ticket_id: str) -> Any:
        ticket = self._desk.ticket(ticket_id)
        return replace(ticket, comments=ticket.comments * 2)


class NeverSolved(Sabotage):
    def solve(self, ticket_id: str) -> None:
        pass


class ForgetfulTicket(Sabotage):
    def ticket(self, ticket_id: str) -> Any:
        ticket = self._desk.ticket(ticket_id)
        return replace(ticket, comments=tuple(replace(one, text=one.text[:20]) for one in ticket.comments))


@contextmanager
def playing(narrator: Narrator, *helpdesks: str) -> Iterator[World]:
    with world(DemoOptions(helpdesks=helpdesks or ("zendesk",), on_solved=Outcome.RESOLVE), narrator) as parts:
        yield parts


@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        (PublicNote, "the second reply reaches the customer, after the first"),
        (SilentAgent, "the agent's first reply reaches the customer"),
        (NeverSolved, "the session is resolved"),
        (ForgetfulTicket, "the whole conversation is in the ticket, in order"),
    ],
)
def test_a_step_that_does_not_hold_is_told(wrong: type[Sabotage], noticed: str) -> None:
    told = io.StringIO()
    narrator = Narrator(told)
    with playing(narrator) as parts:
        story = Story(
            platform=parts.platform,
            service=parts.service,
            desks=(wrong(parts.desk),),
            narrator=narrator,
            patience_s=3.0,
        )
        story.play(read_dialogues(EXAMPLES)[1])
    assert noticed in narrator.failed, told.getvalue()


@pytest.mark.parametrize(
    ("wrong", "noticed"),
    [
        (MumblingHelpdesk, "Intercom: an internal copy of both, signed Dana"),
        (EchoingHelpdesk, "exactly once"),
    ],
)
def test_a_step_that_does_not_hold_at_a_secondary_helpdesk_is_told(wrong: type[Sabotage], noticed: str) -> None:
    told = io.StringIO()
    narrator = Narrator(told)
    with playing(narrator, "zendesk", "intercom") as parts:
        first, second = parts.desks
        desks = (first, wrong(second))
        story = Story(
            platform=parts.platform, service=parts.service, desks=desks, narrator=narrator, patience_s=5.0
        )  # fmt: skip
        story.play(read_dialogues(EXAMPLES)[1])
    assert noticed in narrator.failed, told.getvalue()


def test_a_note_made_public_is_seen_by_the_check_for_notes() -> None:
    """Without this the line 'the internal note does not' could be true for want of looking."""
    narrator = Narrator(io.StringIO())
    with playing(narrator) as parts:
        dialogue = read_dialogues(EXAMPLES)[0]
        parts.platform.begin(dialogue.conversation_id, dialogue.customer)
        parts.platform.customer_says(dialogue.conversation_id, "hello")
        parts.platform.hand_over(dialogue.conversation_id, "customer_request", "")
        ticket = parts.platform.wait(parts.desk.ticket_ids, 10)
        assert ticket is not None
        parts.desk.reply(ticket[0], NOTE)
        talk = parts.platform.talk(dialogue.conversation_id)
        assert talk is not None
        assert parts.platform.wait(lambda: [line for line in talk.lines if NOTE in line.text], 10)


# --- dialogue files ------------------------------------------------------------------------------


def test_the_examples_show_what_life_brings() -> None:
    dialogues = read_dialogues(EXAMPLES)
    texts = " ".join(text for dialogue in dialogues for _, text in dialogue.messages)
    assert any(not dialogue.customer for dialogue in dialogues)
    assert "{{ticket.requester.email}}" in texts
    assert "<script>" in texts
    assert "🚲" in texts
    assert any("\u0600" <= letter <= "\u06ff" for letter in texts)
    mails = [str(dialogue.customer["email"]) for dialogue in dialogues if "email" in dialogue.customer]
    assert all(mail.endswith("@example.com") for mail in mails)


GOOD = '{"conversation_id": "a", "messages": [{"author": "customer", "text": "hi"}]}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no dialogue"),
        (GOOD + "\n{nonsense", "line 2 is not JSON"),
        (GOOD + "\n" + GOOD, "'a' appears twice"),
        ('{"conversation_id": "a", "messages": []}', "messages"),
        ('{"conversation_id": "a", "messages": [{"author": "dog", "text": "hi"}]}', "messages.0.author"),
        ('{"conversation_id": "a", "mesages": []}', "line 1"),
    ],
)
def test_a_file_that_cannot_be_played_is_explained(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableDialogues, match=r"dialogues\.jsonl") as caught:
        read_dialogues(path)
    assert said in str(caught.value)


def test_line_separators_inside_a_text_do_not_end_the_line(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(GOOD.replace("hi", "hi\u2028there"), encoding="utf-8")
    assert read_dialogues(path)[0].messages == (("customer", "hi\u2028there"),)


def test_a_dialogue_without_customer_has_a_title() -> None:
    empty = Dialogue(conversation_id="a", channel="web", customer={}, messages=(), trigger="flow", reason="")
    assert empty.title == "an unknown customer"
