"""What a conversation says: the allow-list of what customers may see, status, people, merges, deletion."""

from __future__ import annotations

from typing import Any

import pytest

from handoff_connectors.intercom import IntercomConnector
from handoff_sync.contract.connector import CommentAuthor, HelpdeskAgent, TicketComment
from handoff_sync.core.model import Attachment, TicketStatus
from handoff_sync.errors import UnrecognisedPayload, VendorDown
from tests.connectors.intercom.conftest import (
    ANA_ID,
    JOE,
    NOON,
    US,
    Connect,
    Script,
    answer,
    conversation,
    found,
    part,
    problem,
    tagged,
)

JOE_AGENT = HelpdeskAgent(id=JOE, name="Joe", email="joe@example.com", avatar="https://a.example/j.png")
BODY = "<p>Your <b>refund</b> is on its way.</p>"


def comments(intercom: Script, connector: IntercomConnector, *parts: dict[str, Any]) -> tuple[TicketComment, ...]:
    intercom.on("GET /conversations/*", conversation(*parts))
    return connector.read("499", None).comments


def relayed(comment: TicketComment) -> bool:
    return comment.author is CommentAuthor.AGENT and comment.public


# --- the allow-list (quirk IC-7) ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["comment", "close", "open"])
def test_the_words_of_a_teammate_reach_the_customer(kind: str, intercom: Script, connector: IntercomConnector) -> None:
    (said,) = comments(intercom, connector, part(4, kind, body=BODY))
    assert relayed(said)
    assert (said.id, said.text, said.agent) == ("4", "Your refund is on its way.", JOE_AGENT)


@pytest.mark.parametrize("kind", ["note", "note_and_reopen", "assignment", "assign_and_reopen", "assign_and_unsnooze"])
def test_internal_words_are_a_note_and_nothing_else(kind: str, intercom: Script, connector: IntercomConnector) -> None:
    (said,) = comments(intercom, connector, part(4, kind, body=BODY))
    assert (said.author, said.public) == (CommentAuthor.AGENT, False)


UNKNOWN_KINDS = [
    "quick_reply", "snoozed", "unsnoozed", "timer_unsnooze", "away_mode_assignment", "default_assignment",
    "merged_primary_conversation", "conversation_tags_updated", "priority_changed", "fin_guidance_applied",
    "custom_action_finished", "something_new", "",
]  # fmt: skip


@pytest.mark.parametrize("kind", UNKNOWN_KINDS)
def test_any_other_kind_of_part_fails_closed(kind: str, intercom: Script, connector: IntercomConnector) -> None:
    (said,) = comments(intercom, connector, part(4, kind, body=BODY))
    assert (said.author, said.public) == (CommentAuthor.UNKNOWN, False)


