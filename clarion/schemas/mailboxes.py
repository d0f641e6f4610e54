"""The mailbox that an address stands for: services name it in place of the address."""

import hmac

MAILBOX_DIGITS = 32


def mailbox(email: str, key: bytes) -> str:
    """The mailbox of an address: a keyed hash of its case-folded form, the same for all who share it."""
    return hmac.digest(key, email.casefold().encode(), "sha256").hex()[:MAILBOX_DIGITS]
