"""P3: asking the gate, embedded. Ours beside an endpoint of the same server that returns a constant.

    python -m bench.p3_gate [--seconds 5] [--rounds 3] [--clients 16]

The constant asks for no key, reads no body and looks nothing up: what is left is HTTP and the edge around it.
Goal: at least 0.6 of it; p99 at most 10 ms at half of the gate's own maximum.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import httpx

from bench.bed import ROOT, Bed, folder, free_port, prepare, process
from bench.load import Load, event

GOAL = 0.6
GOAL_P99_MS = 10.0
GATE = "/v1/conversations/c-0-0/gate"
CONSTANT = "/constant"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    given = parser.parse_args()
    bare, ours, half = [], [], []
    with folder() as place:
        bed, port = prepare(Path(place)), free_port()
        with process(bed, "bench.server", "ours", str(port), port=port):
            begin_conversation(bed, port)
            for number in range(1, given.rounds + 1):
                bare.append(load(bed, port, CONSTANT, given.clients, given.seconds))
                ours.append(load(bed, port, GATE, given.clients, given.seconds))
                half.append(load(bed, port, GATE, given.clients, given.seconds, ours[-1].per_second / 2))
                print(f"round {number}: constant {bare[-1].per_second:.0f}/s, gate {ours[-1].per_second:.0f}/s;"
                      f" p99 at {half[-1].per_second:.0f}/s: {half[-1].p99_ms:.1f} ms")  # fmt: skip
    report(bare, ours, half)


def begin_conversation(bed: Bed, port: int) -> None:
    """The gate is asked about a session that exists: that is what it is asked about all day."""
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/events", content=event(0, 0), headers={"Authorization": f"Bearer {bed.key}"}
    )
    answer.raise_for_status()


def load(bed: Bed, port: int, path: str, clients: int, seconds: float, rate: float = 0) -> Load:
    """One run of questions without a message; the load comes from a process of its own."""
    command = [sys.executable, "-m", "bench.load", str(port), path, bed.key, str(clients)]
    done = subprocess.run([*command, str(seconds), str(rate)], cwd=ROOT, check=True, capture_output=True)
    return Load(**json.loads(done.stdout))


def report(bare: list[Load], ours: list[Load], half: list[Load]) -> None:
    ratio = median(o.per_second / b.per_second for o, b in zip(ours, bare, strict=True))
    p99 = median(run.p99_ms for run in half)
    print(f"P3 gate, embedded: {median(o.per_second for o in ours):.0f}/s;"
          f" an endpoint that returns a constant: {median(b.per_second for b in bare):.0f}/s")  # fmt: skip
    print(f"P3 ratio {ratio:.2f} (goal {GOAL}): {'reached' if ratio >= GOAL else 'missed'};"
          f" p99 at half of the maximum {p99:.1f} ms (goal {GOAL_P99_MS:.0f}):"
          f" {'reached' if p99 <= GOAL_P99_MS else 'missed'}")  # fmt: skip


if __name__ == "__main__":
    main()
