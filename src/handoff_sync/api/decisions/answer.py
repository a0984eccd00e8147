"""Pages without a question: who decided and when, with the way back for whoever did; and links that are dead."""

from __future__ import annotations

from html import escape

from handoff_sync.api.decisions.html import esc, filled, moment, name_html, page
from handoff_sync.api.decisions.visit import Standing, Visit
from handoff_sync.api.decisions.words import Words
from handoff_sync.core.model import Decision, DecisionState, EndReason, Phase
from handoff_sync.delivery.drafts import chat_link

_TAKEN = (DecisionState.ACCEPTED, DecisionState.DECLINED)


def dead_page(words: Words, why: str, workspace: str = "") -> str:
    """`why`: unknown, expired or revoked."""
    title = words(f"dead.{why}_title")
    text = f'<div class="card narrow"><h1>{esc(title)}</h1><p>{esc(words(f"dead.{why}"))}</p></div>'
    return page(words, title, text, workspace=workspace)


def trouble_page(words: Words, key: str) -> str:
    """Something went wrong before the question could be shown."""
    title = words("wrong.heading")
    return page(words, title, f'<div class="card narrow"><h1>{esc(title)}</h1><p>{esc(words(key))}</p></div>')


def closed_page(visit: Visit, nonce: str, key: str = "") -> str:
    """Who decided what; nothing of the conversation. `key`: why what was asked for just now did not happen."""
    words = visit.words
    match visit.standing:
        case Standing.EXPIRED | Standing.REVOKED:
            return dead_page(words, visit.standing.value, visit.workspace_name)
        case _:
            pass
    decision = visit.decision
    if decision is None:
        title, inner = words("over.next_heading"), f"<p>{esc(words('over.next'))}</p>"
        heading = esc(title)
    else:
        heading, inner = _heading(visit, decision), _outcome(visit, decision) + _undo(visit, nonce)
        title = words(f"over.{'superseded' if decision.state in _TAKEN else decision.state.value}")
    alert = f'<div class="alert" role="alert">{esc(words(key))}</div>' if key else ""
    look = decision.state.value if decision is not None else "next"
    body = f'{alert}<div class="card narrow {look}" role="status"><h1>{heading}</h1>{inner}</div>'
    return page(words, title, body, workspace=visit.workspace_name)


def _heading(visit: Visit, decision: Decision) -> str:
    words, by = visit.words, decision.decided_by
    state = decision.state.value
    if decision.state not in _TAKEN or by is None:
        return esc(words(f"over.{state}"))
    if visit.is_me(by):
        return esc(words(f"over.you_{state}"))
    return filled(words, f"over.{state}", who=name_html(by.name or by.id))


def _outcome(visit: Visit, decision: Decision) -> str:
    words, by = visit.words, decision.decided_by
    lines = []
    if decision.decided_at is not None and by is not None:
        via = f"via.{by.via}"
        told = esc(words(via)) if via in words.texts else ""
        at = moment(decision.decided_at)
        lines.append(f"{at}, {told}" if told and decision.state in _TAKEN else at)
    if decision.state is DecisionState.SUPERSEDED and by is not None:
        lines.append(filled(words, "over.superseded_by", who=name_html(by.name or by.id)))
    if now := _now(visit, decision):
        lines.append(esc(words(now)))
    lines.append(esc(words("over.others_told" if visit.is_me(by) else "over.nothing_to_do")))
    return "".join(f"<p>{line}</p>" for line in lines) + _chat(visit, decision)


def _now(visit: Visit, decision: Decision) -> str:
    """What holds because of it, as far as it still does."""
    session = visit.session
    latest = len(session.handoffs) == decision.handoff
    if decision.state is DecisionState.EXPIRED:
        kept = visit.handoff.end_reason is EndReason.DECISION_EXPIRED
        return "over.expired_ai" if kept else "over.expired_people"
    if decision.state is DecisionState.ACCEPTED and latest and session.human_handoff:
        mine = session.assignee is not None and session.assignee.id == visit.actor.id
        return "over.claimed_now" if mine else "over.accepted_now"
    if decision.state is DecisionState.DECLINED and latest and session.phase is Phase.AI:
        return "over.declined_now"
    return ""


def _chat(visit: Visit, decision: Decision) -> str:
    """Whoever took over goes on to the conversation; the link has lived long enough to show it to nobody else."""
    accepted = decision.state is DecisionState.ACCEPTED and visit.is_me(decision.decided_by)
    url = chat_link(visit.handoff.policy, visit.session) if accepted and visit.now < visit.link.expires_at else None
    if url is None or not url.startswith(("https://", "http://")):
        return ""
    text = esc(visit.words("over.open_chat"))
    return f'<p><a class="button" href="{escape(url)}" rel="noopener noreferrer">{text}</a></p>'


def _undo(visit: Visit, nonce: str) -> str:
    """Only in the browser that decided (it alone gets a nonce): another one with the same link may be a scanner's."""
    until = visit.undo_until
    if until is None or not nonce:
        return ""
    words, left = visit.words, max(1, int((until - visit.now).total_seconds()))
    return f"""<form class="undo" method="post" action="?lang={words.language}">
<p class="hint" id="undo-hint">{esc(words("over.undo_hint"))}</p>
<input type="hidden" name="nonce" value="{nonce}">
<button type="submit" name="choice" value="undo" aria-describedby="undo-hint">{esc(words("over.undo"))}</button>
<span class="hint"><span id="left" data-left="{left}">{left}</span> {esc(words("over.undo_left"))}</span>
</form>"""
