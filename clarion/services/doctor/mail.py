"""The relays: whether each takes us and our sender, encrypted, and what it can do. No mail is sent."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from uuid import UUID

import aiosmtplib

from clarion.runtime.settings import Settings, variable_of
from clarion.schemas.commands import Finding
from clarion.services.doctor.findings import Patient, bad, is_loopback, warn, well
from clarion.services.notifications.bounces.return_path import ReturnPath
from clarion.services.notifications.channels.relays import Relay, read_relays, trusted
from clarion.services.notifications.channels.smtp import BROKEN, LoginRefused, why

SOON = timedelta(days=21)
VERY_SOON = timedelta(days=3)
SMALL_BYTES = 1_000_000
TOO_SMALL_BYTES = 200_000
SMTP_URL = variable_of("smtp_url")


async def look_at_relays(patient: Patient) -> list[Finding]:
    """Each relay. Raises MissingSetting, ValueError where the setting cannot be read."""
    settings = patient.settings
    settings.need("smtp_url")
    relays = read_relays(str(settings.smtp_url), settings.smtp_ca_file)
    found = await asyncio.gather(*(_relay(relay, patient) for relay in relays))
    some_work = any(all(one.level != "problem" for one in findings) for findings in found)
    return [_milder(one) if some_work else one for findings in found for one in findings]


def _milder(finding: Finding) -> Finding:
    """While another relay takes the mail, one that does not is no catastrophe."""
    return finding.model_copy(update={"level": "warning"}) if finding.level == "problem" else finding


async def _relay(relay: Relay, patient: Patient) -> list[Finding]:
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.tls,
        start_tls=relay.starttls,
        username=relay.user,
        password=relay.password,
        timeout=patient.patience_seconds / 2,
        tls_context=trusted(relay.ca_file),
    )
    try:
        await client.connect()
        if not client.esmtp_extensions:
            await client.ehlo()
        return [
            *_connection(client, relay, patient.clock()),
            *_abilities(client, relay),
            *await _sender(client, relay, patient),
        ]
    except BROKEN as error:
        reason = why(error)
        todo = "look at user and password in" if isinstance(reason, LoginRefused) else "is it running and right in"
        return [bad("mail", f"relay {relay.name}: {reason}", f"{todo} {SMTP_URL}")]
    finally:
        client.close()


def _connection(client: aiosmtplib.SMTP, relay: Relay, now: datetime) -> Iterator[Finding]:
    signed_in = " and takes our login" if relay.user else ""
    certificate = client.get_transport_info("peercert") if client.is_connected else None
    if client.get_transport_info("ssl_object") is None:
        yield well("mail", f"relay {relay.name} answers{signed_in}")
        if relay.user and not is_loopback(relay.host):
            yield bad(
                "mail",
                f"relay {relay.name}: the password goes over the wire in the clear",
                f"add ?starttls=required in {SMTP_URL}",
            )
        elif not is_loopback(relay.host):
            yield warn(
                "mail", f"relay {relay.name}: the connection is not encrypted", f"add ?starttls=required in {SMTP_URL}"
            )
        return
    yield well("mail", f"relay {relay.name} answers encrypted{signed_in}")
    if not (certificate and "notAfter" in certificate):
        return
    left = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC) - now
    if left < SOON:
        level = bad if left < VERY_SOON else warn
        yield level("mail", f"relay {relay.name}: its certificate ends in {left.days} days", "have it renewed there")


def _abilities(client: aiosmtplib.SMTP, relay: Relay) -> Iterator[Finding]:
    size = client.esmtp_extensions.get("size", "").strip()
    if size.isdigit() and 0 < int(size) < SMALL_BYTES:
        level = bad if int(size) < TOO_SMALL_BYTES else warn
        yield level("mail", f"relay {relay.name} takes no mail above {int(size):,} bytes", "have it take a megabyte")
    if not client.supports_extension("pipelining"):
        yield warn(
            "mail",
            f"relay {relay.name} has no PIPELINING: each mail takes more round trips",
            "switch it on there, if it can",
        )
    if not client.supports_extension("smtputf8"):
        yield warn(
            "mail",
            f"relay {relay.name} has no SMTPUTF8: addresses beyond ASCII get nothing",
            "switch it on there, if it can",
        )


def _envelope_sender(settings: Settings) -> str:
    """A sender such as mail goes out under."""
    if settings.bounce_address and settings.secret_key:
        return ReturnPath(settings.bounce_address, settings.secret_key).of(UUID(int=0), 1)
    return parseaddr(settings.mail_from or "")[1]


async def _sender(client: aiosmtplib.SMTP, relay: Relay, patient: Patient) -> list[Finding]:
    """Whether it would take mail from our sender; it is asked and then told to forget it."""
    sender = _envelope_sender(patient.settings)
    if not sender.isascii() or not sender:
        return []
    answer = await client.execute_command(f"MAIL FROM:<{sender}>".encode())
    await client.execute_command(b"RSET")
    if answer.code >= 400:
        said = f"relay {relay.name} does not take mail from {sender}: {answer.code} {answer.message}"
        return [bad("mail", said, f"have it allowed there, or change {variable_of('mail_from')}")]
    return [well("mail", f"relay {relay.name} takes mail from {sender}")]
