"""A person works on the agent page of each helpdesk in a real browser, and the session follows within two seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.office import BUTTONS, SOON_S, Agent, at_work
from tests.chromium import Window, window

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script> & \U0001f469\u200d\U0001f467"
SAID = ("customer", "<<words 1>>")


@pytest.fixture(scope="module")
def browser() -> Iterator[Window]:
    with window("http://127.0.0.1") as opened:
        yield opened


@pytest.fixture(params=BUTTONS)
def agent(request: pytest.FixtureRequest, browser: Window, tmp_path: Path) -> Iterator[Agent]:
    with at_work(request.param, browser, tmp_path) as person:
        yield person


@pytest.fixture(params=BUTTONS)
def merging_agent(request: pytest.FixtureRequest, browser: Window, tmp_path: Path) -> Iterator[Agent]:
    settings = {"poll_interval_s": 4} if BUTTONS[request.param].merged_s > SOON_S else {}
    with at_work(request.param, browser, tmp_path, **settings) as person:
        yield person


# --- words ----------------------------------------------------------------------------------------


def test_a_reply_takes_the_session_and_reaches_the_customer(agent: Agent) -> None:
    agent.write(f"Hello, Dana here. {EVIL}")
    session = agent.soon("the reply counts", lambda session: session["phase"] == "human")
    assert agent.text_of("reply") == f"Hello, Dana here. {EVIL}"
    assert session["last_responder"]["author_class"] == "human"
    assert session["assignee"]["name"] == agent.desk.agent_name
    assert agent.lines("public") == [SAID, ("human", f"Hello, Dana here. {EVIL}")]


def test_a_note_stays_inside_and_a_command_in_one_is_obeyed(agent: Agent) -> None:
    agent.write(f"A friend of ours. {EVIL}", internal=True)
    agent.soon("the note is kept", lambda _: ("human", f"A friend of ours. {EVIL}") in agent.lines("private"))
    assert agent.text_of("note") == f"A friend of ours. {EVIL}"
    assert agent.session()["phase"] == "waiting"
    agent.write("/ai resume", internal=True)
    session = agent.soon("the AI is back", lambda session: session["phase"] == "ai")
    assert session["control"] == "ai"
    assert agent.lines("public") == [SAID]


def test_what_the_customer_writes_appears_on_the_open_page(agent: Agent) -> None:
    """While somebody types, too: nothing of it is lost, and a choice stays as it was made."""
    agent.page.get_by_label("Assign to", exact=True).select_option(label="Omar Haddad")
    agent.page.get_by_label("Your message").fill("half typed")
    agent.service.say(2, "talk", "ana")
    agent.page.locator("#thread").get_by_text("<<words 2>>").wait_for(timeout=5000)
    assert agent.page.get_by_label("Your message").input_value() == "half typed"
    assert agent.page.get_by_label("Assign to", exact=True).locator(":checked").inner_text() == "Omar Haddad"


# --- who has it, and how it stands ------------------------------------------------------------------


def test_a_ticket_goes_to_oneself_to_a_colleague_and_to_nobody(agent: Agent) -> None:
    agent.press("Assign to me")
    agent.soon("mine", lambda session: (session["assignee"] or {}).get("name") == agent.desk.agent_name)
    agent.assign("Omar Haddad")
    session = agent.soon("Omar's", lambda session: (session["assignee"] or {}).get("name") == "Omar Haddad")
    assert session["phase"] == "human"
    agent.assign("Nobody")
    agent.soon("nobody's", lambda session: (session["phase"], session["assignee"]) == ("waiting", None))


def test_a_ticket_is_laid_aside_and_taken_up_again(agent: Agent) -> None:
    agent.press(agent.buttons.hold, "#state")
    session = agent.soon("on hold", lambda _: agent.link()["status"] == "on_hold")
    assert session["human_handoff"], "nobody may think that the customer was helped"
    agent.press(agent.buttons.wake, "#state")
    agent.soon("open", lambda _: agent.link()["status"] == "open")


def test_solving_resolves_the_session_and_reopening_takes_it_back(agent: Agent) -> None:
    agent.press("Assign to me")
    agent.soon("mine", lambda session: session["phase"] == "human")
    agent.press(agent.buttons.solve, "#state")
    session = agent.soon("resolved", lambda session: session["phase"] == "resolved")
    assert session["handoff"]["end_reason"] == "ticket_solved"
    agent.press(agent.buttons.reopen, "#state")
    session = agent.soon("taken back", lambda session: session["human_handoff"])
    assert session["handoff"]["number"] == 2


def test_a_last_reply_that_solves_is_delivered_first(agent: Agent) -> None:
    agent.write("That was all.", then=agent.buttons.solve)
    agent.soon("resolved", lambda session: session["phase"] == "resolved")
    assert agent.lines("public") == [SAID, ("human", "That was all.")]


# --- merged, deleted --------------------------------------------------------------------------------


def test_the_session_follows_its_ticket_into_another_one(merging_agent: Agent) -> None:
    agent = merging_agent
    target = agent.another_ticket()
    agent.look_at(agent.ticket)
    agent.merge_into(target)
    agent.soon("it follows", lambda _: agent.link()["remote_id"] == target, seconds=agent.buttons.merged_s)
    assert agent.page.get_by_role("alert").inner_text().startswith(f"#{agent.ticket} was merged into this ")
    agent.write("It goes on here.")
    agent.soon("heard", lambda _: agent.lines("public") == [SAID, ("human", "It goes on here.")])
    agent.look_at(agent.ticket)
    assert agent.page.get_by_role("link", name=f"It goes on in #{target}").is_visible()


def test_a_merge_into_another_sessions_ticket_detaches_this_one(merging_agent: Agent) -> None:
    """Words for one talk must never reach another."""
    agent = merging_agent
    target = agent.handed_over("other")
    agent.look_at(agent.ticket)
    agent.merge_into(target)
    agent.soon("detached", lambda _: agent.link()["state"] == "detached", seconds=agent.buttons.merged_s)
    assert agent.session()["human_handoff"]
    if agent.buttons.merged_s > SOON_S:
        return  # setting up, two tickets and the sweeps have spent the connection's calls of these 16 seconds
    agent.write("Only for the other talk.")
    agent.soon("heard", lambda session: session["phase"] == "human", "other")
    assert agent.lines("public") == [SAID]


def test_deleting_asks_first_raises_the_alarm_and_can_be_taken_back(agent: Agent) -> None:
    agent.delete()
    session = agent.soon("known", lambda _: agent.link()["state"] == "deleted")
    assert agent.page.get_by_role("status").get_by_text(agent.buttons.gone).is_visible()
    assert (session["phase"], session["control"]) == ("waiting", "human")
    assert ("T64", "The ticket was deleted in the helpdesk.") in agent.timeline()
    mails = " ".join(agent.mails())
    assert "ticket_failed" in mails, mails
    assert "alert:ticket_deleted" in mails, mails
    if agent.buttons.restore is None:
        assert agent.page.get_by_role("button", name="Restore").count() == 0
        return
    agent.press(agent.buttons.restore)
    agent.soon("back", lambda _: agent.link()["state"] == "linked")
    assert agent.page.get_by_role("alert").inner_text() == "This ticket is back."
