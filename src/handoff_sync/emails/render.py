"""Letters become subject, plain text and HTML by the templates in templates/email, or by the operator's own."""

from __future__ import annotations

import dataclasses
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import css_inline
import structlog
from jinja2 import TemplateError, TemplateSyntaxError

from handoff_sync.core.markup import one_line
from handoff_sync.emails.letters import Letter
from handoff_sync.emails.templates import PARTS, environment, folders, language_of, template_folder
from handoff_sync.emails.words import DEFAULT_LANGUAGE, words_in
from handoff_sync.errors import ConfigurationError

__all__ = ["DEFAULT_LANGUAGE", "Rendered", "render", "render_strictly", "template_folder"]

log = structlog.get_logger(__name__)

_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})
_SUBJECT_CHARS: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail's words. `language` is the one it was written in."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str


def render(letter: Letter, language: str = DEFAULT_LANGUAGE, overrides: Path | None = None) -> Rendered:
    """The letter in the wanted language, or in English where it has none.

    `overrides` is the operator's folder. A mistake in it stops no mail: it is logged, and the built-in text is sent.
    """
    if overrides is not None:
        try:
            return render_strictly(letter, language, overrides)
        except ConfigurationError as error:
            log.error("mail_template_broken", letter=letter.template, problem=error.problems[0])
    return render_strictly(letter, language)


def render_strictly(letter: Letter, language: str = DEFAULT_LANGUAGE, overrides: Path | None = None) -> Rendered:
    """As `render`, but a broken template is an error.

    Raises:
        ConfigurationError: Names the file, the line, and what is wrong there.
    """
    places = folders(overrides)
    written = language_of(places, letter.template, language)
    parts = dict.fromkeys(PARTS, "")
    words = words_in(places, written)
    for part in PARTS:
        name = f"{letter.template}.{written}.{part}.j2"
        try:
            made = environment(places).get_template(name).render(_variables(letter, written, words))
            parts[part] = _inliner().inline(made) if part == "html" else made
        except Exception as error:  # an operator's template can raise anything
            raise ConfigurationError([_problem(error, name, places)]) from error
    subject = one_line(parts["subject"], _SUBJECT_CHARS)
    if not subject:
        raise ConfigurationError([f"{letter.template}.{written}.subject.j2: the subject is empty."])
    return Rendered(subject=subject, text=_tidy(parts["txt"]), html=parts["html"], language=written)


def _variables(letter: Letter, language: str, words: Mapping[str, Any]) -> dict[str, Any]:
    """A letter's fields, and what every template knows."""
    fields = {spec.name: getattr(letter, spec.name) for spec in dataclasses.fields(letter)}
    return fields | {
        "words": words.get(letter.template, {}),
        "shared": words.get("shared", {}),
        "language": language,
        "direction": "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr",
    }


def _problem(error: Exception, name: str, places: tuple[Path, ...]) -> str:
    """File, line and cause; the words of a foreign error stay out, for they may repeat a customer's."""
    cause = str(error) if isinstance(error, TemplateError) else type(error).__name__
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or name}, line {error.lineno}: {error.message}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).is_relative_to(place) for place in places):
            return f"{frame.filename}, line {frame.lineno}: {cause}"
    return f"{name}: {cause}"


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def _tidy(text: str) -> str:
    """At most one empty line in a row, none at either end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
