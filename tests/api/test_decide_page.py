"""The decision page's protocol: looking changes nothing, and what counts as an answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handoff_sync.api.decisions.words import LANGUAGES, words_in
from handoff_sync.core import events as ev
from handoff_sync.core.model import Actor, ActorKind, AuthorClass, DecisionState, Message, Phase
from handoff_sync.core.policy import OnDecisionExpiry, Recipient
from handoff_sync.service.decision_links import token_hash
from handoff_sync.store.rows import Role
from tests.api.asking import ANA, BEN, EVA, HTTPS, Asking, asking

MONA = Actor(kind=ActorKind.MEMBER, id="m_1", name="Mona Member", via="api")


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Asking]:
    with asking(sqlite_url) as desk:
        yield desk


# --- looking -----------------------------------------------------------------------------------------------------


def test_looking_changes_nothing_however_often_and_by_whatever_method(desk: Asking) -> None:
    session = desk.ask()
    path, browser = desk.link(session), desk.browser()
    before = desk.session(session)
    for _ in range(3):
        assert browser.open(path).status_code == 200
        assert browser.client.head(path).status_code == 200
        assert browser.open(f"{path}/talk").status_code == 200
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert browser.client.request(method, path).status_code == 405
    assert desk.session(session) == before


def test_no_address_on_the_page_decides(desk: Asking) -> None:
    session = desk.ask()
    path, browser = desk.link(session), desk.browser()
    html = browser.open(path).text
    for address in re.findall(r'(?:href|src)="([^"]+)"', html):
        assert not address.startswith("http"), "nothing of somebody else's"
        browser.client.get(f"{HTTPS}/decide/{address}" if not address.startswith("?") else path + address)
    assert "<img" not in html and " checked" not in html and "onclick" not in html and "<style" not in html
    assert desk.session(session).phase is Phase.AI_DECIDING


def test_the_page_shows_what_one_needs_to_decide(desk: Asking) -> None:
    desk.says("My card is 4111 1111 1111 1111")
    desk.says("I see.", AuthorClass.AI)
    session = desk.ask(summary="Order 77 is late")
    html = desk.browser().open(desk.link(session)).text
    for shown in ("Kim Customer", "kim@example.com", "Refunds", "Asked three times", "Order 77 is late", "I see."):
        assert shown in html
    assert "Ben Boss" in html and "Eva" in html and "Ana Admin" not in html
    assert "4111 1111" not in html and "[card ending in 1111]" in html
    assert "goes on" in html


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</textarea><svg/onload=x>"]
)
def test_what_customers_write_stays_text(desk: Asking, text: str) -> None:
    desk.says(text)
    session = desk.ask(reason=text, summary=text, scenario=text)
    html = desk.browser().open(desk.link(session)).text
    assert text not in html and "<script>alert" not in html and "<img" not in html and "<svg/" not in html


def test_nobody_keeps_indexes_frames_or_leaks_the_page(desk: Asking) -> None:
    session = desk.ask()
    answer = desk.browser().open(desk.link(session))
    headers = answer.headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert "strict-transport-security" in headers
    cookie = headers["set-cookie"].lower()
    assert cookie.startswith("__host-") and "samesite=strict" in cookie and "httponly" in cookie and "secure" in cookie
    assert "path=/" in cookie and "domain" not in cookie


def test_the_pages_own_files_are_kept_for_good_under_names_of_their_content(desk: Asking) -> None:
    browser = desk.browser()
    names = re.findall(r'(?:href|src)="static/([^"]+)"', browser.open("/decide/nothing").text)
    assert len(names) == 3
    for name in names:
        answer = browser.open(f"/decide/static/{name}")
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert browser.open("/decide/static/decide.000000000000.js").status_code == 404


def test_the_talk_goes_on_while_one_looks(desk: Asking) -> None:
    session = desk.ask()
    path, browser = desk.link(session), desk.browser()
    newest = re.search(r'data-newest="(\d+)"', browser.open(path).text)
    assert newest is not None
    desk.says("Are you still there?")
    news = browser.open(f"{path}/talk?after={newest[1]}").json()
    assert "Are you still there?" in news["html"] and "order 77" not in news["html"]
    assert session.decision is not None and news["question"] == session.decision.version
    desk.act(session, ev.DecisionDeclined, MONA)
    assert browser.open(f"{path}/talk?after=0").json() == {"question": None, "html": ""}


@pytest.mark.parametrize("after", ["", "-1", "x", "9" * 30, "²"])
def test_an_odd_place_in_the_talk_is_its_beginning(desk: Asking, after: str) -> None:
    path = desk.link(desk.ask())
    assert "order 77" in desk.browser().open(f"{path}/talk").json()["html"]
    answer = desk.browser().client.get(f"{path}/talk", params={"after": after})
    assert answer.status_code == 200


# --- languages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recipient", "language"), [(ANA, "en"), (BEN, "pt"), (EVA, "es")])
def test_the_page_speaks_the_recipients_language_until_they_choose_another(
    desk: Asking, recipient: Recipient, language: str
) -> None:
    path, browser = desk.link(desk.ask(), recipient), desk.browser()
    assert f'<html lang="{language}"' in browser.open(path).text
    for other in LANGUAGES:
        assert words_in(other)("form.submit") in browser.open(f"{path}?lang={other}").text


def test_every_language_says_everything() -> None:
    english = words_in("en").texts
    for language in LANGUAGES:
        texts = words_in(language).texts
        assert set(texts) == set(english)
        for key, text in texts.items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", english[key])), (language, key)


# --- answering ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("choice", "phase"), [("accept", Phase.WAITING), ("decline", Phase.AI)])
def test_a_person_decides(desk: Asking, choice: str, phase: Phase) -> None:
    session = desk.ask()
    browser, path = desk.browser(), desk.link(session)
    answer = browser.decide(path, choice)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path.rpartition('/')[2]}?lang=en")
    after = desk.session(session)
    assert after.phase is phase and after.decision is not None and after.decision.decided_by is not None
    by = after.decision.decided_by
    assert (by.id, by.name, by.via) == ("ana@example.com", "Ana Admin", "mail")
    html = browser.open(path).text
    assert "You decided" in html and ">Undo<" in html and "order 77" not in html and "Kim" not in html


def test_who_takes_it_holds_it_and_a_note_goes_to_the_team(desk: Asking) -> None:
    session = desk.ask()
    desk.browser().decide(desk.link(session), "accept", claim="1", note="VIP, be quick")
    after = desk.session(session)
    assert after.phase is Phase.HUMAN and after.assignee is not None and after.assignee.name == "Ana Admin"
    notes = [item for item in desk.reads.messages(session.id) if item.kind == "note"]
    assert [note.message.text for note in notes] == ["VIP, be quick"]


def test_the_audit_knows_who_how_and_from_where(desk: Asking) -> None:
    session = desk.ask()
    desk.browser().decide(desk.link(session), "decline")
    (line,) = [row for row in desk.reads.timeline(session.id) if row.kind == "decision.declined"]
    assert (line.actor_id, line.via, line.data["origin"]) == ("ana@example.com", "mail", "testclient")


def untouched(desk: Asking, path: str, browser: Any) -> Any:
    return browser.send(path, {"nonce": browser.nonce(path), "note": ""})


def too_fast(desk: Asking, path: str, browser: Any) -> Any:
    return browser.decide(path, "accept", look_s=1.9 if desk.clock.stopped else 0)


def other_choice(desk: Asking, path: str, browser: Any) -> Any:
    return browser.decide(path, "approve")


def no_nonce(desk: Asking, path: str, browser: Any) -> Any:
    browser.open(path)
    return browser.send(path, {"choice": "accept"})


def no_cookie(desk: Asking, path: str, browser: Any) -> Any:
    nonce = browser.nonce(path)
    browser.client.cookies.clear()
    desk.clock.on(seconds=5)
    return browser.send(path, {"choice": "accept", "nonce": nonce})


def foreign_nonce(desk: Asking, path: str, browser: Any) -> Any:
    """From somebody else's browser."""
    nonce = desk.browser().nonce(path)
    browser.open(path)
    desk.clock.on(seconds=5)
    return browser.send(path, {"choice": "accept", "nonce": nonce})


