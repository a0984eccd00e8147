"""P1: accepting events, embedded. Ours (whole transaction, synchronous=FULL) beside the same edge without a database.

    python -m bench.p1_ingest [--seconds 5] [--rounds 3] [--clients 16]

Goal: at least 0.5 of the yardstick, p99 at most 50 ms. Client and server share the machine; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.bed import ROOT, Bed, folder, free_port, prepare, process
from bench.load import Load

GOAL = 0.5
GOAL_P99_MS = 50.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    given = parser.parse_args()
    measured: dict[str, list[Load]] = {"ours": [], "bare": []}
    with folder() as place:
        bed = prepare(Path(place))
        for number in range(1, given.rounds + 1):
            for which in ("bare", "ours"):
                load = measure(bed, which, given.clients, given.seconds)
                measured[which].append(load)
                figures = f"{load.per_second:.0f}/s, p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms"
                print(f"round {number} {which}: {figures}")
    report(measured)


def measure(bed: Bed, which: str, clients: int, seconds: float) -> Load:
    """One run against a fresh process; the load comes from a process of its own."""
    port = free_port()
    with process(bed, "bench.server", which, str(port), port=port):
        command = [sys.executable, "-m", "bench.load", str(port), "/v1/events", bed.key, str(clients)]
        subprocess.run([*command, "1"], cwd=ROOT, check=True, capture_output=True)  # warm
        done = subprocess.run([*command, str(seconds)], cwd=ROOT, check=True, capture_output=True)
    return Load(**json.loads(done.stdout))


def report(measured: dict[str, list[Load]]) -> None:
    ratio = median(o.per_second / b.per_second for o, b in zip(measured["ours"], measured["bare"], strict=True))
    p99 = median(load.p99_ms for load in measured["ours"])
    print(f"P1 ingest, embedded: {median(o.per_second for o in measured['ours']):.0f} events/s;"
          f" the same edge without a database: {median(b.per_second for b in measured['bare']):.0f}/s")  # fmt: skip
    print(f"P1 ratio {ratio:.2f} (goal {GOAL}): {'reached' if ratio >= GOAL else 'missed'};"
          f" p99 {p99:.1f} ms (goal {GOAL_P99_MS:.0f}): {'reached' if p99 <= GOAL_P99_MS else 'missed'}")  # fmt: skip


if __name__ == "__main__":
    main()
