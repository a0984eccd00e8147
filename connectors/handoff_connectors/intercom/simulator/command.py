"""Running the simulated Intercom as a process of its own."""

from __future__ import annotations

from handoff_connectors.intercom.simulator.desk import IntercomSimulator
from handoff_connectors.intercom.simulator.settings import Limits
from handoff_sync.simulator.process import arguments_of, run


def main(arguments: list[str] | None = None) -> None:
    parser = arguments_of("intercom", 8920)
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    parser.add_argument("--webhook", help="address that events are sent to; it must answer HEAD")
    given = parser.parse_args(arguments)
    simulator = IntercomSimulator(given.port, given.host, Limits.off() if given.no_limits else Limits())

    def subscribe() -> None:
        if given.webhook is not None:
            simulator.set_webhook(given.webhook)

    run(parser, simulator, "Intercom", lambda: facts(simulator), subscribe)


def facts(simulator: IntercomSimulator) -> dict[str, str]:
    known = simulator.credentials
    return {
        "Workspace": simulator.app_id,
        "Access token": known.access_token,
        "OAuth client": f"{known.client_id} / {known.client_secret}",
    }
