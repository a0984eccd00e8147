"""`python -m handoff_connectors.gorgias.simulator --port 8901`"""

from handoff_connectors.gorgias.simulator.command import main

main()
