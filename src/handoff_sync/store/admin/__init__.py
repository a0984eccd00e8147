"""What admins configure: workspaces, API keys, helpdesk connections, callback endpoints.

Changes go through the committer, as everything that is written.
"""

from handoff_sync.store.admin.connections import Connections
from handoff_sync.store.admin.endpoints import Endpoints
from handoff_sync.store.admin.keys import Keys
from handoff_sync.store.admin.workspaces import Workspaces

__all__ = ["Admin"]


class Admin(Workspaces, Keys, Connections, Endpoints):
    """All of the configuration. NotReady when the database does not answer."""
