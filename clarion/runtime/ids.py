"""The one place that draws identifiers and secrets."""

import secrets
from uuid import uuid4


def new_id() -> str:
    """A fresh identifier that nobody has to coordinate (UUID version 4, RFC 9562)."""
    return str(uuid4())


def new_secret(length_bytes: int = 32) -> str:
    """A fresh unguessable token in URL-safe characters."""
    return secrets.token_urlsafe(length_bytes)
