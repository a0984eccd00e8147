"""The HTML of the agent page. Everything that comes from outside passes `esc`; there is no inline script or style."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from handoff_sync.simulator.agent_views import AgentDesk, Entry, EntryKind, Person, Status, TicketRow, Words

FILTERS: Final = ("all", "active", "solved", "deleted")
ACTIVE: Final = frozenset({"new", "open", "pending", "hold"})
DONE: Final = frozenset({"solved", "closed"})
KINDS: Final = {EntryKind.CUSTOMER: "Customer", EntryKind.REPLY: "Public reply", EntryKind.NOTE: "Internal note"}


def esc(value: object) -> str:
    return escape(str(value), quote=True)


def page(desk: AgentDesk, title: str, body: str, agent: Person, here: str, notice: str = "") -> str:
    """A whole page. `here` is its own address, to which the agent's choice returns and which refreshes it."""
    options = "".join(_option(person.id, person.name, agent.id) for person in desk.agents())
    alert = f'<p class="notice" role="alert" id="notice">{esc(notice)}</p>' if notice else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{esc(title)} · {esc(desk.name)}</title>
<link rel="icon" href="/agent/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/agent/agent.css">
<script src="/agent/agent.js" defer></script>
</head>
<body data-version="{desk.version()}" data-here="{esc(here)}">
<a class="skip" href="#main">Skip to content</a>
<header class="bar">
<a class="brand" href="/agent"><img src="/agent/icon.svg" alt="" width="28" height="28"> {esc(desk.name)}</a>
<span class="pill">simulated</span>
<form class="me" method="post" action="/agent/me">
<input type="hidden" name="back" value="{esc(here)}">
<label for="me">You are</label>
<select id="me" name="agent" aria-label="You are" data-submit>{options}</select>
<button class="quiet" data-nojs>Switch</button>
</form>
</header>
<main id="main">{alert}{body}</main>
</body>
</html>
"""


def _option(value: str, label: str, chosen: str | None) -> str:
    return f'<option value="{esc(value)}"{" selected" if value == chosen else ""}>{esc(label)}</option>'


def options(people: Sequence[Person], chosen: str | None, nobody: str) -> str:
    """Options of a select for a person; the first one is nobody."""
    return _option("", nobody, chosen or "") + "".join(_option(p.id, p.name, chosen) for p in people)


def badge(status: Status) -> str:
    return f'<span class="badge {status.tone}">{esc(status.label)}</span>'


def avatar(name: str) -> str:
    """Initials in a colour of the person's own."""
    words = [word for word in name.split() if word[:1].isalnum()] or ["?"]
    initials = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return f'<span class="avatar tint{zlib.crc32(name.encode()) % 6}" aria-hidden="true">{esc(initials.upper())}</span>'


def moment(at: datetime) -> str:
    """A time; the script shows it in the reader's zone."""
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{at:%d %b %H:%M} UTC</time>'


def shown_in(rows: Sequence[TicketRow], chosen: str) -> list[TicketRow]:
    """The rows that belong to a filter; deleted ones only show under their own."""
    match chosen:
        case "active":
            return [row for row in rows if row.status.tone in ACTIVE]
        case "solved":
            return [row for row in rows if row.status.tone in DONE]
        case "deleted":
            return [row for row in rows if row.status.tone == "deleted"]
        case _:
            return [row for row in rows if row.status.tone != "deleted"]


def ticket_list(rows: Sequence[TicketRow], chosen: str, words: Words) -> str:
    """The list with its filters."""
    labels = ("All", "Open", words.done, words.gone)
    tabs = "".join(_tab(rows, name, label, chosen) for name, label in zip(FILTERS, labels, strict=True))
    shown = shown_in(rows, chosen)
    return f"""<div id="list" data-live>
<div class="listhead"><h1>{words.thing.title()}s</h1><nav class="tabs" aria-label="Filter">{tabs}</nav></div>
{_table(shown) if shown else _empty(chosen, words)}
</div>"""


def _tab(rows: Sequence[TicketRow], name: str, label: str, chosen: str) -> str:
    here = ' aria-current="page"' if name == chosen else ""
    number = f'<span class="count">{len(shown_in(rows, name))}</span>'
    return f'<a id="tab-{name}" href="/agent?show={name}"{here}>{esc(label)} {number}</a>'


def _empty(chosen: str, words: Words) -> str:
    hint = f"A {words.thing} appears here as soon as a customer is handed over." if chosen in ("all", "active") else ""
    return f'<div class="empty"><p><strong>Nothing here.</strong></p><p>{hint}</p></div>'


def _table(rows: Sequence[TicketRow]) -> str:
    return f"""<ul class="tickets">{"".join(_row(row) for row in rows)}</ul>"""


def holder(row: TicketRow) -> str:
    """Who has it."""
    return esc(row.assignee) if row.assignee else '<span class="faint">Unassigned</span>'


def _row(row: TicketRow) -> str:
    return f"""<li><a id="t{esc(row.id)}" href="/agent/tickets/{esc(row.id)}">
{avatar(row.requester)}
<span class="what"><span class="subject">{esc(row.subject)}</span>
<span class="preview">{esc(row.preview[:140])}</span></span>
<span class="who"><span>{esc(row.requester)}</span>
<span class="faint">#{esc(row.id)} · {row.comments} {"message" if row.comments == 1 else "messages"}</span></span>
<span class="who"><span>{holder(row)}</span><span class="faint">{moment(row.updated_at)}</span></span>
{badge(row.status)}
</a></li>"""


def thread(entries: Sequence[Entry]) -> str:
    """The history of a ticket, oldest first. The script puts new entries in one by one, so only these are read out."""
    listed = "".join(_entry(entry) for entry in entries)
    return f'<ol class="thread" id="thread" aria-live="polite" data-live="entries">{listed}</ol>'


def _entry(entry: Entry) -> str:
    if entry.kind is EntryKind.EVENT:
        return f'<li class="event" id="e{esc(entry.id)}">{esc(entry.text)} · {moment(entry.at)}</li>'
    named = "".join(f"<li>📎 {esc(name)}</li>" for name in entry.attachments)
    files = f'<ul class="files" aria-label="Files">{named}</ul>' if named else ""
    return f"""<li class="entry {entry.kind}" id="e{esc(entry.id)}">
{avatar(entry.author)}
<article><header><strong>{esc(entry.author)}</strong> <span class="kind">{KINDS[entry.kind]}</span>
<span class="faint">{moment(entry.at)}{f" · {esc(entry.via)}" if entry.via else ""}</span></header>
<div class="text" dir="auto">{esc(entry.text)}</div>{files}</article></li>"""
