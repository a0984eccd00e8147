"""`run`, `web`, `worker`, `migrate`: the processes of an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handoff_sync.errors import NotReady

Host = Annotated[str | None, typer.Option(help="Address to listen on, instead of HANDOFF_HOST.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, instead of HANDOFF_PORT or PORT.")]


def register(app: typer.Typer) -> None:
    for command in (run, web, worker, migrate):
        app.command()(command)


def run(host: Host = None, port: Port = None) -> None:
    """Everything in one process: API, workers, timers. The database is migrated first."""
    from handoff_sync import web as process
    from handoff_sync.settings import load_settings

    settings = load_settings(**_given(host=host, port=port))
    migrate()
    process.serve(settings, workers=True)


def web(host: Host = None, port: Port = None) -> None:
    """The API alone; `worker` processes do the deliveries."""
    from handoff_sync import web as process
    from handoff_sync.settings import load_settings

    settings = load_settings(**_given(host=host, port=port))
    require_migrated(settings.database_url)
    process.serve(settings, workers=False)


def worker(
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes; each has its own connections.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, max=64, help="Instead of HANDOFF_WORKER_THREADS.")] = None,
) -> None:
    """Deliveries and timers. Start as many as you like, on any machine."""
    from handoff_sync import work
    from handoff_sync.errors import ConfigurationError
    from handoff_sync.settings import load_settings

    settings = load_settings()
    if settings.broker_url.startswith("memory:"):
        raise ConfigurationError(
            ["HANDOFF_BROKER_URL: workers of their own need a shared broker. Set it to redis://..., or use `run`."]
        )
    require_migrated(settings.database_url)
    work.serve(processes, threads or settings.worker_threads)


def migrate() -> None:
    """Brings the database to the schema of this version. Safe to repeat, and for several at once."""
    from handoff_sync.settings import load_settings
    from handoff_sync.store.engine import open_database
    from handoff_sync.store.migrate import migrate as apply_migrations

    settings = load_settings()
    if settings.embedded:
        settings.data_dir.expanduser().mkdir(mode=0o700, parents=True, exist_ok=True)
    db = open_database(settings.database_url)
    try:
        apply_migrations(db)
    finally:
        db.dispose()
    typer.echo("The database is up to date.", err=True)


def require_migrated(database_url: str) -> None:
    """NotReady when the schema is older than this version: serving would fail at the first request."""
    from handoff_sync.store.engine import open_database
    from handoff_sync.store.migrate import pending_migrations

    db = open_database(database_url)
    try:
        absent = db.dialect == "sqlite" and not Path(db.url.database or "").exists()
        if absent or pending_migrations(db):
            raise NotReady(
                "The database is not made yet, or older than this version. Run `handoff-sync migrate` first."
            )
    finally:
        db.dispose()


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
