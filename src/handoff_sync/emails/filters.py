"""What templates do with words of others: shorten, escape, set apart, keep their writing direction to themselves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, Undefined, UndefinedError, pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup

from handoff_sync.core.markup import clean, escape, one_line
from handoff_sync.emails.digest import URL_BYTES, brief, by_kind
from handoff_sync.emails.letters import Conversation, Line

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_TEXT_CHARS: Final = 1200
_WEB_URL: Final = re.compile(r"https?://[^\s\"<>`]+")
_FIRST_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def install(environment: Environment) -> None:
    environment.filters |= {
        "lines": _lines,
        "line": one_line,
        "indented": _indented,
        "weburl": _web_url,
        "name": _name,
        "fill": _fill,
        "who": _who,
        "author": _author,
        "spaced": " ".join,
        "brief": brief,
        "by_kind": by_kind,
    }


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
    safe = url and len(url) <= URL_BYTES and _WEB_URL.fullmatch(url) and url == one_line(url, URL_BYTES)
    return url if url and safe else ""


@pass_eval_context
def _name(context: EvalContext, text: str, limit: int = 100) -> str:
    """A name or title inside a sentence of ours: on one line, and unable to turn the words around it."""
    line = one_line(text, limit)
    if context.autoescape:
        return Markup('<bdi dir="auto">{}</bdi>').format(line) if line else Markup()
    return f"{_FIRST_ISOLATE}{line}{_END_ISOLATE}" if _turns(line) else line


def _turns(line: str) -> bool:
    return any(unicodedata.bidirectional(char) in ("R", "AL") for char in line)


@pass_eval_context
def _fill(context: EvalContext, text: str | Mapping[str, str], **values: Any) -> str:
    """A text of ours with `{name}` and the like filled in; `n` chooses between `one` and `other`."""
    if isinstance(text, Undefined):
        raise UndefinedError(f"{text._undefined_name} is missing in the words of this language")
    if isinstance(text, Mapping):
        text = text["one" if values["n"] == 1 else "other"]
    pieces = PLACEHOLDER.split(text)
    if unknown := set(pieces[1::2]) - set(values):
        raise UndefinedError(f"nothing to fill in for {', '.join(sorted(unknown))} in {text!r}")
    filled = [_name(context, str(values[piece])) if at % 2 else piece for at, piece in enumerate(pieces)]
    return Markup().join(filled) if context.autoescape else "".join(filled)


@pass_context
def _who(context: Context, conversation: Conversation) -> str:
    """The customer's name, or what an unknown one is called."""
    return one_line(conversation.customer_name) or str(context["shared"]["unknown_customer"])


@pass_context
def _author(context: Context, line: Line) -> str:
    """Who wrote a message of the excerpt."""
    authors: Mapping[str, str] = context["shared"]["author"]
    return authors.get(line.role, line.author) if line.role and not line.named else line.author
