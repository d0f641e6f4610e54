"""The settings of a process, read from the environment, `.env`, secret files and the running stack's up.json."""

import json
import os
import re
import socket
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

PREFIX = "CLARION_"
ENV_FILE = ".env"
HOSTNAME = "hostname"
EMBEDDED_MAIL_FROM = "Clarion <calls@clarion.invalid>"
HOST = r"(\[[^\]]*\]|[^:\[\],@/?#\s]*)(:\d{1,5})?"
# Whoever cannot read an address quotes a part of it, which may be of the password; so nothing doubtful comes so far.
DSN = re.compile(rf"postgres(ql)?://([^@/?#]*@)?{HOST}(,{HOST})*(/[^@?#]*)?(\?[^@#]*)?")
RELAY = re.compile(rf"smtps?://([^@/?#\s]*@)?{HOST}/?(\?[^@#\s]*)?")
PAGE = re.compile(r"https?://[^\s<>\"]+")
BETWEEN_RELAYS = re.compile(r"\s*,\s*(?=smtps?://)|\s+")
ESCAPES = "in user and password write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and a space as %20"
FOR_OTHERS = frozenset({"CLARION_DATABASE_PASSWORD", "CLARION_PICTURES", "CLARION_REQUIRE"})
"""What docker-compose.yml and the tests read, not the settings."""


class MissingSetting(Exception):
    """A variable that this command cannot do without is not set."""


class WrongSetting(Exception):
    """What is set cannot be used, or would not have the effect that it seems to have."""


