"""Settings of one installation, and the only place that reads the environment.

Order, first one wins: arguments, `HANDOFF_*` variables, the platform's own names (PORT, DATABASE_URL, REDIS_URL),
files of the secrets directory, the TOML file. Everything about workspaces and helpdesks is in the database instead.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from handoff_sync.core.files import REFUSED
from handoff_sync.errors import ConfigurationError
from handoff_sync.secret_keys import embedded_key, parse_keys

PREFIX: Final = "HANDOFF_"
PLACES: Final = {
    "HANDOFF_CONFIG_FILE": "TOML file with settings (default: handoff.toml in the working folder, if there is one)",
    "HANDOFF_SECRETS_DIR": "folder with one file per setting, named like handoff_database_url (default: /run/secrets)",
}
PLATFORM_NAMES: Final = {"PORT": "port", "DATABASE_URL": "database_url", "REDIS_URL": "broker_url"}
NOT_OURS: Final = ("HANDOFF_TEST_", "HANDOFF_SHARED")
"""Names that the test suite reads; no settings."""

Listed = Annotated[tuple[str, ...], NoDecode]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]


class Settings(BaseSettings):
    """What one installation needs to know. `description` is the operator's documentation (docs/operators.md)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        secrets_prefix="handoff_",
        secrets_nested_delimiter="__",
        secrets_dir_missing="ok",
    )

    data_dir: Path = Field(Path("handoff-data"), description="Folder for the SQLite file and the generated key.")
    database_url: str = Field(
        "",
        repr=False,
        description="`sqlite:///path` or `postgresql://...`. Empty: `handoff.db` in the data folder.",
        examples=["postgresql://handoff:password@db.example.com/handoff"],
    )
    broker_url: str = Field(
        "memory://",
        repr=False,
        description="Doorbell of the workers: `memory://` (one process), `redis://` or `rediss://`.",
        examples=["redis://:password@redis.example.com:6379/0"],
    )
    host: str = Field("127.0.0.1", description="Address to listen on. In a container: `0.0.0.0`.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "",
        description="Address under which helpdesks and people reach the service. Empty: `http://{host}:{port}`.",
        examples=["https://handoff.example.com"],
    )
    secret_keys: str = Field(
        "",
        repr=False,
        description="Key ring for stored secrets: `id:base64 of 32 bytes`, several separated by commas, newest first."
        " Required with PostgreSQL; with SQLite a key file is made in the data folder.",
        examples=["k1:$(openssl rand -base64 32)"],
    )
    smtp_url: str = Field(
        "",
        repr=False,
        description="Mail server: `smtp://` (STARTTLS where offered) or `smtps://`; `capture:/folder` writes"
        " mails as files, for trying. Empty: mails are parked, visibly.",
        examples=["smtp://user:password@mail.example.com:587"],
    )
    mail_from: str = Field("", description="Sender of mails. Required with `smtp_url`.", examples=["help@example.com"])
    mail_templates: Path | None = Field(
        None,
        description="Folder with mail templates of your own: each file in it wins over ours"
        " (templates/email/README.md). `handoff-sync mail list` checks them.",
        examples=["/etc/handoff-sync/mails"],
    )
    alert_to: str = Field(
        "", description="Mail address for operators' alerts. Empty: they are only logged.", examples=["ops@example.com"]
    )
    worker_threads: int = Field(
        8,
        ge=1,
        le=64,
        description="Threads of one worker process that one helpdesk may fill; a quarter more are kept for the others.",
    )
    database_writers: int = Field(2, ge=1, le=16, description="Writing connections per process on PostgreSQL.")
    private_destinations: Networks = Field(
        (),
        description="Private networks that callbacks and helpdesk calls may reach (CIDR, separated by commas).",
        examples=["10.1.0.0/16"],
    )
    trusted_proxies: Listed = Field(
        (), description="Addresses of proxies whose forwarded headers are believed (separated by commas)."
    )
    sweep_interval_s: float = Field(2.0, gt=0, le=60, description="How often due work and timers are looked for.")
    poll_interval_s: float = Field(300.0, gt=0, description="How often changed tickets are looked for without webhook.")
    lease_s: float = Field(
        30.0, gt=0, le=3600, description="How long a worker may hold a lane before another takes it."
    )
    settle_s: float | None = Field(
        None, ge=0, description="Wait before an uncertain ticket is looked up. Empty: what the helpdesk needs."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line logged.")
    log_format: Literal["console", "json"] = Field("console", description="For people or for a log collector.")
    disk_floor_mb: int = Field(200, ge=0, description="With less free disk than this, new events get 503 (SQLite).")
    max_body_bytes: int = Field(1_000_000, ge=10_000, description="Largest request body.")
    attachment_max_mb: int = Field(
        20, ge=0, le=1000, description="Largest file that is passed on, either way; 0: none is, only its address."
    )
    attachment_refused: Listed = Field(
        REFUSED,
        description="Endings and media types that the chat cannot put on a ticket (separated by commas).",
    )

    @field_validator("private_destinations", "trusted_proxies", "attachment_refused", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url", "broker_url", "public_url", "smtp_url")
    @classmethod
    def _known_scheme(cls, value: str, info: Any) -> str:
        schemes = URL_SCHEMES[info.field_name]
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value.rstrip("/") if info.field_name == "public_url" else value

    @field_validator("secret_keys")
    @classmethod
    def _readable_keys(cls, value: str) -> str:
        parse_keys(value)
        return value

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, data: Any) -> Any:
        """Fills what follows from other settings, so that every reader sees one final value."""
        data_dir = data.get("data_dir") or "handoff-data"
        if not data.get("database_url"):
            data["database_url"] = f"sqlite:///{Path(str(data_dir)).expanduser().absolute() / 'handoff.db'}"
        if not data.get("public_url"):
            data["public_url"] = f"http://{data.get('host') or '127.0.0.1'}:{data.get('port') or 8000}"
        return data

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of ours, so that one process is all there is."""
        return self.database_url.startswith("sqlite:")

    @property
    def attachment_max_bytes(self) -> int:
        return self.attachment_max_mb * 1_000_000

    def key_ring(self) -> dict[str, bytes]:
        """Keys by id, newest first. Embedded and none configured: made once and kept in the data folder."""
        if self.secret_keys:
            return parse_keys(self.secret_keys)
        return parse_keys(embedded_key(self.data_dir))

    def shown(self) -> dict[str, Any]:
        """Every value as a person may see it: keys as stars, URLs without password."""
        values = self.model_dump(mode="json")
        values["secret_keys"] = ", ".join(f"{key}:***" for key in parse_keys(self.secret_keys)) or "(file)"
        return values | {name: without_password(values[name]) for name in ("database_url", "broker_url", "smtp_url")}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            _PlatformNames(settings_cls),
            NestedSecretsSettingsSource(file_secret_settings, secrets_dir=_secrets_dir()),
            TomlConfigSettingsSource(settings_cls, toml_file=_toml_file()),
        )


URL_SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "database_url": ("sqlite", "postgresql", "postgres", "postgresql+psycopg"),
    "broker_url": ("memory", "redis", "rediss"),
    "public_url": ("https", "http"),
    "smtp_url": ("smtp", "smtps", "capture"),
}


class _PlatformNames(PydanticBaseSettingsSource):
    """PORT, DATABASE_URL and REDIS_URL as hosting platforms set them."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {field: os.environ[name] for name, field in PLATFORM_NAMES.items() if os.environ.get(name)}


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process; ConfigurationError lists every problem with its fix."""
    problems = _missing_places() + _unknown_names(os.environ) + _unknown_files(_secrets_dir())
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        # An address that is neither IPv4 nor IPv6 is reported once for each: one line is enough.
        by_name = {
            str(item["loc"][:1] if item["type"].startswith("ip_") else item["loc"]): item for item in error.errors()
        }
        raise ConfigurationError(problems + [_explain(item) for item in by_name.values()]) from None
    except (SettingsError, ValueError, OSError) as error:
        raise ConfigurationError([*problems, f"A settings file cannot be read: {error}"]) from None
    problems += _incomplete(settings)
    if problems:
        raise ConfigurationError(problems)
    return settings


def without_password(url: str) -> str:
    """The URL with stars instead of a password; a URL without one comes back unchanged."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}").geturl()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), None)


