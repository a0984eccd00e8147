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
from pathlib import Path
from typing import Any

import pytest

from handoff_sync.core.policy import Outcome
from handoff_sync.demo import DemoOptions, World, world
from handoff_sync.simulator.dialogues import Dialogue, UnreadableDialogues, read_dialogues
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.story import NOTE, Story
from tests.e2e.command import PROGRAM, ROOT, environment, handoff

EXAMPLES = ROOT / "examples" / "dialogues.jsonl"
SHARED = Path(os.environ.get("HANDOFF_SHARED", ROOT.parent / "shared")) / "data" / "dialogues.jsonl"


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def assert_held(output: str, dialogues: int) -> None:
    assert "Every step held." in output
    summary = dict(line.strip().rsplit("  ", 1) for line in output.partition("Summary")[2].splitlines() if "  " in line)
    counts = {name.strip(): value.strip() for name, value in summary.items()}
    assert counts["dialogues"] == counts["tickets"] == str(dialogues)
    assert counts["AI attempts blocked"] == counts["replies to the customer"] == str(2 * dialogues)


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
    done = handoff("demo", "--once", "--dialogues", some, "--helpdesk", helpdesk, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_held(done.stdout, 2)


def test_the_live_demo_serves_its_pages_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "demo"],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "What happens (Ctrl-C ends the demo)\n"))
        for address in re.findall(r"http://127\.0\.0\.1:\d+/(?:chat/\S+|agent)", told):
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


class NeverSolved(Sabotage):
    def solve(self, ticket_id: str) -> None:
        pass


class ForgetfulTicket(Sabotage):
    def ticket(self, ticket_id: str) -> Any:
        from dataclasses import replace

        ticket = self._desk.ticket(ticket_id)
        return replace(ticket, comments=tuple(replace(one, text=one.text[:20]) for one in ticket.comments))


@contextmanager
def playing(narrator: Narrator) -> Iterator[World]:
    with world(DemoOptions(on_solved=Outcome.RESOLVE), narrator) as parts:
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
            desk=wrong(parts.desk),
            narrator=narrator,
            patience_s=3.0,
        )
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