class Settings(BaseSettings):
    """What the environment says (prefix `CLARION_`); each value may also stand in a file named by `*_FILE`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    database_url: str | None = Field(
        None,
        repr=False,
        description="PostgreSQL DSN; with sslmode=verify-full&sslrootcert=FILE it must show its certificate",
        examples=["postgresql://clarion:PASSWORD@db.example/clarion?sslmode=verify-full&sslrootcert=/run/ca.pem"],
    )
    kafka_bootstrap: str | None = Field(
        None,
        description="host:port of brokers, comma separated",
        examples=["kafka-1.example:9093,kafka-2.example:9093"],
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how brokers are spoken to: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None,
        description="how the user signs in to brokers: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
        examples=["SCRAM-SHA-512"],
    )
    kafka_sasl_username: str | None = Field(None, description="the user of the brokers", examples=["clarion"])
    kafka_sasl_password: str | None = Field(None, repr=False, description="that user's password", examples=["PASSWORD"])
    kafka_ca_file: Path | None = Field(
        None, description="certificate of the authority that brokers are signed by; without it, the system's"
    )
    kafka_cert_file: Path | None = Field(None, description="our certificate, for brokers that ask for one (PEM)")
    kafka_key_file: Path | None = Field(None, description="its key (PEM), if it is not in the same file")
    kafka_prefix: str = Field(
        "", description="stands before every topic and group: several installations on one cluster"
    )
    kafka_replication: int = Field(
        0, ge=0, description="replicas of new topics; 0 makes three, or as many as there are brokers"
    )
    kafka_instance: str | None = Field(
        None,
        description="this replica's own name, no other's: restarted, it has its partitions at once; hostname: the host",
    )
    kafka_session_seconds: float = Field(
        10, ge=1, description="how long a replica may be silent until others take over its partitions"
    )
    smtp_url: str | None = Field(
        None,
        repr=False,
        description="smtp://user:pass@host:port, smtps://, ?starttls=required, ?name=; several stand by, in this order",
        examples=["smtp://clarion:PASSWORD@smtp.example:587?starttls=required"],
    )
    smtp_ca_file: Path | None = Field(None, description="certificate of a private authority that relays are signed by")
    smtp_limits: str = Field("", description="most mail that goes: gmail.com=20/s, *.example=100/m, relay:NAME=500/s")
    public_url: str | None = Field(
        None, description="base of the links in mail", examples=["https://calls.cities.example"]
    )
    further_hosts: str = Field(
        "", description="further names by which the site is asked, comma separated, beside that of the public URL"
    )
    trusted_proxies: str = Field(
        "127.0.0.0/8,::1",
        description="addresses and networks of the proxies before the site, whose X-Forwarded-For names the client",
    )
    request_limits: str = Field(
        "",
        description="most requests of one client a second, over read=50/s, write=10/s, keyed=200/s, hooks=200/s; for"
        " half a minute at once",
    )
    secret_key: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,
        description="signs links; several, comma separated, newest first",
        examples=["what `openssl rand -hex 32` prints"],
    )
    oidc_issuer: str | None = Field(
        None,
        description="OpenID Connect provider by which staff can sign in besides by mail; needs the two below as well",
        examples=["https://login.cities.example/realms/league"],
    )
    oidc_client_id: str | None = Field(None, description="what the provider knows this site as", examples=["clarion"])
    oidc_client_secret: str | None = Field(
        None, repr=False, description="the secret that goes with it", examples=["SECRET"]
    )
    mail_from: str | None = Field(
        None, description="From address of all mail", examples=["Cities <calls@cities.example>"]
    )
    bounce_address: str | None = Field(
        None,
        description="where mail that cannot be delivered comes back, each with its own name added; without it, From",
        examples=["bounces@mail.cities.example"],
    )
    bounce_listen: str = Field(
        "smtp://127.0.0.1:2525",
        description="where what comes back is taken, once there is a bounce address: smtp://, lmtp://, both, or off",
    )
    ses_topic_arn: str | None = Field(
        None,
        description="topic of Amazon SNS by which Amazon SES tells of bounces and complaints at /hooks/ses",
        examples=["arn:aws:sns:us-west-2:123456789012:mail"],
    )
    postmark_login: str | None = Field(
        None,
        repr=False,
        description="user:password that stand in the address of Postmark's webhooks, at /hooks/postmark",
        examples=["postmark:PASSWORD"],
    )
    dkim_selectors: str = Field(
        "", description="the DKIM selectors by which the relays sign, comma separated, for `clarion doctor`"
    )
    postal_address: str | None = Field(
        None, max_length=500, description="stands at the foot of every mail, and of the pages on which people act"
    )
    filings_url: str | None = Field(
        None,
        max_length=500,
        description="page of the ballot-measure filings (Government Code 84222.5), at the foot of every mail and form",
        examples=["https://cities.example/ballot-measure-filings"],
    )
    data_dir: Path = Field(Path(".clarion"), description="data of the embedded servers")
    outbox_days: int = Field(7, ge=1, description="how long published messages can be replayed")
    inbox_days: int = Field(
        30, ge=8, description="how long a message that comes again is known; longer than any topic or outbox keeps it"
    )
    audit_days: int = Field(
        1095, ge=400, description="how long the record of who did what is kept; nothing younger can be removed from it"
    )
    letters_days: int = Field(90, ge=1, description="how long dead letters are kept that were retried or discarded")
    ledger_days: int = Field(400, ge=30, description="how long mail is kept in the ledger, once its matter is over")
    returns_days: int = Field(
        90, ge=46, description="how long bounces and complaints are kept; what could not be understood too"
    )
    history_days: int = Field(
        400, ge=30, description="how long updates, calls of closed campaigns and registrations for past events are kept"
    )
    settle_seconds: float = Field(60, ge=0, description="how long a withdrawal waits to appear elsewhere")
    sender_lease_seconds: float = Field(
        10, gt=0, description="how long a sender that died keeps the mails it held, by the database's clock"
    )
    smtp_connections: int = Field(20, ge=1, le=200, description="open connections of one sender to the relay")
    health_host: str = Field("127.0.0.1", description="where a served process answers /healthz, /readyz and /metrics")
    health_port: int = Field(
        0, ge=0, le=65535, description="its port there; 0 is any free one, which the log says; --workers take the next"
    )
    traces_endpoint: str | None = Field(
        None,
        description="collector of traces that speaks OTLP over HTTP; without it there are none",
        examples=["http://collector.example:4318"],
    )
    traces_share: float = Field(1.0, ge=0, le=1, description="how many of all traces are sent, from 0 to 1")

    @field_validator("secret_key", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("kafka_instance")
    @classmethod
    def _named(cls, value: str | None) -> str | None:
        return socket.gethostname() if value == HOSTNAME else value

    @field_validator("database_url")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None and not DSN.fullmatch(value):
            raise ValueError(f"is to be postgresql://user:password@host:port/database; {ESCAPES}")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _readable_relays(cls, value: str | None) -> str | None:
        if value is not None and not all(RELAY.fullmatch(one) for one in BETWEEN_RELAYS.split(value.strip())):
            raise ValueError(f"is to be smtp://user:password@host:port, several separated by spaces; {ESCAPES}")
        return value

    @field_validator("postmark_login")
    @classmethod
    def _user_and_password(cls, value: str | None) -> str | None:
        if value is not None and not all(value.partition(":")):
            raise ValueError("is to be user:password")
        return value

    @field_validator("filings_url")
    @classmethod
    def _page(cls, value: str | None) -> str | None:
        if value is not None and not PAGE.fullmatch(value):
            raise ValueError("is to be https://host/path")
        return value

    @field_validator("inbox_days")
    @classmethod
    def _known_for_longer_than_replayed(cls, value: int, given: ValidationInfo) -> int:
        if value <= given.data.get("outbox_days", 0):
            raise ValueError("is to be more than CLARION_OUTBOX_DAYS: what is replayed would be done twice")
        return value

    def need(self, *names: str) -> None:
        """Refuse to go on without these.

        Raises:
            MissingSetting: names the variables that are not set, and says what to set them to.
        """
        missing = [name for name in names if not getattr(self, name)]
        if missing:
            lines = [f"{variable_of(name)} not set: {_what_to_set(name)}" for name in missing]
            raise MissingSetting("\n".join([*lines, "or start everything here with `clarion up`"]))


def variable_of(name: str) -> str:
    """The variable of a field of the settings."""
    return f"{PREFIX}{name.upper()}"


def _what_to_set(name: str) -> str:
    field = Settings.model_fields[name]
    examples = ", ".join(str(example) for example in field.examples or ())
    return f"{field.description}{f', like {examples}' if examples else ''}"


def given_environment() -> dict[str, str]:
    """Our variables, as the environment and then the `.env` file say them."""
    from_file = DotEnvSettingsSource(Settings, env_file=ENV_FILE, case_sensitive=True).env_vars
    merged = {**{name: value for name, value in from_file.items() if value}, **os.environ}
    return {name: value for name, value in merged.items() if name.startswith(PREFIX)}


def slips(environment: Mapping[str, str]) -> dict[str, str | None]:
    """The variables with our prefix that mean nothing here, each with the one that was probably meant."""
    known = [variable_of(name) for name in Settings.model_fields]
    known += [f"{variable}_FILE" for variable in known]
    unknown = [name for name in environment if name.startswith(PREFIX) and name.upper() not in {*known, *FOR_OTHERS}]
    return {name: next(iter(get_close_matches(name.upper(), known, 1, 0.8)), None) for name in sorted(unknown)}


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
    secrets: dict[str, Any] = dict(from_secret_files(given_environment() if environment is None else environment))
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
