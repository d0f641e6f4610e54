"""Addresses in their normal form."""

from email_validator import EmailNotValidError, validate_email


def address(text: str) -> str:
    """A mail address in its normal form (RFC 6531 local parts and international domains included); no DNS is asked.

    Raises:
        ValueError: it is no address.
    """
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
