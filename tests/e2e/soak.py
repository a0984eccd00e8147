"""Many talks while the service is killed again and again: `python -m tests.e2e.soak --helpdesk intercom --kills 30`.

Not part of the test suite. Afterwards there must be one ticket for each talk, and on it each message once and in order;
exit code 1 says that something was lost or doubled.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from handoff_sync.simulator.faults import Fault, FaultKind
from tests.e2e.arrival import doubled, said_once
from tests.e2e.stand import Stand, lagging, words
from tests.engines import start_postgres, start_redis

LEASE_S = 5.0
"""Not much shorter than kills are apart: what three workers in a row died of is set aside for a person, by design."""
QUIET_S = 150.0
ON_THE_WAY_S = 0.1
"""Before the helpdesk does what a call asks; who is killed meanwhile has asked for nothing."""
ANSWERING_S = 0.2
"""Between the doing and the answer; who is killed meanwhile never hears of it."""


@dataclass(slots=True)
class Traffic:
    """What was accepted so far: how many messages of which talk."""

    said: Counter[str] = field(default_factory=Counter)

    def send(self, stand: Stand, talk: str, handover_after: int) -> None:
        number = self.said[talk] + 1
        stand.say(talk, number)
        self.said[talk] = number
        if number == handover_after:
            stand.hand_over(talk)


@dataclass(slots=True, kw_only=True)
class Report:
    events: int = 0
    kills: int = 0
    kills_at_work: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
    parked: int = 0
    pending: int = 0
    took_s: float = 0.0
    quiet_s: float = 0.0


def main() -> int:
    asked = _arguments()
    desk = lagging(asked.helpdesk)
    desk.simulator.faults.latency_s = ON_THE_WAY_S
    desk.simulator.faults.add(Fault(kind=FaultKind.SLOW, delay_s=ANSWERING_S, count=None))
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each caller that is gone
    desk.start()
    with tempfile.TemporaryDirectory(prefix="handoff-soak-") as folder:
        urls = f"sqlite:///{folder}/handoff.db", "memory://"
        if asked.engine == "production":
            urls = start_postgres().url, start_redis().url
        stand = Stand(Path(folder), desk, *urls, poll_s=30, patience_s=600, lease_s=LEASE_S)
        try:
            report = soak(stand, asked.events, asked.kills, asked.seconds, random.Random(asked.seed))
        finally:
            stand.stop()
            desk.stop()
    _print(asked, desk.title, len(desk.ticket_ids()), report)
    return 1 if report.lost or report.wrong or report.parked or report.pending else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.soak", description=__doc__)
    parser.add_argument("--helpdesk", default="zendesk", help="zendesk, gorgias or intercom")
    parser.add_argument("--events", type=int, default=1000, help="messages to send; a talk in ten events")
    parser.add_argument("--kills", type=int, default=30, help="kill -9 of the process that delivers")
    parser.add_argument("--seconds", type=float, default=120, help="in which the events and kills are spread")
    parser.add_argument("--engine", choices=("embedded", "production"), default="embedded")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser.parse_args()


def soak(stand: Stand, events: int, kills: int, seconds: float, chance: random.Random) -> Report:
    """Sends at an even pace from four threads, kills at random moments, then waits until all is quiet."""
    report, began = Report(), time.monotonic()
    stand.start()
    talks = [f"talk-{number:04}" for number in range(max(4, events // 10))]
    traffic = [Traffic() for _ in range(4)]
    plans = [_plan(talks[lane::4], events // 4, seconds, chance) for lane in range(4)]
    senders = [
        threading.Thread(target=_send, args=(stand, mine, plan, began))
        for mine, plan in zip(traffic, plans, strict=True)
    ]
    for sender in senders:
        sender.start()
    for _ in range(kills):
        time.sleep(seconds / kills * chance.uniform(0.3, 1.7))  # from when the service was back
        _kill(stand, report)
    for sender in senders:
        sender.join()
    if stand.dead():
        stand.start()
    report.took_s = time.monotonic() - began
    said = sum((mine.said for mine in traffic), Counter[str]())
    report.events = sum(said.values())
    _await_quiet(stand, report)
    _check(stand, said, report)
    return report


def _plan(talks: list[str], events: int, seconds: float, chance: random.Random) -> list[tuple[float, str]]:
    """When which talk says something. Every talk says at least two things, so each is handed over."""
    chosen = [talk for talk in talks for _ in range(2)]
    chosen += chance.choices(talks, k=max(0, events - len(chosen)))
    return sorted((chance.uniform(0, seconds), talk) for talk in chosen)


def _send(stand: Stand, traffic: Traffic, plan: list[tuple[float, str]], began: float) -> None:
    for at, talk in plan:
        time.sleep(max(0.0, began + at - time.monotonic()))
        traffic.send(stand, talk, handover_after=2)


def _kill(stand: Stand, report: Report) -> None:
    if stand.dead():
        stand.start()
    report.kills_at_work += bool(stand.get("/v1/deliveries?status=pending&limit=1")["items"])
    stand.kill()
    report.kills += 1
    stand.start()


def _await_quiet(stand: Stand, report: Report) -> None:
    """Sees to parked deliveries as a person would, until nothing is left to be done."""
    began = time.monotonic()
    while time.monotonic() - began < QUIET_S:
        parked = _waiting(stand, "parked")
        report.pending, report.parked = len(_waiting(stand, "pending")), len(parked)
        if parked:
            report.set_aside += [(str(one["key"]), str(one["error"])) for one in parked]
            stand.retry_parked()
        elif not report.pending:
            break
        time.sleep(1)
    report.quiet_s = time.monotonic() - began


def _waiting(stand: Stand, status: str) -> list[dict[str, object]]:
    return list(stand.get(f"/v1/deliveries?status={status}&limit=200")["items"])


def _check(stand: Stand, said: Counter[str], report: Report) -> None:
    tickets = {talk: stand.ticket_of(talk) for talk in said}
    made, wanted = Counter(stand.desk.ticket_ids()), Counter(ticket for ticket in tickets.values() if ticket)
    report.wrong += [f"ticket {ticket} belongs to no talk" for ticket in (made - wanted).elements()]
    report.wrong += [f"mark {mark} was written {times} times" for mark, times in doubled(stand.desk).items()]
    for talk, messages in said.items():
        ticket = tickets[talk]
        if ticket is None:
            report.lost.append(f"{talk} has no ticket")
            continue
        try:
            said_once(stand.desk, ticket, [words(talk, number) for number in range(1, messages + 1)])
        except AssertionError as error:
            report.wrong.append(f"{talk}: {error}")


def _print(asked: argparse.Namespace, title: str, tickets: int, report: Report) -> None:
    print(f"{title}, {asked.engine}, seed {asked.seed}")
    print(
        f"  {report.events} messages of {tickets} tickets in {report.took_s:.0f} s, quiet {report.quiet_s:.0f} s later"
    )
    print(f"  {report.kills} kills, {report.kills_at_work} of them with deliveries under way")
    print(f"  {len(report.set_aside)} times a delivery was set aside, and then done again as a person asks for it:")
    for (key, why), times in Counter(report.set_aside).items():
        print(f"    {times} x {key}: {why}")
    print(f"  lost {len(report.lost)}, wrong {len(report.wrong)}, parked {report.parked}, pending {report.pending}")
    for line in [*report.lost, *report.wrong][:20]:
        print(f"    {line[:300]}")


if __name__ == "__main__":
    sys.exit(main())