def nonce_of_another_link(desk: Asking, path: str, browser: Any) -> Any:
    nonce = browser.nonce(desk.link(desk.ask("other")))
    desk.clock.on(seconds=5)
    return browser.send(path, {"choice": "accept", "nonce": nonce})


def changed_nonce(desk: Asking, path: str, browser: Any) -> Any:
    """Older than it was."""
    version, _, rest = browser.nonce(path).split(".", 2)
    return browser.send(path, {"choice": "accept", "nonce": f"{version}.1000.{rest}"})


@pytest.mark.parametrize(
    ("act", "hint"),
    [
        (untouched, "Choose one"),
        (too_fast, "faster"),
        (other_choice, "Choose one"),
        (no_nonce, "out of date"),
        (no_cookie, "cookies"),
        (foreign_nonce, "out of date"),
        (nonce_of_another_link, "out of date"),
        (changed_nonce, "out of date"),
    ],
)
def test_what_no_person_would_send_decides_nothing_and_says_why(desk: Asking, act: Any, hint: str) -> None:
    session = desk.ask()
    desk.clock.stopped = desk.clock.now()
    desk.clock.ahead = timedelta()
    answer = act(desk, desk.link(session), desk.browser())
    assert answer.status_code == 400 and hint in answer.text and 'role="alert"' in answer.text
    assert 'name="nonce"' in answer.text and " checked" not in answer.text
    assert desk.session(session).phase is Phase.AI_DECIDING


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, 403),
        ({"origin": "https://evil.example", "sec_fetch_site": "same-origin"}, 403),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, 403),
        ({"origin": "null", "sec_fetch_site": "same-site"}, 403),
        ({"origin": "null", "sec_fetch_site": "none"}, 403),
        ({"origin": "http://handoff.example.com", "sec_fetch_site": "same-origin"}, 403),
        ({"origin": HTTPS, "sec_fetch_site": "same-origin"}, 303),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, 303),
    ],
)
def test_only_the_page_itself_may_send_the_form(desk: Asking, headers: dict[str, str], status: int) -> None:
    session = desk.ask()
    answer = desk.browser().decide(desk.link(session), "decline")
    desk.act(session, ev.DecisionUndone, desk.session(session).decision.decided_by)  # type: ignore[union-attr]
    browser, path = desk.browser(), desk.link(session)
    nonce = browser.nonce(path)
    desk.clock.on(seconds=5)
    answer = browser.send(path, {"nonce": nonce, "choice": "accept"}, **headers)
    assert answer.status_code == status
    assert (desk.session(session).phase is Phase.WAITING) == (status == 303)


