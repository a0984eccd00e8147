"""Running the simulated Zendesk as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_connectors.zendesk.simulator.settings import ACCOUNT_PER_MINUTE, Limits


def run(host: str = "127.0.0.1", port: int = 8900, subdomain: str = "acme", plan: str = "professional") -> None:
    """Serve until Ctrl-C or SIGTERM, after saying where it is and how to sign in.

    Raises:
        OSError: the port is taken.
    """
    limits = Limits.off() if plan == "off" else Limits.plan(plan)
    simulator = ZendeskSimulator(subdomain, port, host, limits)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    simulator.start()
    print(greeting(simulator), flush=True)
    ended.wait()
    simulator.stop()


def greeting(simulator: ZendeskSimulator) -> str:
    """Address, credentials and the agent page, one per line."""
    known = simulator.credentials
    lines = {
        "Simulated Zendesk": simulator.base_url,
        "Agent page": simulator.agent_url,
        "Subdomain": simulator.subdomain,
        "OAuth client": f"{known.client_id} / {known.client_secret}",
        "API token": f"{known.email}/token:{known.api_token}",
        "Control": f"{simulator.base_url}/_simulator/state",
    }
    return "\n".join(f"{name + ':':<20}{value}" for name, value in lines.items())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m handoff_connectors.zendesk.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8900, help="0 takes a free one")
    parser.add_argument("--subdomain", default="acme")
    parser.add_argument("--plan", default="professional", choices=[*ACCOUNT_PER_MINUTE, "off"], help="rate limits")
    given = parser.parse_args(arguments)
    try:
        run(given.host, given.port, given.subdomain, given.plan)
    except OSError as error:
        parser.exit(1, f"Port {given.port} on {given.host} cannot be used: {error.strerror}. Try --port 0.\n")
