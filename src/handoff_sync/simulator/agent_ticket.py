"""The page of one ticket: history, answer box, properties and actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handoff_sync.simulator.agent_page import badge, esc, holder, options, thread
from handoff_sync.simulator.agent_views import Person, StatusChoice, TicketRow, TicketView, Words

CUSTOMER_FIELDS: Final = """<label for="said">The customer writes here, past the chat</label>
<textarea id="said" name="text" rows="2" required dir="auto"></textarea><button>Send as customer</button>"""


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody who may have a ticket, and who is looking at it."""

    people: Sequence[Person]
    me: Person


def ticket_page(view: TicketView, words: Words, staff: Staff, others: Sequence[TicketRow], typed: str = "") -> str:
    """The ticket. `others`: tickets to merge into; `typed`: text to give back after a refusal."""
    row = view.row
    cards = _status_card(view) + _people_card(view, staff) + _facts_card(view) + _more_card(view, words, others)
    return f"""<nav class="crumbs"><a href="/agent">← All {words.thing}s</a></nav>
<div class="ticket">
<section class="talk" aria-label="Conversation">
<div class="title" id="title" data-live><h1>{esc(row.subject)}</h1>
<p class="faint">#{esc(row.id)} · {esc(row.requester)} · {holder(row)} {badge(row.status)}</p></div>
{_locked(view, words, typed) if view.locked else ""}
{thread(view.entries)}
{"" if view.locked else _composer(view, typed)}
</section>
<aside aria-label="Properties">{cards}</aside>
</div>"""


def missing(words: Words) -> str:
    return f"""<div class="empty"><h1>There is no such {words.thing}.</h1>
<p><a href="/agent">All {words.thing}s</a></p></div>"""


def _post(view: TicketView, action: str, inner: str, css: str = "") -> str:
    return f'<form method="post" action="/agent/tickets/{esc(view.row.id)}/{action}" class="{css}">{inner}</form>'


def _locked(view: TicketView, words: Words, typed: str) -> str:
    """Why nothing can be written, what was typed all the same, and the way on."""
    kept = f'<p>This was not sent:</p><p class="text" dir="auto">{esc(typed)}</p>' if typed else ""
    into = esc(view.merged_into)
    on = f'<p><a href="/agent/tickets/{into}">It goes on in #{into}</a></p>' if view.merged_into else ""
    button = f'<button class="primary">{esc(words.restore)}</button>'
    restore = _post(view, "restore", button) if view.deleted and words.restore else ""
    return f'<div class="lockedbox" role="status"><p><strong>{esc(view.locked)}</strong></p>{kept}{on}{restore}</div>'


def _composer(view: TicketView, typed: str) -> str:
    choices = "".join(f'<option value="{esc(c.value)}">{esc(c.label)}</option>' for c in view.after_reply)
    return _post(
        view,
        "reply",
        f"""<fieldset class="mode" id="answer"><legend class="hidden">Who may read it</legend>
<label><input type="radio" name="public" value="yes" checked> Public reply</label>
<label><input type="radio" name="public" value="no"> Internal note</label></fieldset>
<label class="hidden" for="text">Your message</label>
<textarea id="text" name="text" rows="4" required dir="auto"
placeholder="Write to {esc(view.row.requester)} …">{esc(typed)}</textarea>
<p class="hint notehint">Only your team will see this note.</p>
<div class="send"><label for="then">Then</label>
<span id="after" data-live><select id="then" name="then">
<option value="">keep the status</option>{choices}</select></span>
<button class="primary" title="Ctrl + Enter">Send</button></div>""",
        "composer",
    )


def _status_card(view: TicketView) -> str:
    buttons = "".join(_choice(view, choice) for choice in view.choices)
    return f'<section class="card" id="state" data-live><h2>Status</h2><p>{badge(view.row.status)}</p>' \
           f'<div class="choices">{buttons}</div></section>'  # fmt: skip


def _choice(view: TicketView, choice: StatusChoice) -> str:
    """The id lets the focus survive a refresh."""
    hidden = f'<input type="hidden" name="value" value="{esc(choice.value)}">'
    name = f"set-{esc(choice.action)}-{esc(choice.value)}"
    button = f'<button id="{name}" class="choice {choice.tone}">{esc(choice.label)}</button>'
    return _post(view, choice.action, hidden + button)


def _people_card(view: TicketView, staff: Staff) -> str:
    forms = "" if view.locked else _assigning(view, staff)
    return f"""<section class="card" id="assigned" data-live><h2>Assignee</h2>
<p>{holder(view.row)}</p>{forms}</section>"""


def _assigning(view: TicketView, staff: Staff) -> str:
    mine = f'<input type="hidden" name="assignee" value="{esc(staff.me.id)}"><button id="take">Assign to me</button>'
    people = options(staff.people, view.assignee_id, "Nobody")
    choose = f"""<label class="hidden" for="assignee">Assign to</label>
<select id="assignee" name="assignee">{people}</select><button id="assign">Assign</button>"""
    take = _post(view, "assign", mine, "take") if view.assignee_id != staff.me.id else ""
    return take + _post(view, "assign", choose, "inline")


def _facts_card(view: TicketView) -> str:
    facts = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in view.facts)
    tags = "".join(f'<li class="tag">{esc(tag)}</li>' for tag in view.tags)
    listed = f'<ul class="tags" aria-label="Tags">{tags}</ul>' if tags else ""
    return f'<section class="card" id="facts" data-live><h2>Details</h2><dl>{facts}</dl>{listed}</section>'


def _more_card(view: TicketView, words: Words, others: Sequence[TicketRow]) -> str:
    if view.deleted:
        return ""
    parts = []
    if view.can_merge:
        fields = _merge_fields(others, words) if others else f"<p>There is no other open {words.thing}.</p>"
        parts.append(_fold("Merge …", _post(view, "merge", fields, "stack")))
    if not view.locked:
        parts.append(_fold("Answer as the customer …", _post(view, "customer", CUSTOMER_FIELDS, "stack")))
    parts.append(_fold(f"{words.delete} …", _post(view, "delete", _delete_fields(words), "stack")))
    return f'<section class="card more"><h2>More</h2>{"".join(parts)}</section>'


def _fold(summary: str, inner: str) -> str:
    return f"<details><summary>{esc(summary)}</summary>{inner}</details>"


def _delete_fields(words: Words) -> str:
    return f"""<p><strong>Are you sure?</strong> {esc(words.deleting)}</p>
<button class="danger">Yes, {esc(words.delete.lower())}</button>"""


def _merge_fields(others: Sequence[TicketRow], words: Words) -> str:
    listed = "".join(
        f'<option value="{esc(row.id)}">#{esc(row.id)} {esc(row.requester)}: {esc(row.subject[:60])}</option>'
        for row in others
    )
    return f"""<label for="target">Merge into</label>
<select id="target" name="target" required><option value="">Choose a {words.thing} …</option>{listed}</select>
<p class="faint">{esc(words.merging)}</p><button>Merge</button>"""
