"""Run one lane: claim it, perform its first rows, settle. Whatever goes wrong ends in the row, never in the broker."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from handoff_sync.core.backoff import next_attempt
from handoff_sync.delivery import aftermath
from handoff_sync.delivery.connections import ConnectionPool, Held, Stopped
from handoff_sync.delivery.lease import Lease, LeaseLost
from handoff_sync.delivery.mail import MAIL_LEASE_S
from handoff_sync.delivery.shares import Shares, Turn
from handoff_sync.errors import (
    DestinationRefused,
    HandoffError,
    NotReady,
    OutcomeUnknown,
    RateLimited,
    UnrecognisedPayload,
    VendorAuthError,
    VendorDown,
)
from handoff_sync.store.committer import Committer, Job
from handoff_sync.store.routing import goes_by_mail, place_of
from handoff_sync.store.rows import UnreadableEffect

log = structlog.get_logger(__name__)

MAX_EXPIRIES = 3
STOPPED_RECHECK = timedelta(hours=1)
COME_BACK_S = (2.0, 6.0)
"""When a lane tries again whose place hangs: neither all at once, nor so often that finding them is all we do."""
LINGER_S = 2.0
"""How long one message goes on with lanes that wait: a process that is to end must not wait for all of them."""


class Performer(Protocol):
    """One kind of lane."""

    def perform(self, lease: Lease) -> None:
        """Does what the first rows say and lets go of the lease; raises from `errors` when it could not."""
        ...

    def give_up(self, lease: Lease, error: HandoffError) -> None:
        """The error is permanent or attempts are spent: park visibly and tell whom it concerns."""
        ...


@dataclass(frozen=True, slots=True)
class Turns:
    """What a runner needs so that lanes of one place leave room for others: a count, where a lane goes, the bell."""

    shares: Shares
    place_of: Callable[[str], str | None]
    ring: Callable[[Collection[str]], None]


class Runner:
    """Performs lanes; `performers` by the first word of a lane's destination."""

    def __init__(
        self,
        committer: Committer,
        performers: Mapping[str, Performer],
        connections: ConnectionPool,
        clock: Callable[[], datetime],
        lease_s: float,
        turns: Turns,
    ) -> None:
        self._committer = committer
        self._performers = performers
        self._connections = connections
        self._clock = clock
        self._lease_s = lease_s
        self._turns = turns

    def run(self, lane_id: str) -> None:
        """Runs the lane if it is due, free and its turn. Never raises: what failed is recorded, time brings it back.

        Whoever ends a lane of a busy place goes on with one that waited for it.
        """
        ends, place = time.monotonic() + LINGER_S, self._run(lane_id)
        while place is not None and (following := self._turns.shares.following(place)) is not None:
            if time.monotonic() > ends:
                self._turns.ring((following,))
                return
            place = self._run(following) or place

    def _run(self, lane_id: str) -> str | None:
        """The place where a lane has ended; None when this one did not run."""
        try:
            if self._turns.shares.crowded and self._waits(lane_id):
                return None
            lease_s = MAIL_LEASE_S if goes_by_mail(lane_id) else self._lease_s
            claim = self._committer.run(Job(run=lambda uow: uow.claim(lane_id, lease_s)))
            if claim is not None:
                return self._in_turn(Lease(self._committer, claim, lease_s))
        except LeaseLost:
            log.warning("lease lost, result discarded", lane=lane_id)
        except NotReady as error:
            log.warning("database not ready, the lane comes back by itself", lane=lane_id, error=str(error))
        except Exception as error:  # noqa: BLE001 - an actor that raises would leave its message to the broker
            log.error("lane failed unexpectedly", lane=lane_id, **where(error))
        return None

    def _waits(self, lane_id: str) -> bool:
        """Whether the lane's place is busy, and the lane now waits for a running one to end."""
        place = self._turns.place_of(lane_id)
        return place is not None and self._turns.shares.queue(place, lane_id)

    def _in_turn(self, lease: Lease) -> str | None:
        """Performs the lane if its place has room for it, else lets it come back."""
        claim, shares = lease.claim, self._turns.shares
        place = place_of(claim.connection_id, claim.destination)
        turn = f"{claim.lane_id} {claim.token}"  # who has lost the lane's lease may be at it still
        match shares.enter(place, turn):
            case Turn.BUSY:
                shares.queue(place, claim.lane_id)
                lease.retry(self._clock(), "Waits for its turn.", count=False)
                return None
            case Turn.SLOW:
                later = self._clock() + timedelta(seconds=random.uniform(*COME_BACK_S))
                lease.retry(later, "The other side hangs; others come first.", count=False)
                return None
            case Turn.NOW:
                pass
        worked = False
        try:
            worked = self._hold(lease)
        except LeaseLost:
            log.warning("lease lost, result discarded", lane=claim.lane_id)
        finally:
            shares.leave(place, turn, worked=worked)
        return place

    def _hold(self, lease: Lease) -> bool:
        """Whether everything went well."""
        claim = lease.claim
        performer = self._performers[claim.destination.partition(":")[0]]
        try:
            if claim.expiries >= MAX_EXPIRIES:
                raise _Killed(f"{claim.expiries} workers in a row ended while doing this.")
            if claim.connection_id is not None:
                self._connections.must_be_usable(claim.connection_id, self._clock())
            if claim.rows and isinstance(claim.rows[0].effect, UnreadableEffect):
                raise UnrecognisedPayload("A newer version wrote this delivery. Upgrade all processes.")
            performer.perform(lease)
            return True
        except LeaseLost:
            raise
        except Held as held:
            told = aftermath.ticket_waits(lease, held.reason) if isinstance(held, Stopped) else None
            lease.retry(held.until, held.reason, forget=lease.undone if held.undone else (), count=False, also=told)
        except HandoffError as error:
            self._failed(lease, performer, error)
        except Exception as error:  # noqa: BLE001 - whatever a delivery raises must end in the row
            log.error("delivery raised something unknown", lane=claim.lane_id, **where(error))
            self._failed(lease, performer, OutcomeUnknown(f"Unexpected {type(error).__name__} in our own code."))
        return False

    def _failed(self, lease: Lease, performer: Performer, error: HandoffError) -> None:
        """One table from error to action (reliability.md section 4)."""
        claim, now = lease.claim, self._clock()
        attempts = (claim.rows[0].attempts if claim.rows else claim.attempts - 1) + 1
        log.info("delivery failed", lane=claim.lane_id, attempt=attempts, kind=type(error).__name__, error=str(error))
        match error:
            case RateLimited(scope="ticket"):
                at = now + timedelta(seconds=error.retry_after_s)
                lease.retry(at, str(error), forget=lease.undone, count=False)
            case RateLimited():
                at = self._connections.pause(claim.connection_id, error.retry_after_s, str(error))
                lease.retry(at, str(error), forget=lease.undone, count=False)
            case VendorAuthError():
                self._connections.stop(claim.connection_id, str(error))
                told = aftermath.ticket_waits(lease, str(error))
                lease.retry(now + STOPPED_RECHECK, str(error), forget=lease.undone, count=False, also=told)
            case VendorDown() | OutcomeUnknown() | UnrecognisedPayload() | NotReady() | DestinationRefused():
                if claim.connection_id is not None:
                    self._connections.failed(claim.connection_id, str(error))
                asked = getattr(error, "retry_after_s", None)
                due = next_attempt(attempts, now, chance=random.random(), retry_after_s=asked)
                if due is None:
                    performer.give_up(lease, error)
                else:
                    lease.retry(due, str(error), forget=lease.undone if isinstance(error, VendorDown) else ())
            case _:
                performer.give_up(lease, error)


def where(error: BaseException) -> dict[str, str]:
    """What a log may tell of an error that nobody foresaw: its kind and place, for its text may hold customer words."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return {"kind": type(error).__name__, "at": " > ".join(f"{f.filename}:{f.lineno}" for f in frames)}


class _Killed(HandoffError):
    """The job keeps killing its worker."""
