"""Status, assignee and tags, both ways, and who changed them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handoff_sync.contract.connector import HelpdeskAgent, TicketSnapshot
from handoff_sync.contract.features import Feature
from handoff_sync.core.model import TicketStatus
from handoff_sync.simulator.desk import Do
from tests.contract.suite.bench import Bench
from tests.contract.suite.parts import MemoryJournal

WE_NEED: Final = {
    TicketStatus.WAITING_CUSTOMER: Feature.WAITING_CUSTOMER,
    TicketStatus.ON_HOLD: Feature.SET_ON_HOLD,
    TicketStatus.CLOSED: Feature.FINAL_STATUS,
}
"""What a helpdesk must be able to do so that we can set a status."""
INSTEAD: Final = {
    TicketStatus.WAITING_CUSTOMER: TicketStatus.OPEN,
    TicketStatus.ON_HOLD: TicketStatus.OPEN,
    TicketStatus.CLOSED: TicketStatus.SOLVED,
}
"""What a ticket is where it cannot be that."""
ONE_SHOT: Final = ("ai_pause", "ai_resume", "ai_stop", "ai_resolve")
ODD: Final = ("two words", "UPPER Case", "🙂", "x" * 200, " around ", "a,b", "ação", "<b>")
LATE_S: Final = 60.0

Step = Callable[[], object]


# --- status --------------------------------------------------------------------------------------


def our_status_arrives_and_is_read_back(bench: Bench) -> None:
    """Each status that we write arrives, or the nearest one where the helpdesk lacks it, and is read as it is."""
    for number, status in enumerate(TicketStatus):
        feature = WE_NEED.get(status)
        wanted = status if feature is None or bench.capabilities.can(feature) else INSTEAD[status]
        ticket = bench.opened(f"hs:acme:{number}")
        bench.connector.set_status(ticket, status, f"s-{number}")
        assert bench.desk.ticket(ticket).status is wanted, status
        assert bench.read(ticket).status is wanted, status


def each_status_follows_each(bench: Bench) -> None:
    """From any status that can change we get to any other, whoever set the one before."""
    ticket, settable = bench.opened(), [status for status in TicketStatus if status is not TicketStatus.CLOSED]
    for number, (before, after) in enumerate((b, a) for b in settable for a in settable):
        _by_agent(bench, ticket, before)
        bench.connector.set_status(ticket, after, f"s-{number}")
        feature = WE_NEED.get(after)
        wanted = after if feature is None or bench.capabilities.can(feature) else INSTEAD[after]
        assert bench.read(ticket).status is wanted, (before, after)


def an_agents_status_is_read(bench: Bench) -> None:
    """Each status that an agent can set is read as that; the others are those that the capabilities deny."""
    for number, status in enumerate(TicketStatus):
        ticket = bench.opened(f"hs:acme:{number}")
        if _by_agent(bench, ticket, status):
            assert bench.read(ticket).status is status
        else:
            assert status in WE_NEED and not bench.capabilities.can(WE_NEED[status]), status


def the_same_status_twice_is_harmless(bench: Bench) -> None:
    """Setting what is set already says nothing on the ticket and changes nothing else of it."""
    ticket = bench.opened()
    bench.desk.assign(ticket, bench.desk.agent_name)
    for status in (TicketStatus.SOLVED, TicketStatus.OPEN):
        bench.connector.set_status(ticket, status, f"s-{status}")
        before = bench.desk.ticket(ticket)
        bench.connector.set_status(ticket, status, f"s-{status}")
        bench.another().set_status(ticket, status, f"s-{status}-again")
        assert bench.desk.ticket(ticket) == before, status
        assert before.status is status and before.assignee == bench.desk.agent_name


def a_rest_ends_by_itself(bench: Bench) -> None:
    """Where an agent's "on hold" has an end, the ticket is on hold until then and open afterwards, by nobody."""
    ticket = bench.opened()
    bench.desk.set_status(ticket, TicketStatus.ON_HOLD)
    resting = bench.read(ticket)
    assert resting.status is TicketStatus.ON_HOLD
    if bench.desk.rest_s is None:
        bench.pass_time(7 * 86_400)
        assert bench.read(ticket, resting.cursor).status is TicketStatus.ON_HOLD
        return
    bench.pass_time(bench.desk.rest_s + 60)
    awake = bench.read(ticket, resting.cursor)
    assert (awake.status, awake.changed_by) == (TicketStatus.OPEN, None)


# --- assignee ------------------------------------------------------------------------------------


def an_assignee_is_read(bench: Bench) -> None:
    """Whom agents gave the ticket to is read with id, public name and address, and so is nobody."""
    ticket = bench.opened()
    assert bench.read(ticket).assignee is None
    seen = [_assigned_by_agent(bench, ticket, name) for name in (bench.desk.agent_name, bench.desk.colleague_name)]
    assert [agent.name for agent in seen] == [bench.desk.agent_name, bench.desk.colleague_name]
    assert len({agent.id for agent in seen}) == len({agent.email for agent in seen}) == 2
    for agent in seen:
        assert agent.id and agent.email and "@" in agent.email
        assert agent.avatar is None or agent.avatar.startswith("http")
    bench.desk.assign(ticket, None)
    assert bench.read(ticket).assignee is None


