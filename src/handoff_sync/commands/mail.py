"""`mail`: what every mail says and looks like, with the operator's own templates where there are some."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handoff_sync.commands.output import AsJson, listing

if TYPE_CHECKING:
    from handoff_sync.emails.letters import Letter
    from handoff_sync.emails.render import Rendered

app = typer.Typer(help="The mails: what they say, how they look.", no_args_is_help=True)

Templates = Annotated[
    Path | None,
    typer.Option("--templates", help="Folder with your own templates (default: HANDOFF_MAIL_TEMPLATES)."),
]


@app.command("list")
def list_(templates: Templates = None, as_json: AsJson = False) -> None:
    """Every mail with its subject and languages, and which files of yours change it."""
    from handoff_sync.emails.render import render
    from handoff_sync.emails.samples import samples
    from handoff_sync.emails.templates import folders, languages

    overrides = _overrides(templates)
    rows = [
        {
            "name": name,
            "subject": render(letter, overrides=overrides).subject,
            "languages": list(languages(folders(overrides))),
            "your files": _files_of(overrides, name),
        }
        for name, letter in samples().items()
    ]
    listing(rows, as_json=as_json, empty="There are no mails.")
    _complain(overrides)


@app.command()
def preview(
    name: Annotated[str, typer.Argument(help="As in `handoff-sync mail list`.")],
    lang: Annotated[str, typer.Option("--lang", help="Language, such as pt or pt-BR.")] = "en",
    out: Annotated[Path | None, typer.Option("--out", help="FILE.html, FILE.txt or FILE.eml.")] = None,
    templates: Templates = None,
) -> None:
    """Writes a mail about invented people into a file, or prints its text."""
    from handoff_sync.emails.render import render
    from handoff_sync.emails.samples import samples

    letter = samples().get(name)
    if letter is None:
        raise typer.BadParameter(f"There is no mail {name!r}. There are: {', '.join(samples())}.")
    overrides = _overrides(templates)
    rendered = render(letter, lang, overrides)
    if out is None:
        typer.echo(f"Subject: {rendered.subject}\n\n{rendered.text}")
    else:
        out.write_bytes(_content(letter, rendered, out.suffix))
        typer.echo(f"Wrote {out} ({rendered.language}).")
    _complain(overrides)


def _content(letter: Letter, rendered: Rendered, suffix: str) -> bytes:
    from datetime import UTC, datetime

    from handoff_sync.emails.headers import POLICY
    from handoff_sync.emails.message import Envelope, build_message

    match suffix:
        case ".html":
            return rendered.html.encode()
        case ".txt":
            return f"Subject: {rendered.subject}\n\n{rendered.text}".encode()
        case ".eml":
            to = Envelope(key=letter.template, sender="help@example.com", recipient="you@example.com")
            return build_message(rendered, to, datetime.now(UTC)).as_bytes(policy=POLICY)
        case _:
            raise typer.BadParameter("The file must end in .html, .txt or .eml.")


def _overrides(given: Path | None) -> Path | None:
    from handoff_sync.settings import load_settings

    return given or load_settings().mail_templates


def _files_of(overrides: Path | None, name: str) -> list[str]:
    if overrides is None or not overrides.is_dir():
        return []
    return sorted(path.name for pattern in (f"{name}.*", "words.*", "_*") for path in overrides.glob(pattern))


def _complain(overrides: Path | None) -> None:
    """Mails go out with the built-in text where yours is broken; here is where you hear of it."""
    from handoff_sync.emails.complaints import complaints
    from handoff_sync.errors import ConfigurationError

    if overrides is not None and (found := complaints(overrides)):
        raise ConfigurationError(found)
