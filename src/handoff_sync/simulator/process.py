"""Running a simulated helpdesk as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from handoff_sync.simulator.helpdesk import SimulatedHelpdesk


def arguments_of(kind: str, port: int) -> argparse.ArgumentParser:
    """A command line with what every helpdesk has: where to listen."""
    parser = argparse.ArgumentParser(
        prog=f"python -m handoff_connectors.{kind}.simulator", description=f"Runs a simulated {kind.capitalize()}."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=port, help="0 takes a free one")
    return parser


def run(
    parser: argparse.ArgumentParser,
    helpdesk: SimulatedHelpdesk[Any],
    title: str,
    facts: Callable[[], Mapping[str, str]],
    then: Callable[[], None] = lambda: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, after doing `then` and saying where it is and how to sign in (`facts`).

    A taken port, or a ValueError of `then`, ends the process with one line.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with helpdesk:
            then()
            print(greeting(helpdesk, title, facts()), flush=True)
            ended.wait()
    except OSError as error:
        parser.exit(1, f"Port {urlsplit(helpdesk.base_url).port} cannot be used: {error.strerror}. Try --port 0.\n")
    except ValueError as error:
        parser.exit(1, f"{error}\n")


def greeting(helpdesk: SimulatedHelpdesk[Any], title: str, facts: Mapping[str, str]) -> str:
    """Address, credentials and the agent page, one per line."""
    lines = {
        f"Simulated {title}": helpdesk.base_url,
        "Agent page": helpdesk.agent_url,
        **facts,
        "Control": f"{helpdesk.base_url}/_simulator/state",
    }
    return "\n".join(f"{name + ':':<20}{value}" for name, value in lines.items())
