"""`python -m handoff_connectors.zendesk.simulator --port 8900`"""

from handoff_connectors.zendesk.simulator.command import main

main()
