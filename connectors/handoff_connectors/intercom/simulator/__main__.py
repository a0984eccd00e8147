"""`python -m handoff_connectors.intercom.simulator --port 8920`"""

from handoff_connectors.intercom.simulator.command import main

main()
