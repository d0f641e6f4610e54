"""What somebody wants of a rule, read and checked; values in, values out."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from clarion.services.campaigns.domain.deadlines import Rule, read_when, said_time
from clarion.services.campaigns.domain.names import CHAMBERS, chamber_key
from clarion.services.campaigns.rules.repository import KnownRule

TEXT_LENGTH = 1_000
TOMORROW = timedelta(days=1)
"""A day that has begun somewhere may be named as the day of a check."""


class Refusal(Exception):
    """It cannot be done; the text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be said of a committee's deadline; None leaves what was known."""

    jurisdiction: str
    chamber: str
    committee: str
    when: str | None = None
    at: str | None = None
    aliases: tuple[str, ...] | None = None
    source: str | None = None
    checked_on: str | None = None
    note: str | None = None


def wished(wish: Wish, known: KnownRule | None, now: datetime) -> Rule:
    """The rule that a wish makes of what was known.

    Raises:
        Refusal: it is no rule.
    """
    if known is None and wish.when is None:
        raise Refusal(f'{wish.committee!r} has no rule yet: say its day as well, such as --when "5 business days"')
    rule = known.rule if known else Rule(wish.jurisdiction, known_chamber(wish.chamber), text_of(wish.committee), None)
    aliases = rule.aliases if wish.aliases is None else tuple(text_of(each) for each in wish.aliases if each.strip())
    try:
        return replace(
            rule,
            when=rule.when if wish.when is None else read_when(wish.when),
            at=said_time(wish.at or rule.at),
            aliases=aliases,
            source=address_of(wish.source) if wish.source else rule.source,
            checked_on=rule.checked_on if wish.checked_on is None else day_of_check(wish.checked_on, now),
            note=text_of(wish.note) if wish.note else rule.note,
        )
    except ValueError as error:
        raise Refusal(str(error)) from error


def known_chamber(chamber: str) -> str:
    """A chamber as it is compared.

    Raises:
        Refusal: it is none.
    """
    key = chamber_key(chamber)
    if key not in CHAMBERS:
        raise Refusal(f"{chamber!r} is no chamber: say {', '.join(CHAMBERS)}, or senate or assembly")
    return key


def text_of(value: str) -> str:
    """A text that is one.

    Raises:
        Refusal: it is empty, too long, or holds a NUL.
    """
    text = value.strip()
    if not text or "\x00" in text or len(text) > TEXT_LENGTH:
        raise Refusal(f"a text is empty, longer than {TEXT_LENGTH:,} characters or holds a NUL")
    return text


def address_of(value: str) -> str:
    """The address of a page.

    Raises:
        Refusal: it is none.
    """
    text = text_of(value)
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refusal(f"{text!r} is no address of a page: it begins with https://")
    return text


def day_of_check(text: str, now: datetime) -> date:
    """The day on which somebody looked, as 2027-01-31 or "today".

    Raises:
        ValueError: it is none, or ahead.
    """
    if text.strip().casefold() == "today":
        return now.date()
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f'{text!r} is no day: say "today", or a day such as 2027-01-31') from error
    if day > (now + TOMORROW).date():
        raise ValueError(f"{day} is ahead: nobody has looked yet")
    return day


def moment_of(text: str) -> datetime:
    """A time such as 2027-04-14T12:00, with an offset or without.

    Raises:
        Refusal: it is none, or a day alone.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Refusal(f"{text!r} is no time such as 2027-04-14T12:00") from error
    if ":" not in text:
        raise Refusal(f"{text!r} is a day alone: say the time as well, such as {moment:%Y-%m-%d}T17:00")
    return moment
