"""What admins configure: workspaces, members, API keys, helpdesk connections, callback endpoints;
and the links that lead people to a decision.

Changes go through the committer, as everything that is written.
"""

from handoff_sync.store.admin.connections import Connections
from handoff_sync.store.admin.decision_links import DecisionLinks
from handoff_sync.store.admin.endpoints import Endpoints
from handoff_sync.store.admin.keys import Keys
from handoff_sync.store.admin.members import Members
from handoff_sync.store.admin.workspaces import Workspaces

__all__ = ["Admin"]


class Admin(Workspaces, Members, Keys, Connections, Endpoints, DecisionLinks):
    """All of the configuration. NotReady when the database does not answer."""
