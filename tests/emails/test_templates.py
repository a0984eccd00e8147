"""An operator's own templates: they win file by file, and a broken one stops no mail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import nodes

from handoff_sync.emails.complaints import complaints
from handoff_sync.emails.letters import Handover, Letter, Test
from handoff_sync.emails.render import render, render_strictly
from handoff_sync.emails.samples import samples
from handoff_sync.emails.templates import PARTS, environment, folders, languages, template_folder
from handoff_sync.errors import ConfigurationError
from tests.e2e.command import handoff_here
from tests.emails.letters import ANN, LANGUAGES, ids, letters

HANDOVER = Handover(conversation=ANN)


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


# --- ours ----------------------------------------------------------------------------------------


def test_every_mail_has_its_three_files_and_every_language_its_words() -> None:
    names = {path.name for path in template_folder().glob("[a-z]*")}
    of_mails = {f"{name}.{part}.j2" for name in samples() for part in PARTS}
    assert names == of_mails | {f"words.{language}.toml" for language in LANGUAGES}
    assert sorted(languages(folders(None))) == sorted(LANGUAGES)


def _names_in(template: str) -> set[str]:
    """Every variable that a template asks for, itself or by what it extends and imports."""
    made = environment(folders(None))
    assert made.loader is not None
    parsed = made.parse(made.loader.get_source(made, template)[0])
    found = {node.name for node in parsed.find_all(nodes.Name) if node.ctx == "load"}
    for other in parsed.find_all((nodes.Extends, nodes.Import)):
        assert isinstance(other.template, nodes.Const)
        found |= _names_in(other.template.value)
    return found


@pytest.mark.parametrize("letter", samples().values(), ids=ids)
def test_the_readme_lists_the_variables_of_every_mail_and_the_mail_uses_them(letter: Letter) -> None:
    readme = (template_folder() / "README.md").read_text("utf-8")
    documented = {
        name: re.findall(r"`(\w+)`", variables)
        for name, variables in re.findall(r"(?m)^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|$", readme)
    }
    fields = {name for name in type(letter).__dataclass_fields__ if name not in ("template", "__test__")}
    assert documented[letter.template] == sorted(fields)
    for part in PARTS[1:]:
        assert fields - _names_in(f"{letter.template}.{part}.j2") - {"total"} == set()
    for field in sorted(ANN.__dataclass_fields__):
        assert f"`{field}`" in readme


def test_the_readme_lists_every_filter() -> None:
    readme = (template_folder() / "README.md").read_text("utf-8")
    for name in ("fill", "name", "who", "author", "spaced", "brief", "by_kind", "lines", "indented", "weburl", "line"):
        assert name in environment(folders(None)).filters and f"| `{name}" in readme


# --- the operator's ------------------------------------------------------------------------------


def test_a_text_of_the_operator_replaces_ours_and_leaves_the_rest(tmp_path: Path) -> None:
    put(tmp_path, words__pt__toml='[handover]\nlead = "Oi! {name} chamou."\n')
    mail = render(HANDOVER, "pt-BR", tmp_path)
    assert mail.text.splitlines()[0] == "Oi! Ann Lee chamou." and mail.subject == "Um cliente precisa da sua ajuda"
    assert render(HANDOVER, "en", tmp_path) == render(HANDOVER, "en")
    assert complaints(tmp_path) == []


def test_a_template_of_one_language_wins_over_one_of_all_and_over_ours(tmp_path: Path) -> None:
    put(tmp_path, handover__subject__j2="All", handover__es__subject__j2="Hola {{ conversation | who }}")
    assert [render(HANDOVER, one, tmp_path).subject for one in LANGUAGES] == ["All", "All", "Hola Ann Lee"]
    assert render(HANDOVER, "es", tmp_path).text == render(HANDOVER, "es").text
    assert complaints(tmp_path) == []


def test_a_frame_of_the_operator_frames_every_mail(tmp_path: Path) -> None:
    ours = (template_folder() / "_layout.html.j2").read_text("utf-8")
    put(tmp_path, _layout__html__j2=ours.replace("#1f4fd8", "#0a7d33"))
    for letter in letters():
        assert "#1f4fd8" not in render_strictly(letter, "en", tmp_path).html
    assert complaints(tmp_path) == []


def test_a_new_language_is_found_by_its_words(tmp_path: Path) -> None:
    english = (template_folder() / "words.en.toml").read_text("utf-8")
    put(tmp_path, words__he__toml=english.replace("Customer needs your help", "לקוח צריך עזרה"))
    mail = render(HANDOVER, "he-IL", tmp_path)
    assert (mail.language, mail.subject) == ("he", "לקוח צריך עזרה")
    assert '<html lang="he" dir="rtl">' in mail.html and complaints(tmp_path) == []


def test_a_changed_file_counts_from_the_next_mail_on(tmp_path: Path) -> None:
    put(tmp_path, handover__subject__j2="One")
    assert render(HANDOVER, "en", tmp_path).subject == "One"
    put(tmp_path, handover__subject__j2="Another")
    assert render(HANDOVER, "en", tmp_path).subject == "Another"
    (tmp_path / "handover.subject.j2").unlink()
    assert render(HANDOVER, "en", tmp_path).subject == "Customer needs your help"


BROKEN = [
    ("handover.html.j2", "one\n{% if %}", r"handover\.html\.j2, line 2: "),
    ("handover.txt.j2", "one\n\n{{ customer }}", r"handover\.txt\.j2, line 3: 'customer' is undefined"),
    ("handover.pt.txt.j2", "{{ 1 / 0 }}", r"handover\.pt\.txt\.j2, line 1: ZeroDivisionError"),
    ("handover.subject.j2", "{{ '' }}", r"handover\.\w+\.subject\.j2: the subject is empty"),
    ("_conversation.txt.j2", "a\n{{ conversation.nobody }}", r"_conversation\.txt\.j2, line 2: .*nobody"),
    ("_parts.html.j2", "{% macro button() %}", r"_parts\.html\.j2, line 1: "),
    ("words.en.toml", "[handover]\nlead = oops", r"words\.en\.toml: .*line 2"),
    ("handover.es.html.j2", "{% extends 'nothing.j2' %}", r"handover\.es\.html\.j2.*nothing\.j2"),
]


@pytest.mark.parametrize(("name", "text", "said"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_a_broken_file_is_named_with_its_line_and_stops_no_mail(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    found = complaints(tmp_path)
    assert found and re.search(said, found[0]), found
    for language in LANGUAGES:
        assert render(HANDOVER, language, tmp_path).text
    with pytest.raises(ConfigurationError):
        for language in LANGUAGES:
            render_strictly(HANDOVER, language, tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "test.html.j2").write_bytes(b"\xff\xfe")
    assert "test.en.html.j2" in complaints(tmp_path)[0]
    assert render(Test(), "en", tmp_path) == render(Test())


STRANGE = [
    ("handovr.pt.html.j2", "", "there is no mail 'handovr'. Did you mean handover?"),
    ("handover.pt.htm", "", "is no mail template"),
    ("words.en.toml", '[handover]\nled = "x"', "there is no text handover.led. Did you mean handover.lead?"),
    ("words.en.toml", '[handover]\nlead = "{nme}"', "handover.lead cannot fill in {nme}. It knows {name}."),
    ("words.en.toml", "[handover]\nlead = 7", "handover.lead must be a text in quotation marks"),
    ("words.fr.toml", '[handover]\nlead = "x"', "texts are missing and stay English"),
]


@pytest.mark.parametrize(("name", "text", "said"), STRANGE)
def test_what_would_silently_change_nothing_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    assert any(said in complaint for complaint in complaints(tmp_path))


def test_every_mistake_is_named_once(tmp_path: Path) -> None:
    put(tmp_path, handover__txt__j2="{{ a }}", reminder__txt__j2="{{ b }}", oops__txt__j2="")
    assert len(complaints(tmp_path)) == 3


# --- the command ---------------------------------------------------------------------------------


def test_a_preview_is_written_in_the_wanted_language_and_kind(tmp_path: Path) -> None:
    for ending, start in (("html", "<!DOCTYPE html>"), ("txt", "Subject: Um cliente"), ("eml", "From: ")):
        out = tmp_path / f"mail.{ending}"
        done = handoff_here("mail", "preview", "handover", "--lang", "pt", "--out", out, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert out.read_text("utf-8").startswith(start)
    assert "Maya" in handoff_here("mail", "preview", "reminder", folder=tmp_path).stdout


def test_an_unknown_mail_or_kind_of_file_is_a_usage_error(tmp_path: Path) -> None:
    for arguments in (["nothing"], ["handover", "--out", "mail.pdf"]):
        done = handoff_here("mail", "preview", *arguments, folder=tmp_path)
        assert done.returncode == 2
    assert list(tmp_path.glob("*.pdf")) == []


def test_the_command_uses_the_setting_and_complains(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    put(mine, handover__subject__j2="Mine", handover__txt__j2="{{ oops }}")
    listed = handoff_here("mail", "list", folder=tmp_path, HANDOFF_MAIL_TEMPLATES=str(mine))
    assert listed.returncode == 4 and "handover.txt.j2, line 1: 'oops' is undefined" in listed.stderr
    assert "handover.subject.j2, handover.txt.j2" in listed.stdout
    missing = handoff_here("mail", "list", folder=tmp_path, HANDOFF_MAIL_TEMPLATES=str(tmp_path / "none"))
    assert missing.returncode == 4 and "HANDOFF_MAIL_TEMPLATES" in missing.stderr


def test_the_doctor_complains_of_a_broken_template(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    handoff_here("migrate", folder=tmp_path)
    well = handoff_here("doctor", folder=tmp_path, HANDOFF_MAIL_TEMPLATES=str(mine))
    put(mine, handover__txt__j2="{{ oops }}")
    ill = handoff_here("doctor", folder=tmp_path, HANDOFF_MAIL_TEMPLATES=str(mine))
    assert f"mail templates: {mine}" in well.stdout and "oops" not in well.stdout
    assert "handover.txt.j2, line 1: 'oops' is undefined" in ill.stdout and ill.returncode == 1
