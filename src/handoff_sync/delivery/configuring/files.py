"""From a path to a plan: what the commands share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from handoff_sync.delivery.configuring.document import Document, read_document
from handoff_sync.delivery.configuring.planning import Options, Plan, Secretive, make_plan
from handoff_sync.delivery.configuring.references import Secrets
from handoff_sync.delivery.configuring.stored import NOTHING, stored, workspace_meant
from handoff_sync.errors import ConfigurationError
from handoff_sync.store.admin import Admin


def read_file(path: Path) -> Document:
    """ConfigurationError when it cannot be read or is no TOML."""
    try:
        return read_document(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}."]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: is no text in UTF-8."]) from None


def planned(
    document: Document,
    folder: Path,
    admin: Admin,
    environment: Mapping[str, str],
    *,
    prune: bool,
    offline: bool,
    http: bool,
) -> Plan:
    """What applying the file would do. ConfigurationError lists all that is wrong with it."""
    secrets = Secrets(folder=folder, environment=environment)
    options = Options(secrets=secrets, prune=prune, offline=offline, plain_http=http)
    try:
        row = workspace_meant(admin, document.header)
    except ConfigurationError as unclear:
        problems = [document.located(problem) for problem in (*document.problems, *unclear.problems)]
        raise ConfigurationError(problems) from None
    now = stored(admin, row) if row is not None else NOTHING
    return make_plan(document, now, Secretive(admin.connection_secrets, admin.endpoint_secrets), options)


def judged(document: Document) -> Plan:
    """The file by itself, without an installation and without following its references."""
    nothing: Mapping[str, str] = {}
    return make_plan(document, NOTHING, Secretive(lambda _: nothing, lambda _: ("",)), Options(alone=True))


def write_secret(path: Path, secret: str) -> None:
    """A new file that nobody else can read. OSError where it exists or cannot be."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
