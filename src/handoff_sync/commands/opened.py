"""The running parts that a command needs: an App without web and without workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from handoff_sync.errors import NotFound

if TYPE_CHECKING:
    from handoff_sync.bootstrap import App
    from handoff_sync.store.rows import WorkspaceRow

Workspace = Annotated[str | None, typer.Option("--workspace", "-w", help="Id or name; not needed if there is one.")]


@contextmanager
def opened() -> Iterator[App]:
    """The App of the configured installation, able to read and to write; closed afterwards."""
    from handoff_sync.bootstrap import build
    from handoff_sync.commands.serve import require_migrated
    from handoff_sync.logs import configure_logs
    from handoff_sync.settings import load_settings

    settings = load_settings()
    require_migrated(settings.database_url)
    configure_logs("error", settings.log_format)  # the command itself tells what happens
    app = build(settings)
    app.start(workers=False, sweeper=False)
    try:
        yield app
    finally:
        app.stop()


def workspace_of(app: App, wanted: str | None) -> WorkspaceRow:
    """The workspace of that id or name, or the only one. NotFound says what there is."""
    found = app.admin.workspaces()
    matches = [row for row in found if wanted is None or wanted in (row.id, row.name)]
    if len(matches) == 1:
        return matches[0]
    if not found:
        raise NotFound("There is no workspace yet. Make one: handoff-sync workspace create NAME")
    names = ", ".join(f"{row.name} ({row.id})" for row in found)
    if wanted is None:
        raise NotFound(f"There are several workspaces; say which with --workspace: {names}")
    raise NotFound(f"No workspace {wanted!r}, or several of that name. There are: {names}")
