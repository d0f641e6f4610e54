"""Addresses as a mail and its SMTP commands name them."""

import re

import idna

PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
"""Addresses that every relay takes (RFC 5321 without quoting and without SMTPUTF8)."""
DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
ATOMS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+")
QUOTED = re.compile(r'"(?:[^"\\]|\\[\x20-\x7e])+"')
LOCAL_BYTES = 64


def written(address: str) -> str | None:
    """The address as commands and headers hold it: a domain in another script in ASCII (IDNA 2008), the local part as
    it is, quoted (RFC 5321, 4.1.2) or beyond ASCII (RFC 6531) as it may be; None if it is malformed.
    """
    given = address.strip()
    if PLAIN.fullmatch(given):
        return given
    local, _, domain = given.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except UnicodeError:
            return None
    return f"{local}@{domain}" if DOMAIN.fullmatch(domain) and _good(local) else None


def _good(local: str) -> bool:
    shaped = QUOTED.fullmatch(local) or (ATOMS.fullmatch(local) and " " not in local)
    # Not printable: control, direction and line separator characters, other spaces, lone surrogates.
    return bool(shaped and local.isprintable() and len(local.encode()) <= LOCAL_BYTES)
