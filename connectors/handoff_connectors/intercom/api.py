"""The calls to Intercom, each with its share of the rate budget. Every failure leaves here as one of our errors.

No address holds anything of a customer: contacts are made or found by the body of a call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final
from urllib.parse import quote

from handoff_connectors.intercom.faults import Asked, fault, wait_s
from handoff_connectors.intercom.kinds import Kinds
from handoff_connectors.intercom.sending import with_files
from handoff_connectors.intercom.settings import IntercomSettings
from handoff_connectors.intercom.tokens import Tokens
from handoff_sync.contract.connector import CALL_DEADLINE_S, Credentials, Limiter
from handoff_sync.contract.deadline import ends_at, must_fit
from handoff_sync.contract.downloads import believed, download
from handoff_sync.contract.files import LocalFile
from handoff_sync.contract.http import Answer, HttpClient, Timeouts
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import RateLimited, UnrecognisedPayload, VendorAuthError, VendorRejected

VERSION: Final = "2.16"
CALL_S: Final = CALL_DEADLINE_S / 2
"""One call's share of an operation; none begins later than that before the end."""

EVERY: Final = "*"
SWEEP: Final = "sweep"
SEARCH_PAGE: Final = 150
DELETED_PAGE: Final = 60
RESERVE: Final = 0.2
"""Share of Intercom's window that sweeps leave to what people wait for."""


