"""`clarion doctor`: a healthy installation has no problem, and everything that is wrong is said with what to do."""

import asyncio
import base64
import dataclasses
import json
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from typer.testing import CliRunner

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.messaging.topics import check_topics, ensure_topics
from clarion.runtime.settings import Settings, WrongSetting
from clarion.schemas.commands import Finding
from clarion.schemas.topics import LEGISLATION_ALERTS, TOPICS, Topic
from clarion.services.cli import app
from clarion.services.doctor.examination import examine
from clarion.services.doctor.findings import Patient
from clarion.services.doctor.machine import room
from clarion.services.doctor.names import DnsNames
from clarion.services.doctor.sign_in import look_at_provider
from tests.certificates import Authority
from tests.conftest import with_database
from tests.provider import CLIENT_ID, Provider, providing
from tests.provider import SECRET as PROVIDER_SECRET
from tests.services.nameserver import name_server
from tests.services.notifications.relays import Turn, listening, stall

DOMAIN = "league.internal"
SECRET = "8f2b7d4cdd1e5a9094e37bd0f51c66aa"
Zone = Mapping[str, str | list[str] | None]


def dkim_key(bits: int) -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


GOOD_ZONE: Zone = {
    DOMAIN: ["some=other", "v=spf1 include:relay.internal ip4:192.0.2.1 -all"],
    "relay.internal": "v=spf1 ip4:192.0.2.2 -all",
    f"s1._domainkey.{DOMAIN}": dkim_key(2048),
    f"_dmarc.{DOMAIN}": "v=DMARC1; p=quarantine; rua=mailto:reports@league.internal",
    f"MX {DOMAIN}": "10 mail.league.internal.",
}


@pytest.fixture
def well_set(settings: Settings) -> Settings:
    """Settings with which all is as it should be, but for the relay."""
    return settings.model_copy(
        update={
            "secret_key": (SECRET,),
            "public_url": "https://calls.league.internal",
            "mail_from": f"Calls <calls@{DOMAIN}>",
            "postal_address": "1 Main Street",
            "dkim_selectors": "s1",
            "ses_topic_arn": "arn:aws:sns:us-west-2:123456789012:mail",
        }
    )


async def make_topics(settings: Settings, topics: Sequence[Topic] = TOPICS) -> None:
    """The broker has them and says so."""
    await ensure_topics(settings, topics)
    await check_topics(settings, topics)


async def looked_at(
    settings: Settings, zone: Zone = GOOD_ZONE, clock: Clock = system_clock, patience_seconds: float = 10
) -> list[Finding]:
    async with name_server(zone) as server:
        return await examine(Patient(settings, clock, DnsNames(server), patience_seconds))


def said(findings: list[Finding], area: str, *levels: str) -> str:
    """What is wrong in an area, with what to do."""
    wanted = levels or ("problem", "warning")
    return "\n".join(f"{one.what} -> {one.todo}" for one in findings if one.area == area and one.level in wanted)


@pytest.mark.slow
async def test_a_healthy_installation_has_no_problem_and_nothing_is_sent(well_set: Settings) -> None:
    await make_topics(well_set)
    async with listening(extensions=("PIPELINING", "SMTPUTF8", "SIZE 10000000")) as relay:
        findings = await looked_at(well_set.model_copy(update={"smtp_url": relay.url}))
        assert not [one for one in findings if one.level == "problem"]
        assert said(findings, "settings", "warning") == ""
        assert said(findings, "mail", "warning") == ""
        assert said(findings, "dns", "warning") == ""
        assert said(findings, "broker", "warning") == ""
        assert relay.mails == []
        assert not [line for line in relay.lines if line.startswith(("RCPT", "DATA"))]
    told = "\n".join(one.what for one in findings if one.level == "ok")
    for part in ("PostgreSQL 18", "schemas are at this version", "roles of 5 services", "20 topics are there"):
        assert part in told, told
    for part in ("SPF of", "DKIM key at s1", "DMARC of", "have somewhere to go", "no dead letter is open"):
        assert part in told, told
    assert "no process runs" in said(findings, "work", "warning")
    assert all((one.todo is None) == (one.level == "ok") for one in findings)


