"""The page of a pending question: what it is about, the conversation, and the form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from handoff_sync.api.decisions.html import esc, filled, moment, name_html, page
from handoff_sync.api.decisions.talk import talk_html
from handoff_sync.api.decisions.visit import Visit
from handoff_sync.core.effects import StoredMessage
from handoff_sync.core.markup import one_line
from handoff_sync.core.model import Decision
from handoff_sync.core.policy import MailKind, OnDecisionExpiry
from handoff_sync.core.redaction import redact
from handoff_sync.service.decision_links import TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why an answer did not count: `key` of the text, HTML for its braces, and the note, which nobody types twice."""

    key: str
    left: int = 0
    note: str = ""


def question_page(
    visit: Visit, decision: Decision, messages: Sequence[StoredMessage], nonce: str, problem: Problem | None = None
) -> str:
    words = visit.words
    name = redact(one_line(visit.session.customer.name or words("unknown_customer")))
    body = f"""{_alert(visit, problem)}
<div class="head"><h1>{esc(words("title"))}</h1>
<p class="lead">{esc(words("lead"))}</p>
<p class="jump"><a href="#decide">{esc(words("to_form"))}</a></p></div>
<div class="columns">
<div class="about">
<section class="card" aria-labelledby="h-facts"><h2 id="h-facts">{esc(words("facts.heading"))}</h2>
{_facts(visit, decision)}</section>
<section class="card" aria-labelledby="h-talk"><h2 id="h-talk">{esc(words("talk.heading"))}</h2>
{talk_html(messages, visit.session, words)}
<p class="fresh"><a class="nojs" href="?lang={words.language}">{esc(words("talk.refresh"))}</a>
<span class="onlyjs faint">{esc(words("talk.live"))}</span></p></section>
</div>
{_form(visit, nonce, problem)}
</div>"""
    return page(
        words,
        f"{words('title')} {name}",
        body,
        workspace=visit.workspace_name,
        live=f' data-question="{decision.version}"',
    )


def _alert(visit: Visit, problem: Problem | None) -> str:
    if problem is None or not problem.key:
        return ""
    text = esc(visit.words(problem.key, n=problem.left))
    return f'<div class="alert" role="alert"><strong>{esc(visit.words("wrong.heading"))}.</strong> {text}</div>'


def _customer(visit: Visit) -> str:
    name = visit.session.customer.name
    return name_html(name) if name else esc(visit.words("unknown_customer"))


# --- what it is about --------------------------------------------------------------------------------------------


def _facts(visit: Visit, decision: Decision) -> str:
    words, session, handoff = visit.words, visit.session, visit.handoff
    customer = session.customer
    rows = [("facts.customer", _customer(visit))]
    if customer.email and customer.email_verified:
        rows.append(("facts.address", name_html(customer.email)))
    rows.append(("facts.channel", esc(one_line(session.channel))))
    rows.append(("facts.why", esc(words(f"trigger.{handoff.trigger.value}"))))
    rows += [("facts.scenario", name_html(scenario)) for scenario in handoff.scenarios]
    if handoff.reason:
        rows.append(("facts.reason", f'<span dir="auto">{esc(redact(handoff.reason))}</span>'))
    if summary := handoff.summary or session.summary:
        rows.append(("facts.summary", f'<span class="text" dir="auto">{esc(redact(summary))}</span>'))
    rows.append(("facts.asked", moment(handoff.requested_at)))
    if decision.expires_at is not None:
        after = "hand_over" if handoff.policy.on_decision_expiry is OnDecisionExpiry.HAND_OVER else "keep_ai"
        until = f'<span id="until">{moment(decision.expires_at)}</span>'
        rows.append(("facts.until", f'{until}<br><span class="faint">{esc(words(f"facts.{after}"))}</span>'))
    rows.append(("facts.others", _others(visit)))
    if tickets := [link for link in session.live_links if link.url]:
        shown = ", ".join(_ticket(link.url or "", link.remote_id or link.connection) for link in tickets)
        rows.append(("facts.tickets", shown))
    return "<dl>" + "".join(f"<div><dt>{esc(words(key))}</dt><dd>{html}</dd></div>" for key, html in rows) + "</dl>"


def _ticket(url: str, name: str) -> str:
    if not url.startswith(("https://", "http://")):
        return name_html(name)
    return f'<a href="{escape(url)}" rel="noopener noreferrer" target="_blank">{name_html(name)}</a>'


def _others(visit: Visit) -> str:
    """Who else got the mail: by name, else by address."""
    kind, team, me = MailKind.DECISION_NEEDED, visit.session.team, visit.link.recipient.lower()
    asked = [
        one.name or one.email
        for one in visit.handoff.policy.recipients
        if one.team in (None, team) and (not one.kinds or kind in one.kinds) and one.email.lower() != me
    ]
    return ", ".join(map(name_html, dict.fromkeys(asked))) or esc(visit.words("facts.nobody_else"))


# --- the form ----------------------------------------------------------------------------------------------------


def _form(visit: Visit, nonce: str, problem: Problem | None) -> str:
    """Nothing is preselected, and nothing is kept of an answer that did not count but the note."""
    words = visit.words
    if not visit.may_decide:
        return _closed(visit, "wrong.role")
    strict = visit.handoff.policy.decision_code
    if strict and visit.link.tries >= TRIES:
        return _closed(visit, "wrong.locked")
    note = esc(problem.note) if problem is not None else ""
    invalid = ' aria-invalid="true"' if problem is not None and problem.key == "wrong.choice" else ""
    return f"""<form class="card" id="decide" method="post" action="?lang={words.language}" autocomplete="off">
<h2>{esc(words("form.heading"))}</h2>
<input type="hidden" name="nonce" value="{nonce}">
<fieldset{invalid}><legend>{esc(words("form.legend"))}</legend>
{_choice(visit, "accept")}
<label class="check"><input type="checkbox" name="claim" value="1"> {esc(words("form.claim"))}</label>
{_choice(visit, "decline")}
</fieldset>
{_code(visit) if strict else ""}
<label class="field" for="note">{esc(words("form.note"))}</label>
<textarea id="note" name="note" rows="2" maxlength="2000" dir="auto" aria-describedby="note-hint">{note}</textarea>
<p class="hint" id="note-hint">{esc(words("form.note_hint"))}</p>
<button class="primary" type="submit">{esc(words("form.submit"))}</button>
<p class="hint">{esc(words("form.first_counts"))}</p>
</form>"""


def _choice(visit: Visit, choice: str) -> str:
    words = visit.words
    return (
        f'<label class="choice"><input type="radio" name="choice" value="{choice}" required '
        f'aria-describedby="{choice}-hint"><span><b>{esc(words(f"form.{choice}"))}</b>'
        f'<small id="{choice}-hint">{esc(words(f"form.{choice}_hint"))}</small></span></label>'
    )


def _code(visit: Visit) -> str:
    words = visit.words
    return f"""<label class="field" for="code">{esc(words("form.code"))}</label>
<input id="code" name="code" required maxlength="12" autocomplete="one-time-code" autocapitalize="characters"
spellcheck="false" aria-describedby="code-hint">
<p class="hint" id="code-hint">{esc(words("form.code_hint"))}</p>"""


def _closed(visit: Visit, key: str) -> str:
    text = filled(visit.words, key)
    return f'<section class="card" id="decide"><h2>{esc(visit.words("form.heading"))}</h2><p>{text}</p></section>'
