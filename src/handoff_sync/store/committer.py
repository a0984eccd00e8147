"""The committer: what has piled up is run in one transaction and committed once, then everybody is answered.

One job that fails must not harm the others: the batch is rolled back and repeated without it. SQLite has one writer
thread, which is all the writing there is; PostgreSQL a few, with jobs of one session in the same one.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from zlib import crc32

from sqlalchemy.exc import SQLAlchemyError

from handoff_sync.errors import NotReady
from handoff_sync.store.clock import Clock
from handoff_sync.store.configuration import ConfigurationCache
from handoff_sync.store.engine import Database
from handoff_sync.store.faults import in_our_words, is_conflict, is_unavailable, not_ready
from handoff_sync.store.inbox import InboxKey
from handoff_sync.store.sessions import ConversationKey
from handoff_sync.store.unit import UnitOfWork

T = TypeVar("T")

MAX_BATCH = 256
MAX_CONFLICTS = 5
"""How often a single job is repeated because another process was faster."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """Work for one transaction. `run` may be called again after a rollback: it must have no effect but on the unit.

    The rest names what it will ask for, so that a whole batch is loaded, and its sessions locked, at once.
    """

    run: Callable[[UnitOfWork], T]
    conversations: tuple[ConversationKey, ...] = ()
    sessions: tuple[str, ...] = ()
    inbox: tuple[InboxKey, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Order:
    job: Job[Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a transaction was rolled back; `index` is the job that did it, where that is known."""

    error: BaseException
    index: int | None


class _Spoiled(Exception):
    """A job failed after it had begun to change things."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Committer:
    """Takes jobs from any thread. `on_commit` is told the lanes that are due; it must not block.

    `clock` None means the database's own time on PostgreSQL, this machine's on SQLite.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock | None = None,
        on_commit: Callable[[Collection[str]], None] = lambda _lanes: None,
        writers: int = 2,
    ) -> None:
        self._db = db
        self._clock = clock
        self._on_commit = on_commit
        self._configuration = ConfigurationCache()
        self._latest: datetime | None = None
        count = 1 if db.dialect == "sqlite" else max(1, writers)
        self._queues: tuple[queue.SimpleQueue[_Order | None], ...] = tuple(queue.SimpleQueue() for _ in range(count))
        self._threads: tuple[threading.Thread, ...] = ()
        self._gate = threading.Lock()
        self._open = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        with self._gate:
            if self._open:
                return
            self._open = True
            self._threads = tuple(
                threading.Thread(target=self._write, args=(orders,), name=f"committer-{number}", daemon=True)
                for number, orders in enumerate(self._queues)
            )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finishes what was submitted, then ends the threads. Later jobs are answered with NotReady."""
        with self._gate:
            if not self._open:
                return
            self._open = False
            for orders in self._queues:
                orders.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, job: Job[T]) -> Future[T]:
        """The job's answer, once it is committed. NotReady: the database cannot take it now, and nothing was done."""
        future: Future[T] = Future()
        with self._gate:
            if not self._open:
                future.set_exception(NotReady("The service is not running, or is shutting down."))
            else:
                self._queues[self._partition(job)].put(_Order(job, future))
        return future

    def run(self, job: Job[T]) -> T:
        """Submits and waits."""
        if threading.current_thread() in self._threads:
            raise RuntimeError("A job must not wait for another job: only one of them can be in the writer thread.")
        return self.submit(job).result()

    def _partition(self, job: Job[Any]) -> int:
        if len(self._queues) == 1:
            return 0
        keys: Sequence[object] = job.conversations or job.sessions or job.links or job.inbox
        return crc32(repr(keys[:1]).encode()) % len(self._queues)

    # --- in the writer thread -----------------------------------------------------------------

    def _write(self, orders: queue.SimpleQueue[_Order | None]) -> None:
        going = True
        while going:
            batch, going = _take(orders)
            batch = [order for order in batch if order.future.set_running_or_notify_cancel()]
            self._work_off(deque([batch] if batch else []))

    def _work_off(self, parts: deque[list[_Order]]) -> None:
        """Commits every part, splitting those that fail. Answers everybody, whatever happens."""
        conflicts = 0
        while parts:
            part = parts.popleft()
            trouble = self._commit(part)
            if trouble is None:
                conflicts = 0
            elif is_unavailable(trouble.error):
                for order in (order for rest in (part, *parts) for order in rest):
                    order.future.set_exception(not_ready(trouble.error))
                return
            elif len(part) > 1:
                parts.extendleft(reversed(_split(part, trouble.index)))
            elif is_conflict(trouble.error) and conflicts < MAX_CONFLICTS:
                conflicts += 1
                parts.appendleft(part)
            else:
                conflicts = 0
                part[0].future.set_exception(in_our_words(trouble.error))

    def _commit(self, part: list[_Order]) -> _Trouble | None:
        """One transaction. None when it is committed and everybody answered; else nothing was done."""
        results: list[_Result] = []
        try:
            with self._db.write.begin() as connection:
                unit = UnitOfWork(connection, self._db.dialect, self._clock, self._configuration)
                latest = unit.follow_clock(self._latest) if self._db.dialect == "sqlite" else None
                _prefetch(unit, part)
                for order in part:
                    results.append(_run(unit, order.job))
                unit.flush()
        except _Spoiled as spoiled:
            return _Trouble(spoiled.error, len(results))
        except BaseException as error:  # noqa: BLE001 - somebody waits for every answer
            return _Trouble(error, None)
        self._latest = latest
        self._ring(unit.rung)
        for order, result in zip(part, results, strict=True):
            _answer(order.future, result)
        return None

    def _ring(self, lanes: set[str]) -> None:
        if not lanes:
            return
        try:
            self._on_commit(lanes)
        except Exception as error:  # noqa: BLE001 - whatever a doorbell may raise
            # The sweeper wakes them: what is committed must be answered as such.
            _log.warning("Ringing for %d lanes failed (%s).", len(lanes), type(error).__name__)


def _take(orders: queue.SimpleQueue[_Order | None]) -> tuple[list[_Order], bool]:
    """What has piled up, and whether more may come. Waits only while there is nothing."""
    batch: list[_Order] = []
    order = orders.get()
    while order is not None:
        batch.append(order)
        if len(batch) == MAX_BATCH:
            return batch, True
        try:
            order = orders.get_nowait()
        except queue.Empty:
            return batch, True
    return batch, False


def _prefetch(unit: UnitOfWork, part: list[_Order]) -> None:
    jobs = [order.job for order in part]
    unit.prefetch(
        {key for job in jobs for key in job.conversations},
        {key for job in jobs for key in job.sessions},
        {key for job in jobs for key in job.inbox},
        {key for job in jobs for key in job.links},
    )


def _run(unit: UnitOfWork, job: Job[Any]) -> _Result:
    """What the job gives or raises. An error after it has changed something spoils the whole transaction."""
    changes = unit.changes
    try:
        return _Result(job.run(unit), None)
    except SQLAlchemyError as error:
        raise _Spoiled(error) from error
    except BaseException as error:
        if unit.changes != changes:
            raise _Spoiled(error) from error
        return _Result(None, error)


def _split(part: list[_Order], index: int | None) -> list[list[_Order]]:
    """The part without the one that failed, which is tried alone; one by one where it is not known which."""
    if index is None:
        return [[order] for order in part]
    return [some for some in (part[:index], part[index : index + 1], part[index + 1 :]) if some]


def _answer(future: Future[Any], result: _Result) -> None:
    if result.error is not None:
        future.set_exception(result.error)
    else:
        future.set_result(result.value)
