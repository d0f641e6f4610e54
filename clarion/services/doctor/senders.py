"""What the sender's domain says of its mail: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489)."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from email.utils import parseaddr

from clarion.runtime.settings import variable_of
from clarion.schemas.commands import Finding
from clarion.services.doctor.findings import Names, Patient, Unreadable, bad, warn, well

RESERVED = {"invalid", "example", "test", "localhost", "local"}
LOOKUPS_AT_MOST = 10
LOOKS_UP = re.compile(r"[+?~-]?(include:|a(?=[:/]|$)|mx(?=[:/]|$)|ptr(?=:|$)|exists:)")
DER_BYTES_OF_1024 = 160
DER_BYTES_OF_2048 = 290
SELECTORS = variable_of("dkim_selectors")


async def look_at_names(patient: Patient) -> list[Finding]:
    """The domain of the From address. Raises MissingSetting."""
    patient.settings.need("mail_from")
    domain = parseaddr(patient.settings.mail_from or "")[1].rpartition("@")[2].lower().rstrip(".")
    if not domain:
        name = variable_of("mail_from")
        return [bad("dns", f"{name} is no address", f"write {name} as Cities <calls@cities.example>")]
    if domain.rpartition(".")[2] in RESERVED:
        said = f"{domain} is a name for tests: nobody can answer, and other mail servers refuse it"
        return [warn("dns", said, f"set {variable_of('mail_from')} to an address of a domain of yours")]
    selectors = [one.strip() for one in patient.settings.dkim_selectors.split(",") if one.strip()]
    checks = {
        "SPF": _spf(patient.names, domain),
        "DKIM": _dkim(patient.names, domain, selectors),
        "DMARC": _dmarc(patient.names, domain),
        "where its mail goes": _mail_exchange(patient.names, domain),
    }
    found = await asyncio.gather(*(_readable(check, what, domain) for what, check in checks.items()))
    return [finding for findings in found for finding in findings]


async def _readable(check: AsyncIterator[Finding], what: str, domain: str) -> list[Finding]:
    try:
        return [finding async for finding in check]
    except Unreadable as error:
        said = f"{what} of {domain} cannot be read from here ({error})"
        return [warn("dns", said, "look from where public names are known, or name a server with --dns-server")]


async def _spf(names: Names, domain: str) -> AsyncIterator[Finding]:
    records = [text for text in await names.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not records:
        yield bad("dns", f"{domain} has no SPF record", f'publish one for your relays: {domain} TXT "v=spf1 mx -all"')
        return
    if len(records) > 1:
        yield bad("dns", f"{domain} has {len(records)} SPF records, so none counts", "make one of them")
        return
    terms = records[0].lower().split()
    if terms[-1] in {"+all", "all"}:
        yield bad("dns", f"SPF of {domain} lets everybody send", "end it with ~all or -all")
    lookups = await _lookups(names, records[0], 0)
    if lookups > LOOKUPS_AT_MOST:
        yield bad("dns", f"SPF of {domain} needs more than {LOOKUPS_AT_MOST} look-ups, so it fails", "include fewer")
    else:
        yield well("dns", f"SPF of {domain}: {records[0]}")


async def _lookups(names: Names, record: str, so_far: int) -> int:
    """How many look-ups a record costs, with those it includes; counted no further than is allowed."""
    for term in record.lower().split()[1:]:
        includes = term.lstrip("+?~-").startswith("include:") or term.startswith("redirect=")
        if not includes and not LOOKS_UP.match(term):
            continue
        so_far += 1
        if so_far > LOOKUPS_AT_MOST:
            break
        if includes:
            other = re.split("[:=]", term, maxsplit=1)[1]
            texts = [text for text in await names.texts(other) if text.lower().startswith("v=spf1")]
            so_far = await _lookups(names, texts[0], so_far) if texts else so_far
    return so_far


async def _dkim(names: Names, domain: str, selectors: list[str]) -> AsyncIterator[Finding]:
    if not selectors:
        said = "which DKIM keys your relays sign by is not known here"
        yield warn("dns", said, f"name their selectors in {SELECTORS}, so that they can be looked at")
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        records = [_tags(text) for text in await names.texts(name) if "p=" in text]
        if not records:
            yield bad("dns", f"there is no DKIM key at {name}", "publish what your relay shows for it")
        for tags in records[:1]:
            for finding in _key(name, tags):
                yield finding


def _key(name: str, tags: dict[str, str]) -> Iterator[Finding]:
    try:
        key = base64.b64decode(tags["p"], validate=True)
    except binascii.Error:
        yield bad("dns", f"the DKIM key at {name} cannot be read", "publish again what your relay shows for it")
        return
    if not key:
        yield bad(
            "dns", f"the DKIM key at {name} is revoked", f"take the selector out of {SELECTORS}, or publish a key"
        )
        return
    if "y" in tags.get("t", "").split(":"):
        yield warn("dns", f"the DKIM key at {name} says that it is a test", "take t=y away")
    if tags.get("k", "rsa").lower() == "rsa" and len(key) < DER_BYTES_OF_2048:
        level = bad if len(key) < DER_BYTES_OF_1024 else warn
        yield level("dns", f"the DKIM key at {name} is shorter than 2048 bits", "have your relay make a longer one")
    else:
        yield well("dns", f"there is a DKIM key at {name}")


async def _dmarc(names: Names, domain: str) -> AsyncIterator[Finding]:
    labels = domain.split(".")
    for depth in range(len(labels) - 1):
        asked = ".".join(labels[depth:])
        records = [text for text in await names.texts(f"_dmarc.{asked}") if text.lower().startswith("v=dmarc1")]
        if not records:
            continue
        policy = _tags(records[0]).get("p", "").lower()
        if policy not in {"none", "quarantine", "reject"}:
            yield bad("dns", f"DMARC of {asked} has no policy", "write p=none, p=quarantine or p=reject in it")
        elif policy == "none":
            yield warn(
                "dns", f"DMARC of {asked} only watches (p=none)", "once its reports are clean, go to p=quarantine"
            )
        else:
            yield well("dns", f"DMARC of {asked}: {records[0]}")
        return
    todo = f'publish one: _dmarc.{domain} TXT "v=DMARC1; p=none; rua=mailto:..."'
    yield bad("dns", f"{domain} has no DMARC record, so large providers may refuse its mail", todo)


async def _mail_exchange(names: Names, domain: str) -> AsyncIterator[Finding]:
    if await names.takes_mail(domain):
        yield well("dns", f"answers and bounces to {domain} have somewhere to go")
    else:
        yield warn("dns", f"{domain} takes no mail, so bounces are lost", f"publish an MX record for {domain}")


def _tags(record: str) -> dict[str, str]:
    """The `name=value` pairs of a record, without white space."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): re.sub(r"\s", "", value) for name, equals, value in pairs if equals}
