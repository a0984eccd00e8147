"""Zendesk's words and ours as tables, and that no strange shape gets further than an error of ours."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handoff_connectors.zendesk.mapping import (
    STATUS,
    TO_ZENDESK,
    Standpoint,
    author_of,
    comment_fields,
    create_fields,
    is_usable,
    merged_into,
    newest_change,
    requester_fields,
    status_of,
    to_agent,
    to_comment,
    to_tag,
    user_fields,
)
from handoff_connectors.zendesk.people import People
from handoff_connectors.zendesk.reading import Reader, Seen
from handoff_connectors.zendesk.settings import ZendeskSettings
from handoff_sync.contract.connector import CommentAuthor, Requester, TicketDraft
from handoff_sync.contract.payload import Wild
from handoff_sync.core.model import Customer, TicketStatus
from handoff_sync.errors import HandoffError, UnrecognisedPayload, VendorRejected

US, REQUESTER, DANA, BO = 900, 700, 500, 600
USERS = {
    US: {"id": US, "name": "Connector", "role": "admin"},
    REQUESTER: {"id": REQUESTER, "name": "Ana Example", "role": "end-user"},
    DANA: {"id": DANA, "name": "Dana Miller", "alias": "Dana", "role": "agent", "email": "dana@example.com"},
    BO: {"id": BO, "name": "Bo Example", "role": "end-user"},
}
COMMENT: dict[str, Any] = {
    "id": 4001, "type": "Comment", "author_id": DANA, "plain_body": "Hello\nthere", "body": "Hello  there",
    "public": True, "attachments": [], "audit_id": 11, "via": {"channel": "web", "source": {"rel": None}},
    "created_at": "2026-01-15T02:50:15Z", "metadata": {"system": {}, "custom": {}},
}  # fmt: skip
TICKET: dict[str, Any] = {
    "id": 35, "status": "open", "custom_status_id": None, "requester_id": REQUESTER, "assignee_id": DANA,
    "group_id": None, "tags": ["a"], "updated_at": "2026-01-15T02:50:15Z", "external_id": "hs:1",
}  # fmt: skip
AUDIT: dict[str, Any] = {
    "id": 11, "author_id": DANA, "created_at": "2026-01-15T02:50:15Z", "via": {"channel": "web"},
    "metadata": {"system": {}, "custom": {}},
    "events": [{"id": 1, "type": "Change", "field_name": "status", "value": "open", "previous_value": "solved"}],
}  # fmt: skip
OURS = {"custom": {"hs_op": "m-1"}}


def view(audits: dict[int, dict[str, Any]] | None = None, users: dict[int, Any] = USERS) -> Standpoint:
    return Standpoint(
        requester_id=REQUESTER,
        us=US,
        users={key: Wild(user) for key, user in users.items()},
        audits={key: Wild(audit) for key, audit in (audits or {}).items()},
    )


def comment(**changes: Any) -> Wild:
    return Wild({**COMMENT, **changes}, "comment")


# --- statuses ------------------------------------------------------------------------------------------


def test_every_status_has_a_word_on_the_other_side() -> None:
    assert set(STATUS) == {"new", "open", "pending", "hold", "solved", "closed"}
    assert set(TO_ZENDESK) == set(TicketStatus)
    assert all(STATUS[theirs] is ours for ours, theirs in TO_ZENDESK.items())


def test_an_unknown_status_is_loud_unless_its_category_is_known() -> None:
    strange = Wild({**TICKET, "status": "waiting_for_parts", "custom_status_id": 9}, "ticket")
    with pytest.raises(UnrecognisedPayload, match=r"ticket\.status"):
        status_of(strange)
    assert status_of(strange, {9: "pending"}) is TicketStatus.WAITING_CUSTOMER
    with pytest.raises(UnrecognisedPayload):
        status_of(strange, {9: "parked"})


# --- who wrote a comment -------------------------------------------------------------------------------

API = {"via": {"channel": "api"}}
MERGE = {"via": {"channel": "web", "source": {"rel": "merge"}}}
AUTHORS = {
    "an agent": (comment(), {}, CommentAuthor.AGENT),
    "our marker in the comment": (comment(metadata=OURS), {}, CommentAuthor.OURS),
    "our marker in the audit": (comment(**API), {11: {**AUDIT, "metadata": OURS}}, CommentAuthor.OURS),
    "our marker beats everything": (comment(author_id=REQUESTER, metadata=OURS), {}, CommentAuthor.OURS),
    "through the API, audit not read": (comment(**API), {}, CommentAuthor.UNKNOWN),
    "an agent's tool": (comment(**API), {11: AUDIT}, CommentAuthor.AGENT),
    "our user, audit not read": (comment(author_id=US), {}, CommentAuthor.UNKNOWN),
    "our user by hand": (comment(author_id=US), {11: AUDIT}, CommentAuthor.AGENT),
    "another program with our user": (comment(author_id=US, **API), {11: AUDIT}, CommentAuthor.AUTOMATION),
    "the requester": (comment(author_id=REQUESTER), {}, CommentAuthor.CUSTOMER),
    "another end user": (comment(author_id=BO), {}, CommentAuthor.CUSTOMER),
    "somebody unknown": (comment(author_id=1), {}, CommentAuthor.UNKNOWN),
    "a rule": (comment(author_id=-1), {}, CommentAuthor.AUTOMATION),
    "a merge": (comment(**MERGE), {}, CommentAuthor.AUTOMATION),
    "a call": (comment(type="VoiceComment"), {}, CommentAuthor.UNKNOWN),
    "no author": (comment(author_id=None), {}, CommentAuthor.UNKNOWN),
    "no type": (comment(type=None), {}, CommentAuthor.UNKNOWN),
}


@pytest.mark.parametrize(("said", "audits", "author"), AUTHORS.values(), ids=AUTHORS.keys())
def test_who_wrote_it(said: Wild, audits: dict[int, Any], author: CommentAuthor) -> None:
    assert author_of(said, view(audits)) is author
    assert (to_comment(said, view(audits)).agent is not None) is (author is CommentAuthor.AGENT)


@pytest.mark.parametrize("public", [False, None, "true", 1, "yes", {}])
def test_only_true_is_public(public: object) -> None:
    assert to_comment(comment(public=public), view()).public is False


def test_public_and_missing() -> None:
    assert to_comment(comment(), view()).public is True
    assert to_comment(Wild({k: v for k, v in COMMENT.items() if k != "public"}), view()).public is False


def test_the_alias_is_what_customers_may_see() -> None:
    assert to_agent(Wild(USERS[DANA])).name == "Dana"
    assert to_agent(Wild({**USERS[DANA], "alias": ""})).name == "Dana Miller"


def test_attachments_are_named_and_infected_ones_left_out() -> None:
    good = {
        "file_name": "a.pdf",
        "content_type": "application/pdf",
        "size": 5,
        "content_url": "https://x.example.com/a",
    }
    files = [good, {**good, "malware_scan_result": "malware_found"}, {"file_name": "no address"}]
    (attachment,) = to_comment(comment(attachments=files), view()).attachments
    assert (attachment.name, attachment.size, attachment.url) == ("a.pdf", 5, "https://x.example.com/a")


# --- merges and changes ----------------------------------------------------------------------------------

INTO = "This request was closed and merged into request #77 “Order #12”."
MERGES = {
    "told by Zendesk": ({"tags": ["closed_by_merge"]}, comment(plain_body=INTO), "77"),
    "tag lost": ({"tags": []}, comment(plain_body=INTO, **MERGE), "77"),
    "another language": (
        {"tags": ["closed_by_merge"]}, comment(plain_body="Zusammengeführt mit Anfrage Nr. #77.", **MERGE), "77",
    ),
    "only words": ({"tags": []}, comment(plain_body=INTO), None),
    "the customer's words": ({"tags": ["closed_by_merge"]}, comment(plain_body=INTO, author_id=REQUESTER), None),
    "the other side": (
        {"tags": []}, comment(plain_body="Request #5 was closed and merged into this request.", **MERGE), None,
    ),
    "still open": ({"tags": ["closed_by_merge"], "status": "open"}, comment(plain_body=INTO), None),
}  # fmt: skip


@pytest.mark.parametrize(("ticket", "said", "target"), MERGES.values(), ids=MERGES.keys())
def test_into_which_ticket_it_was_merged(ticket: dict[str, Any], said: Wild, target: str | None) -> None:
    assert merged_into(Wild({**TICKET, "status": "closed", **ticket}), [said]) == target


def test_the_deciding_change_is_the_newest_of_status_or_assignee() -> None:
    note = Wild({**AUDIT, "id": 12, "events": [{"type": "Comment", "id": 1}]})
    status = Wild(AUDIT)
    assert newest_change([note, status]) is status
    assert newest_change([note]) is note
    assert newest_change([]) is None


# --- ours to theirs ----------------------------------------------------------------------------------------

ANA = Customer(name="Ana Example", email="ana@example.com", email_verified=True)
DRAFT = TicketDraft(
    external_id="hs:1", subject="Help {{x}}", requester=Requester(external_id="w:1", customer=ANA), html="<p>{{x}}</p>"
)


def test_only_a_vouched_address_leads_to_a_user() -> None:
    assert requester_fields(DRAFT.requester) == {"requester": {"name": "Ana Example", "email": "ana@example.com"}}
    claimed = Requester(external_id="w:1", customer=replace(ANA, email_verified=False))
    assert requester_fields(claimed) is None
    assert "email" not in user_fields(claimed)
    assert user_fields(claimed)["external_id"] == "w:1"
    nameless = Requester(external_id="w:2", customer=Customer(email="claimed@example.com"))
    assert "claimed@example.com" not in str(user_fields(nameless)), "a claimed address is no name either"


def test_whether_a_comment_is_public_is_always_said() -> None:
    assert comment_fields("x", public=False, author_id=None) == {"html_body": "x", "public": False}


def test_no_placeholder_reaches_zendesk() -> None:
    assert "{{" not in str(create_fields(DRAFT, {"requester_id": 1}, US))


@pytest.mark.parametrize(
    ("tag", "kept"), [("Two Words", "two_words"), (" VIP ", "vip"), ("a,b", "a_b"), ("año:2/x", "año:2/x")]
)
def test_a_tag_stays_one_tag(tag: str, kept: str) -> None:
    assert to_tag(tag) == kept


@pytest.mark.parametrize("change", [{"priority": "asap"}, {"group": "Sales"}, {"custom_fields": {"Order": "1"}}])
def test_what_zendesk_cannot_take_is_said_before_it_is_sent(change: dict[str, Any]) -> None:
    with pytest.raises(VendorRejected):
        create_fields(replace(DRAFT, **change), {"requester_id": 1}, US)


@pytest.mark.parametrize(
    ("user", "usable"), [({}, True), ({"suspended": True}, False), ({"active": False}, False), ({"active": True}, True)]
)
def test_who_can_ask(user: dict[str, bool], usable: bool) -> None:
    assert is_usable(Wild(user)) is usable


# --- reading -------------------------------------------------------------------------------------------------


class Shown:
    """What Zendesk shows to a reader."""

    def __init__(self, ticket: Any, comments: Any, audits: Any, users: Any) -> None:
        self._ticket, self._comments, self._audits, self._users = ticket, comments, audits, users

    def me(self) -> Wild:
        return Wild(USERS[US], "user")

    def ticket(self, ticket: str) -> Wild:
        return Wild(self._ticket, "ticket")

    def comments(self, ticket: str) -> Iterator[Wild]:
        yield Wild({"comments": self._comments, "users": self._users}, "answer")

    def audits(self, ticket: str) -> Iterator[Wild]:
        yield from Wild(self._audits, "audits")

    def user(self, user: int) -> Wild:
        if user not in USERS:
            raise VendorRejected("no such user")
        return Wild(USERS[user], "user")

    def custom_statuses(self) -> list[Wild]:
        return []


def reader(ticket: Any, comments: Any, audits: Any, users: Any) -> Reader:
    api: Any = Shown(ticket, comments, audits, users)
    return Reader(api, People(api), ZendeskSettings(subdomain="acme", client_id="x"))


def _places(thing: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in thing if isinstance(thing, dict) else range(len(thing)):
        yield (*path, key)
        if isinstance(thing[key], dict | list):
            yield from _places(thing[key], (*path, key))


def _with(thing: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(thing)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


STRANGE = [None, True, -1, 0, 1.5, 2**62, "", "x", "\x00", [], [None], {}, {"a": []}]
WHOLE = {"ticket": TICKET, "comments": [COMMENT, {**COMMENT, "id": 4002, "via": {"channel": "api"}}],
         "audits": [AUDIT], "users": list(USERS.values())}  # fmt: skip


@pytest.mark.parametrize("path", list(_places(WHOLE)), ids=lambda path: "-".join(map(str, path)))
def test_a_strange_shape_ends_in_an_error_of_ours_or_in_silence(path: tuple[Any, ...]) -> None:
    for value in STRANGE:
        strange = _with(WHOLE, path, value)
        try:
            snapshot = reader(**strange).read("35", None)
        except HandoffError as error:
            assert "Hello" not in str(error)
            continue
        assert Seen.load(snapshot.cursor)