@pytest.mark.parametrize(
    ("origin", "status"), [(HTTPS, 303), (None, 403), ("https://evil.example", 403), ("null", 403)]
)
def test_a_browser_that_names_no_site_must_name_its_origin(desk: Asking, origin: str | None, status: int) -> None:
    session = desk.ask()
    browser, path = desk.browser(), desk.link(session)
    nonce = browser.nonce(path)
    desk.clock.on(seconds=5)
    headers = {"origin": origin} if origin is not None else {}
    answer = browser.client.post(path, data={"nonce": nonce, "choice": "accept"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
def test_an_answer_is_a_form(desk: Asking, kind: str) -> None:
    session = desk.ask()
    browser, path = desk.browser(), desk.link(session)
    nonce = browser.nonce(path)
    desk.clock.on(seconds=5)
    headers = {"origin": "null", "sec-fetch-site": "same-origin", "content-type": kind}
    answer = browser.client.post(path, content=f"nonce={nonce}&choice=accept", headers=headers)
    assert answer.status_code == 415
    assert desk.session(session).phase is Phase.AI_DECIDING


@pytest.mark.parametrize("body", [b"x" * 100_000, b"\xff\xfe", b"&".join([b"a=1"] * 50), b"%", b""])
def test_a_hostile_body_is_a_page_and_no_decision(desk: Asking, body: bytes) -> None:
    session = desk.ask()
    headers = {"origin": "null", "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    answer = desk.browser().client.post(desk.link(session), content=body, headers=headers)
    assert 400 <= answer.status_code < 500 and answer.text.startswith("<!doctype html>")
    assert desk.session(session).phase is Phase.AI_DECIDING


# --- after somebody has decided ----------------------------------------------------------------------------------


def test_everybody_else_learns_who_decided_and_when(desk: Asking) -> None:
    session = desk.ask()
    late, path = desk.browser(), desk.link(session, BEN)
    nonce = late.nonce(path)
    desk.browser().decide(desk.link(session, ANA), "accept")
    answer = late.send(f"{path}?lang=en", {"nonce": nonce, "choice": "decline"})
    assert answer.status_code == 409
    assert "Ana Admin</bdi> decided: a person takes over" in answer.text
    assert re.search(r'<time datetime="\d{4}-', answer.text)
    assert "Undo" not in answer.text and "order 77" not in answer.text and "Kim" not in answer.text
    assert desk.session(session).phase is Phase.WAITING


def test_only_the_browser_that_decided_is_offered_the_way_back(desk: Asking) -> None:
    """A scanner that follows the same link a moment later must not undo what a person did."""
    session = desk.ask()
    person, path = desk.browser(), desk.link(session)
    person.decide(path, "accept")
    scanner = desk.browser()
    assert "You decided" in scanner.open(path).text and 'value="undo"' not in scanner.open(path).text
    nonce = person.nonce(path)
    desk.clock.on(seconds=3)
    assert scanner.send(path, {"nonce": nonce, "choice": "undo"}).status_code in (400, 403)
    assert desk.session(session).phase is Phase.WAITING
    assert person.send(path, {"nonce": nonce, "choice": "undo"}).status_code == 303
    assert desk.session(session).phase is Phase.AI_DECIDING
    assert "Your decision" in person.open(path).text


def test_after_the_undo_the_same_link_decides_again_but_an_old_form_does_not(desk: Asking) -> None:
    session = desk.ask()
    late, path = desk.browser(), desk.link(session, BEN)
    old = late.nonce(path)
    person, own = desk.browser(), desk.link(session)
    person.decide(own, "decline")
    undo = person.nonce(own)
    desk.clock.on(seconds=3)
    person.send(own, {"nonce": undo, "choice": "undo"})
    assert desk.session(session).phase is Phase.AI_DECIDING
    answer = late.send(f"{path}?lang=en", {"nonce": old, "choice": "accept"})
    assert answer.status_code == 409 and "asked anew" in answer.text
    assert late.decide(path, "accept").status_code == 303


def test_an_undo_too_late_says_so(desk: Asking) -> None:
    session = desk.ask()
    person, path = desk.browser(), desk.link(session)
    person.decide(path, "accept")
    nonce = person.nonce(path)
    desk.clock.on(seconds=31)
    answer = person.send(path, {"nonce": nonce, "choice": "undo"})
    assert answer.status_code == 409 and "too late" in answer.text
    assert "Undo" not in person.open(path).text


def test_what_a_person_has_said_is_not_undone(desk: Asking) -> None:
    session = desk.ask()
    person, path = desk.browser(), desk.link(session)
    person.decide(path, "accept", claim="1")
    nonce = person.nonce(path)
    by = desk.session(session).decision.decided_by  # type: ignore[union-attr]
    message = Message(id="hm", author_class=AuthorClass.HUMAN, text="Hello", at=desk.clock.now())
    desk.act(session, ev.HumanMessage, by, message=message)
    desk.clock.on(seconds=3)
    answer = person.send(path, {"nonce": nonce, "choice": "undo"})
    assert answer.status_code == 409 and "answered the customer already" in answer.text


# --- dead links --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x" * 32, "nothing", "%00", "a" * 5000, "..%2f..", "é"])
def test_an_unknown_link_tells_nothing(desk: Asking, token: str) -> None:
    answer = desk.browser().open(f"/decide/{token}")
    assert answer.status_code == 404
    assert desk.browser().send(f"/decide/{token}", {"choice": "accept"}).status_code == 404
    assert "Shop" not in answer.text


def test_an_unknown_link_answers_in_the_browsers_language(desk: Asking) -> None:
    html = desk.browser().client.get("/decide/" + "x" * 32, headers={"accept-language": "fr, es-MX;q=0.8"}).text
    assert words_in("es")("dead.unknown_title") in html


def gone(desk: Asking, how: str) -> str:
    session = desk.ask(conversation=how)
    path = desk.link(session)
    match how:
        case "expired":
            desk.clock.on(hours=24, seconds=1)
        case "revoked":
            assert session.decision is not None
            desk.admin.revoke_decision_links(session.id, 1, session.decision.version)
        case "followed":
            desk.act(session, ev.DecisionDeclined, MONA)
            desk.ask(conversation=how, scenario="Another")
    return path


@pytest.mark.parametrize(
    ("how", "says"), [("expired", "has expired"), ("revoked", "withdrawn"), ("followed", "newer question")]
)
def test_a_dead_link_says_what_happened_and_shows_nothing(sqlite_url: str, how: str, says: str) -> None:
    with asking(sqlite_url, decision_timeout_minutes=60 * 48) as desk:
        path, browser = gone(desk, how), desk.browser()
        answer = browser.open(path)
        assert answer.status_code == 410 and says in answer.text
        assert "order 77" not in answer.text and "Kim" not in answer.text and "<form" not in answer.text
        assert browser.open(f"{path}/talk").json()["question"] is None
        assert browser.send(path, {"choice": "accept"}).status_code in (400, 409)


@pytest.mark.parametrize("expiry", OnDecisionExpiry)
def test_a_question_that_nobody_answered_says_what_became_of_it(sqlite_url: str, expiry: OnDecisionExpiry) -> None:
    with asking(sqlite_url, on_decision_expiry=expiry) as desk:
        session = desk.ask()
        path = desk.link(session)
        desk.clock.on(minutes=31)
        desk.act(session, ev.TimerFired, kind=next(t.kind for t in session.timers), epoch=session.control_epoch)
        html = desk.browser().open(path).text
        assert "Nobody decided in time" in html
        assert ("handed over to people" in html) == (expiry is OnDecisionExpiry.HAND_OVER)


def test_a_question_that_somebody_made_needless_says_who(desk: Asking) -> None:
    session = desk.ask()
    desk.act(session, ev.Claimed, MONA)
    html = desk.browser().open(desk.link(session)).text
    assert "The question is closed" in html and "Mona Member" in html


# --- who may ----------------------------------------------------------------------------------------------------


def test_strict_mode_asks_for_the_code_of_the_mail(sqlite_url: str) -> None:
    with asking(sqlite_url, decision_code=True) as desk:
        session = desk.ask()
        path, code, browser = desk.link(session), desk.code(session), desk.browser()
        assert len(code) == 6 and code not in browser.open(path).text
        wrong = browser.decide(path, "accept", code="AAAAAA")
        assert wrong.status_code == 403 and "Tries left: 4" in wrong.text
        assert browser.decide(path, "accept").status_code == 403
        assert desk.session(session).phase is Phase.AI_DECIDING
        assert browser.decide(path, "accept", code=f" {code[:3].lower()}-{code[3:]} ").status_code == 303


def test_five_wrong_codes_close_the_link_for_good(sqlite_url: str) -> None:
    with asking(sqlite_url, decision_code=True) as desk:
        session = desk.ask()
        path, code, browser = desk.link(session), desk.code(session), desk.browser()
        for _ in range(5):
            browser.decide(path, "accept", code="AAAAAA")
        nonce = desk.browser().nonce(desk.link(session, BEN))
        html = browser.open(path).text
        assert "Too many wrong codes" in html and "<form" not in html and nonce
        assert desk.browser().decide(desk.link(session, BEN), "accept", code=code).status_code == 403
        assert desk.session(session).phase is Phase.AI_DECIDING
        assert desk.act(session, ev.DecisionAccepted, MONA).rule == "T18"


def test_without_strict_mode_no_code_is_mailed_or_asked_for(desk: Asking) -> None:
    session = desk.ask()
    assert desk.code(session) == "" and 'name="code"' not in desk.browser().open(desk.link(session)).text


def test_a_member_decides_as_themselves_and_an_agent_may_only_look(desk: Asking) -> None:
    boss = desk.admin.put_member("ws_1", ANA.email, name="Ana the Boss", role=Role.ADMIN)
    desk.admin.put_member("ws_1", BEN.email, name="Ben", role=Role.AGENT)
    session = desk.ask()
    agent, path = desk.browser(), desk.link(session, BEN)
    assert "<form" not in agent.open(path).text
    own = desk.browser()
    nonce = own.nonce(desk.link(session, ANA))
    assert own.send(path, {"nonce": nonce, "choice": "accept"}).status_code == 400
    assert desk.session(session).phase is Phase.AI_DECIDING
    own.decide(desk.link(session, ANA), "accept")
    by = desk.session(session).decision.decided_by  # type: ignore[union-attr]
    assert by is not None and (by.id, by.name) == (boss.id, "Ana the Boss")


def test_the_link_of_a_removed_member_decides_nothing_any_more(desk: Asking) -> None:
    desk.admin.put_member("ws_1", ANA.email, name="Ana", role=Role.ADMIN)
    desk.admin.put_member("ws_1", BEN.email, name="Ben", role=Role.AGENT)
    session = desk.ask()
    path = desk.link(session, BEN)
    assert desk.admin.delete_member("ws_1", BEN.email)
    late = desk.browser()
    assert "<form" not in late.open(path).text
    assert "<form" in desk.browser().open(desk.link(session, ANA)).text


def test_a_link_of_one_workspace_shows_and_decides_nothing_of_another(desk: Asking) -> None:
    mine, foreign = desk.ask("same"), desk.ask("same", workspace="ws_2", reason="foreign reason")
    path = desk.link(mine)
    html = desk.browser().open(path).text
    assert "Shop 1" in html and "Shop 2" not in html and "foreign reason" not in html
    desk.browser().decide(path, "accept")
    assert desk.session(foreign).phase is Phase.AI_DECIDING
    assert desk.link(foreign) != desk.link(mine)


# --- links -------------------------------------------------------------------------------------------------------


def test_a_link_is_the_recipients_own_the_same_each_time_and_stored_as_a_hash(desk: Asking) -> None:
    session = desk.ask()
    links = {desk.link(session, who) for who in (ANA, BEN, EVA, ANA)}
    assert len(links) == 3
    token = desk.link(session).rpartition("/")[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", token)
    row = desk.links.find(token)
    assert row is not None and token not in repr(row) and row.token_hash == token_hash(token)
    assert abs(row.expires_at - row.created_at - timedelta(hours=24)) < timedelta(seconds=1)


def test_a_question_that_outlives_its_link_gets_a_new_one(sqlite_url: str) -> None:
    with asking(sqlite_url, decision_timeout_minutes=60 * 48, decision_code=True) as desk:
        session = desk.ask()
        first, code = desk.link(session), desk.code(session)
        desk.clock.on(hours=25)
        later = desk.link(session)
        assert later != first and desk.link(session) == later and desk.code(session) != code
        assert desk.browser().open(first).status_code == 410
        assert desk.browser().decide(later, "decline", code=desk.code(session)).status_code == 303


def test_link_and_code_stay_when_a_decision_is_undone(sqlite_url: str) -> None:
    with asking(sqlite_url, decision_code=True) as desk:
        session = desk.ask()
        known = desk.link(session, BEN), desk.code(session, BEN)
        desk.act(session, ev.DecisionDeclined, MONA)
        desk.act(session, ev.DecisionUndone, MONA)
        assert (desk.link(session, BEN), desk.code(session, BEN)) == known
        assert desk.browser().decide(known[0], "accept", code=known[1]).status_code == 303


def test_fifty_deciders_at_once_make_one_decision(database_url: str) -> None:
    people = tuple(Recipient(email=f"p{n}@example.com", name=f"Person {n}") for n in range(50))
    with asking(database_url, recipients=people) as desk:
        session = desk.ask()
        ready = []
        for person in people:
            browser, path = desk.browser(), desk.link(session, person)
            ready.append((browser, path, browser.nonce(path)))
        desk.clock.on(seconds=3)
        start, answers = threading.Barrier(50), [None] * 50

        def press(n: int) -> None:
            browser, path, nonce = ready[n]
            start.wait()
            answers[n] = browser.send(path, {"nonce": nonce, "choice": ("accept", "decline")[n % 2]})

        threads = [threading.Thread(target=press, args=(n,)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        codes = sorted(answer.status_code for answer in answers)  # type: ignore[attr-defined]
        assert codes == [303] + [409] * 49
        decision = desk.session(session).decision
        assert decision is not None and decision.decided_by is not None
        assert decision.state in (DecisionState.ACCEPTED, DecisionState.DECLINED)
        told = [answer.text for answer in answers if answer.status_code == 409]  # type: ignore[attr-defined]
        assert all(f"<bdi>{decision.decided_by.name}</bdi> decided" in text for text in told)
        assert all("<time datetime=" in text for text in told)
