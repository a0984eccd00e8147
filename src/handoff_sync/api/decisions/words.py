"""What the page says, in three languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

LANGUAGES: Final = ("en", "pt", "es")


class Words:
    """The texts of one language, by key: `form.submit`."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, **parts: object) -> str:
        """The text with its parts put in; what comes from outside is escaped by whoever shows it."""
        text = self.texts[key]
        for name, part in parts.items():
            text = text.replace(f"{{{name}}}", str(part))
        return text


@cache
def words_in(language: str) -> Words:
    """The texts of one of LANGUAGES."""
    text = (files("handoff_sync.api.decisions") / "assets" / f"words.{language}.toml").read_text("utf-8")
    return Words(language, dict(_flat(tomllib.loads(text))))


def chosen(*wishes: str) -> Words:
    """By the first wish that we have: a language, or a header that lists several."""
    for wish in wishes:
        for part in wish.split(","):
            language = part.split(";")[0].strip().lower().replace("_", "-").split("-")[0]
            if language in LANGUAGES:
                return words_in(language)
    return words_in(LANGUAGES[0])


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        found += _flat(value, f"{before}{name}.") if isinstance(value, dict) else [(f"{before}{name}", value)]
    return found
