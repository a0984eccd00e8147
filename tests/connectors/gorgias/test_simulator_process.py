"""The simulated Gorgias as a process of its own, and as the desk of the demo."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from handoff_connectors.gorgias.simulator.front_desk import GorgiasDesk
from handoff_sync.simulator.desk import Desk, DeskComment
from tests.connectors.gorgias.simulated import Client

COMMAND = [sys.executable, "-m", "handoff_connectors.gorgias.simulator"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process and what it says when it is ready."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        try:
            yield process, dict(map(str.strip, line.split(":", 1)) for line in lines)  # type: ignore[misc]
        finally:
            process.kill()


def test_it_says_how_to_reach_it_and_ends_cleanly() -> None:
    with started("--port", "0", "--domain", "demo") as (process, told):
        email, key = told["API key"].split(":")
        account = httpx.get(f"{told['Simulated Gorgias']}/api/account", auth=(email, key), verify=False).json()
        assert account["domain"] == told["Domain"] == "demo"
        assert httpx.get(told["Agent page"], verify=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_taken_port_is_explained() -> None:
    with started("--port", "0") as (_, told):
        port = told["Simulated Gorgias"].rsplit(":", 1)[1]
        second = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert f"Port {port}" in second.stderr
    assert "--port 0" in second.stderr


def test_the_demo_finds_what_it_needs() -> None:
    desk: Desk = GorgiasDesk()
    desk.start()
    try:
        assert isinstance(desk, GorgiasDesk)
        with Client(desk.simulator) as client:
            ticket_id = str(client.ticket(subject="Help", messages=[
                {**client.note("Transcript")}, {"channel": "api", "from_agent": False, "body_text": "Hi",
                                                "sender": {"id": client.customer("Jo")}}])["id"])  # fmt: skip
        desk.note(ticket_id, "for us")
        desk.reply(ticket_id, "Hello")
        desk.solve(ticket_id)
        ticket = desk.ticket(ticket_id)
        assert desk.ticket_ids() == (ticket_id,)
        assert (ticket.subject, ticket.requester_name, ticket.solved) == ("Help", "Jo", True)
        assert ticket.comments == (
            DeskComment(text="Transcript", public=False, by_customer=False),
            DeskComment(text="Hi", public=True, by_customer=True),
            DeskComment(text="for us", public=False, by_customer=False),
            DeskComment(text="Hello", public=True, by_customer=False),
        )
        settings, key = desk.access.settings, desk.access.secrets["api_key"]
        address = f"{settings['base_url']}/api/account"
        assert httpx.get(address, auth=(str(settings["email"]), key), verify=False).status_code == 200
    finally:
        desk.stop()
