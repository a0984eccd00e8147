"""What is wrong with an operator's templates: found before a mail needs them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from handoff_sync.emails.filters import PLACEHOLDER
from handoff_sync.emails.letters import Decided, DecidedAs, Letter
from handoff_sync.emails.render import render_strictly
from handoff_sync.emails.samples import CONVERSATION, samples
from handoff_sync.emails.templates import folders, languages, template_folder
from handoff_sync.emails.words import DEFAULT_LANGUAGE, read_words, texts_of, words_file
from handoff_sync.errors import ConfigurationError

_WORDS: Final = re.compile(r"words\.([a-z]{2,3}(-[a-z0-9]{2,8})*)\.toml")
_TEMPLATE: Final = re.compile(
    r"(?P<name>[a-z]\w*)(\.(?P<language>[a-z]{2,3}(-[a-z0-9]{2,8})*))?\.(subject|txt|html)\.j2"
)
_LEFT_ALONE: Final = ("README", "LICENSE", ".", "~")


def complaints(overrides: Path) -> list[str]:
    """Every mistake in the folder, each with its file, its line or key, and what to do; empty when all is well."""
    if not overrides.is_dir():
        return [f"{overrides} is no folder. Correct HANDOFF_MAIL_TEMPLATES."]
    found = list(_strange_names(overrides))
    for file in sorted(overrides.glob(words_file("*"))):
        found += _words(file)
    found += _broken(overrides)
    return list(dict.fromkeys(found))


def _strange_names(overrides: Path) -> Iterator[str]:
    """A misspelt file would silently change nothing."""
    ours = {path.name for path in template_folder().iterdir()}
    letters = list(samples())
    for path in sorted(overrides.iterdir()):
        if path.name in ours or _WORDS.fullmatch(path.name) or path.name.startswith(_LEFT_ALONE):
            continue
        if path.name.startswith("_") and path.name.endswith(".j2"):
            continue  # a part that a template of the operator includes
        fits = _TEMPLATE.fullmatch(path.name)
        if fits is None:
            yield f"{path}: is no mail template. Names look like handover.pt.html.j2 or words.pt.toml."
        elif fits["name"] not in letters:
            yield f"{path}: there is no mail {fits['name']!r}.{_meant(fits['name'], letters)}"


def _words(file: Path) -> Iterator[str]:
    try:
        given = dict(texts_of(read_words(file)))
    except ConfigurationError as error:
        yield error.problems[0]
        return
    ours = dict(texts_of(read_words(template_folder() / words_file(DEFAULT_LANGUAGE))))
    for key, text in given.items():
        if not isinstance(text, str):
            yield f"{file}: {key} must be a text in quotation marks."
        elif key not in ours:
            yield f"{file}: there is no text {key}.{_meant(key, ours)}"
        elif unknown := set(PLACEHOLDER.findall(text)) - (known := _may_fill(key, ours)):
            yield f"{file}: {key} cannot fill in {_braced(unknown)}. It knows {_braced(known) or 'none'}."
    if not (template_folder() / file.name).is_file() and (missing := [key for key in ours if key not in given]):
        yield f"{file}: {len(missing)} texts are missing and stay English: {', '.join(missing[:5])} ..."


def _may_fill(key: str, ours: Mapping[str, object]) -> set[str]:
    """The placeholders of our own text; a number's `one` may use what `other` does."""
    around = key.rpartition(".")[0]
    return set(PLACEHOLDER.findall(f"{ours[key]} {ours.get(f'{around}.other', '')}"))


def _broken(overrides: Path) -> Iterator[str]:
    for language in languages(folders(overrides)) + _of_templates(overrides):
        for letter in _letters():
            try:
                render_strictly(letter, language, overrides)
            except ConfigurationError as error:
                yield error.problems[0]


def _letters() -> Iterable[Letter]:
    """The samples, and every outcome of a decision: templates ask for it."""
    return (*samples().values(), *(Decided(conversation=CONVERSATION, outcome=outcome) for outcome in DecidedAs))


def _of_templates(overrides: Path) -> tuple[str, ...]:
    """Languages that have templates of their own, with or without words."""
    fitting = map(_TEMPLATE.fullmatch, sorted(path.name for path in overrides.iterdir()))
    return tuple(dict.fromkeys(fit["language"] for fit in fitting if fit and fit["language"]))


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _braced(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