def our_assignee_arrives(bench: Bench) -> None:
    """We give the ticket to either agent, by the id that was read, and to nobody; twice is harmless."""
    ticket, other = bench.opened(), bench.opened("hs:acme:2")
    names = (bench.desk.agent_name, bench.desk.colleague_name)
    known = {name: _assigned_by_agent(bench, other, name).id for name in names}
    for number, name in enumerate((*names, None, names[0], None)):
        for _ in range(2):
            bench.connector.set_assignee(ticket, known[name] if name is not None else None, f"a-{number}")
        assert bench.desk.ticket(ticket).assignee == name
        read = bench.read(ticket).assignee
        assert (read.name if read is not None else None) == name
    assert bench.desk.ticket(other).assignee == names[-1], "the other ticket is untouched"


def neither_we_nor_a_team_hold_a_ticket(bench: Bench) -> None:
    """A ticket of a team, or of the user whom we work as, is held by nobody: no person took it."""
    ticket = bench.opened()
    bench.desk.assign_us(ticket)
    assert bench.read(ticket).assignee is None
    bench.desk.assign_team(ticket)
    assert bench.read(ticket).assignee is None
    bench.desk.assign(ticket, bench.desk.colleague_name)
    assert bench.read(ticket).assignee is not None
    solved = bench.opened("hs:acme:2")
    bench.connector.set_status(solved, TicketStatus.SOLVED, "s-1")
    assert bench.read(solved).assignee is None, "solving it is not taking it"


# --- tags ----------------------------------------------------------------------------------------


def tags_of_agents_stay(bench: Bench) -> None:
    """What we add and remove leaves every other tag; adding what is there and removing what is not are harmless."""
    ticket = bench.opened()
    bench.desk.add_tags(ticket, "key-account", "billing")
    for _ in range(2):
        bench.connector.set_tags(ticket, ("ai_paused",), ("human-handoff", "never-there"), "t-1")
    expected = {"key-account", "billing", "ai_paused"}
    assert expected <= set(bench.desk.ticket(ticket).tags)
    assert expected <= set(bench.read(ticket).tags)
    assert not {"human-handoff", "never-there"} & set(bench.read(ticket).tags)
    assert "handoff-sync" in bench.read(ticket).tags


def one_shot_tags_are_read_and_taken_off(bench: Bench) -> None:
    """A command that an agent gives by a tag is read as it was written, and we can take it off again."""
    ticket = bench.opened()
    for name in ONE_SHOT:
        bench.desk.add_tags(ticket, name)
        assert name in bench.read(ticket).tags
        bench.connector.set_tags(ticket, ("ai_paused",), (name,), "t-1")
        assert name not in bench.desk.ticket(ticket).tags
    bench.desk.add_tags(ticket, ONE_SHOT[0])
    assert ONE_SHOT[0] in bench.read(ticket).tags, "the same command once more"
    bench.desk.remove_tags(ticket, ONE_SHOT[0])
    assert ONE_SHOT[0] not in bench.read(ticket).tags


def odd_tags_do_not_break(bench: Bench) -> None:
    """Spaces, capitals, emoji, length and commas: others are set beside them, and each goes off as it came."""
    ticket = bench.opened()
    bench.desk.add_tags(ticket, "key-account")
    before = set(bench.read(ticket).tags)
    for number, name in enumerate(ODD):
        for _ in range(2):
            bench.connector.set_tags(ticket, (name, "ai_paused"), (), f"t-{number}")
        assert before | {"ai_paused"} <= set(bench.read(ticket).tags), name
        bench.connector.set_tags(ticket, (), (name, "ai_paused"), f"u-{number}")
        assert set(bench.read(ticket).tags) == before, name


# --- who did it ----------------------------------------------------------------------------------


def the_agent_who_changed_it_is_named(bench: Bench) -> None:
    """Status, assignee and tags: the agent behind the newest change is named, as the same person as elsewhere."""
    ticket = bench.opened()
    snapshot = bench.read(ticket)
    steps: dict[str, Step] = {
        "assign": lambda: bench.desk.assign(ticket, bench.desk.colleague_name),
        "tag": lambda: bench.desk.add_tags(ticket, "key-account"),
        "hold": lambda: bench.desk.set_status(ticket, TicketStatus.ON_HOLD),
        "open": lambda: bench.desk.set_status(ticket, TicketStatus.OPEN),
        "solve": lambda: bench.desk.solve(ticket),
        "reopen": lambda: bench.desk.reopen(ticket),
    }
    for step, change in steps.items():
        change()
        snapshot = bench.read(ticket, snapshot.cursor)
        assert _changed_by(snapshot) == bench.desk.agent_name, step
        assert bench.read(ticket, snapshot.cursor).changed_by is None, "nobody did anything since"


