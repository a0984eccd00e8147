"""The page of one ticket: history, answer box, properties and actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from handoff_sync.simulator.agent_page import badge, esc, options, thread
from handoff_sync.simulator.agent_views import Person, StatusChoice, TicketView

CUSTOMER_FIELDS: Final = """<label for="said">The customer writes by mail</label>
<textarea id="said" name="text" rows="2" required dir="auto"></textarea><button>Send as customer</button>"""
DELETE_FIELDS: Final = '<p class="faint">It can be restored.</p><button class="danger">Delete ticket</button>'


def ticket_page(view: TicketView, people: Sequence[Person], others: Sequence[tuple[str, str]], typed: str = "") -> str:
    """The ticket. `others`: id and subject of tickets to merge into; `typed`: text to give back after a refusal."""
    row = view.row
    box = _locked(view) if view.locked else _composer(view, typed)
    cards = _status_card(view) + _people_card(view, people) + _facts_card(view) + _more_card(view, others)
    return f"""<nav class="crumbs"><a href="/agent">← All tickets</a></nav>
<div class="ticket">
<section class="talk" aria-label="Conversation">
<div class="title" id="title" data-live><h1>{esc(row.subject)}</h1>
<p class="faint">#{esc(row.id)} · {esc(row.requester)} {badge(row.status)}</p></div>
{thread(view.entries)}
{box}
</section>
<aside aria-label="Properties">{cards}</aside>
</div>"""


def _post(view: TicketView, action: str, inner: str, css: str = "") -> str:
    return f'<form method="post" action="/agent/tickets/{esc(view.row.id)}/{action}" class="{css}">{inner}</form>'


def _locked(view: TicketView) -> str:
    restore = _post(view, "restore", '<button class="primary">Restore ticket</button>') if view.deleted else ""
    return f'<div class="lockedbox"><p>{esc(view.locked)}</p>{restore}</div>'


def _composer(view: TicketView, typed: str) -> str:
    choices = "".join(f'<option value="{esc(c.value)}">{esc(c.label)}</option>' for c in view.after_reply)
    return _post(
        view,
        "reply",
        f"""<fieldset class="mode"><legend class="hidden">Who may read it</legend>
<label><input type="radio" name="public" value="yes" checked> Public reply</label>
<label><input type="radio" name="public" value="no"> Internal note</label></fieldset>
<label class="hidden" for="text">Your message</label>
<textarea id="text" name="text" rows="4" required dir="auto"
placeholder="Write to {esc(view.row.requester)} …">{esc(typed)}</textarea>
<p class="hint notehint">Only your team will see this note.</p>
<div class="send"><label for="then">then</label>
<select id="then" name="then"><option value="">keep the status</option>{choices}</select>
<button class="primary" title="Ctrl + Enter">Send</button></div>""",
        "composer",
    )


def _status_card(view: TicketView) -> str:
    buttons = "".join(_choice(view, choice) for choice in view.choices)
    return f'<section class="card" id="state" data-live><h2>Status</h2><p>{badge(view.row.status)}</p>' \
           f'<div class="choices">{buttons}</div></section>'  # fmt: skip


def _choice(view: TicketView, choice: StatusChoice) -> str:
    hidden = f'<input type="hidden" name="value" value="{esc(choice.value)}">'
    return _post(view, choice.action, f'{hidden}<button class="choice {choice.tone}">{esc(choice.label)}</button>')


def _people_card(view: TicketView, people: Sequence[Person]) -> str:
    shown = esc(view.row.assignee) if view.row.assignee else '<span class="faint">Nobody yet</span>'
    form = _post(
        view,
        "assign",
        f"""<label class="hidden" for="assignee">Assign to</label>
<select id="assignee" name="assignee">{options(people, view.assignee_id, "Nobody")}</select><button>Assign</button>""",
        "inline",
    )
    card = f'<section class="card"><h2>Assignee</h2><p id="assigned" data-live>{shown}</p>'
    return f"{card}{'' if view.locked else form}</section>"


def _facts_card(view: TicketView) -> str:
    facts = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in view.facts)
    tags = "".join(f'<li class="tag">{esc(tag)}</li>' for tag in view.tags)
    listed = f'<ul class="tags">{tags}</ul>' if tags else ""
    return f'<section class="card" id="facts" data-live><h2>Details</h2><dl>{facts}</dl>{listed}</section>'


def _more_card(view: TicketView, others: Sequence[tuple[str, str]]) -> str:
    if view.deleted:
        return ""
    parts = []
    if view.can_merge and others:
        parts.append(_fold("Merge …", _post(view, "merge", _merge_fields(others), "stack")))
    if not view.locked:
        parts.append(_fold("Answer as the customer …", _post(view, "customer", CUSTOMER_FIELDS, "stack")))
    parts.append(_fold("Delete …", _post(view, "delete", DELETE_FIELDS, "stack")))
    return f'<section class="card more"><h2>More</h2>{"".join(parts)}</section>'


def _fold(summary: str, inner: str) -> str:
    return f"<details><summary>{summary}</summary>{inner}</details>"


def _merge_fields(others: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{esc(i)}">#{esc(i)} {esc(subject[:40])}</option>' for i, subject in others)
    return f"""<label for="target">This ticket is closed and continues in</label>
<select id="target" name="target">{listed}</select><button>Merge</button>"""