async def test_with_nothing_set_each_missing_variable_is_named_and_the_rest_still_looked_at(tmp_path: Path) -> None:
    nothing = Settings(_env_file=None, data_dir=tmp_path)
    findings = await looked_at(nothing)
    problems = said(findings, "settings", "problem")
    for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP", "SMTP_URL", "PUBLIC_URL", "SECRET_KEY", "MAIL_FROM"):
        assert f"CLARION_{name} is not set" in problems
    assert {one.area for one in findings} == {"settings", "machine"}


async def test_servers_that_are_away_are_problems_found_within_seconds(well_set: Settings) -> None:
    async with listening() as relay:
        gone = relay.url
    away = {
        "database_url": "postgresql://clarion:x@127.0.0.1:9/clarion",
        "kafka_bootstrap": "127.0.0.1:9",
        "smtp_url": gone,
    }
    async with asyncio.timeout(8):
        findings = await looked_at(well_set.model_copy(update=away))
    assert "CLARION_DATABASE_URL" in said(findings, "database", "problem")
    assert "CLARION_KAFKA_BOOTSTRAP" in said(findings, "broker", "problem")
    assert "CLARION_SMTP_URL" in said(findings, "mail", "problem")
    assert said(findings, "dns", "problem") == ""


async def test_a_server_that_says_nothing_is_not_waited_for(well_set: Settings) -> None:
    def silent(turn: Turn) -> Any:
        return stall if turn.step == "connect" else None

    async with listening(silent) as relay, asyncio.timeout(6):
        url = relay.url.removeprefix("smtp://")
        settings = well_set.model_copy(
            update={"smtp_url": relay.url, "database_url": f"postgresql://x:y@{url}/z", "kafka_bootstrap": url}
        )
        findings = await looked_at(settings, patience_seconds=2)
    assert "no answer" in said(findings, "mail", "problem")
    assert "no answer within 2 seconds" in said(findings, "database", "problem")
    assert said(findings, "broker", "problem") != ""


