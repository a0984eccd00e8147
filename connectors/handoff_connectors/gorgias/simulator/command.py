"""Running the simulated Gorgias as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading

from handoff_connectors.gorgias.simulator.desk import GorgiasSimulator
from handoff_connectors.gorgias.simulator.settings import WINDOW_S, Limits


def run(host: str = "127.0.0.1", port: int = 8901, domain: str = "acme", plan: str = "standard") -> None:
    """Serve until Ctrl-C or SIGTERM, after saying where it is and how to sign in.

    Raises:
        OSError: the port is taken.
    """
    limits = Limits.off() if plan == "off" else Limits.plan(plan)
    simulator = GorgiasSimulator(domain, port, host, limits)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    simulator.start()
    print(greeting(simulator), flush=True)
    ended.wait()
    simulator.stop()


def greeting(simulator: GorgiasSimulator) -> str:
    """Address, credentials and the agent page, one per line."""
    known = simulator.credentials
    lines = {
        "Simulated Gorgias": simulator.base_url,
        "Agent page": simulator.agent_url,
        "Domain": simulator.domain,
        "API key": f"{known.email}:{known.api_key}",
        "OAuth client": f"{known.client_id} / {known.client_secret}",
        "Control": f"{simulator.base_url}/_simulator/state",
    }
    return "\n".join(f"{name + ':':<20}{value}" for name, value in lines.items())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m handoff_connectors.gorgias.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8901, help="0 takes a free one")
    parser.add_argument("--domain", default="acme")
    parser.add_argument("--plan", default="standard", choices=[*WINDOW_S, "off"], help="rate limits")
    given = parser.parse_args(arguments)
    try:
        run(given.host, given.port, given.domain, given.plan)
    except OSError as error:
        parser.exit(1, f"Port {given.port} on {given.host} cannot be used: {error.strerror}. Try --port 0.\n")
