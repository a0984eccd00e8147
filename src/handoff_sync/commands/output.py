"""How commands show things: a table for people, JSON lines' bigger sister for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def listing(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """The rows as a JSON array, or as a table whose columns are the keys of the first row."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=_plain, ensure_ascii=False))
    elif not rows:
        typer.echo(empty)
    else:
        _table(rows)


def record(row: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: JSON, or a line per field."""
    if as_json:
        typer.echo(json.dumps(row, indent=2, default=_plain, ensure_ascii=False))
        return
    width = max(map(len, row), default=0)
    for name, value in row.items():
        typer.echo(f"{name:<{width}}  {_cell(value)}")


def mark(ok: bool) -> str:
    """A sign that also reads without colour and in any terminal encoding."""
    sign = ("✓" if ok else "✗") if _unicode() else ("ok" if ok else "FAIL")
    return typer.style(sign, fg="green" if ok else "red")


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16")


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(rows[0])
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(row[at]) for row in cells)) for at, column in enumerate(columns)]
    typer.secho("  ".join(f"{column:<{width}}" for column, width in zip(columns, widths, strict=True)), bold=True)
    for row in cells:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case list() | tuple():
            return ", ".join(map(str, value)) or "-"
        case _:
            return str(value).replace("\n", " ")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