async def test_an_empty_database_wants_to_be_migrated(well_set: Settings, postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("DROP DATABASE IF EXISTS doctor_empty")
    await connection.execute("CREATE DATABASE doctor_empty")
    try:
        empty = well_set.model_copy(update={"database_url": with_database(postgres_url, "doctor_empty")})
        findings = await looked_at(empty)
    finally:
        await connection.execute("DROP DATABASE doctor_empty WITH (FORCE)")
        await connection.close()
    assert "migrations are missing" in said(findings, "database", "problem")
    assert "clarion migrate" in said(findings, "database", "problem")


async def test_clocks_that_are_apart_are_told(well_set: Settings) -> None:
    def slow() -> Any:
        return system_clock() - timedelta(seconds=9)

    def wrong() -> Any:
        return system_clock() - timedelta(hours=1)

    assert "9.0 seconds apart" in said(await looked_at(well_set, clock=slow), "database", "warning")
    assert "NTP" in said(await looked_at(well_set, clock=wrong), "database", "problem")


async def test_topics_that_are_not_as_the_code_needs_them_are_told(well_set: Settings) -> None:
    findings = await looked_at(well_set)
    assert "20 topics are missing" in said(findings, "broker", "problem")
    await make_topics(well_set, [dataclasses.replace(LEGISLATION_ALERTS, partitions=7, retention_seconds=60)])
    findings = await looked_at(well_set)
    assert "legislation.alerts.v1 has 7 partitions, not 6" in said(findings, "broker", "problem")
    assert "18 topics are missing" in said(findings, "broker", "problem")
    assert "retention.ms is 60000, not 604800000" in said(findings, "broker", "warning")


async def test_another_cluster_than_the_last_one_wants_a_replay(well_set: Settings) -> None:
    await make_topics(well_set)
    connection = await asyncpg.connect(well_set.database_url)
    await connection.execute("INSERT INTO clarion.broker (cluster_id) VALUES ('one-that-is-gone')")
    await connection.close()
    problems = said(await looked_at(well_set), "broker", "problem")
    assert "one-that-is-gone" in problems
    assert "clarion replay" in problems


async def test_work_that_waits_is_told(well_set: Settings) -> None:
    connection = await asyncpg.connect(well_set.database_url)
    await connection.execute(
        "INSERT INTO campaigns.outbox (topic, headers, enqueued_at) VALUES ('t', '[]', now() - interval '20 minutes');"
        "INSERT INTO legislation.outbox (topic, headers, enqueued_at) VALUES ('t', '[]', now() - interval '2 minutes');"
        "INSERT INTO notifications.workers (id, lease_until) VALUES (gen_random_uuid(), now() - interval '1 hour');"
        "INSERT INTO directory.jobs (name, error) VALUES ('inbox', 'LookupError');"
        "INSERT INTO directory.jobs (name, due_at) VALUES ('outbox', now() - interval '1 day');"
        "INSERT INTO clarion.home (system, database) VALUES (1, 1);"
        "INSERT INTO campaigns.dead_letters"
        ' (fingerprint, topic, partition, "offset", headers, received_at, claimed, reason)'
        " VALUES ('x', 't', 0, 0, '[]', now(), false, 'because')"
    )
    await connection.close()
    findings = await looked_at(well_set)
    assert "1 messages of campaigns wait for the broker" in said(findings, "work", "problem")
    warnings = said(findings, "work", "warning")
    assert "of legislation wait" in warnings
    assert "1 dead letters of campaigns are open -> clarion dead-letters list --service campaigns" in warnings
    assert "1 senders died" in warnings
    assert "upkeep of directory's inbox did not end well (LookupError)" in warnings
    assert "upkeep of directory's outbox is overdue" in warnings
    assert "-> clarion restored" in said(findings, "database", "problem")


@pytest.mark.parametrize(
    ("keys", "level", "part"),
    [
        (("short",), "problem", "can be guessed"),
        (("a" * 40,), "problem", "can be guessed"),
        (("please-changeme-0123456789-abcdefghij",), "problem", "out of a manual"),
        (("8f2b7d4c1e5a9094e37bd0f5",), "warning", "is short"),
        ((SECRET, "short"), "problem", "key 2 of 2"),
        ((SECRET, SECRET), "warning", "twice"),
        ((SECRET, SECRET[::-1]), "ok", "first of 2 keys"),
    ],
)
async def test_weak_secrets_are_told_and_none_is_shown(
    tmp_path: Path, keys: tuple[str, ...], level: str, part: str
) -> None:
    findings = await looked_at(Settings(_env_file=None, data_dir=tmp_path, secret_key=keys))
    assert part in said(findings, "settings", level)
    assert not any(key in one.what for one in findings for key in keys)


async def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    for url, part in {
        "http://127.0.0.1:8080": "lead to this machine",
        "http://calls.internal": "not encrypted",
    }.items():
        findings = await looked_at(Settings(_env_file=None, data_dir=tmp_path, public_url=url))
        assert part in said(findings, "settings", "warning")


@pytest.mark.parametrize(("total", "free", "level"), [(100, 50, "ok"), (100, 8, "warning"), (100, 1, "problem")])
def test_a_disk_that_fills_up_is_told(total: int, free: int, level: str, tmp_path: Path) -> None:
    assert room(tmp_path, total * 10**9, free * 10**9).level == level


def refusing_login(turn: Turn) -> str | None:
    return "535 5.7.8 no" if turn.step == "AUTH" else None


def refusing_sender(turn: Turn) -> str | None:
    return "553 5.7.1 not yours" if turn.step == "MAIL" else None


async def relay_of(well_set: Settings, url: str, **changes: Any) -> list[Finding]:
    return await looked_at(well_set.model_copy(update={"smtp_url": url} | changes))


async def test_what_a_relay_refuses_or_lacks_is_told(well_set: Settings) -> None:
    async with listening(refusing_login, extensions=("AUTH PLAIN",)) as relay:
        signed = relay.url.replace("//", "//user:wrong@")
        assert "535" in said(await relay_of(well_set, signed), "mail", "problem")
    async with listening(refusing_sender) as relay:
        assert "553" in said(await relay_of(well_set, relay.url), "mail", "problem")
    async with listening(extensions=("SIZE 100000",)) as relay:
        findings = await relay_of(well_set, relay.url)
    assert "no mail above 100,000 bytes" in said(findings, "mail", "problem")
    assert "no PIPELINING" in said(findings, "mail", "warning")
    assert "no SMTPUTF8" in said(findings, "mail", "warning")


async def test_one_relay_that_is_away_beside_one_that_works_is_a_warning(well_set: Settings) -> None:
    async with listening() as gone:
        pass
    async with listening() as relay:
        findings = await relay_of(well_set, f"{relay.url} {gone.url}")
    assert said(findings, "mail", "problem") == ""
    assert f"127.0.0.1:{gone.port}" in said(findings, "mail", "warning")


@pytest.mark.parametrize(
    ("days", "level", "part"), [(60, "ok", "encrypted"), (10, "warning", "ends in 9 days"), (1, "problem", "ends in 0")]
)
async def test_a_certificate_that_ends_soon_is_told_in_time(
    well_set: Settings, tmp_path: Path, days: float, level: str, part: str
) -> None:
    findings = await encrypted(well_set, tmp_path, days)
    assert part in said(findings, "mail", level)


async def test_a_certificate_that_expired_is_a_problem(well_set: Settings, tmp_path: Path) -> None:
    assert "expired" in said(await encrypted(well_set, tmp_path, -0.5), "mail", "problem")


async def encrypted(well_set: Settings, folder: Path, days: float) -> list[Finding]:
    authority = Authority(folder)
    made = authority.issue("relay", ends=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    async with listening(tls=context) as relay:
        return await relay_of(well_set, f"{relay.url}?starttls=required", smtp_ca_file=authority.file)


@pytest.mark.parametrize(
    ("changed", "level", "part"),
    [
        ({DOMAIN: []}, "problem", "has no SPF record"),
        ({DOMAIN: ["v=spf1 -all", "v=spf1 mx -all"]}, "problem", "2 SPF records"),
        ({DOMAIN: "v=spf1 +all"}, "problem", "lets everybody send"),
        (
            {DOMAIN: "v=spf1 include:relay.internal -all", "relay.internal": "v=spf1 a mx " + "a:b " * 10 + "-all"},
            "problem",
            "more than 10 look-ups",
        ),
        ({DOMAIN: f"v=spf1 include:{DOMAIN} -all"}, "problem", "more than 10 look-ups"),
        ({f"s1._domainkey.{DOMAIN}": []}, "problem", "no DKIM key"),
        ({f"s1._domainkey.{DOMAIN}": "v=DKIM1; p="}, "problem", "is revoked"),
        ({f"s1._domainkey.{DOMAIN}": "v=DKIM1; p=not-base64!"}, "problem", "cannot be read"),
        ({f"s1._domainkey.{DOMAIN}": dkim_key(1024)}, "warning", "shorter than 2048"),
        ({f"_dmarc.{DOMAIN}": []}, "problem", "has no DMARC record"),
        ({f"_dmarc.{DOMAIN}": "v=DMARC1; p=none"}, "warning", "only watches"),
        ({f"_dmarc.{DOMAIN}": "v=DMARC1; rua=x"}, "problem", "no policy"),
        ({f"MX {DOMAIN}": "0 ."}, "warning", "takes no mail"),
        ({f"MX {DOMAIN}": [], f"A {DOMAIN}": "192.0.2.9"}, "ok", "have somewhere to go"),
    ],
)
async def test_what_the_domain_says_wrong_of_its_mail_is_told(
    well_set: Settings, changed: dict[str, Any], level: str, part: str
) -> None:
    only_dns = Settings(_env_file=None, mail_from=well_set.mail_from, dkim_selectors="s1", data_dir=well_set.data_dir)
    findings = await looked_at(only_dns, {**GOOD_ZONE, **changed})
    assert part in said(findings, "dns", level), findings


async def test_a_policy_of_the_parent_domain_counts_and_names_for_tests_are_told(tmp_path: Path) -> None:
    below = Settings(_env_file=None, mail_from=f"x@calls.{DOMAIN}", data_dir=tmp_path)
    findings = await looked_at(below)
    assert f"DMARC of {DOMAIN}" in said(findings, "dns", "ok")
    assert "CLARION_DKIM_SELECTORS" in said(findings, "dns", "warning")
    sample = Settings(_env_file=None, mail_from="x@clarion.example", data_dir=tmp_path)
    assert "a name for tests" in said(await looked_at(sample), "dns", "warning")


async def test_names_that_cannot_be_read_from_here_are_no_failure(tmp_path: Path) -> None:
    only_dns = Settings(_env_file=None, mail_from=f"x@{DOMAIN}", data_dir=tmp_path)
    findings = await examine(Patient(only_dns, system_clock, DnsNames("127.0.0.1:9"), 10))
    assert said(findings, "dns", "problem") == ""
    assert f"SPF of {DOMAIN} cannot be read from here" in said(findings, "dns", "warning")


async def test_the_command_prints_findings_and_its_exit_code_tells_of_problems(
    well_set: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", str(well_set.database_url))
    async with name_server(GOOD_ZONE) as server:
        words = ["doctor", "--dns-server", server]
        printed = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"])
        plain = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert (printed.exit_code, plain.exit_code) == (1, 1)
    findings = [Finding.model_validate(one) for one in json.loads(printed.stdout)]
    assert any(one.level == "problem" for one in findings)
    assert "PROBLEM settings: CLARION_KAFKA_BOOTSTRAP is not set" in plain.stdout
    assert "        -> " in plain.stdout


async def test_rules_that_nobody_looks_after_and_the_end_of_the_holidays_are_told(well_set: Settings) -> None:
    told = said(await looked_at(well_set), "work", "warning")
    assert "2 rules of committees were not checked for 180 days -> clarion committees rules check" in told
    assert "holidays" not in told
    later = said(await looked_at(well_set, clock=lambda: datetime(2029, 1, 5, tzinfo=UTC)), "work", "warning")
    for part in ("7 rules of committees", "holidays end with 2028-12-31", "clarion campaigns deadline"):
        assert part in later


async def test_a_provider_for_sign_in_is_asked_whether_it_answers(well_set: Settings) -> None:
    async with providing(Provider()) as provider:
        settings = well_set.model_copy(
            update={"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": PROVIDER_SECRET}
        )
        patient = Patient(settings, system_clock, DnsNames("127.0.0.1:9"))
        [found] = await look_at_provider(patient)
        assert (found.level, "https://calls.league.internal/sign-in/oidc/callback" in found.what) == ("ok", True)
        provider.metadata = {"claims_supported": ["sub", "email"]}
        assert [one.level for one in await look_at_provider(patient)] == ["warning"]
    [away] = await look_at_provider(patient)
    assert (away.level, "CLARION_OIDC_ISSUER" in str(away.todo)) == ("problem", True)
    half = settings.model_copy(update={"oidc_client_secret": None})
    with pytest.raises(WrongSetting):
        await look_at_provider(Patient(half, system_clock, DnsNames("127.0.0.1:9")))
    assert await look_at_provider(Patient(well_set, system_clock, DnsNames("127.0.0.1:9"))) == []
