"""The calls to Zendesk, and the only place of zenpy. Every failure leaves here as one of `handoff_sync.errors`.

zenpy builds and reads what it does well. Lists and exports are read without it: it neither encodes queries nor ends
its paging, and takes ten times the time for an export page.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final

from handoff_connectors.zendesk.guard import AnswerTooBig, Call, Guard, calling, session_to
from handoff_connectors.zendesk.mapping import LONGEST_NUMBER
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_connectors.zendesk.tokens import Tokens
from handoff_sync.contract.connector import Credentials, Limiter
from handoff_sync.contract.downloads import at_account, believed, download, origin_of
from handoff_sync.contract.files import LocalFile
from handoff_sync.contract.http import HttpClient
from handoff_sync.contract.payload import Wild
from handoff_sync.errors import HandoffError, RateLimited, VendorAuthError, VendorDown, VendorRejected

MAX_EXPORT: Final = 20_000_000
EXPORT_PAGES: Final = (500, 50)
"""Tickets per export page; the second is asked for when a page of the first is too big."""

_MOST_PAGES: Final = 60  # 100 audits each; a ticket ends at 5,000 comments


class ZendeskApi:
    """The calls that a connection makes, each with its share of the rate budget. Answers are raw JSON objects."""

    def __init__(self, settings: ZendeskSettings, credentials: Credentials, limiter: Limiter) -> None:
        self._host = settings.host
        self._base = settings.base_url
        self._subdomain = settings.subdomain
        self._limiter = limiter
        self._local = threading.local()
        guard = Guard(settings.base_url, settings.addresses)
        guard.tokens = self._tokens = Tokens(settings, credentials, self._fetch_token)
        self._session = session_to(self._host, guard)
        self._files = HttpClient(settings.addresses)

    def close(self) -> None:
        self._session.close()
        self._files.close()

    @property
    def granted_scopes(self) -> str | None:
        """What the newest OAuth token may do; None where that is not known."""
        return self._tokens.granted

    # --- tickets ---------------------------------------------------------------------------------

    def create_ticket(self, body: bytes, key: str) -> Wild:
        """Sends exactly these bytes. Raises KeyReused when Zendesk knows the key with other bytes (quirk ZD-1)."""
        call = Call(body=body, key=key)
        return self._with_zenpy("*", call, lambda z, kinds: z.tickets.create(kinds.Ticket()))

    def update_ticket(self, ticket: str, changes: Mapping[str, object], *, repeatable: bool) -> Wild:
        """A None is sent as null. `repeatable`: the change is the same when made twice (quirk ZD-5)."""

        def update(z: Any, kinds: Any) -> None:
            changed = kinds.Ticket(id=_number(ticket))
            for name, value in changes.items():
                setattr(changed, name, value)  # as constructor arguments None would be dropped
            z.tickets.update(changed)

        return self._with_zenpy("ticket_update", Call(repeatable=repeatable), update)

    def add_tags(self, ticket: str, tags: tuple[str, ...]) -> None:
        call = Call(repeatable=True)
        self._with_zenpy("ticket_update", call, lambda z, _: z.tickets.add_tags(_number(ticket), list(tags)))

    def remove_tags(self, ticket: str, tags: tuple[str, ...]) -> None:
        call = Call(repeatable=True)
        self._with_zenpy("ticket_update", call, lambda z, _: z.tickets.delete_tags(_number(ticket), list(tags)))

    def ticket(self, ticket: str) -> Wild:
        return self._with_zenpy("*", Call(), lambda z, _: z.tickets(id=_number(ticket)))["ticket"]

    def tickets_of(self, external_id: str) -> Iterator[Wild]:
        """Tickets with this external id. The list is complete only after a while (quirk ZD-4)."""
        return self._pages("/api/v2/tickets.json", {"external_id": external_id}, "tickets", "ticket_list")

    def comments(self, ticket: str) -> Iterator[Wild]:
        """Pages of comments, newest first, each with `users`."""
        path = f"/api/v2/tickets/{_number(ticket)}/comments.json"
        return self._raw_pages(path, {"sort": "-created_at", "include": "users"}, "*")

    def upload(self, file: LocalFile) -> Wild:
        """`upload` with its token. May be made twice: what no comment takes up is forgotten."""
        call = Call(repeatable=True, file=file.content)
        with self._paying("*", call):
            self._session.post(
                f"https://{self._host}/api/v2/uploads.json", params={"filename": file.name},
                headers={"Content-Type": file.content_type}, allow_redirects=False,
            )  # fmt: skip
        return _answer(call)

    def download(self, url: str, into: BinaryIO, max_bytes: int) -> None:
        """Content addresses lead on to storage of Zendesk's; our credentials stay at the account's own host."""
        self._limiter.spend("*")
        place, header = at_account(url, f"https://{self._host}", self._base), self._tokens.header()
        answer = download(self._files, place, into, max_bytes, self._credentials_for)
        if answer.status in (401, 403) and self._tokens.renew(header):
            self._limiter.spend("*")
            answer = download(self._files, place, into, max_bytes, self._credentials_for)
        believed(answer, "Zendesk", answer.retry_after_s(datetime.now(UTC)))

    def _credentials_for(self, origin: str) -> Mapping[str, str]:
        own = origin_of(self._base or f"https://{self._host}")
        return {"authorization": self._tokens.header()} if origin == own else {}

    def audits(self, ticket: str) -> Iterator[Wild]:
        """Audits, newest first also where Zendesk does not sort them so (quirk ZD-7)."""
        path = f"/api/v2/tickets/{_number(ticket)}/audits.json"
        pages = self._raw_pages(path, {"sort": "-created_at"}, "*")
        first = next(pages)["audits"].items()
        rest = (audit for page in pages for audit in page["audits"])
        if len(first) > 1 and first[0]["created_at"].time() <= first[-1]["created_at"].time():
            yield from sorted((*first, *rest), key=_age_of, reverse=True)
        else:
            yield from chain(first, rest)

    def export(self, cursor: str | None, start_time: int) -> Wild:
        """One page of changed tickets; `start_time` (unix seconds) counts only without a cursor."""
        place = {"cursor": cursor} if cursor is not None else {"start_time": str(start_time)}
        for size in EXPORT_PAGES[:-1]:
            try:
                return self._export_page({**place, "per_page": str(size)})
            except AnswerTooBig:
                continue
        return self._export_page({**place, "per_page": str(EXPORT_PAGES[-1])})

    def _export_page(self, query: Mapping[str, str]) -> Wild:
        path = "/api/v2/incremental/tickets/cursor.json"
        return self._get(path, query, "incremental", Call(max_bytes=MAX_EXPORT, raw=True))

    # --- users -----------------------------------------------------------------------------------

    def me(self) -> Wild:
        """The connector user. Zendesk shows a nameless visitor to wrong credentials on some accounts."""
        answer = self._with_zenpy("*", Call(), lambda z, _: z.users.me())
        if answer["user"].get("id") is None:
            raise VendorAuthError("Zendesk does not know who we are. Check the credentials of the connection.")
        return answer["user"]

    def user(self, user: int) -> Wild:
        return self._with_zenpy("*", Call(), lambda z, _: z.users(id=user))["user"]

    def put_user(self, fields: Mapping[str, object]) -> Wild:
        """Creates or updates by `external_id`. A limit here concerns one customer, so it parks one lane."""
        call = Call(repeatable=True)
        try:
            answer = self._with_zenpy("users", call, lambda z, kinds: z.users.create_or_update(kinds.User(**fields)))
        except RateLimited as limited:
            raise RateLimited(str(limited), limited.retry_after_s, "ticket") from None
        return answer["user"]

    # --- webhooks, triggers, statuses --------------------------------------------------------------

    def webhooks(self, name: str) -> Iterator[Wild]:
        return self._pages("/api/v2/webhooks", {"filter[name_contains]": name}, "webhooks", "*")

    def create_webhook(self, fields: Mapping[str, object]) -> Wild:
        return self._with_zenpy("*", Call(), lambda z, kinds: z.webhooks.create(kinds.Webhook(**fields)))

    def change_webhook(self, webhook: str, fields: Mapping[str, object]) -> None:
        call = Call(repeatable=True)
        self._with_zenpy("*", call, lambda z, kinds: z.webhooks.patch(kinds.Webhook(id=webhook, **fields)))

    def signing_secret(self, webhook: str) -> str:
        answer = self._with_zenpy("*", Call(), lambda z, _: z.webhooks.show_secret(webhook))
        return answer["signing_secret"]["secret"].identifier()

    def active_triggers(self) -> Iterator[Wild]:
        return self._pages("/api/v2/triggers.json", {"active": "true"}, "triggers", "*")

    def custom_statuses(self) -> list[Wild]:
        return list(self._get("/api/v2/custom_statuses.json", {}, "*", Call())["custom_statuses"])

    # --- how calls are made ----------------------------------------------------------------------------

    def _with_zenpy(self, budget: str, call: Call, do: Callable[[Any, Any], object]) -> Wild:
        """One call made by zenpy. The answer is the JSON that the wire read, so that zenpy's reading cannot fail us."""
        client, kinds = self._zenpy()
        with self._paying(budget, call):
            try:
                do(client, kinds)
            except HandoffError:
                raise
            except Exception as error:  # noqa: BLE001 - zenpy raises anything; what was answered is in `call`
                if call.answer is None:
                    raise VendorDown(f"zenpy could not make the call ({type(error).__name__}).") from None
        return _answer(call)

    @contextmanager
    def _paying(self, budget: str, call: Call) -> Iterator[None]:
        """The call is paid for before it is made, and once more if it is made again."""
        call.pay = partial(self._limiter.spend, budget)
        call.pay()
        with calling(call):
            yield

    def _zenpy(self) -> tuple[Any, Any]:
        """This thread's client (quirk ZD-10) and zenpy's classes; imported late because it takes 95 ms and 20 MB."""
        if not hasattr(self._local, "zenpy"):
            import zenpy
            from zenpy.lib import api_objects

            logging.getLogger("zenpy").setLevel(logging.WARNING)  # below that it logs bodies
            client = zenpy.Zenpy(
                subdomain=self._subdomain, session=self._session, anonymous=True, disable_cache=True, timeout=10
            )
            self._local.zenpy = (client, api_objects)
        found: tuple[Any, Any] = self._local.zenpy
        return found

    def _pages(self, path: str, query: Mapping[str, str], things: str, budget: str) -> Iterator[Wild]:
        for page in self._raw_pages(path, query, budget):
            yield from page[things]

    def _raw_pages(self, path: str, query: Mapping[str, str], budget: str) -> Iterator[Wild]:
        """Cursor pages. `meta.has_more` ends them: `links.next` is set on the last page too."""
        after: Mapping[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self._get(path, {**query, "page[size]": "100", **after}, budget, Call())
            yield page
            meta = page.get("meta")
            cursor = meta.get("after_cursor") if meta is not None and meta["has_more"].boolean() else None
            if cursor is None:
                return
            after = {"page[after]": cursor.text()}

    def _get(self, path: str, query: Mapping[str, str], budget: str, call: Call) -> Wild:
        with self._paying(budget, call):
            self._session.get(f"https://{self._host}{path}", params=dict(query), allow_redirects=False)
        return _answer(call)

    def _fetch_token(self, form: Mapping[str, object]) -> Mapping[str, object]:
        """A token, or VendorAuthError. Nothing of the call that needs it has been sent yet, so this may be repeated."""
        call = Call(repeatable=True, anonymous=True)
        with calling(call):
            try:
                self._session.post(f"https://{self._host}/oauth/tokens", json=dict(form), allow_redirects=False)
            except (VendorRejected, VendorAuthError):
                raise VendorAuthError(
                    "Zendesk gives no token for our OAuth client. Check client id, secret and kind (confidential) in "
                    "Admin Center > Apps and integrations > APIs > OAuth clients, then switch the connection on again."
                ) from None
        fields: Mapping[str, object] = _answer(call).raw()
        return fields


def _answer(call: Call) -> Wild:
    if call.answer is None:
        raise VendorDown("The call to Zendesk was not made.")
    return call.answer


def _age_of(audit: Wild) -> tuple[datetime, int]:
    return audit["created_at"].time(), audit["id"].integer()


def _number(ticket: str) -> int:
    """Zendesk's ids are numbers; anything else would change the path that is called."""
    if not (ticket.isascii() and ticket.isdigit() and len(ticket) <= LONGEST_NUMBER):
        raise VendorRejected("A Zendesk ticket id is a number. Bind the session to another ticket.")
    return int(ticket)
