"""Running the simulated Zendesk as a process of its own."""

from __future__ import annotations

from handoff_connectors.zendesk.simulator.desk import ZendeskSimulator
from handoff_connectors.zendesk.simulator.settings import ACCOUNT_PER_MINUTE, Limits
from handoff_sync.simulator.process import arguments_of, run


def main(arguments: list[str] | None = None) -> None:
    parser = arguments_of("zendesk", 8900)
    parser.add_argument("--subdomain", default="acme")
    parser.add_argument("--plan", default="professional", choices=[*ACCOUNT_PER_MINUTE, "off"], help="rate limits")
    given = parser.parse_args(arguments)
    limits = Limits.off() if given.plan == "off" else Limits.plan(given.plan)
    simulator = ZendeskSimulator(given.subdomain, given.port, given.host, limits)
    run(parser, simulator, "Zendesk", lambda: facts(simulator))


def facts(simulator: ZendeskSimulator) -> dict[str, str]:
    known = simulator.credentials
    return {
        "Subdomain": simulator.subdomain,
        "OAuth client": f"{known.client_id} / {known.client_secret}",
        "API token": f"{known.email}/token:{known.api_token}",
    }
