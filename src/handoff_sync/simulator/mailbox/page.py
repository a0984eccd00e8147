"""The HTML of the mailbox. Everything that comes from a mail passes `esc`; there is no inline script or style."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Final

from handoff_sync.simulator.mailbox.mail import Mail

VIEWS: Final = {"html": "Mail", "text": "Plain text", "headers": "Headers"}
_LINK: Final = re.compile(r"https?://[^\s<>\"']+")
_HEAD: Final = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_NEW_TAB: Final = '<base target="_blank">'
SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox"
"""What is opened from a mail is an ordinary page; the mail itself runs no script and has no origin."""


def esc(value: object) -> str:
    return escape(str(value), quote=True)


def mailbox_page(mails: Sequence[Mail], chosen: Mail | None, view: str) -> str:
    """The list, and beside it the chosen mail. `view`: one of VIEWS."""
    title = chosen.subject if chosen is not None else f"Mails ({len(mails)})"
    reading = _reading(chosen, view) if chosen is not None else _nothing_chosen(bool(mails))
    look = "one" if chosen is not None else "all"
    newest = mails[0].id if mails else ""
    refresh = '<noscript><meta http-equiv="refresh" content="5"></noscript>' if chosen is None else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{refresh}<title>{esc(title)} · Mailbox</title>
<link rel="icon" href="/static/mailbox.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/mailbox.css">
<script src="/static/mailbox.js" defer></script>
</head>
<body class="{look}" data-newest="{esc(newest)}">
<a class="skip" href="#reading">Skip to the mail</a>
<header class="bar">
<a class="brand" href="/"><img src="/static/mailbox.svg" alt="" width="28" height="28"> Mailbox</a>
<span class="pill">simulated</span>
<p>Every mail that the service sends arrives here, whoever it is for.</p>
</header>
<main>
<nav aria-label="Mails" id="list">{_list(mails, chosen)}</nav>
<section id="reading" aria-label="The mail" tabindex="-1">{reading}</section>
</main>
<p class="hidden" role="status" id="news"></p>
</body>
</html>
"""


def _list(mails: Sequence[Mail], chosen: Mail | None) -> str:
    if not mails:
        return '<p class="empty"><strong>No mail yet.</strong> It appears here by itself.</p>'
    return f'<ol class="mails">{"".join(_row(mail, chosen) for mail in mails)}</ol>'


def _row(mail: Mail, chosen: Mail | None) -> str:
    here = ' aria-current="page"' if chosen is not None and chosen.id == mail.id else ""
    return f"""<li><a id="m{esc(mail.id)}" href="/mails/{esc(mail.id)}"{here}>
<span class="to" dir="auto">To {esc(mail.to_name or mail.to)}</span>{_moment(mail.at)}
<span class="subject" dir="auto">{esc(mail.subject) or "(no subject)"}</span>
<span class="preview" dir="auto">{esc(mail.words[:120])}</span></a></li>"""


def _nothing_chosen(any_there: bool) -> str:
    return f'<p class="empty">{"Choose a mail to read it." if any_there else "Nothing to read yet."}</p>'


def _reading(mail: Mail, view: str) -> str:
    tabs = "".join(_tab(mail, name, label, view) for name, label in VIEWS.items())
    person = f"{esc(mail.to_name)} " if mail.to_name else ""
    files = "".join(f"<li>📎 <bdi>{esc(name)}</bdi></li>" for name in mail.files)
    return f"""<a class="back" href="/">← All mails</a>
<h1 dir="auto">{esc(mail.subject) or "(no subject)"}</h1>
<p class="meta">To <bdi>{person}&lt;{esc(mail.to)}&gt;</bdi> · from <bdi>{esc(mail.sender)}</bdi> ·
{_moment(mail.at)}</p>
<nav class="tabs" aria-label="View">{tabs}</nav>
{_body(mail, view)}
{f'<ul class="files" aria-label="Files">{files}</ul>' if files else ""}"""


def _tab(mail: Mail, name: str, label: str, chosen: str) -> str:
    here = ' aria-current="page"' if name == chosen else ""
    return f'<a id="view-{name}" href="/mails/{esc(mail.id)}?view={name}"{here}>{label}</a>'


def _body(mail: Mail, view: str) -> str:
    match view:
        case "html" if mail.html is not None:
            source = f"/mails/{esc(mail.id)}/body"
            return f'<iframe title="The mail as it looks" sandbox="{SANDBOX}" src="{source}"></iframe>'
        case "headers":
            rows = "".join(f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>" for name, value in mail.headers)
            return f'<dl class="headers">{rows}</dl>'
        case _:
            return f'<pre class="plain" dir="auto">{_linked(mail.text)}</pre>'


def _linked(text: str) -> str:
    """The text with its addresses to click at."""
    parts, at = [], 0
    for found in _LINK.finditer(text):
        url = esc(found[0])
        parts += [esc(text[at : found.start()]), f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>']
        at = found.end()
    return "".join([*parts, esc(text[at:])])


def mail_document(mail: Mail) -> str:
    """The mail's own HTML, whose links open in a new tab. Only for a frame without scripts."""
    html = mail.html or ""
    head = _HEAD.search(html)
    at = head.end() if head is not None else 0
    return html[:at] + _NEW_TAB + html[at:] if head is not None else f"<!doctype html><head>{_NEW_TAB}</head>{html}"


def _moment(at: datetime) -> str:
    """A time; the script shows it in the reader's zone."""
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{at:%H:%M:%S} UTC</time>'
