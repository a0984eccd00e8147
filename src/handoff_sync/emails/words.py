"""The texts of the mails, one file per language: English below, the language's own above, the operator's on top."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from handoff_sync.errors import ConfigurationError

Words = Mapping[str, Any]
"""Texts by key; a table may hold tables."""

DEFAULT_LANGUAGE: Final = "en"


def words_file(language: str) -> str:
    return f"words.{language}.toml"


def words_in(folders: Sequence[Path], language: str) -> Words:
    """The texts of `language`; whatever a file leaves out comes from the folder after it, at last from English.

    Raises:
        ConfigurationError: A file cannot be read; it names the file and the line.
    """
    files = [folder / words_file(name) for name in dict.fromkeys((language, DEFAULT_LANGUAGE)) for folder in folders]
    found: dict[str, Any] = {}
    for file in reversed(files):
        if file.is_file():
            found = _over(found, read_words(file))
    return found


def read_words(file: Path) -> Words:
    """The texts of one file; ConfigurationError names file and line where it cannot be read."""
    try:
        return _parsed(file, file.stat().st_mtime_ns)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError([f"{file}: cannot be read as TOML: {error}"]) from None


def texts_of(words: Words, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every text with its whole key, such as `handover.lead`."""
    for key, value in words.items():
        if isinstance(value, Mapping):
            yield from texts_of(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@lru_cache(maxsize=64)
def _parsed(file: Path, _changed_at: int) -> Words:
    return tomllib.loads(file.read_text("utf-8"))


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, table by table. Only a text replaces a text and only a table a table."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key, {}), Mapping):
            merged[key] = _over(merged.get(key, {}), value)
        elif isinstance(value, str) and not isinstance(merged.get(key), Mapping):
            merged[key] = value
    return merged
