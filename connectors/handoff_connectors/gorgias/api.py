"""The calls to Gorgias. Every failure leaves here as one of `handoff_sync.errors`; redirects are never followed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO, Final
from urllib.parse import urlencode, urlsplit

from handoff_connectors.gorgias.faults import Asked, FieldsRefused, fault
from handoff_connectors.gorgias.settings import GorgiasSettings
from handoff_connectors.gorgias.tokens import Tokens
from handoff_sync.contract.connector import READ_TIMEOUT_S, Credentials, Limiter
from handoff_sync.contract.deadline import ends_at, must_fit
from handoff_sync.contract.downloads import at_account, believed, download, origin_of
from handoff_sync.contract.files import LocalFile
from handoff_sync.contract.http import Answer, HttpClient, Timeouts
from handoff_sync.contract.payload import Wild, read_json
from handoff_sync.errors import (
    OutcomeUnknown,
    RateLimited,
    UnrecognisedPayload,
    VendorAuthError,
    VendorDown,
    VendorRejected,
)

PAGE: Final = 100
CROWDED: Final = 0.8
"""How full the account's bucket may be before what can wait does wait (quirk GO-9)."""

_CROWDED_WAIT_S: Final = 5.0
_MOST_PAGES: Final = 20
_BUCKET: Final = "x-gorgias-account-api-call-limit"

Query = Mapping[str, str | int]


