"""Whom Clarion trusts when it speaks TLS to others."""

import ssl
from pathlib import Path


def trusting(ca_file: Path | None = None, *, alone: bool = False) -> ssl.SSLContext:
    """Certificates that this machine trusts and those in `ca_file`, or these `alone`; TLS 1.2 (RFC 9325) or newer.

    Raises OSError: the file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context(cafile=ca_file if alone else None)
    # Python's own least is left to OpenSSL's settings where a distribution builds it so.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None and not alone:
        context.load_verify_locations(cafile=ca_file)
    return context
