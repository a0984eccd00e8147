"""Several processes over one database, and one that is killed in the middle of its work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from handoff_sync.store.clock import system_clock
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.engine import open_database
from handoff_sync.store.reads import Reads
from tests.store.world import WORKSPACE, Store, ingest, link, note, save, session

LANES = 40
KILLS = 5
SPAWN = multiprocessing.get_context("spawn")


def claim_all(url: str, go: object, claimed: object) -> None:
    """Runs in a process of its own: tries to claim every lane, all at the same moment as the other process."""
    db = open_database(url)
    got = []
    with Committer(db) as committer:
        go.wait(30)  # type: ignore[attr-defined]
        for number in range(LANES):
            lane = f"s{number}/ticket:l{number}"
            claim = committer.run(Job(lambda uow, lane=lane: uow.claim(lane, 60)))
            if claim is not None:
                got.append(claim.lane_id)
    db.dispose()
    claimed.put(got)  # type: ignore[attr-defined]


def test_a_lane_is_claimed_by_one_process_only(store: Store, database_url: str) -> None:
    for number in range(LANES):
        links = (link(f"l{number}"),)
        store.committer.run(save(session(f"s{number}", f"c{number}", links=links), note("n", f"l{number}")))
    go, claimed = SPAWN.Barrier(2), SPAWN.Queue()
    processes = [SPAWN.Process(target=claim_all, args=(database_url, go, claimed)) for _ in range(2)]
    for process in processes:
        process.start()
    counts = Counter(lane for _ in processes for lane in claimed.get(timeout=60))
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert len(counts) == LANES
    assert set(counts.values()) == {1}


def ingest_for_ever(url: str) -> None:
    """Runs in a process of its own and says which events were accepted, until it is killed."""
    db = open_database(url)
    with Committer(db, system_clock) as committer:
        number = 0
        while True:
            jobs = [ingest(f"e{os.getpid()}-{number + n}", f"c{n % 4}") for n in range(16)]
            for n, future in enumerate([committer.submit(job) for job in jobs]):
                future.result()
                sys.stdout.write(f"e{os.getpid()}-{number + n}\n")
            sys.stdout.flush()
            number += 16


def kill_while_committing(url: str) -> list[str]:
    """The events that the process had answered for when it was killed."""
    program = f"from tests.store.test_processes import ingest_for_ever; ingest_for_ever({url!r})"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    return [line.strip() for line in told if line.endswith("\n")]


def test_nothing_accepted_is_lost_when_the_process_is_killed(sqlite_store: Store, sqlite_url: str) -> None:
    accepted: list[str] = []
    for _ in range(KILLS):
        accepted += kill_while_committing(sqlite_url)
    assert len(accepted) >= KILLS * 200
    with closing(sqlite3.connect(Path(str(sqlite_store.db.url.database)))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        known = {id for (id,) in connection.execute("SELECT event_id FROM inbox")}
        effects = {key.rpartition(":")[2] for (key,) in connection.execute("SELECT key FROM outbox")}
        messages = Counter(id for (id,) in connection.execute("SELECT message_id FROM messages"))
        versions = connection.execute("SELECT sum(version) FROM sessions").fetchone()[0]
    assert set(accepted) <= known
    assert known == effects == set(messages)  # an event is there with all it caused, or not at all
    assert set(messages.values()) == {1}
    assert versions == len(known)


def test_a_killed_worker_s_lane_is_taken_over_when_the_lease_ends(store: Store, database_url: str) -> None:
    store.committer.run(save(session(links=(link(),)), note("one")))
    program = (
        "import os, signal\n"
        "from handoff_sync.store.committer import Committer, Job\n"
        "from handoff_sync.store.engine import open_database\n"
        "from tests.store.world import TestClock\n"
        f"committer = Committer(open_database({database_url!r}), TestClock()); committer.start()\n"
        "assert committer.run(Job(lambda uow: uow.claim('s1/ticket:l1', 30)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == -signal.SIGKILL
    assert store.claim("s1/ticket:l1") is None
    store.clock.forward(30)
    claim = store.must_claim("s1/ticket:l1")
    assert (claim.attempts, claim.expiries, len(claim.rows)) == (2, 1, 1)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_connections_of_its_own(store: Store) -> None:
    store.committer.run(ingest("e1"))
    assert store.reads.gate(WORKSPACE, "c1") is not None
    child = os.fork()
    if child == 0:
        found = Reads(store.db).gate(WORKSPACE, "c1") is not None
        with Committer(store.db, store.clock) as committer:
            answered = committer.run(ingest("e2")) == "v2"
        os._exit(0 if found and answered else 1)
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)
    assert store.committer.run(ingest("e3")) == "v3"