def what_we_changed_was_nobody(bench: Bench) -> None:
    """Our own changes have no agent: what we solved was not solved by anybody at the helpdesk."""
    ticket, other = bench.opened(), bench.opened("hs:acme:2")
    dana = _assigned_by_agent(bench, other, bench.desk.agent_name).id
    snapshot = bench.read(ticket)
    steps: dict[str, Step] = {
        "solve": lambda: bench.connector.set_status(ticket, TicketStatus.SOLVED, "s-1"),
        "words": lambda: bench.connector.append(ticket, bench.words("m-1"), MemoryJournal()),
        "assign": lambda: bench.connector.set_assignee(ticket, dana, "a-1"),
        "tag": lambda: bench.connector.set_tags(ticket, ("ai_paused",), (), "t-1"),
        "hold": lambda: bench.connector.set_status(ticket, TicketStatus.ON_HOLD, "s-2"),
        "remark": lambda: bench.connector.append(ticket, bench.remark("n-1"), MemoryJournal()),
        "open": lambda: bench.connector.set_status(ticket, TicketStatus.OPEN, "s-3"),
    }
    for step, change in steps.items():
        change()
        process = bench.another()
        snapshot = bench.read(ticket, snapshot.cursor, process)
        assert snapshot.changed_by is None, step


def what_a_machine_changed_was_nobody(bench: Bench) -> None:
    """A rule of the helpdesk that solves a ticket is nobody."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.machine_solves(ticket)
    snapshot = bench.read(ticket, cursor)
    assert (snapshot.status, snapshot.changed_by) == (TicketStatus.SOLVED, None)


def a_machine_after_an_agent_was_nobody(bench: Bench) -> None:
    """An agent takes the ticket and a rule solves it, both before anybody looked: nobody solved it by hand."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.assign(ticket, bench.desk.agent_name)
    bench.pass_time(2)
    bench.desk.machine_solves(ticket)
    snapshot = bench.read(ticket, cursor)
    assert (snapshot.status, snapshot.changed_by) == (TicketStatus.SOLVED, None)


def who_opened_it_again_decides(bench: Bench) -> None:
    """Reopened by the customer, here or at the helpdesk, is nobody; by an agent is theirs."""
    ways: tuple[tuple[str | None, Do], ...] = (
        (None, lambda ticket: bench.desk.customer_reply(ticket, "One more thing.")),
        (None, lambda ticket: bench.connector.append(ticket, bench.words("m-1"), MemoryJournal())),
        (bench.desk.agent_name, bench.desk.reopen),
    )
    for number, (who, reopen) in enumerate(ways):
        ticket = bench.opened(f"hs:acme:{number}")
        bench.desk.solve(ticket)
        cursor = bench.read(ticket).cursor
        reopen(ticket)
        snapshot = bench.read(ticket, cursor)
        assert snapshot.status is TicketStatus.OPEN, number
        assert _changed_by(snapshot) == who, number


def a_late_history_names_nobody_wrong(bench: Bench) -> None:
    """Where the helpdesk tells late who did something, the agent who did it is named or nobody, never another."""
    ticket = bench.opened()
    cursor = bench.read(ticket).cursor
    bench.desk.lag(LATE_S)
    allowed = (bench.desk.agent_name,) if bench.capabilities.can(Feature.CHANGED_BY) else (bench.desk.agent_name, None)
    bench.desk.assign(ticket, bench.desk.colleague_name)
    assigned = bench.read(ticket, cursor)
    assert _changed_by(assigned) in allowed
    bench.desk.solve(ticket)
    solved = bench.read(ticket, assigned.cursor)
    assert (solved.status, _changed_by(solved) in allowed) == (TicketStatus.SOLVED, True)
    bench.pass_time(LATE_S + 1)
    bench.connector.append(ticket, bench.words("m-1"), MemoryJournal())
    reopened = bench.read(ticket, solved.cursor)
    assert (reopened.status, reopened.changed_by) == (TicketStatus.OPEN, None)


def an_assignment_of_ours_wakes_nothing(bench: Bench) -> None:
    """An agent answers and solves in one step: showing who holds the session must not open the ticket again."""
    ticket = bench.opened()
    bench.desk.assign(ticket, bench.desk.agent_name)
    holder = bench.read(ticket).assignee
    assert holder is not None
    bench.desk.assign(ticket, None)
    for status in (TicketStatus.SOLVED, TicketStatus.ON_HOLD):
        bench.desk.set_status(ticket, status)
        bench.connector.set_assignee(ticket, holder.id, "assign-1")
        assert bench.desk.ticket(ticket).status is status


def _by_agent(bench: Bench, ticket: str, status: TicketStatus) -> bool:
    """Whether agents have this status."""
    try:
        bench.desk.set_status(ticket, status)
    except ValueError:
        return False
    return True


def _assigned_by_agent(bench: Bench, ticket: str, name: str) -> HelpdeskAgent:
    bench.desk.assign(ticket, name)
    found = bench.read(ticket).assignee
    assert found is not None
    return found


def _changed_by(snapshot: TicketSnapshot) -> str | None:
    return snapshot.changed_by.name if snapshot.changed_by is not None else None
