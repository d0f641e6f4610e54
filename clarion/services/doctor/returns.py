"""Bounces and complaints: whether what comes back gets here. A mail is begun with whoever takes it, and never sent."""

import asyncio
from collections.abc import Iterator
from email.utils import parseaddr
from uuid import UUID

from clarion.runtime.settings import Settings, variable_of
from clarion.schemas.commands import Finding
from clarion.services.doctor.findings import Patient, Unreadable, bad, is_loopback, warn, well
from clarion.services.notifications.bounces.return_path import ReturnPath
from clarion.services.notifications.bounces.server import Listener, read_listeners

ADDRESS = variable_of("bounce_address")
LISTEN = variable_of("bounce_listen")
ANSWER_OCTETS = 4_096


async def look_at_returns(patient: Patient) -> list[Finding]:
    """Every way by which bounces may come. Raises MissingSetting, ValueError where a setting cannot be read."""
    settings = patient.settings
    settings.need("mail_from", "secret_key")
    hooks = list(_hooks(settings))
    if not settings.bounce_address:
        return hooks or [_nobody(settings)]
    path = ReturnPath(settings.bounce_address, settings.secret_key)
    listeners = read_listeners(settings.bounce_listen)
    found = await _domain(path, patient)
    if not listeners and not hooks:
        found.append(bad("mail", f"nobody takes what comes back to {path.address}", f"set {LISTEN}"))
    return [*hooks, *found, *[await _listener(one, path, patient) for one in listeners]]


def _nobody(settings: Settings) -> Finding:
    sender = parseaddr(settings.mail_from or "")[1]
    said = f"bounces and complaints go to {sender} and nobody here reads them: dead mailboxes are written to again"
    return warn("mail", said, f"set {ADDRESS}, or have Amazon SES or Postmark report, as docs/operators.md has it")


def _hooks(settings: Settings) -> Iterator[Finding]:
    public = (settings.public_url or "").rstrip("/")
    for name, way, there in [
        ("Amazon SES", "ses", settings.ses_topic_arn),
        ("Postmark", "postmark", settings.postmark_login),
    ]:
        if not there:
            continue
        if public.startswith("https://"):
            yield well("mail", f"{name} may report bounces at {public}/hooks/{way}")
        else:
            said = f"{name} is to report bounces, and {public or 'the site'} is not reached over https"
            yield warn("mail", said, f"end TLS before the site and name it so in {variable_of('public_url')}")


async def _domain(path: ReturnPath, patient: Patient) -> list[Finding]:
    domain = path.address.rpartition("@")[2]
    try:
        takes_mail = await patient.names.takes_mail(domain)
        texts = await patient.names.texts(domain)
    except Unreadable as error:
        said = f"what is published for {domain} cannot be read from here ({error})"
        return [warn("mail", said, "look from where public names are known, or name a server with --dns-server")]
    found = []
    if takes_mail:
        found.append(well("mail", f"mail to {domain} has somewhere to go, for what comes back"))
    else:
        said = f"mail to {domain} goes nowhere, so no bounce comes back"
        found.append(bad("mail", said, f"publish an MX record for {domain}, for a server that hands it to {LISTEN}"))
    # RFC 7208, 2.4: it is the envelope sender that others check.
    if not any(text.lower().split(" ")[0] == "v=spf1" for text in texts):
        said = f"{domain} has no SPF record, and it is the one that receivers look for"
        found.append(bad("mail", said, f'publish one for your relays: {domain} TXT "v=spf1 mx -all"'))
    return found


async def _listener(one: Listener, path: ReturnPath, patient: Patient) -> Finding:
    where = f"{one.protocol}://{one.host}:{one.port}"
    try:
        async with asyncio.timeout(patient.patience_seconds / 4):
            answer = await _asked(one, path.of(UUID(int=0), 1))
    except (OSError, TimeoutError, EOFError) as error:
        said = f"nobody takes bounces at {where}: {error or type(error).__name__}"
        return warn("mail", said, "look from where `clarion serve notifications` runs, or start it")
    if not answer.startswith("250"):
        return bad("mail", f"{where} does not take bounces: {answer}", f"another program is there: change {LISTEN}")
    if not is_loopback(one.host):
        said = f"bounces are taken at {where}, which others may reach, in the clear"
        return warn("mail", said, "have a mail server before it and let nobody else reach that port")
    return well("mail", f"bounces are taken at {where}")


async def _asked(one: Listener, address: str) -> str:
    """What is answered to a recipient that we made; it is then told to forget it."""
    reader, writer = await asyncio.open_connection(one.host, one.port, limit=ANSWER_OCTETS)
    try:
        await _reply(reader)
        said = ""
        hello = "LHLO" if one.protocol == "lmtp" else "EHLO"
        for command in (f"{hello} clarion.invalid", "MAIL FROM:<>", f"RCPT TO:<{address}>"):
            writer.write(f"{command}\r\n".encode())
            said = await _reply(reader)
        writer.write(b"RSET\r\nQUIT\r\n")
        await writer.drain()
        return said
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> str:
    """A reply's last line. Raises EOFError."""
    while line := (await reader.readline()).decode("utf-8", "replace").strip():
        if line[3:4] != "-":
            return line
    raise EOFError("the connection was closed")
