"""Letters become subject, plain text and HTML by the templates in templates/email."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import handoff_sync
from handoff_sync.core.markup import clean, escape, one_line
from handoff_sync.emails.letters import Letter
from handoff_sync.errors import ConfigurationError

DEFAULT_LANGUAGE: Final = "en"
_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
_SUBJECT_CHARS: Final = 150
_TEXT_CHARS: Final = 1200
_URL_CHARS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail's words. `language` is the one it was written in."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str


def render(letter: Letter, language: str = DEFAULT_LANGUAGE) -> Rendered:
    """The letter in the wanted language, or in English where it has none.

    Raises:
        jinja2.TemplateError: A template of the installation is broken.
    """
    folder = template_folder()
    written = _language(folder, letter.template, language)
    variables = {spec.name: getattr(letter, spec.name) for spec in dataclasses.fields(letter)}
    variables |= {"language": written, "direction": "rtl" if written.split("-")[0] in _RIGHT_TO_LEFT else "ltr"}
    subject, text, html = (
        _environment(folder).get_template(f"{letter.template}.{written}.{part}.j2").render(variables)
        for part in ("subject", "txt", "html")
    )
    return Rendered(
        subject=one_line(subject, _SUBJECT_CHARS), text=_tidy(text), html=_inliner().inline(html), language=written
    )


def template_folder() -> Path:
    """Inside the installed package, else in the repository."""
    package = Path(handoff_sync.__file__).parent
    for folder in (package / "templates" / "email", package.parents[1] / "templates" / "email"):
        if folder.is_dir():
            return folder
    raise ConfigurationError(["The mail templates are missing. Install handoff-sync again."])


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {"lines": _lines, "line": one_line, "indented": _indented, "weburl": _web_url}
    return environment


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def _language(folder: Path, template: str, wanted: str) -> str:
    """The wanted language, its base ("pt" for "pt-BR"), or English: the first one that has templates."""
    tag = wanted.lower().replace("_", "-")
    for language in (tag, tag.split("-")[0]):
        known = re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", language)
        if known and (folder / f"{template}.{language}.txt.j2").is_file():
            return language
    return DEFAULT_LANGUAGE


def _lines(text: str) -> Markup:
    """For HTML: untrusted text with its line breaks."""
    return Markup(escape(_short(text)))


def _indented(text: str) -> str:
    """For plain text: untrusted text that cannot pass for a line of ours."""
    return "\n".join("    " + line for line in _short(text).split("\n"))


def _short(text: str) -> str:
    """Bounded, so that a mail stays below 100 kB even if every character needs an entity."""
    cleaned = clean(text)
    return cleaned if len(cleaned) <= _TEXT_CHARS else cleaned[: _TEXT_CHARS - 1].rstrip() + "…"


def _web_url(url: str | None) -> str:
    """The address if it is one of the web, else nothing: a link must not run anything."""
    safe = (
        url and len(url) <= _URL_CHARS and url.startswith(("https://", "http://")) and url == one_line(url, _URL_CHARS)
    )
    return url if url and safe else ""


def _tidy(text: str) -> str:
    """At most one empty line in a row, none at either end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
