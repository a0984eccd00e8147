"""The composition root: settings in, a working App out. Nothing connects and no thread starts before `start`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import dramatiq
import structlog

from handoff_sync.callbacks import callback_client
from handoff_sync.contract.address import AddressGuard
from handoff_sync.contract.http import HttpClient
from handoff_sync.delivery.administering import Administration
from handoff_sync.delivery.attaching import Attacher
from handoff_sync.delivery.budgets import budget_storage
from handoff_sync.delivery.connections import ConnectionPool
from handoff_sync.delivery.drafts import Drafts
from handoff_sync.delivery.letters import Letters
from handoff_sync.delivery.mail import MailLane
from handoff_sync.delivery.mail_server import MailServer
from handoff_sync.delivery.outages import Outages
from handoff_sync.delivery.platform import PlatformLane
from handoff_sync.delivery.postage import Postage
from handoff_sync.delivery.runner import Performer, Runner, Turns
from handoff_sync.delivery.shares import Shares, spare
from handoff_sync.delivery.sources import Sources
from handoff_sync.delivery.sweep import SweepLane, SweepPlan
from handoff_sync.delivery.sync import SyncLane
from handoff_sync.delivery.tickets import TicketLane
from handoff_sync.emails.transport import make_transport
from handoff_sync.service.decision_links import DecisionLinks
from handoff_sync.settings import Settings
from handoff_sync.store.admin import Admin
from handoff_sync.store.clock import Clock, system_clock
from handoff_sync.store.committer import Committer
from handoff_sync.store.engine import Database, open_database
from handoff_sync.store.reads import Reads
from handoff_sync.store.vault import Vault
from handoff_sync.worker.actors import declare_actors
from handoff_sync.worker.broker import make_broker
from handoff_sync.worker.doorbell import Doorbell
from handoff_sync.worker.embedded import EmbeddedWorker
from handoff_sync.worker.sweeper import Sweeper

log = structlog.get_logger(__name__)

Checkpoint = Callable[[str], None]


def _pass(_name: str) -> None:
    """In production nothing happens between two steps."""


@dataclass(slots=True, kw_only=True)
class App:
    """Everything that one process is made of."""

    settings: Settings
    db: Database
    committer: Committer
    reads: Reads
    admin: Admin
    connections: ConnectionPool
    runner: Runner
    broker: dramatiq.Broker
    doorbell: Doorbell
    sweeper: Sweeper
    http: HttpClient
    sources: Sources
    administration: Administration
    decision_links: DecisionLinks
    mail_server: MailServer | None
    _worker: EmbeddedWorker | None = field(default=None)
    _started: bool = field(default=False)

    def start(self, *, workers: bool, sweeper: bool = True) -> None:
        """Starts the committer and the sweeper, and with `workers` the delivery threads. A second call does nothing."""
        if self._started:
            return
        self._started = True
        self.doorbell.start()
        self.committer.start()
        if workers:
            threads = self.settings.worker_threads
            declare_actors(self.broker, self.runner)
            self._worker = EmbeddedWorker(self.broker, threads + spare(threads))
            self._worker.start()
        if sweeper:
            self.sweeper.start()

    def stop(self) -> None:
        """Stops in the order in which work flows, so that what is accepted is settled or left to the next process."""
        if not self._started:
            return
        self._started = False
        self.sweeper.stop()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
        self.committer.stop()
        self.doorbell.stop()
        self.connections.close()
        self.http.close()
        self.sources.close()
        self.db.dispose()


def build(settings: Settings, *, clock: Clock | None = None, checkpoint: Checkpoint = _pass) -> App:
    """Wires one process. `clock` and `checkpoint` are for tests: simulated time, and a kill at a named point.

    Without a clock the store goes by the database's own time, so that machines whose clocks differ agree on leases.
    """
    now = clock or system_clock
    db = open_database(settings.database_url)
    broker = make_broker(settings.broker_url)
    doorbell = Doorbell(broker)
    committer = Committer(db, clock, doorbell.ring, settings.database_writers)
    reads, ring = Reads(db, clock), settings.key_ring()
    admin = Admin(db, committer, Vault(ring))
    connections = ConnectionPool(admin, budget_storage(settings.broker_url), now, Outages(committer, now))
    guard = AddressGuard(allowed=settings.private_destinations)
    http = callback_client(guard)
    limits = settings.attachment_max_bytes, settings.attachment_refused
    sources = Sources(HttpClient(guard), connections, now, *limits)
    transport = make_transport(settings.smtp_url)
    mail_server = MailServer(transport, now) if transport is not None else None
    decision_links = DecisionLinks(admin, ring, settings.public_url, now)
    letters = Letters(reads, settings.alert_to, now, admin, decision_links)
    mail = MailLane(admin, reads, letters, mail_server, Postage(settings.mail_from, settings.mail_templates), now)
    performers = _performers(settings, reads, admin, connections, http, sources, now, checkpoint, mail)
    turns = Turns(Shares(settings.worker_threads), reads.place_of, doorbell.ring)
    return App(
        settings=settings,
        db=db,
        committer=committer,
        reads=reads,
        admin=admin,
        connections=connections,
        runner=Runner(committer, performers, connections, now, settings.lease_s, turns),
        broker=broker,
        doorbell=doorbell,
        sweeper=Sweeper(committer, reads, doorbell.remind, settings.sweep_interval_s, SweepPlan(committer, admin).tick),
        http=http,
        sources=sources,
        administration=Administration(
            admin, connections, http, now, f"{settings.public_url}/hooks", settings.private_destinations
        ),
        decision_links=decision_links,
        mail_server=mail_server,
    )


def _performers(
    settings: Settings,
    reads: Reads,
    admin: Admin,
    connections: ConnectionPool,
    http: HttpClient,
    sources: Sources,
    clock: Clock,
    checkpoint: Checkpoint,
    mail: MailLane,
) -> dict[str, Performer]:
    drafts = Drafts(reads)
    return {
        "ticket": TicketLane(
            connections, reads, drafts, Attacher(sources, clock), clock, checkpoint, settings.settle_s
        ),
        "sync": SyncLane(connections, reads, clock),
        "sweep": SweepLane(connections, reads, clock, settings.poll_interval_s),
        "platform": PlatformLane(admin, reads, http, clock, settings.public_url),
        "mail": mail,
    }
