"""Secrets that a file names without holding them: a variable of the environment, or another file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from handoff_sync.core.values import Mistakes, read

HOW: Final = 'write { env = "NAME" } or { file = "path" }'
_LONGEST: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a secret is; exactly one of both."""

    env: str | None = None
    file: str | None = None


def reference(value: object, where: str) -> Reference:
    """Mistakes for anything that is none; a secret that stands in the open is not repeated."""
    if not isinstance(value, Mapping):
        raise Mistakes([f"{where}: is a secret and must not stand here: {HOW}, and replace a secret that stood here."])
    found: Reference = read(Reference, value, where)
    if (found.env is None) == (found.file is None):
        raise Mistakes([f"{where}: names {'both' if found.env else 'neither'}: {HOW}."])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Looks references up. Paths start at `folder`, the place of the file that names them."""

    folder: Path
    environment: Mapping[str, str]

    def value(self, of: Reference, where: str) -> str:
        """Mistakes when there is nothing."""
        text = self._variable(of.env, where) if of.env is not None else self._content(of.file or "", where)
        if not text.strip():
            raise Mistakes([f"{where}: there is nothing in {of.env or of.file}: put the secret there."])
        return text.strip()

    def _variable(self, name: str, where: str) -> str:
        if name not in self.environment:
            raise Mistakes([f"{where}: the variable {name} is not set: set it where this command runs."])
        return self.environment[name]

    def _content(self, name: str, where: str) -> str:
        try:
            with (self.folder / name).open(encoding="utf-8") as file:
                return file.read(_LONGEST)
        except OSError as error:
            raise Mistakes([f"{where}: {name} cannot be read: {error.strerror}."]) from None
        except (UnicodeDecodeError, ValueError):
            raise Mistakes([f"{where}: {name} is no text file."]) from None
