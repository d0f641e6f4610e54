"""Names, addresses and answers as people give them."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from clarion.schemas.text import storable

NAME_CHARACTERS = 200
ANSWER_CHARACTERS = 2_000
ANSWERS_CHARACTERS = 10_000
ANSWERS_AT_MOST = 20

# Not one address in a hundred is less plain than this, and validating takes thirty times as long.
PLAIN = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*@(?:[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]\.)+[A-Za-z]{2,63}")
PLAIN_LOCAL_CHARACTERS = 64
PLAIN_LABEL_CHARACTERS = 63
PLAIN_CHARACTERS = 200
SPECIAL_ENDINGS = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
INVISIBLE = {"Cc", "Zl", "Zp"}
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def address(text: str) -> str:
    """A mail address in its normal form (RFC 6531 local parts and international domains included); no DNS is asked.

    Raises:
        ValueError: it is no address.
    """
    given = text.strip()
    if _is_plain(given):
        local, _, domain = given.partition("@")
        return f"{local}@{domain.lower()}"
    try:
        return validate_email(given, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error


def _is_plain(given: str) -> bool:
    if len(given) > PLAIN_CHARACTERS or not PLAIN.fullmatch(given) or "--" in given:
        return False
    local, _, domain = given.partition("@")
    labels = domain.split(".")
    fits = len(local) <= PLAIN_LOCAL_CHARACTERS and max(map(len, labels)) <= PLAIN_LABEL_CHARACTERS
    return fits and labels[-1].lower() not in SPECIAL_ENDINGS


def clean_line(text: str) -> str:
    """A name on one line: no control characters, no changes of writing direction, single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    kept = "".join(
        " " if unicodedata.category(character) in INVISIBLE else character
        for character in unicodedata.normalize("NFC", text)
        if character not in DIRECTIONS
    )
    return " ".join(kept.split())


def name(text: str) -> str:
    """A person's name as it is kept.

    Raises:
        ValueError: it is empty, or longer than 200 characters.
    """
    cleaned = clean_line(text)
    if not cleaned:
        raise ValueError("tell your name")
    if len(cleaned) > NAME_CHARACTERS:
        raise ValueError(f"a name has at most {NAME_CHARACTERS} characters")
    return cleaned


def answers(given: Mapping[str, Any]) -> dict[str, str]:
    """What was answered, as text.

    Raises:
        ValueError: there are more than 20 answers, one is longer than 2,000 characters, or all than 10,000.
    """
    if not given:
        return {}
    if len(given) > ANSWERS_AT_MOST:
        raise ValueError(f"there are more than {ANSWERS_AT_MOST} answers")
    kept = {key: ("" if value is None else str(value)).strip() for key, value in given.items()}
    for key, text in kept.items():
        try:
            storable(key + text)
        except ValueError as error:
            raise ValueError("an answer holds characters that cannot be stored") from error
        if len(text) > ANSWER_CHARACTERS or len(key) > ANSWER_CHARACTERS:
            raise ValueError(f"an answer has at most {ANSWER_CHARACTERS:,} characters")
    if sum(len(key) + len(text) for key, text in kept.items()) > ANSWERS_CHARACTERS:
        raise ValueError(f"all answers together have at most {ANSWERS_CHARACTERS:,} characters")
    return kept
