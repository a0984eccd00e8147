"""The demo: the whole service on free loopback ports in a temporary folder, with pages to play customer, agent, admin.

The service goes by a clock that a story can move, as do the callbacks' receivers; helpdesks keep the real time. So half
an hour for a decision need not be waited for. It is moved only while the service has nothing to do.
"""

from __future__ import annotations

import dataclasses
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from handoff_sync.bootstrap import App, build
from handoff_sync.contract.registry import connector_class
from handoff_sync.core.policy import ConnectionRule, Mode, Outcome, Policy, Recipient
from handoff_sync.core.presets import PRESETS
from handoff_sync.delivery.connecting import set_up
from handoff_sync.errors import HandoffError
from handoff_sync.logs import configure_logs
from handoff_sync.secret_keys import new_key
from handoff_sync.settings import Settings, load_settings
from handoff_sync.simulator.chat.platform import ChatPlatform
from handoff_sync.simulator.chat.service import Service
from handoff_sync.simulator.chat.web import chat_app
from handoff_sync.simulator.clock import SimulatorClock
from handoff_sync.simulator.desk import Desk, simulated
from handoff_sync.simulator.dialogues import read_dialogues
from handoff_sync.simulator.mailbox.mail import Mailbox
from handoff_sync.simulator.mailbox.web import mailbox_app
from handoff_sync.simulator.narrator import Narrator
from handoff_sync.simulator.office import Admin, Office
from handoff_sync.simulator.server import LoopbackServer
from handoff_sync.simulator.story import Story, for_every_ending
from handoff_sync.simulator.summary import tell_summary
from handoff_sync.store.migrate import migrate
from handoff_sync.web import make_app

