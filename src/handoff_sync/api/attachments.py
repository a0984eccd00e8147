"""The files that agents put on tickets, for the platform to show to the customer."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, BinaryIO, Final
from urllib.parse import quote

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from handoff_sync.api.auth import Scope, needs
from handoff_sync.api.deps import ApiDeps, Files, deps_of
from handoff_sync.api.fields import Id
from handoff_sync.api.problems import ProblemError
from handoff_sync.api.routes import key_router, keyed, problems
from handoff_sync.api.sessions import SessionId, known
from handoff_sync.core.effects import StoredMessage, Visibility
from handoff_sync.core.files import inert_type, safe_name, ticket_of
from handoff_sync.core.model import Attachment, Session
from handoff_sync.delivery.connections import Held
from handoff_sync.errors import (
    DestinationRefused,
    FileTooLarge,
    FileUnavailable,
    HandoffError,
    NotFound,
    NotReady,
    UnrecognisedPayload,
    VendorRejected,
)

AT_ONCE: Final = 4
"""Files that one process fetches at the same time: a slow helpdesk must not take the threads of other requests."""

MOST_WAITING: Final = 32
_PIECE: Final = 65_536
_LATER_S: Final = 10.0

router = key_router("sessions")

_BINARY: Final = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_ANSWERS: Final = {
    200: {"description": "The file, of its own media type where a browser merely shows it", **_BINARY},
    **keyed(404),
    410: problems(410)[410] | {"description": "The agent or the helpdesk has taken it away"},
    413: problems(413)[413] | {"description": "It is larger than this service passes on"},
    503: problems(503)[503] | {"description": "The helpdesk does not give it now; Retry-After says when to ask again"},
}


@router.get(
    "/v1/sessions/{session_id}/messages/{message_id}/attachments/{number}",
    operation_id="getAttachment",
    summary="A file of a human's answer",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra=needs(Scope.SESSIONS_READ),
)
async def get_attachment(
    request: Request,
    session_id: SessionId,
    message_id: Annotated[Id, Path()],
    number: Annotated[int, Path(ge=0, le=999, description="Counts from 0.")],
) -> Response:
    """`message.deliver` and the transcript name these addresses. The file is read from the helpdesk at each call: keep
    your own copy. Files of internal notes are never given out."""
    session = await known(request, session_id)
    deps = deps_of(request)
    stored = await deps.quick(deps.reads.message, session.id, message_id)
    if deps.files is None or stored is None or not _is_for_customers(session, stored, number):
        raise NotFound("There is no such file.")
    content = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the answer, without a name
    try:
        told = await run_sync(_read, deps.files, session, stored, number, content, limiter=_limiter(request))
    except HandoffError as error:
        content.close()
        raise _problem(error, deps) from error
    return _answer(told, content)


def _is_for_customers(session: Session, stored: StoredMessage, number: int) -> bool:
    said = stored.visibility is Visibility.PUBLIC and stored.kind == "message"
    return said and ticket_of(session, stored.message) is not None and number < len(stored.message.attachments)


def _read(files: Files, session: Session, stored: StoredMessage, number: int, content: BinaryIO) -> Attachment:
    """All of it, before the answer begins: so an error is told as one, and a slow reader holds up no helpdesk."""
    if files.max_bytes == 0:
        raise FileTooLarge("files are not passed on here")
    return files.of_ticket(session, stored.message, number, content, files.max_bytes)


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "file_limiter"):
        state.file_limiter = CapacityLimiter(AT_ONCE)
    limiter: CapacityLimiter = state.file_limiter
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise NotReady("Too many files are being fetched.")
    return limiter


def _answer(told: Attachment, content: BinaryIO) -> Response:
    size = content.tell()
    content.seek(0)
    name = safe_name(told.name)
    plain = "".join(char if char.isascii() and char not in "\\%'" else "_" for char in name)
    headers = {
        "content-length": str(size),
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
    }
    return StreamingResponse(_pieces(content), headers=headers, media_type=inert_type(told.content_type))


async def _pieces(content: BinaryIO) -> AsyncIterator[bytes]:
    with content:
        while piece := await run_sync(content.read, _PIECE):
            yield piece


def _problem(error: HandoffError, deps: ApiDeps) -> Exception:
    """Nothing of the helpdesk's answer is repeated."""
    match error:
        case FileTooLarge():
            return ProblemError(413, "attachment_too_large", "The file is larger than this service passes on.")
        case FileUnavailable() | VendorRejected() | DestinationRefused() | NotFound():
            return ProblemError(410, "attachment_gone", "The helpdesk does not have the file for customers any more.")
        case NotReady():
            return error
        case UnrecognisedPayload():
            wait_s = _LATER_S
        case Held(until=until):
            wait_s = _seconds_until(until, deps)
        case _:
            wait_s = getattr(error, "retry_after_s", None) or _LATER_S
    headers = {"Retry-After": str(max(1, round(min(wait_s, 3600.0))))}
    return ProblemError(503, "helpdesk_unavailable", "The helpdesk does not give the file now.", headers=headers)


def _seconds_until(at: datetime, deps: ApiDeps) -> float:
    return (at - deps.clock()).total_seconds()