AUTHORS = {
    "bot": (part(4, "comment", "bot:9", body=BODY), CommentAuthor.AUTOMATION),
    "team": (part(4, "comment", "team:9", body=BODY), CommentAuthor.AUTOMATION),
    "operator": (part(4, "comment", "operator:9", body=BODY), CommentAuthor.AUTOMATION),
    "ai answer": (part(4, body=BODY, author={"type": "admin", "id": JOE, "is_ai_answer": True}),
                  CommentAuthor.AUTOMATION),
    "ai agent": (part(4, body=BODY, author={"type": "admin", "id": JOE, "from_ai_agent": True}),
                 CommentAuthor.AUTOMATION),
    "odd flag": (part(4, body=BODY, author={"type": "admin", "id": JOE, "is_ai_answer": "no"}),
                 CommentAuthor.AUTOMATION),
    "user": (part(4, "comment", f"user:{ANA_ID}", body=BODY), CommentAuthor.CUSTOMER),
    "lead": (part(4, "open", "lead:x", body=BODY), CommentAuthor.CUSTOMER),
    "we": (part(4, "comment", f"admin:{US}", body=BODY), CommentAuthor.OURS),
    "our number": (part(4, "note", body=BODY, author={"type": "admin", "id": int(US)}), CommentAuthor.OURS),
    "nobody": (part(4, "comment", "admin:0", body=BODY), CommentAuthor.UNKNOWN),
    "new kind": (part(4, "comment", "agentic:9", body=BODY), CommentAuthor.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("said", "author"), AUTHORS.values(), ids=AUTHORS.keys())
def test_who_wrote_it(
    said: dict[str, Any], author: CommentAuthor, intercom: Script, connector: IntercomConnector
) -> None:
    (comment,) = comments(intercom, connector, said)
    assert comment.author is author
    assert comment.agent is None
    assert not relayed(comment)


@pytest.mark.parametrize(
    "said",
    [part(4, "close"), part(4, body="<p></p>"), part(4, body="<p>secret</p>", redacted=True)],
    ids=["no body", "empty", "redacted"],
)
def test_what_says_nothing_is_no_comment(said: dict[str, Any], intercom: Script, connector: IntercomConnector) -> None:
    assert comments(intercom, connector, said) == ()


def test_files_and_pictures_in_the_text_come_along(intercom: Script, connector: IntercomConnector) -> None:
    file = {"type": "upload", "name": "bill.pdf", "url": "https://f.example/1", "content_type": "application/pdf",
            "filesize": 307}  # fmt: skip
    body = '<p>See</p><img src="https://f.example/2.png"><img src="data:image/png;base64,AA">'
    (said,) = comments(intercom, connector, part(4, body=body, attachments=[file, {"name": "no address"}]))
    assert said.attachments == (
        Attachment(name="bill.pdf", content_type="application/pdf", size=307, url="https://f.example/1"),
        Attachment(name="image", content_type="image/*", size=0, url="https://f.example/2.png"),
    )


# --- one after another ---------------------------------------------------------------------------------------


def test_each_part_is_told_once_oldest_first(intercom: Script, connector: IntercomConnector) -> None:
    one, two, three = (part(n, body=f"<p>{n}</p>") for n in (1, 2, 3))
    intercom.on("GET /conversations/*", conversation(three, one))
    first = connector.read("499", None)
    assert [c.id for c in first.comments] == ["1", "3"]
    intercom.on("GET /conversations/*", conversation(one, two, three))
    second = connector.read("499", first.cursor)
    assert [c.id for c in second.comments] == ["2"], "listed later than a younger one"
    assert connector.read("499", second.cursor).comments == ()


def test_of_more_than_500_parts_the_newest_are_told(intercom: Script, connector: IntercomConnector) -> None:
    parts = [part(n, body=f"<p>{n}</p>") for n in range(1, 701)]
    intercom.on("GET /conversations/*", conversation(*parts[:490]))
    cursor = connector.read("499", None).cursor
    assert len(cursor) < 2000
    truncated = conversation(*parts[-500:])
    truncated["conversation_parts"]["total_count"] = 700
    intercom.on("GET /conversations/*", truncated)
    assert [c.id for c in connector.read("499", cursor).comments] == [str(n) for n in range(491, 701)]


# --- status, assignee, tags ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "status"),
    [("open", TicketStatus.OPEN), ("snoozed", TicketStatus.ON_HOLD), ("closed", TicketStatus.SOLVED)],
)
def test_the_state_counts_and_not_open(
    state: str, status: TicketStatus, intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/*", conversation(state=state, open=True, tags=tagged("vip")))
    now = connector.read("499", None)
    assert (now.status, now.raw_status, now.tags) == (status, state, ("vip",))
    assert now.url == "https://app.intercom.com/a/inbox/acme1/inbox/conversation/499"


def test_an_unknown_state_is_loud(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/*", conversation(state="pondering"))
    with pytest.raises(UnrecognisedPayload):
        connector.read("499", None)


@pytest.mark.parametrize(
    ("assignee", "agent"),
    [(int(JOE), JOE_AGENT), (JOE, JOE_AGENT), (0, None), (None, None), ("0", None), (int(US), None)],
)
def test_the_assignee_is_a_person_other_than_us(
    assignee: object, agent: HelpdeskAgent | None, intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/*", conversation(admin_assignee_id=assignee, team_assignee_id=5017691))
    assert connector.read("499", None).assignee == agent


def test_a_teammate_who_left_is_known_by_the_part(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /admins/*", problem(404, "admin_not_found"))
    (said,) = comments(intercom, connector, part(4, body=BODY))
    assert said.agent == HelpdeskAgent(id=JOE, name="Joe", email="joe@example.com")


CHANGES = {
    "closed by an agent": ([part(1, "close")], JOE_AGENT),
    "closed by us": ([part(1, "comment", body=BODY), part(2, "close", f"admin:{US}")], None),
    "closed by a bot": ([part(1, "comment", body=BODY), part(2, "close", "bot:1")], None),
    "opened by the customer": ([part(1, "close"), part(2, "open", f"user:{ANA_ID}", body=BODY)], None),
    "then a bot's line": ([part(1, "close"), part(2, "conversation_rating_changed", "bot:1")], JOE_AGENT),
    "woken by the timer": ([part(1, "timer_unsnooze")], None),
    "routed": ([part(1, "away_mode_assignment")], None),
    "tagged": ([part(1, "conversation_tags_updated")], JOE_AGENT),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("parts", "agent"), CHANGES.values(), ids=CHANGES.keys())
def test_who_made_the_newest_change(
    parts: list[dict[str, Any]], agent: HelpdeskAgent | None, intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/*", conversation(*parts))
    assert connector.read("499", None).changed_by == agent


# --- merged away (quirk IC-13) ------------------------------------------------------------------------------------


def test_an_answer_that_opens_a_conversation_is_no_opening_by_hand(
    intercom: Script, connector: IntercomConnector
) -> None:
    """Quirk IC-27: an agent who adds a word to what is over has not taken it back."""
    intercom.on("GET /conversations/499", conversation(part(4, "open", body=BODY)))
    now = connector.read("499", None)
    assert [relayed(said) for said in now.comments] == [True]
    assert now.changed_by is None


MARKER = part(20, "merged_secondary_conversation", "bot:1")
TARGET = conversation(part(22, "merged_primary_conversation", "bot:1"), id="600")
SECONDARY = conversation(MARKER, state="closed")


def test_a_merged_conversation_leads_to_its_primary(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/499", SECONDARY)
    intercom.on("GET /conversations/600", TARGET)
    intercom.on("GET /conversations/601", conversation(id="601"))
    intercom.on("POST /conversations/search", found(*({"id": id} for id in ("499", "600", "601"))))
    now = connector.read("499", None)
    assert (now.merged_into, now.status, now.raw_status) == ("600", TicketStatus.OPEN, "merged")
    whose, since = intercom.calls("POST /conversations/search")[0].json["query"]["value"]
    assert (whose["value"], since["field"]) == (ANA_ID, "updated_at")
    assert since["value"] < NOON


def test_a_link_saves_the_search(intercom: Script, connector: IntercomConnector) -> None:
    linked = {"data": [{"type": "ticket", "id": "5"}, {"type": "conversation", "id": "600"}]}
    intercom.on("GET /conversations/499", {**SECONDARY, "linked_objects": linked})
    intercom.on("GET /conversations/600", TARGET)
    assert connector.read("499", None).merged_into == "600"
    assert intercom.calls("POST") == []


@pytest.mark.parametrize(
    "others",
    [
        [],
        [conversation(part(40, "merged_primary_conversation", "bot:1"), id="600")],
        [TARGET, {**TARGET, "id": "601"}],
    ],
    ids=["none", "another moment", "two"],
)
def test_a_merge_whose_primary_is_not_certain_resolves_nothing(
    others: list[dict[str, Any]], intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/499", SECONDARY)
    for other in others:
        intercom.on(f"GET /conversations/{other['id']}", other)
    intercom.on("POST /conversations/search", found(*({"id": other["id"]} for other in others)))
    now = connector.read("499", None)
    assert (now.merged_into, now.status, now.raw_status) == (None, TicketStatus.OPEN, "merged")


def test_who_goes_on_in_a_merged_conversation_can_solve_it(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/499", conversation(MARKER, part(50, "open"), part(60, "close"), state="closed"))
    assert connector.read("499", None).status is TicketStatus.SOLVED


def test_words_of_the_customer_make_no_merged_conversation_whole_again(
    intercom: Script, connector: IntercomConnector
) -> None:
    intercom.on("GET /conversations/499", conversation(MARKER, part(50, "open", f"user:{ANA_ID}", body="<p>Hi</p>")))
    intercom.on("GET /conversations/600", TARGET)
    intercom.on("POST /conversations/search", found({"id": "600"}))
    assert connector.read("499", None).merged_into == "600"


# --- deleted (quirk IC-15) -----------------------------------------------------------------------------------------


def test_a_deleted_conversation_is_a_snapshot(intercom: Script, connector: IntercomConnector) -> None:
    cursor = connector.read("499", None).cursor
    intercom.on("GET /conversations/499", problem(404, "not_found", "Resource Not Found"))
    intercom.on("GET /conversations/deleted", found({"id": "499", "deleted_at": NOON}))
    now = connector.read("499", cursor)
    assert (now.deleted, now.cursor) == (True, cursor)


@pytest.mark.parametrize("deleted", [answer(200, found()), problem(400, "intercom_version_invalid")])
def test_a_404_alone_is_looked_at_twice(deleted: bytes, intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/499", problem(404, "not_found"))
    intercom.on("GET /conversations/deleted", deleted)
    with pytest.raises(VendorDown):
        connector.read("499", None)
    assert connector.read("499", None).deleted


def test_a_conversation_that_is_there_again_was_never_gone(intercom: Script, connector: IntercomConnector) -> None:
    intercom.on("GET /conversations/499", problem(404, "not_found"), answer(200, conversation()), problem(404, "x"))
    with pytest.raises(VendorDown):
        connector.read("499", None)
    assert not connector.read("499", None).deleted
    with pytest.raises(VendorDown):
        connector.read("499", None)


def test_links_lead_to_the_region(connect: Connect) -> None:
    assert (connect(region="eu").read("499", None).url or "").startswith("https://app.eu.intercom.com/")
    assert (connect(app_url="http://desk.example").read("499", None).url or "").startswith("http://desk.example/a/")
