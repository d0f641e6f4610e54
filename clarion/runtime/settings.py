"""The settings of a process, read from the environment, `.env`, secret files and the running stack's up.json."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CLARION_"
EMBEDDED_MAIL_FROM = "Clarion <calls@clarion.invalid>"


class MissingSetting(Exception):
    """A variable that this command cannot do without is not set."""


class Settings(BaseSettings):
    """What the environment says (prefix `CLARION_`); each value may also stand in a file named by `*_FILE`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: str | None = Field(None, repr=False, description="PostgreSQL DSN")
    kafka_bootstrap: str | None = Field(None, description="host:port of brokers, comma separated")
    kafka_security_protocol: str = Field("PLAINTEXT", description="PLAINTEXT, SSL, SASL_SSL, ...")
    kafka_sasl_mechanism: str | None = Field(None, description="PLAIN, SCRAM-SHA-256, ...")
    kafka_sasl_username: str | None = None
    kafka_sasl_password: str | None = Field(None, repr=False)
    kafka_ca_file: Path | None = Field(None, description="certificate authority of the brokers")
    kafka_prefix: str = Field(
        "", description="stands before every topic and group: several installations on one cluster"
    )
    kafka_replication: int = Field(
        0, ge=0, description="replicas of new topics; 0 makes three, or as many as there are brokers"
    )
    kafka_instance: str | None = Field(
        None,
        description="this replica's own name: a restarted one gets its partitions back at once",
    )
    kafka_session_seconds: float = Field(
        10, ge=1, description="how long a replica may be silent until others take over its partitions"
    )
    smtp_url: str | None = Field(
        None,
        repr=False,
        description="smtp://user:pass@host:port, smtps://, ?starttls=required, ?name=; several stand by, in this order",
    )
    smtp_ca_file: Path | None = Field(None, description="certificate of a private authority that relays are signed by")
    smtp_limits: str = Field("", description="most mail that goes: gmail.com=20/s, *.example=100/m, relay:NAME=500/s")
    public_url: str | None = Field(None, description="base of the links in mail")
    secret_key: Annotated[tuple[str, ...], NoDecode] = Field(
        (), repr=False, description="signs links; several, comma separated, newest first"
    )
    mail_from: str | None = Field(None, description="From address of all mail")
    postal_address: str | None = Field(None, description="stands at the foot of every mail")
    data_dir: Path = Field(Path(".clarion"), description="data of the embedded servers")
    settle_seconds: float = Field(60, ge=0, description="how long a withdrawal waits to appear elsewhere")
    sender_lease_seconds: float = Field(
        10, gt=0, description="how long a sender that died keeps the mails it held, by the database's clock"
    )
    smtp_connections: int = Field(20, ge=1, le=200, description="open connections of one sender to the relay")

    @field_validator("secret_key", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    def need(self, *names: str) -> None:
        """Refuse to go on without these.

        Raises:
            MissingSetting: names the variables that are not set.
        """
        missing = [f"{PREFIX}{name.upper()}" for name in names if not getattr(self, name)]
        if missing:
            raise MissingSetting(f"{', '.join(missing)} not set: set it, or start everything here with `clarion up`")


def from_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The values of all `CLARION_*_FILE` variables whose plain twin is not set.

    Raises:
        MissingSetting: such a file cannot be read.
    """
    found = {}
    for variable, path in environment.items():
        name = variable.removeprefix(PREFIX).removesuffix("_FILE").lower()
        if not (variable.startswith(PREFIX) and variable.endswith("_FILE")):
            continue
        if name not in Settings.model_fields or f"{PREFIX}{name.upper()}" in environment:
            continue
        try:
            found[name] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MissingSetting(f"{variable} names a file that cannot be read: {error}") from error
    return found


def running_stack(data_dir: Path) -> dict[str, Any] | None:
    """What `up.json` says of the stack that serves this data dir, or None if its process is gone."""
    try:
        found = TypeAdapter(dict[str, Any]).validate_json((data_dir / "up.json").read_bytes())
    except (OSError, ValidationError):
        return None
    pid = found.get("pid")
    return found if isinstance(pid, int) and is_running(pid) else None


def is_running(pid: int) -> bool:
    """Whether there is such a process, whoever's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def load_settings(
    environment: Mapping[str, str] | None = None, *, data_dir: Path | None = None, running: bool = True
) -> Settings:
    """Settings for one command: the environment first, then (if `running`) the stack that runs on this data dir.

    Raises:
        MissingSetting: a `*_FILE` cannot be read.
        pydantic.ValidationError: a value is malformed.
    """
    secrets: dict[str, Any] = dict(from_secret_files(environment or os.environ))
    if data_dir is not None:
        secrets["data_dir"] = data_dir
    settings = Settings(**secrets)
    stack = running_stack(settings.data_dir) if running else None
    if stack is None:
        return settings
    found: dict[str, Any] = {
        "database_url": stack.get("database"),
        "kafka_bootstrap": stack.get("kafka"),
        "smtp_url": stack.get("smtp"),
        "public_url": stack.get("site"),
        "mail_from": EMBEDDED_MAIL_FROM,
    }
    secret = settings.data_dir / "secret_key"
    if secret.exists():
        found["secret_key"] = secret.read_text(encoding="utf-8").strip()
    return Settings(
        **secrets,
        **{name: value for name, value in found.items() if not getattr(settings, name)},
    )


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)


def write_up_file(data_dir: Path, addresses: Mapping[str, Any]) -> None:
    """Say where the running stack is, for every other command with this data dir."""
    write_private(data_dir / "up.json", json.dumps(dict(addresses), indent=1))
