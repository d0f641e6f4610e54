"""Envelope senders that name the mail they are of (VERP), so that what comes back tells what it is about."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from clarion.runtime.web.links import keyed, salt_of
from clarion.services.notifications.domain.addresses import PLAIN

LOCAL_OCTETS = 64
"""The longest local part (RFC 5321, 4.5.3.1.1)."""
THREAD_DIGITS = 32
CHECK_OCTETS = 8
"""Whoever guesses has to send 2^63 mails."""
REVISION_DIGITS = 4
BEFORE_OCTETS = LOCAL_OCTETS - 1 - THREAD_DIGITS - 2 * CHECK_OCTETS - REVISION_DIGITS
REVISIONS = 16**REVISION_DIGITS
PURPOSE = "bounce"
DELIMITER = "+"


@dataclass(frozen=True, slots=True)
class About:
    """The mail that something is about: its thread and revision."""

    thread_id: UUID
    revision: int


def about_named(name: str) -> About | None:
    """The mail of a Message-ID, or of a message's name alone; None if it is none of ours."""
    thread, _, rest = name.strip().strip("<>").partition("@")[0].partition(".")
    try:
        return About(UUID(thread), int(rest.partition(".")[0]))
    except ValueError:
        return None


class ReturnPath:
    """Makes envelope senders such as `bounces+<thread><check><revision>@mail.example`; reads them, whatever their case.

    The check is keyed by the secrets that sign links: of several, the newest makes it and all of them verify.
    """

    def __init__(self, address: str, secrets: Sequence[str]) -> None:
        """Raises ValueError: the address is malformed, or too long to have a mail's name added."""
        local, _, domain = address.rpartition("@")
        if not PLAIN.fullmatch(address) or DELIMITER in local or len(local) > BEFORE_OCTETS:
            raise ValueError(
                f"CLARION_BOUNCE_ADDRESS is an address whose part before the @ has at most {BEFORE_OCTETS} letters"
                " and no plus sign, as in bounces@mail.league.example"
            )
        self.address = address.lower()
        self._before = f"{local.lower()}{DELIMITER}"
        self._after = f"@{domain.lower()}"
        self._checks = [keyed(keyed(secret.encode())(salt_of(PURPOSE).encode())) for secret in secrets]
        self._check = self._checks[0]

    def of(self, thread_id: UUID, revision: int) -> str:
        """The envelope sender of a mail."""
        if revision >= REVISIONS:
            return self.address
        check = self._check(b"%b%d" % (thread_id.bytes, revision))[:CHECK_OCTETS].hex()
        return f"{self._before}{thread_id.hex}{check}{revision:x}{self._after}"

    def ours(self, address: str) -> bool:
        """Whether it is the bounce address itself, without a mail's name."""
        return address.lower() == self.address

    def shaped(self, address: str) -> bool:
        """Whether it looks like one of ours, made by us or not."""
        given = address.lower()
        return given.startswith(self._before) and given.endswith(self._after)

    def read(self, address: str) -> About | None:
        """The mail that an address names; None if we never made it."""
        if not self.shaped(address):
            return None
        name = address.lower().removeprefix(self._before).removesuffix(self._after)
        try:
            thread_id = UUID(name[:THREAD_DIGITS])
            check = bytes.fromhex(name[THREAD_DIGITS : THREAD_DIGITS + 2 * CHECK_OCTETS])
            revision = int(name[THREAD_DIGITS + 2 * CHECK_OCTETS :], 16)
        except ValueError:
            return None
        named = b"%b%d" % (thread_id.bytes, revision)
        good = any(hmac.compare_digest(one(named)[:CHECK_OCTETS], check) for one in self._checks)
        return About(thread_id, revision) if good else None