class IntercomApi:
    """Answers are raw JSON objects. Safe to share between threads."""

    def __init__(self, settings: IntercomSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._settings = settings
        self._limiter = limiter
        self._http = HttpClient(settings.addresses, timeouts=Timeouts(read_s=CALL_S, total_s=CALL_S))
        self._window = _Window()
        self.tokens = Tokens(settings, credentials, self._exchange)
        self.kinds = Kinds(self._call, tickets_first=settings.ticket_type_id is not None)

    def close(self) -> None:
        self._http.close()

    # --- people ----------------------------------------------------------------------------------

    def me(self) -> Wild:
        """The teammate behind the token, with `app`, the workspace."""
        return self._call("GET", "/me")

    def admin(self, admin: str) -> Wild:
        return self._call("GET", "/admins/{id}", admin)

    def create_contact(self, fields: Mapping[str, object]) -> Wild:
        """Raises ContactConflict when there is one already: so it may be repeated (quirk IC-2)."""
        return self._call("POST", "/contacts", body=fields, repeatable=True)

    def contact(self, contact: str) -> Wild:
        """Raises ContactMerged, ContactGone."""
        return self._call("GET", "/contacts/{id}", contact)

    def unarchive(self, contact: str) -> None:
        self._call("POST", "/contacts/{id}/unarchive", contact, repeatable=True)

    def contacts_with(self, field: str, value: str) -> list[Wild]:
        """New contacts may be missing for minutes, merged ones for ever."""
        query = {"query": {"field": field, "operator": "=", "value": value}}
        return list(self._call("POST", "/contacts/search", body=query, repeatable=True)["data"])

    # --- conversations ---------------------------------------------------------------------------

    def open_conversation(self, role: str, contact: str, text: str) -> Wild:
        """A message with `conversation_id`. Two calls make two conversations (quirk IC-5)."""
        return self._call("POST", "/conversations", body={"from": {"type": role, "id": contact}, "body": text})

    def conversation(self, conversation: str) -> Wild:
        """The conversation, or the ticket that it is by now (quirk IC-23)."""
        return self.kinds.read(conversation)

    def search(self, query: Mapping[str, object], after: str | None = None, budget: str = EVERY) -> Wild:
        """One page. The index lags behind what `conversation` shows."""
        return self._search("/conversations/search", query, after, budget)

    def deleted(self, page: int, budget: str = EVERY) -> Wild:
        """Deleted conversations, the newest first."""
        params: dict[str, str | int] = {"page": page, "per_page": DELETED_PAGE, "order": "desc"}
        return self._call("GET", "/conversations/deleted", params=params, budget=budget)

    def say_as_contact(self, conversation: str, contact: str, text: str, files: Sequence[LocalFile] = ()) -> Wild:
        body = {"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": text}
        return self.kinds.write("POST", "/reply", conversation, body=body, files=files)

    def note(self, conversation: str, admin: str, markup: str, files: Sequence[LocalFile] = ()) -> Wild:
        """An internal note; nobody's phone rings."""
        body = {
            "message_type": "note", "type": "admin", "admin_id": admin, "body": markup, "skip_notifications": True,
        }  # fmt: skip
        return self.kinds.write("POST", "/reply", conversation, body=body, files=files)

    def download(self, url: str, into: BinaryIO, max_bytes: int) -> str:
        """The media type that was served. Files lie at hosts of their own behind signed addresses: no credentials."""
        self._limiter.spend(EVERY)
        answer = download(self._http, url, into, max_bytes, lambda _: {})
        believed(answer, "Intercom")
        return answer.headers.get("content-type", "")

    def change(self, conversation: str, fields: Mapping[str, object]) -> None:
        self._call("PUT", "/conversations/{id}", conversation, body=fields, repeatable=True)

    def act(self, conversation: str, action: Mapping[str, object]) -> Wild:
        """Close, open, snooze or assign: the same when done twice. Never with a text (quirk IC-9)."""
        return self._call("POST", "/conversations/{id}/parts", conversation, body=action, repeatable=True)

    def merge(self, secondary: str, primary: str) -> None:
        body = {"merge_into_conversation_id": int(primary)}
        self._call("POST", "/conversations/{id}/merge", secondary, body=body, repeatable=True)

    # --- tickets ---------------------------------------------------------------------------------

    def convert(self, conversation: str, kind: str, attributes: Mapping[str, str] | None) -> Wild:
        """The ticket. Done twice it is refused; `conversation` shows whether it was done."""
        body: dict[str, object] = {"ticket_type_id": kind}
        if attributes is not None:
            body["attributes"] = dict(attributes)
        return self._call("POST", "/conversations/{id}/convert", conversation, body=body, repeatable=True)

    def change_ticket(self, ticket: str, fields: Mapping[str, object]) -> Wild:
        """State, assignee or snooze, without telling the customer; the ticket as it is then."""
        body = {**fields, "skip_notifications": True}
        return self.kinds.write("PUT", "", ticket, body=body, repeatable=True)

    def search_tickets(self, query: Mapping[str, object], after: str | None = None, budget: str = EVERY) -> Wild:
        return self._search("/tickets/search", query, after, budget)

    def ticket_type(self, kind: str) -> Wild:
        return self._call("GET", "/ticket_types/{id}", kind)

    def ticket_states(self) -> Wild:
        """Those of all types, each with the types that have it."""
        return self._call("GET", "/ticket_states")

    # --- tags and attributes ---------------------------------------------------------------------

    def tag(self, name: str) -> Wild:
        """The tag of this name, made if there is none."""
        return self._call("POST", "/tags", body={"name": name}, repeatable=True)

    def add_tag(self, conversation: str, tag: str, admin: str) -> None:
        body = {"id": tag, "admin_id": admin}
        self.kinds.write("POST", "/tags", conversation, body=body, repeatable=True)

    def remove_tag(self, conversation: str, tag: str, admin: str) -> None:
        body = {"admin_id": admin}
        self.kinds.write("DELETE", "/tags/{tag}", conversation, tag, body=body, repeatable=True)

    def attributes(self) -> Iterator[Wild]:
        yield from self._call("GET", "/conversations/attributes")["data"]

    def create_attribute(self, name: str, description: str) -> None:
        body = {"name": name, "data_type": "string", "description": description}
        self._call("POST", "/conversations/attributes", body=body, repeatable=True)

    # --- how calls are made ----------------------------------------------------------------------

    def _search(self, path: str, query: Mapping[str, object], after: str | None, budget: str) -> Wild:
        page: dict[str, object] = {"per_page": SEARCH_PAGE}
        if after is not None:
            page["starting_after"] = after
        body = {"query": query, "pagination": page}
        return self._call("POST", path, body=body, repeatable=True, budget=budget)

    def _call(
        self,
        method: str,
        path: str,
        *ids: str,
        body: Mapping[str, object] | None = None,
        params: Mapping[str, str | int] | None = None,
        repeatable: bool = False,
        budget: str = EVERY,
        files: Sequence[LocalFile] = (),
    ) -> Wild:
        asked = Asked(f"{method} {path}", repeatable or method == "GET")
        if budget == SWEEP:
            self._window.spare()
        headers = {"authorization": self.tokens.bearer()}
        must_fit(asked, CALL_S)
        self._limiter.spend(budget)
        return self._send(asked, f"{self._settings.api}{_filled(path, ids)}", headers, body, params, files)

    def _send(
        self,
        asked: Asked,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, object] | None,
        params: Mapping[str, str | int] | None = None,
        files: Sequence[LocalFile] = (),
    ) -> Wild:
        every = {"accept": "application/json", "intercom-version": VERSION, **headers}
        method = asked.name.partition(" ")[0]
        if files:
            pieces, length = with_files(body or {}, files)
            every |= {"content-type": "application/json", "content-length": str(length)}
            left = ends_at() - time.monotonic()
            answer = self._http.request(method, url, headers=every, content=pieces, safe=asked.repeatable, total_s=left)
        else:
            answer = self._http.request(method, url, params=params, headers=every, json=body, safe=asked.repeatable)
        self._window.learn(answer)
        found = _json(answer)
        error = fault(asked, answer.status, answer.headers, found.raw() if found is not None else None, time.time())
        if error is not None:
            raise error
        if found is None:
            raise asked.lost("not a JSON object")
        return found

    def _exchange(self, fields: Mapping[str, str]) -> str:
        """Nothing of the call that needs the token was sent yet. The code is spent even if the answer is lost."""
        asked = Asked("POST /auth/eagle/token", repeatable=False)
        try:
            return self._send(asked, self._settings.token_url, {}, fields)["access_token"].identifier()
        except (VendorRejected, VendorAuthError, UnrecognisedPayload):
            raise VendorAuthError(
                "Intercom gives no token for the stored `oauth_code`: it is good once and for a few minutes. Send the "
                "admin to the authorisation page again (README, step 3) and store the new code."
            ) from None


