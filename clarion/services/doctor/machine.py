"""The settings, and the machine that this runs on."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from clarion.runtime.settings import Settings, given_environment, slips, variable_of
from clarion.schemas.commands import Finding
from clarion.services.builders import NEEDED
from clarion.services.doctor.findings import Patient, bad, is_loopback, warn, well

GIGABYTE = 1_000_000_000
LONG_ENOUGH = 32
TOO_SHORT = 16
FEW_CHARACTERS = 8
LOOKS_LIKE_A_DEFAULT = ("secret", "changeme", "change-me", "password", "example", "clarion", "default", "12345")
NEW_KEY = (
    "openssl rand -hex 32 makes a good one; put it before the old one, comma separated, so that old links stay good"
)


async def look_at_settings(patient: Patient) -> list[Finding]:
    """What is not set, means nothing, or is not for the public."""
    settings = patient.settings
    findings = [
        bad("settings", f"{variable_of(name)} is not set", f"set it: {Settings.model_fields[name].description}")
        for name in NEEDED
        if not getattr(settings, name)
    ]
    for variable, meant in slips(given_environment()).items():
        findings.append(
            warn("settings", f"{variable} means nothing here", f"did you mean {meant}?" if meant else "take it away")
        )
    findings += [*_secrets(settings), *_public(settings)]
    return findings


def _secrets(settings: Settings) -> Iterator[Finding]:
    keys = settings.secret_key
    name = variable_of("secret_key")
    for number, key in enumerate(keys, 1):
        which = name if len(keys) == 1 else f"{name}, key {number} of {len(keys)},"
        if len(key) < TOO_SHORT or len(set(key)) < FEW_CHARACTERS:
            yield bad("settings", f"{which} can be guessed: it has {len(key)} characters", NEW_KEY)
        elif any(word in key.lower() for word in LOOKS_LIKE_A_DEFAULT):
            yield bad("settings", f"{which} looks like one out of a manual", NEW_KEY)
        elif len(key) < LONG_ENOUGH:
            yield warn("settings", f"{which} is short: {len(key)} characters", NEW_KEY)
    if len(set(keys)) < len(keys):
        yield warn("settings", f"{name} names one key twice", "take one away")
    if len(keys) > 1:
        yield well("settings", f"{name}: links are signed by the first of {len(keys)} keys, and good by all")
    elif keys:
        yield well("settings", f"{name}: one key signs all links")


def _public(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.public_url or "")
    if settings.public_url and is_loopback(url.hostname):
        yield warn(
            "settings",
            f"links in mail lead to this machine ({settings.public_url})",
            f"set {variable_of('public_url')} to the address that the public has",
        )
    elif settings.public_url and url.scheme != "https":
        yield warn("settings", "links in mail are not encrypted", f"begin {variable_of('public_url')} with https://")
    elif settings.public_url:
        yield well("settings", f"links in mail lead to {settings.public_url}")
    if not settings.postal_address:
        yield warn(
            "settings",
            "mail has no postal address at its foot, which the law asks of newsletters",
            f"set {variable_of('postal_address')}",
        )


async def look_at_disk(patient: Patient) -> list[Finding]:
    """Room where the embedded servers keep their data."""
    place = patient.settings.data_dir
    if not place.exists():
        return [
            well("machine", "no embedded server keeps data here; how full the servers' disks are they say themselves")
        ]
    usage = shutil.disk_usage(place)
    return [room(place, usage.total, usage.free)]


def room(place: Path, total: int, free: int) -> Finding:
    """Whether there is room left."""
    said = f"{free / GIGABYTE:.1f} GB of {total / GIGABYTE:.0f} GB are free where {place} is"
    if free < GIGABYTE / 2 or free < total * 0.02:
        return bad("machine", said, "make room now: the database stops when the disk is full")
    if free < 2 * GIGABYTE or free < total * 0.1:
        return warn("machine", said, "make room, or keep outbox and ledger for fewer days")
    return well("machine", said)
