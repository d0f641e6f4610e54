"""Settings: what is missing, misspelt or unusable is said by its variable's name, and no secret is said at all."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import settings as unhurried
from hypothesis import strategies as st
from pydantic import ValidationError

from clarion.runtime.messaging.connection import kafka_options
from clarion.runtime.settings import MissingSetting, Settings, WrongSetting, from_secret_files, load_settings, slips
from clarion.services.failures import explained
from clarion.services.notifications.channels.relays import read_relays
from tests.certificates import Authority

MARK = "\N{CURRENCY SIGN}"
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"])).map(lambda text: f"{MARK}{text}{MARK}")
LOGIN = {"kafka_sasl_mechanism": "PLAIN", "kafka_sasl_username": "clarion", "kafka_sasl_password": "hush"}


def made(**values: Any) -> Settings:
    """Settings with these and a broker."""
    return Settings(_env_file=None, **({"kafka_bootstrap": "kafka.example:9093"} | values))


def test_each_missing_variable_is_named_with_what_to_set() -> None:
    with pytest.raises(MissingSetting) as raised:
        made().need("database_url", "kafka_bootstrap", "mail_from")
    first, second, last = str(raised.value).splitlines()
    assert first.startswith("CLARION_DATABASE_URL not set: PostgreSQL DSN")
    assert first.endswith("sslmode=verify-full&sslrootcert=/run/ca.pem")
    assert second == "CLARION_MAIL_FROM not set: From address of all mail, like Cities <calls@cities.example>"
    assert "clarion up" in last


def test_a_misspelt_variable_is_told_with_the_one_that_was_meant() -> None:
    given = ["CLARION_DATABSE_URL", "CLARION_SECRET_KEYS", "CLARION_WEATHER", "CLARION_SMTP_URL_FILE", "HOME"]
    assert slips(dict.fromkeys([*given, "CLARION_KAFKA_CA_FILE", "clarion_mail_from"], "")) == {
        "CLARION_DATABSE_URL": "CLARION_DATABASE_URL",
        "CLARION_SECRET_KEYS": "CLARION_SECRET_KEY",
        "CLARION_WEATHER": None,
    }


URLS = {
    "database_url": "postgresql://clarion:{}@db.example:5432/clarion",
    "smtp_url": "smtp://clarion:{}@smtp.example:587?starttls=required",
}


@pytest.mark.parametrize("name", URLS)
@example(password="¤p/s#s?w@o:r%d¤")
@given(password=PASSWORDS)
@unhurried(deadline=None, max_examples=50)
def test_a_password_is_never_quoted_and_counts_once_it_is_escaped(name: str, password: str) -> None:
    escaped = URLS[name].format(quote(password, safe=""))
    assert getattr(made(**{name: escaped}), name) == escaped
    try:
        settings = made(**{name: URLS[name].format(password)})
    except ValidationError as error:
        said = f"{error} {explained(error)}"
        assert f"CLARION_{name.upper()}: is to be" in said
        assert "@ as %40" in said
        assert MARK not in said
    else:
        assert not {"/", "?", "#", "@"} & set(password)
        assert MARK not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db.example",
        "postgres://clarion@db.example/clarion",
        "postgresql://clarion:x@db-1.example:5432,db-2.example:5433/clarion?target_session_attrs=primary",
        "postgresql://clarion:x@[::1]:5432/clarion",
        "postgresql:///clarion?host=/run/postgresql",
    ],
)
def test_every_form_of_a_dsn_is_taken(url: str) -> None:
    assert made(database_url=url).database_url == url


@pytest.mark.parametrize(
    "url", ["smtp://a.example", "smtps://u:p@[::1]:465?name=a&weight=2, smtp://b.example:25 smtp://c.example/"]
)
def test_every_form_of_relays_is_taken(url: str) -> None:
    assert made(smtp_url=url).smtp_url == url
    assert len(read_relays(url)) == url.count("://")


@pytest.mark.parametrize("url", ["mysql://db.example/clarion", "db.example", "postgresql://db.example:port/clarion"])
def test_what_is_no_dsn_is_said(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        made(database_url=url)
    assert str(explained(raised.value)).startswith("CLARION_DATABASE_URL: is to be postgresql://")


def test_secrets_are_read_from_files_also_where_the_env_file_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("from a file\n")
    (tmp_path / ".env").write_text(f"CLARION_KAFKA_SASL_PASSWORD_FILE={tmp_path / 'password'}\n")
    monkeypatch.chdir(tmp_path)
    assert load_settings(running=False).kafka_sasl_password == "from a file"
    with pytest.raises(MissingSetting, match="CLARION_SECRET_KEY_FILE names a file that cannot be read"):
        from_secret_files({"CLARION_SECRET_KEY_FILE": str(tmp_path / "absent")})


def test_a_replica_may_take_its_hosts_name() -> None:
    assert made(kafka_instance="hostname").kafka_instance == socket.gethostname()


def test_the_clients_of_the_broker_are_built_with_the_whole_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("ours")
    options = kafka_options(
        made(
            kafka_security_protocol="SASL_SSL",
            kafka_ca_file=authority.file,
            kafka_cert_file=ours.certificate,
            kafka_key_file=ours.key,
            **LOGIN,
        )
    )
    assert options.pop("ssl_context").get_ca_certs()[0]["subject"] == ((("commonName", "authority"),),)
    assert options == {
        "bootstrap_servers": "kafka.example:9093",
        "security_protocol": "SASL_SSL",
        "client_id": "clarion",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "clarion",
        "sasl_plain_password": "hush",
    }


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (LOGIN, "CLARION_KAFKA_SASL_PASSWORD would not be used, .* is PLAINTEXT: set that to SASL_SSL"),
        ({"kafka_ca_file": "ca.pem"}, "CLARION_KAFKA_CA_FILE would not be used, .* set that to SSL or SASL_SSL"),
        ({"kafka_security_protocol": "SSL", "kafka_ca_file": "absent.pem"}, "CA_FILE absent.pem cannot be read"),
        ({"kafka_security_protocol": "SSL", "kafka_cert_file": "absent.pem"}, "CERT_FILE absent.pem cannot be used"),
    ],
)
def test_what_would_not_protect_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongSetting, match=said):
        kafka_options(made(**values))


def test_half_a_login_is_refused_by_the_name_of_what_is_missing() -> None:
    with pytest.raises(MissingSetting, match="CLARION_KAFKA_SASL_PASSWORD not set: that user's password"):
        kafka_options(made(kafka_security_protocol="SASL_SSL", **LOGIN | {"kafka_sasl_password": None}))


def test_a_protocol_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError) as raised:
        made(kafka_security_protocol="TLS")
    assert str(explained(raised.value)).startswith("CLARION_KAFKA_SECURITY_PROTOCOL: Input should be 'PLAINTEXT'")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "cities.example/filings", "https://x.example/a b", 'https://"'])
def test_the_filings_page_is_one_that_a_mail_can_lead_to(url: str) -> None:
    with pytest.raises(ValidationError, match="filings_url"):
        Settings(_env_file=None, filings_url=url)
    assert Settings(_env_file=None, filings_url="https://x.example/filings?of=all").filings_url
