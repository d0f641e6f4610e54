"""Addresses, and the mailboxes they stand for."""

import hashlib
import hmac

from email_validator import EmailNotValidError, validate_email

MAILBOX_DIGITS = 32


def address(text: str) -> str:
    """A mail address in its normal form (RFC 6531 local parts and international domains included); no DNS is asked.

    Raises:
        ValueError: it is no address.
    """
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


def mailbox(email: str, key: bytes) -> str:
    """The mailbox of an address: a keyed hash of its case-folded form, the same for all who share it."""
    return hmac.new(key, email.casefold().encode(), hashlib.sha256).hexdigest()[:MAILBOX_DIGITS]