class GorgiasApi:
    """The calls that a connection makes, each with its share of the rate budget. Answers are raw JSON objects."""

    def __init__(self, settings: GorgiasSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._origin = settings.origin
        self._host, self._base = settings.host, settings.base_url
        self._hosts = frozenset({settings.host, urlsplit(settings.origin).netloc.lower()})
        self._limiter = limiter
        self._tokens = Tokens(settings, credentials, self._fetch_token)
        self._http = HttpClient(settings.addresses, timeouts=Timeouts(read_s=READ_TIMEOUT_S, total_s=READ_TIMEOUT_S))
        self._crowded_until = 0.0

    def close(self) -> None:
        self._http.close()

    @property
    def granted_scopes(self) -> str | None:
        """What the newest OAuth token may do; None where that is not known."""
        return self._tokens.granted

    # --- tickets ---------------------------------------------------------------------------------

    def create_ticket(self, fields: Mapping[str, object]) -> Wild:
        messages = fields["messages"]
        assert isinstance(messages, list)
        for message in messages:
            _must_not_be_mailed(message)
        return self._object(Asked("POST", "/api/tickets"), body=fields)

    def ticket(self, ticket: str) -> Wild:
        """With all its messages; TicketMerged when it lives on in another."""
        return self._object(Asked("GET", f"/api/tickets/{_number(ticket)}"))

    def tickets(self, query: Query) -> Iterator[Wild]:
        """Rows without messages; trashed ones are among them."""
        return self._pages("/api/tickets", query)

    def update_ticket(self, ticket: str, changes: Mapping[str, object]) -> None:
        self._object(Asked("PUT", f"/api/tickets/{_number(ticket)}", repeatable=True), body=changes)

    def add_tags(self, ticket: str, names: tuple[str, ...]) -> None:
        asked = Asked("POST", f"/api/tickets/{_number(ticket)}/tags", repeatable=True)
        self._call(asked, body={"names": list(names)})

    def remove_tags(self, ticket: str, names: tuple[str, ...]) -> None:
        asked = Asked("DELETE", f"/api/tickets/{_number(ticket)}/tags", repeatable=True)
        self._call(asked, body={"names": list(names)})

    # --- messages and events -----------------------------------------------------------------------

    def add_message(self, ticket: str, message: Mapping[str, object]) -> Wild:
        """Not repeatable: one that may have been stored is looked for before it is sent again (quirk GO-4)."""
        _must_not_be_mailed(message)
        return self._object(Asked("POST", f"/api/tickets/{_number(ticket)}/messages"), body=message)

    def messages_of(self, ticket: str) -> Iterator[Wild]:
        """Newest first."""
        return self._pages("/api/messages", {"ticket_id": _number(ticket), "order_by": "created_datetime:desc"})

    def messages(self) -> Iterator[Wild]:
        """Of all tickets, newest first."""
        return self._pages("/api/messages", {"order_by": "created_datetime:desc"}, budget="events")

    def events_of(self, ticket: str) -> tuple[Wild, ...]:
        """The newest events of a ticket, newest first."""
        query: Query = {"object_type": "Ticket", "object_id": _number(ticket), "order_by": "created_datetime:desc"}
        return self._page("/api/events", {**query, "limit": 50})["data"].items()

    def events(self, since: datetime, cursor: str | None) -> Wild:
        """A page of what happened after `since`, oldest first. It can wait, and does when the account is crowded."""
        if time.monotonic() < self._crowded_until:
            raise RateLimited("Others of this Gorgias account are busy; the sweep waits.", _CROWDED_WAIT_S, "ticket")
        query: dict[str, str | int] = {
            "created_datetime[gt]": since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "order_by": "created_datetime:asc",
            "limit": PAGE,
        }
        return self._page("/api/events", query | ({"cursor": cursor} if cursor is not None else {}), budget="events")

    def newest_events(self) -> None:
        """Tries whether events may be read."""
        self._page("/api/events", {"limit": 1})

    # --- files -------------------------------------------------------------------------------------

    def upload(self, file: LocalFile) -> Wild:
        """What a message's `attachments` take. May be made twice: what no message takes up does no harm."""
        asked = Asked("POST", "/api/upload", repeatable=True)
        answer = self._call(asked, query={"type": "attachment"}, file=file)
        try:
            return read_json(answer.body, "answer").items()[0]
        except (UnrecognisedPayload, IndexError):
            raise asked.lost("not a list with our file") from None

    def message(self, ticket: str, message: str) -> Wild:
        return self._object(Asked("GET", f"/api/tickets/{_number(ticket)}/messages/{_number(message)}"))

    def download(self, url: str, into: BinaryIO, max_bytes: int) -> None:
        """Our credentials go to the account's own host alone; most files lie elsewhere (quirk GO-20)."""
        self._limiter.spend("*")
        place, header = at_account(url, f"https://{self._host}", self._base), self._tokens.header()
        answer = download(self._http, place, into, max_bytes, self._credentials_for)
        if answer.status == 401 and self._tokens.renew(header):
            self._limiter.spend("*")
            answer = download(self._http, place, into, max_bytes, self._credentials_for)
        believed(answer, "Gorgias", answer.retry_after_s(datetime.now(UTC)))

    def _credentials_for(self, origin: str) -> Mapping[str, str]:
        return {"authorization": self._tokens.header()} if origin == origin_of(self._origin) else {}

    # --- people ------------------------------------------------------------------------------------

    def user(self, user: int) -> Wild:
        """0 is who we are."""
        return self._object(Asked("GET", f"/api/users/{user}"))

    def users(self, email: str) -> Iterator[Wild]:
        return self._pages("/api/users", {"email": email})

    def customers(self, query: Query) -> Iterator[Wild]:
        return self._pages("/api/customers", query)

    def create_customer(self, fields: Mapping[str, object]) -> Wild:
        """Raises Taken for a known address. Repeatable, because nobody creates one without looking first."""
        return self._object(Asked("POST", "/api/customers", repeatable=True), body=fields)

    # --- account and integrations --------------------------------------------------------------------

    def account(self) -> Wild:
        return self._object(Asked("GET", "/api/account"))

    def account_settings(self) -> tuple[Wild, ...]:
        found = self._json(Asked("GET", "/api/account/settings"))
        return (found["data"] if isinstance(found.raw(), dict) else found).items()

    def integrations(self) -> Iterator[Wild]:
        return self._pages("/api/integrations", {"type": "http"})

    def create_integration(self, fields: Mapping[str, object]) -> Wild:
        return self._object(Asked("POST", "/api/integrations"), body=fields)

    def change_integration(self, integration: str, fields: Mapping[str, object]) -> None:
        asked = Asked("PUT", f"/api/integrations/{_number(integration)}", repeatable=True)
        self._object(asked, body=fields)

    # --- how calls are made ----------------------------------------------------------------------------

    def _pages(self, path: str, query: Query, budget: str = "*") -> Iterator[Wild]:
        """Rows of all pages; a cursor of null ends them."""
        following: Query = {}
        for _ in range(_MOST_PAGES):
            page = self._page(path, {"limit": PAGE, **query, **following}, budget)
            yield from page["data"]
            meta = page.get("meta")
            cursor = meta.get("next_cursor") if meta is not None else None
            if cursor is None or not cursor.text():
                return
            following = {"cursor": cursor.text()}

    def _page(self, path: str, query: Query, budget: str = "*") -> Wild:
        return self._object(Asked("GET", path), query=query, budget=budget)

    def _object(
        self, asked: Asked, *, query: Query | None = None, body: Mapping[str, object] | None = None, budget: str = "*"
    ) -> Wild:
        found = self._json(asked, query=query, body=body, budget=budget)
        if not isinstance(found.raw(), dict):
            raise asked.lost("not a JSON object")
        return found

    def _json(
        self, asked: Asked, *, query: Query | None = None, body: Mapping[str, object] | None = None, budget: str = "*"
    ) -> Wild:
        """The believable JSON of a success. Proxies answer 200 with a page of HTML."""
        answer = self._call(asked, query=query, body=body, budget=budget)
        try:
            return read_json(answer.body, "answer")
        except UnrecognisedPayload:
            raise asked.lost("not JSON") from None

    def _call(
        self,
        asked: Asked,
        *,
        query: Query | None = None,
        body: Mapping[str, object] | None = None,
        budget: str = "*",
        file: LocalFile | None = None,
    ) -> Answer:
        """One call. A 401 did nothing, so with a renewed token it is made once more."""
        header = self._tokens.header()
        answer = self._exchange(asked, query, body, budget, header, file)
        if answer.status == 401 and self._tokens.renew(header):
            answer = self._exchange(asked, query, body, budget, self._tokens.header(), file)
        error = fault(asked, answer, self._hosts, datetime.now(UTC))
        if error is not None:
            raise error
        if "html" in answer.headers.get("content-type", ""):
            raise asked.lost("a page of HTML")
        return answer

    def _exchange(
        self,
        asked: Asked,
        query: Query | None,
        body: Mapping[str, object] | None,
        budget: str,
        header: str,
        file: LocalFile | None,
    ) -> Answer:
        must_fit(asked, READ_TIMEOUT_S)
        self._limiter.spend(budget)
        try:
            answer = self._http.request(
                asked.method, f"{self._origin}{asked.path}", params=query, json=body, safe=asked.harmless,
                headers={"authorization": header, "accept": "application/json"},
                form_file=file,
                total_s=ends_at() - time.monotonic() if file is not None else None,
            )  # fmt: skip
        except (VendorDown, OutcomeUnknown) as error:
            raise type(error)(f"{error} Gorgias could not be heard.") from None
        self._note_bucket(answer)
        return answer

    def _note_bucket(self, answer: Answer) -> None:
        used, _, limit = answer.headers.get(_BUCKET, "").partition("/")
        if used.isdigit() and limit.isdigit() and int(used) > CROWDED * int(limit):
            self._crowded_until = time.monotonic() + _CROWDED_WAIT_S

    def _fetch_token(self, form: Mapping[str, str], client: str) -> Mapping[str, object]:
        """A token, or VendorAuthError. Nothing of the call that needs it has been sent yet, so this may be repeated."""
        asked = Asked("POST", "/oauth/token", repeatable=True)
        must_fit(asked, READ_TIMEOUT_S)
        answer = self._http.request(
            "POST", f"{self._origin}{asked.path}", content=urlencode(form).encode(), safe=True,
            headers={"authorization": client, "content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        error = fault(asked, answer, self._hosts, datetime.now(UTC))
        if isinstance(error, VendorRejected | VendorAuthError):
            raise VendorAuthError(
                "Gorgias gives no token for our app. Check client id and secret, connect the app once more, then "
                "switch the connection on again."
            )
        if error is not None:
            raise error
        try:
            fields = read_json(answer.body, "token").raw()
        except UnrecognisedPayload:
            raise asked.lost("not JSON") from None
        return fields if isinstance(fields, dict) else {}


def _must_not_be_mailed(message: object) -> None:
    """Gorgias sends an agent's public message to the customer unless it is told when it was sent (quirk GO-3)."""
    assert isinstance(message, Mapping)
    if message["from_agent"] and message["public"]:
        if not message.get("sent_datetime") or message["channel"] != "api":
            raise FieldsRefused("We would have made Gorgias mail this message; it was not sent.", ("sent_datetime",))
    elif message["public"] is False and message["channel"] != "internal-note":
        raise FieldsRefused("What is not public must be an internal note; it was not sent.", ("channel",))


def _number(thing: str) -> int:
    """Gorgias' ids are numbers; anything else would change the path that is called."""
    if not (thing.isascii() and thing.isdigit() and len(thing) <= 18):
        raise VendorRejected("A Gorgias id is a number. Bind the session to another ticket.")
    return int(thing)