def _secrets_dir() -> Path:
    return Path(os.environ.get("HANDOFF_SECRETS_DIR") or "/run/secrets")


def _toml_file() -> Path:
    return Path(os.environ.get("HANDOFF_CONFIG_FILE") or "handoff.toml")


def _missing_places() -> list[str]:
    """A place that was named but is not there: silence would start the service with defaults."""
    return [f"{name}: {os.environ[name]} does not exist." for name in PLACES if not _exists(os.environ.get(name))]


def _exists(place: str | None) -> bool:
    return not place or Path(place).exists()


def _unknown_files(folder: Path) -> list[str]:
    known = [f"handoff_{name}" for name in Settings.model_fields]
    files = sorted(path.name for path in folder.glob("handoff_*")) if folder.is_dir() else []
    return [_unknown(name, known) for name in files if name not in known]


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | set(PLACES)
    given = sorted(name for name in environ if name.upper().startswith(PREFIX) and not name.startswith(NOT_OURS))
    return [_unknown(name, known) for name in given if name.upper() not in known]


def _unknown(name: str, known: Iterable[str]) -> str:
    meant = nearest(name.upper(), known) if name.isupper() else nearest(name, known)
    hint = f"Did you mean {meant}?" if meant else "Remove it; `handoff-sync config show` lists all settings."
    return f"{name}: there is no such setting. {hint}"


