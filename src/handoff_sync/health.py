"""Is this process fit for work: what /readyz and the doctor look at."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from handoff_sync.api.deps import Check, Health
from handoff_sync.bootstrap import App
from handoff_sync.errors import HandoffError, NotReady
from handoff_sync.settings import Settings
from handoff_sync.store.migrate import pending_migrations


def readiness(app: App) -> Sequence[Check]:
    """A broker that is away is DEGRADED: events are still accepted and the sweeper brings the work. So is a mail server
    that this process has found to be away: mails wait."""
    return [_database(app), _broker(app), _disk(app.settings), *_mail(app)]


class DiskFloor:
    """`room_on_disk` for every event, without asking the system more than once a second."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._fine_until = 0.0

    def check(self) -> None:
        """NotReady while the disk is nearly full: noticed at most a second late, and freed space at once."""
        now = time.monotonic()
        if now >= self._fine_until:
            room_on_disk(self._settings)
            self._fine_until = now + 1.0


def room_on_disk(settings: Settings) -> None:
    """NotReady while the disk of the embedded database is nearly full; what was accepted must stay writable."""
    if settings.embedded and _free_mb(settings) < settings.disk_floor_mb:
        raise NotReady(f"Less than {settings.disk_floor_mb} MB are free on the disk of the database.", 30.0)


def _database(app: App) -> Check:
    try:
        pending = pending_migrations(app.db)
    except HandoffError as error:
        return Check(name="database", health=Health.DOWN, detail=str(error))
    if pending:
        return Check(name="database", health=Health.DOWN, detail="Run `handoff-sync migrate`.")
    return Check(name="database", health=Health.OK)


def _broker(app: App) -> Check:
    if app.doorbell.ok:
        return Check(name="broker", health=Health.OK)
    return Check(name="broker", health=Health.DEGRADED, detail="The broker is silent; work waits for the sweeper.")


def _mail(app: App) -> Sequence[Check]:
    """What the deliveries of this process have seen; nothing is tried for this."""
    if app.mail_server is None or not app.mail_server.trouble:
        return ()
    return (Check(name="mail", health=Health.DEGRADED, detail=app.mail_server.trouble),)


def _disk(settings: Settings) -> Check:
    try:
        room_on_disk(settings)
    except NotReady as error:
        return Check(name="disk", health=Health.DOWN, detail=str(error))
    return Check(name="disk", health=Health.OK)


def _free_mb(settings: Settings) -> float:
    folder = settings.data_dir.expanduser()
    return shutil.disk_usage(folder if folder.exists() else folder.parent if folder.parent.exists() else "/").free / 1e6
