"""Running the simulated Intercom as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading

from handoff_connectors.intercom.simulator.desk import IntercomSimulator
from handoff_connectors.intercom.simulator.settings import Limits


def run(host: str = "127.0.0.1", port: int = 8920, limited: bool = True, webhook: str | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM, after saying where it is and how to sign in. `webhook`: where events go to.

    Raises:
        OSError: the port is taken.
        ValueError: nobody answers at the webhook's address.
    """
    simulator = IntercomSimulator(port, host, Limits() if limited else Limits.off())
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    simulator.start()
    if webhook is not None:
        simulator.set_webhook(webhook)
    print(greeting(simulator), flush=True)
    ended.wait()
    simulator.stop()


def greeting(simulator: IntercomSimulator) -> str:
    """Address, credentials and the agent page, one per line."""
    known = simulator.credentials
    lines = {
        "Simulated Intercom": simulator.base_url,
        "Agent page": simulator.agent_url,
        "Workspace": simulator.app_id,
        "Access token": known.access_token,
        "OAuth client": f"{known.client_id} / {known.client_secret}",
        "Control": f"{simulator.base_url}/_simulator/state",
    }
    return "\n".join(f"{name + ':':<20}{value}" for name, value in lines.items())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m handoff_connectors.intercom.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8920, help="0 takes a free one")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    parser.add_argument("--webhook", help="address that events are sent to; it must answer HEAD")
    given = parser.parse_args(arguments)
    try:
        run(given.host, given.port, not given.no_limits, given.webhook)
    except OSError as error:
        parser.exit(1, f"Port {given.port} on {given.host} cannot be used: {error.strerror}. Try --port 0.\n")
    except ValueError as error:
        parser.exit(1, f"{error}\n")
