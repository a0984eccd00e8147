"""Where files come from: the chat's own file server, or the ticket that an agent put them on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import BinaryIO

from handoff_sync.contract.downloads import believed
from handoff_sync.contract.files import GivesFiles
from handoff_sync.contract.http import HttpClient
from handoff_sync.core.files import UNKNOWN_TYPE, is_refused, plain_type, ticket_of
from handoff_sync.core.model import Attachment, Message, Session
from handoff_sync.delivery.connections import ConnectionPool, Held
from handoff_sync.errors import (
    DestinationRefused,
    FileUnavailable,
    HandoffError,
    NotReady,
    OutcomeUnknown,
    UnrecognisedPayload,
    VendorDown,
    VendorRejected,
)

REFUSED_TYPE = "files of this type are not passed on"


class Sources:
    """Fetches files. `refused` are types and endings that no chat may put on a ticket; 0 bytes switch files off."""

    def __init__(
        self,
        http: HttpClient,
        connections: ConnectionPool,
        clock: Callable[[], datetime],
        max_bytes: int,
        refused: Sequence[str],
    ) -> None:
        self._http = http
        self._connections = connections
        self._clock = clock
        self.max_bytes = max_bytes
        self._refused = refused

    def fetch(self, session: Session, message: Message, number: int, into: BinaryIO, max_bytes: int) -> str:
        """Writes one file of the message into `into`; returns its media type.

        Raises:
            FileUnavailable: It cannot be had, ever.
            VendorDown: It may be had later.
        """
        file = message.attachments[number]
        if is_refused(file.name, (file.content_type,), self._refused):
            raise FileUnavailable(REFUSED_TYPE)
        if ticket_of(session, message) is None:
            kind = self._from_chat(file, into, max_bytes)
        else:
            kind = self._from_ticket(session, message, number, into, max_bytes).content_type
        if into.tell() == 0:
            raise FileUnavailable("it is empty")
        return kind

    def of_ticket(self, session: Session, message: Message, number: int, into: BinaryIO, max_bytes: int) -> Attachment:
        """A file that an agent put on a public comment, as the helpdesk has it now.

        Raises:
            Held: The connection is not to be used now.
            FileUnavailable, TicketGone, RateLimited, VendorDown, VendorAuthError: as the connector says.
        """
        origin = ticket_of(session, message)
        if origin is None or origin[0].remote_id is None:
            raise FileUnavailable("it is not there any more")
        link, comment = origin
        self._connections.must_be_usable(link.connection, self._clock())
        connector = self._connections.get(link.connection)
        if not isinstance(connector, GivesFiles):
            raise FileUnavailable("this helpdesk gives out no files")
        assert link.remote_id is not None
        return connector.download(link.remote_id, comment, number, into, max_bytes)

    def close(self) -> None:
        self._http.close()

    def _from_chat(self, file: Attachment, into: BinaryIO, max_bytes: int) -> str:
        """Never with credentials, never after a redirect, never to an internal address."""
        try:
            answer = self._http.download(file.url, into, max_bytes)
        except DestinationRefused as error:
            raise FileUnavailable("its address is not a public one with https") from error
        except VendorRejected as error:
            raise FileUnavailable("its address cannot be called") from error
        served = answer.headers.get("content-type", "")
        if is_refused(file.name, (served,), self._refused) and believed(answer, "The chat's file server").ok:
            raise FileUnavailable(REFUSED_TYPE)
        believed(answer, "The chat's file server")
        told = plain_type(file.content_type)
        return told if told != UNKNOWN_TYPE else plain_type(served)

    def _from_ticket(
        self, session: Session, message: Message, number: int, into: BinaryIO, max_bytes: int
    ) -> Attachment:
        """For another ticket: the trouble of this one's helpdesk must not become that one's."""
        try:
            return self.of_ticket(session, message, number, into, max_bytes)
        except FileUnavailable:
            raise
        except (Held, VendorDown, OutcomeUnknown, UnrecognisedPayload, NotReady) as error:
            raise VendorDown("The other helpdesk does not give it now.") from error
        except HandoffError as error:
            raise FileUnavailable("the other helpdesk does not give it out") from error