def _explain(item: Any) -> str:
    """One validation error as a line that says what to do. Never repeats a value that may be secret."""
    name = str(item["loc"][0]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return _unknown(name.removeprefix("handoff_"), Settings.model_fields)
    field = Settings.model_fields.get(name)
    message = str(item["msg"]).removeprefix("Value error, ").replace("IPv6 network", "network, like 10.1.0.0/16")
    if field is None:
        return message
    shown = f" (it is {item['input']!r})" if field.repr and isinstance(item["input"], (str, int, float)) else ""
    example = f" Example: {PREFIX}{name.upper()}={field.examples[0]}" if field.examples else ""
    return f"{PREFIX}{name.upper()}: {message}{shown}.{example}"


def _no_sender(given: str) -> list[str]:
    from handoff_sync.emails.message import sender_of  # with all that makes mails, which few commands need

    try:
        sender_of(given)
    except ConfigurationError:
        return ["HANDOFF_MAIL_FROM: is no mail address. Example: help@example.com, or Acme Help <help@example.com>"]
    return []


def _incomplete(settings: Settings) -> list[str]:
    problems = []
    if not settings.embedded and not settings.secret_keys:
        problems.append(
            "HANDOFF_SECRET_KEYS: is missing, and stored secrets need it as soon as the database is not our own file. "
            'Make one: HANDOFF_SECRET_KEYS="k1:$(openssl rand -base64 32)", and keep it outside the database.'
        )
    if settings.smtp_url and not settings.mail_from:
        problems.append("HANDOFF_MAIL_FROM: is missing, and HANDOFF_SMTP_URL needs it. Example: help@example.com")
    elif settings.mail_from:
        problems += _no_sender(settings.mail_from)
    if settings.mail_templates is not None and not settings.mail_templates.is_dir():
        problems.append(
            f"HANDOFF_MAIL_TEMPLATES: {settings.mail_templates} is no folder. Create it, or correct the path."
        )
    return problems
