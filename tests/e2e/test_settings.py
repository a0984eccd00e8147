"""Settings: where they come from, and that a mistake is explained instead of ignored."""

from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handoff_sync.errors import ConfigurationError
from handoff_sync.secret_keys import KEY_FILE, embedded_key, new_key, parse_keys
from handoff_sync.settings import Settings, load_settings, without_password

POSTGRES = "postgresql://handoff:hush-hush@db.example.com/handoff"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only what a test sets, and a working folder without a settings file."""
    for name in list(os.environ):
        if name.startswith("HANDOFF_") or name in ("PORT", "DATABASE_URL", "REDIS_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problems(**overrides: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**overrides)
    return caught.value.problems


def test_without_any_setting_everything_is_local() -> None:
    settings = load_settings()
    assert settings.host == "127.0.0.1"
    assert settings.embedded
    assert settings.database_url == f"sqlite:///{Path.cwd() / 'handoff-data' / 'handoff.db'}"
    assert settings.broker_url == "memory://"
    assert settings.public_url == "http://127.0.0.1:8000"


def test_arguments_win_over_environment_over_platform_over_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "handoff.toml").write_text('port = 1\nhost = "10.0.0.1"\nlease_s = 7\nlog_level = "error"\n')
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "handoff_host").write_text("10.0.0.2\n")
    (secrets / "handoff_port").write_text("2")
    (secrets / "other").write_text("not ours")
    monkeypatch.setenv("HANDOFF_SECRETS_DIR", str(secrets))
    assert (load_settings().port, load_settings().host, load_settings().lease_s) == (2, "10.0.0.2", 7)
    monkeypatch.setenv("PORT", "3")
    assert load_settings().port == 3
    monkeypatch.setenv("HANDOFF_PORT", "4")
    assert load_settings().port == 4
    assert load_settings(port=5).port == 5


def test_names_of_hosting_platforms_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", POSTGRES.replace("postgresql", "postgres"))
    monkeypatch.setenv("REDIS_URL", "redis://redis.example.com/1")
    settings = load_settings(secret_keys=new_key())
    assert not settings.embedded
    assert settings.broker_url == "redis://redis.example.com/1"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HANDOFF_DATABSE_URL", "HANDOFF_DATABASE_URL"), ("HANDOFF_LOGLEVEL", "HANDOFF_LOG_LEVEL")],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert problems() == [f"{name}: there is no such setting. Did you mean {meant}?"]


def test_a_misspelt_name_in_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "handoff.toml").write_text("prot = 1")
    (tmp_path / "handoff_secret_kesy").write_text("x")
    monkeypatch.setenv("HANDOFF_SECRETS_DIR", str(tmp_path))
    (tmp_path / "handoff.toml").rename(tmp_path / "settings.toml")
    monkeypatch.setenv("HANDOFF_CONFIG_FILE", "settings.toml")
    assert problems() == [
        "handoff_secret_kesy: there is no such setting. Did you mean handoff_secret_keys?",
        "prot: there is no such setting. Did you mean port?",
    ]


def test_a_named_file_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDOFF_CONFIG_FILE", "nowhere.toml")
    assert problems() == ["HANDOFF_CONFIG_FILE: nowhere.toml does not exist."]


def test_a_broken_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "handoff.toml").write_text("port = ")
    assert "cannot be read" in problems()[0]


def test_every_problem_is_listed_at_once_and_no_secret_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDOFF_PORT", "eight")
    monkeypatch.setenv("HANDOFF_BROKER_URL", "kafka://user:hush-hush@example.com")
    monkeypatch.setenv("HANDOFF_SECRET_KEYS", "k1:hush-hush")
    monkeypatch.setenv("HANDOFF_PRIVATE_DESTINATIONS", "10.0.0.0/8, nonsense")
    found = problems()
    names = [problem.split(":")[0] for problem in found]
    assert sorted(names) == [
        "HANDOFF_BROKER_URL",
        "HANDOFF_PORT",
        "HANDOFF_PRIVATE_DESTINATIONS",
        "HANDOFF_SECRET_KEYS",
    ]
    assert "hush-hush" not in "\n".join(found)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "k1",
        "k1:" + base64.b64encode(b"short").decode(),
        "k1:" + base64.b64encode(b"\0" * 32).decode(),
        "k1:" + base64.b64encode(b"change-me-change-me-change-me-32").decode(),
    ],
)
def test_production_refuses_to_start_with_a_missing_or_example_key(value: str) -> None:
    found = problems(database_url=POSTGRES, secret_keys=value)
    assert [problem.split(":")[0] for problem in found] == ["HANDOFF_SECRET_KEYS"]
    assert "openssl rand -base64 32" in found[0]


def test_keys_are_read_newest_first() -> None:
    newest, oldest = new_key("2026"), new_key("2025")
    ring = parse_keys(f"{newest}, {oldest}")
    assert list(ring) == ["2026", "2025"]
    assert all(len(key) == 32 for key in ring.values())
    with pytest.raises(ValueError, match="twice"):
        parse_keys(f"{newest},{newest}")


def test_the_embedded_key_is_private_and_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: embedded_key(folder), range(32)))
    assert len(found) == 1
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert load_settings(data_dir=folder).key_ring() == parse_keys(found.pop())


def test_mail_needs_a_sender() -> None:
    assert problems(smtp_url="smtp://mail.example.com")[0].startswith("HANDOFF_MAIL_FROM: is missing")


def test_what_is_shown_holds_no_secret() -> None:
    key = new_key()
    settings = load_settings(
        database_url=POSTGRES,
        broker_url="redis://:hush-hush@redis.example.com/0",
        smtp_url="smtp://me:hush-hush@mail.example.com",
        mail_from="help@example.com",
        secret_keys=key,
    )
    for shown in (str(settings.shown()), repr(settings)):
        assert "hush-hush" not in shown
        assert key.partition(":")[2] not in shown
    assert settings.shown()["database_url"] == "postgresql://handoff:***@db.example.com/handoff"


def test_a_url_without_password_is_shown_as_it_is() -> None:
    assert without_password("sqlite:////tmp/a b.db") == "sqlite:////tmp/a b.db"


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
