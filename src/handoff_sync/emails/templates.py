"""Where templates and words come from: the operator's folder wins over ours, file by file."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

import handoff_sync
from handoff_sync.emails.filters import install
from handoff_sync.emails.words import DEFAULT_LANGUAGE, words_file
from handoff_sync.errors import ConfigurationError

PARTS: Final = ("subject", "txt", "html")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_OF_A_LETTER: Final = re.compile(r"(?P<name>[a-z]\w*)\.(?P<language>[a-z][a-z0-9-]*)\.(?P<part>subject|txt|html)\.j2")


def template_folder() -> Path:
    """Inside the installed package, else in the repository."""
    package = Path(handoff_sync.__file__).parent
    for folder in (package / "templates" / "email", package.parents[1] / "templates" / "email"):
        if folder.is_dir():
            return folder
    raise ConfigurationError(["The mail templates are missing. Install handoff-sync again."])


def folders(overrides: Path | None) -> tuple[Path, ...]:
    """Where to look, first one first."""
    return (template_folder(),) if overrides is None else (overrides, template_folder())


@cache
def environment(places: tuple[Path, ...]) -> Environment:
    made = Environment(
        loader=FunctionLoader(lambda name: _load(places, name)),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    install(made)
    return made


def language_of(places: tuple[Path, ...], template: str, wanted: str) -> str:
    """The wanted language, its base ("pt" for "pt-BR"), or English: the first one that is there."""
    tag = wanted.lower().replace("_", "-")
    for language in dict.fromkeys((tag, tag.split("-")[0])):
        if _LANGUAGE.fullmatch(language) and any(_has(place, template, language) for place in places):
            return language
    return DEFAULT_LANGUAGE


def languages(places: tuple[Path, ...]) -> tuple[str, ...]:
    """Every language with a file of words, English first."""
    found = {path.name.split(".")[1] for place in places for path in place.glob(words_file("*"))}
    return (DEFAULT_LANGUAGE, *sorted(found - {DEFAULT_LANGUAGE}))


def source_of(places: tuple[Path, ...], name: str) -> Path | None:
    """The file that `name` is read from: in each folder `handover.pt.html.j2`, then `handover.html.j2`."""
    names = [name]
    if fits := _OF_A_LETTER.fullmatch(name):
        names.append(f"{fits['name']}.{fits['part']}.j2")
    return next((place / one for place in places for one in names if (place / one).is_file()), None)


def _has(place: Path, template: str, language: str) -> bool:
    names = (words_file(language), *(f"{template}.{language}.{part}.j2" for part in PARTS))
    return any((place / name).is_file() for name in names)


def _load(places: tuple[Path, ...], name: str) -> tuple[str, str, Callable[[], bool]] | None:
    """A changed file is read again without a restart."""
    path = source_of(places, name)
    if path is None:
        return None
    changed_at = path.stat().st_mtime_ns
    return path.read_text("utf-8"), str(path), lambda: _unchanged(places, name, path, changed_at)


def _unchanged(places: tuple[Path, ...], name: str, path: Path, changed_at: int) -> bool:
    try:
        return source_of(places, name) == path and path.stat().st_mtime_ns == changed_at
    except OSError:
        return False
