"""Running the simulated Gorgias as a process of its own."""

from __future__ import annotations

from handoff_connectors.gorgias.simulator.desk import GorgiasSimulator
from handoff_connectors.gorgias.simulator.settings import WINDOW_S, Limits
from handoff_sync.simulator.process import arguments_of, run


def main(arguments: list[str] | None = None) -> None:
    parser = arguments_of("gorgias", 8901)
    parser.add_argument("--domain", default="acme")
    parser.add_argument("--plan", default="standard", choices=[*WINDOW_S, "off"], help="rate limits")
    given = parser.parse_args(arguments)
    limits = Limits.off() if given.plan == "off" else Limits.plan(given.plan)
    simulator = GorgiasSimulator(given.domain, given.port, given.host, limits)
    run(parser, simulator, "Gorgias", lambda: facts(simulator))


def facts(simulator: GorgiasSimulator) -> dict[str, str]:
    known = simulator.credentials
    return {
        "Domain": simulator.domain,
        "API key": f"{known.email}:{known.api_key}",
        "OAuth client": f"{known.client_id} / {known.client_secret}",
    }