class _Window:
    """What Intercom said of its own 10-second window (quirk IC-16)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 1.0
        self._headers: Mapping[str, str] = {}
        self._ends = 0.0

    def learn(self, answer: Answer) -> None:
        try:
            limit, left, ends = (float(answer.headers[f"x-ratelimit-{n}"]) for n in ("limit", "remaining", "reset"))
        except (KeyError, ValueError):
            return
        if limit > 0:
            with self._lock:
                self._left, self._ends, self._headers = left / limit, ends, answer.headers

    def spare(self) -> None:
        """RateLimited while too little is left for work that can wait; the other lanes go on."""
        now = time.time()
        with self._lock:
            if self._left < RESERVE and now < self._ends:
                raise RateLimited("What is left of Intercom's window is kept for people.", wait_s(self._headers, now),
                                  "ticket")  # fmt: skip


def _filled(path: str, ids: tuple[str, ...]) -> str:
    """The path with its ids in place of the words in braces; an id cannot change the path."""
    pieces = path.split("/")
    left = iter(ids)
    return "/".join(quote(next(left), safe="") if piece.startswith("{") else piece for piece in pieces)


def _json(answer: Answer) -> Wild | None:
    """The JSON object that was answered; None when it is anything else."""
    try:
        found = read_json(answer.body, "answer")
        found.keys()
    except UnrecognisedPayload:
        return None
    return found