LOOPBACK: Final = "127.0.0.1"
MAILS: Final = "mails"
GRACE_S: Final = 1
"""A minute, as in real life, would make the demo dull."""
START_S: Final = 20.0
DESK_LAG_S: Final = 0.5
"""Real helpdesks list what is new up to half a minute late."""
POLL_S: Final = 8.0
"""Some things no webhook tells, a merge for example; in real life they are found within five minutes."""
FEW_A_SECOND: Final = 5
SETTLED_S: Final = 30.0
ADMINS: Final = (
    Admin(name="Ada", email="ada@example.com", language="en"),
    Admin(name="Ben", email="ben@example.com", language="pt"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Without URLs everything is in memory and in one file that is deleted at the end."""

    helpdesks: tuple[str, ...] = ("zendesk",)
    """Kinds; the first one's tickets are the primary ones."""
    broker_url: str | None = None
    database_url: str | None = None
    on_solved: Outcome = Outcome.RESOLVE
    mode: Mode = Mode.AUTOMATIC

    @property
    def asks(self) -> bool:
        """Whether admins decide."""
        return self.mode is Mode.SEMI_AUTOMATIC


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that runs during a demo."""

    service: Service
    platform: ChatPlatform
    desks: tuple[Desk, ...]
    office: Office
    chat_url: str
    service_url: str
    mailbox_url: str

    @property
    def desk(self) -> Desk:
        """The primary one."""
        return self.desks[0]


def play_once(options: DemoOptions, dialogues: Path, narrator: Narrator) -> int:
    """Every dialogue of the file through the whole story; 1 if any step did not hold.

    Where admins decide, a file of one or two dialogues is played until every ending was there.
    """
    played = read_dialogues(dialogues)
    if options.asks:
        played = for_every_ending(played)
    with world(options, narrator) as parts:
        story = Story(
            platform=parts.platform,
            service=parts.service,
            desks=parts.desks,
            narrator=narrator,
            returns=options.on_solved is Outcome.RETURN_TO_AI,
            office=parts.office,
        )
        for line in _slow(parts.desks):
            narrator.say(f"  {line}", "dim")
        for number, dialogue in enumerate(played, start=1):
            narrator.heading(f"[{number}/{len(played)}] {dialogue.title} ({dialogue.conversation_id})")
            story.play(dialogue)
    return tell_summary(story.totals, narrator)


def _slow(desks: Sequence[Desk]) -> Iterator[str]:
    """Helpdesks that allow so few calls that a story has to wait for them."""
    for desk in desks:
        for budget in connector_class(desk.kind).budgets:
            if budget.name == "*" and budget.limit <= FEW_A_SECOND * budget.window_s:
                yield f"{desk.title} allows {budget.limit} calls in {budget.window_s} s: some steps will wait for that."


def play_live(options: DemoOptions, narrator: Narrator) -> int:
    """Runs until Ctrl-C: people play the customer and the agent."""
    with world(options, narrator) as parts:
        parts.platform.narrate = lambda text: narrator.say(f"  {text}", "dim")
        talk = parts.platform.begin()
        narrator.heading("Open these side by side")
        chat = f"The chat, as {talk.greeting_name}:"
        narrator.say(f"  {chat:<28} {parts.chat_url}/chat/{talk.id}", "blue")
        for desk in parts.desks:
            narrator.say(f"  {desk.title + ', as ' + desk.agent_name + ':':<28} {desk.agent_url}", "blue")
        admins = " and ".join(admin.name for admin in ADMINS)
        narrator.say(f"  {f'The mails of {admins}:':<28} {parts.mailbox_url}/", "blue")
        narrator.say(f"  {'The service, for programs:':<28} {parts.service_url}/v1")
        narrator.heading("Things to try")
        for line in _things_to_try(len(parts.desks) > 1, options.asks):
            narrator.say(f"  {line}")
        narrator.heading("What happens (Ctrl-C ends the demo)")
        _watch(parts, narrator)
    narrator.say("The demo has ended; nothing of it is left.")
    return 0


def _things_to_try(several: bool, asks: bool) -> Iterator[str]:
    where = "a ticket appears at every helpdesk," if several else "a ticket appears"
    if asks:
        yield '1. Chat with the AI, then press "Let me talk to a human": the AI goes on, the admins get a mail.'
        yield '   Open a mail, follow "Review and decide", and let a person take over:'
        yield f"   the AI falls silent, {where} with the whole talk, and the other admin learns who decided."
        yield "   Or let the AI go on, or undo what you decided within half a minute."
    else:
        yield f'1. Chat with the AI, then press "Let me talk to a human": {where} with the whole talk,'
        yield "   and the admins get a mail."
    yield "2. Answer the ticket in public, then write an internal note: only the answer reaches the chat."
    if several:
        yield "   Answer at another helpdesk, too: each shows what the others' agents have said."
    yield "   Write to the AI meanwhile: it stays silent, and the message lands in the ticket."
    first = "the first helpdesk's ticket" if several else "the ticket"
    yield f"3. Write the note `/ai why` or `/ai resume` in {first}, or solve it and see what the chat shows."


def _watch(parts: World, narrator: Narrator) -> None:
    """Tells of tickets until the person has enough; the platform tells of the rest itself."""
    known: set[tuple[str, str]] = set()
    try:
        while True:
            for desk in parts.desks:
                for name in desk.ticket_ids():
                    if (desk.kind, name) not in known:
                        known.add((desk.kind, name))
                        narrator.say(f"  {desk.title}: ticket {name} opened, {desk.ticket(name).subject!r}", "green")
            time.sleep(0.2)
    except KeyboardInterrupt:
        narrator.say("")


# --- building the world --------------------------------------------------------------------------


@contextmanager
def world(options: DemoOptions, narrator: Narrator) -> Iterator[World]:
    """Service, helpdesk and chat platform, connected with each other; all gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handoff-demo-")))
        settings = demo_settings(options, folder)
        narrator.heading("Starting")
        clock = SimulatorClock()
        app = stack.enter_context(_service(settings, clock))
        narrator.say(f"  service        {settings.public_url}  ({_storage(settings)})")
        desks = tuple(simulated(kind) for kind in options.helpdesks)
        for desk in desks:
            desk.lag(DESK_LAG_S)
            desk.start()
            stack.callback(desk.stop)
            narrator.say(f"  {desk.title:<14} {desk.agent_url}  (simulated)")
        platform = ChatPlatform(unix_time=clock.unix)
        stack.callback(platform.close)
        server = LoopbackServer(chat_app(platform, {desk.title: desk.agent_url for desk in desks}))
        server.start()
        stack.callback(server.stop)
        narrator.say(f"  chat product   {server.base_url}")
        mailbox = Mailbox(folder / MAILS)
        mail_page = LoopbackServer(mailbox_app(mailbox))
        mail_page.start()
        stack.callback(mail_page.stop)
        narrator.say(f"  mailbox        {mail_page.base_url}/")
        yield World(
            service=_connected(app, options, desks, platform, server.base_url),
            platform=platform,
            desks=desks,
            office=_office(app, clock, mailbox, options),
            chat_url=server.base_url,
            service_url=settings.public_url,
            mailbox_url=mail_page.base_url,
        )


def _office(app: App, clock: SimulatorClock, mailbox: Mailbox, options: DemoOptions) -> Office:
    def settle() -> None:
        """Whoever works while the clock leaps would lose the lease of that work."""
        deadline = time.monotonic() + SETTLED_S
        while app.reads.backlog()[0]:
            if time.monotonic() > deadline:
                raise HandoffError("The service does not come to rest: see its log (HANDOFF_LOG_LEVEL=info).")
            time.sleep(0.02)

    def pass_time(minutes: int) -> None:
        settle()
        clock.advance(60 * minutes)

    return Office(admins=ADMINS, mailbox=mailbox, asked=options.asks, pass_time=pass_time, settle=settle)


def demo_settings(options: DemoOptions, folder: Path) -> Settings:
    port = _free_port()
    return load_settings(
        data_dir=folder,
        database_url=options.database_url or f"sqlite:///{folder / 'handoff.db'}",
        broker_url=options.broker_url or "memory://",
        host=LOOPBACK,
        port=port,
        public_url=f"http://{LOOPBACK}:{port}",
        secret_keys=new_key(f"demo-{secrets.token_hex(4)}"),
        smtp_url=f"capture:{folder / MAILS}",
        mail_from="Halyard Bikes <help@example.com>",
        private_destinations=(f"{LOOPBACK}/32",),
        sweep_interval_s=0.2,
        poll_interval_s=POLL_S,
        disk_floor_mb=0,
        log_level="error",
    )


@contextmanager
def _service(settings: Settings, clock: SimulatorClock) -> Iterator[App]:
    """The service in a thread, its workers included."""
    configure_logs(settings.log_level, settings.log_format)
    app = build(settings, clock=clock.now)
    migrate(app.db)
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(app, workers=True),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, name="demo-service", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise HandoffError("The service did not start. Run `handoff-sync doctor` to see why.")
        time.sleep(0.01)
    try:
        yield app
    finally:
        server.should_exit = True
        thread.join(START_S)


def _connected(app: App, options: DemoOptions, desks: Sequence[Desk], platform: ChatPlatform, chat_url: str) -> Service:
    """A workspace with a key, a connection to each desk with its webhook, and a callback endpoint."""
    policy = _policy(options, chat_url)
    workspace = app.admin.create_workspace("Halyard Bikes", policy)
    rules = tuple(ConnectionRule(connection=_connection(app, workspace.id, desk)) for desk in desks)
    app.admin.update_workspace(workspace.id, policy=dataclasses.replace(policy, connections=rules))
    _, secret = app.admin.create_endpoint(workspace.id, f"{chat_url}/callbacks")
    key = app.admin.create_api_key(workspace.id, "chat product", ("events", "gate", "sessions:read"))
    service = Service(app.settings.public_url, key.key)
    platform.connect(service, secret)
    return service


def _policy(options: DemoOptions, chat_url: str) -> Policy:
    return dataclasses.replace(
        PRESETS["handover"],
        handover_mode=options.mode,
        on_ticket_solved=options.on_solved,
        on_ticket_closed=options.on_solved,
        solved_grace_seconds=GRACE_S,
        chat_url=f"{chat_url}/chat/{{conversation_id}}",
        recipients=tuple(Recipient(email=one.email, name=one.name, language=one.language) for one in ADMINS),
    )


def _connection(app: App, workspace_id: str, desk: Desk) -> str:
    """A connection to the desk, which knows the address of its webhook; returns the connection's id."""
    hooks = f"{app.settings.public_url}/hooks"
    given = {**desk.access.settings, **desk.access.secrets}
    done = set_up(app.admin, app.connections, workspace_id, desk.kind, desk.title, given, hooks)
    if done.connection is None:
        raise HandoffError(f"The simulated {desk.title} refused the connection: {done.findings[0].detail}")
    desk.set_webhook(f"{hooks}/{done.connection.hook_token}")
    return done.connection.id


def _storage(settings: Settings) -> str:
    database = "SQLite" if settings.embedded else "PostgreSQL"
    broker = "memory" if settings.broker_url.startswith("memory:") else "Redis"
    return f"{database}, {broker}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
