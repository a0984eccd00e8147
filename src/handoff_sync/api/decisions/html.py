"""What every page of ours is made of. All that comes from outside passes `esc`; no script or style stands inline."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from handoff_sync.api.decisions.words import LANGUAGES, Words, words_in
from handoff_sync.core.markup import clean, one_line
from handoff_sync.core.redaction import redact
from handoff_sync.core.transcript import clock


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page under a name that changes with its content, so that browsers may keep it for good."""

    name: str
    content: bytes
    kind: str


_ICON: Final = (
    '<svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">'
    '<path d="M4 7h11m0 0-4-4m4 4-4 4M20 17H9m0 0 4-4m-4 4 4 4" fill="none" stroke="currentColor" '
    'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)


@cache
def assets() -> dict[str, Asset]:
    """By name."""
    found = [
        _asset("decide", "css", "text/css"),
        _asset("decide", "js", "text/javascript"),
        _asset("icon", "svg", "image/svg+xml"),
    ]
    return {asset.name: asset for asset in found}


def _asset(stem: str, ending: str, kind: str) -> Asset:
    content = (files("handoff_sync.api.decisions") / "assets" / f"{stem}.{ending}").read_bytes()
    return Asset(f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}", content, kind)


def esc(text: object) -> str:
    """Text of several lines; line breaks are kept by the style."""
    return escape(clean(str(text)))


def name_html(name: str) -> str:
    """A name in its own writing direction."""
    return f"<bdi>{escape(redact(one_line(name)))}</bdi>"


def filled(words: Words, key: str, **parts: str) -> str:
    """The text of the key as HTML, with parts that are HTML already."""
    html = escape(words(key))
    for name, part in parts.items():
        html = html.replace(f"{{{name}}}", part)
    return html


def moment(at: datetime) -> str:
    """A time; the script shows it in the reader's zone."""
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{clock(at)}</time>'


def page(words: Words, title: str, body: str, *, workspace: str = "", live: str = "") -> str:
    """A whole page. `title` is plain text; `live` are attributes of the body that the script reads."""
    named = {name.rpartition(".")[2]: name for name in assets()}
    chooser = f'<nav class="languages" aria-label="{esc(words("languages"))}">{_links(words)}</nav>'
    place = f'<span class="place">{name_html(workspace)}</span>' if workspace else ""
    return f"""<!doctype html>
<html lang="{words.language}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>{esc(title)} · handoff-sync</title>
<link rel="icon" href="static/{named["svg"]}" type="image/svg+xml">
<link rel="stylesheet" href="static/{named["css"]}">
<script src="static/{named["js"]}" defer></script>
</head>
<body{live}>
<a class="skip" href="#main">{esc(words("skip"))}</a>
<header class="bar"><span class="brand">{_ICON}handoff-sync</span>{place}{chooser}</header>
<main id="main">
{body}
</main>
</body>
</html>
"""


def _links(words: Words) -> str:
    return "".join(_link(language, language == words.language) for language in LANGUAGES)


def _link(language: str, here: bool) -> str:
    current, name = ' aria-current="true"' if here else "", esc(words_in(language)("language"))
    return f'<a href="?lang={language}" hreflang="{language}" lang="{language}"{current}>{name}</a>'
