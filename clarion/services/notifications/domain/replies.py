"""What a relay's refusal means: by the step it came at, its code (RFC 5321) and its enhanced status (RFC 3463)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Step = Literal["MAIL", "RCPT", "DATA", "content"]
"""Where in a mail's transaction a reply was given; `content` is the one that follows the mail itself."""

Kind = Literal[
    "later",
    "greylisted",
    "mailbox-full",
    "blocked",
    "leaving",
    "login",
    "sender",
    "no-mailbox",
    "refused",
    "too-big",
]

LOGIN_CODES = frozenset({530, 534, 535, 538})
STATUS = re.compile(r"#?[245]\.(\d{1,3})\.(\d{1,3})(?!\d)")
GREYLIST = re.compile(r"gr[ae]y-?list", re.IGNORECASE)

BY_STATUS: Mapping[tuple[int, int | None], tuple[Kind, Kind]] = {
    (1, None): ("later", "no-mailbox"),
    (1, 4): ("later", "refused"),
    (1, 7): ("sender", "sender"),
    (1, 8): ("sender", "sender"),
    (1, 9): ("later", "refused"),
    (2, 2): ("mailbox-full", "mailbox-full"),
    (2, 3): ("later", "too-big"),
    (3, 4): ("later", "too-big"),
    (7, None): ("blocked", "blocked"),
}
"""By subject and detail of the status, else by the subject alone: what it means as 4xx and as 5xx."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a refusal. `slower` stretches the waits between tries.

    `counted`: it is a try of this mail. `blocks` names what else sends nothing for a while.
    """

    ends: bool = False
    counted: bool = True
    slower: float = 1.0
    suppresses: bool = False
    blocks: Literal["domain", "relay"] | None = None
    reason: str = "the relay deferred it"


RULES: Mapping[Kind, Rule] = {
    "later": Rule(),
    # Greylisting lets in who comes back after some minutes; said as 4.7.1, it is no block of the domain.
    "greylisted": Rule(slower=10, reason="the relay asked to come again"),
    "mailbox-full": Rule(slower=120, reason="the mailbox is full"),
    "blocked": Rule(slower=20, blocks="domain", reason="the domain's policy blocked it"),
    "leaving": Rule(counted=False, slower=0.1, reason="the relay closed the connection"),
    "login": Rule(counted=False, slower=0.1, blocks="relay", reason="the relay refused our login"),
    "sender": Rule(counted=False, slower=0.1, blocks="relay", reason="the relay refused our own address"),
    "no-mailbox": Rule(ends=True, suppresses=True, reason="there is no such mailbox"),
    "refused": Rule(ends=True, reason="the relay refused it"),
    "too-big": Rule(ends=True, reason="the mail is too big for the relay"),
}


def status(text: str) -> tuple[int, int] | None:
    """Subject and detail of the enhanced status that a reply's text begins with, if it has one."""
    found = STATUS.match(text.lstrip())
    return (int(found[1]), int(found[2])) if found else None


def code_of(said: str) -> str:
    """Code and status of what a relay said, without its words, which may name the recipient."""
    words = said.replace(":", " ").split()
    return " ".join(word for word in words[:3] if word[0].isdigit())


def classify(step: Step, code: int, text: str) -> Kind:
    """What a refusal means.

    A bare 550 ends the mail but suppresses nobody: RFC 5321 (4.2.3) gives the same code to "not found", "no access"
    and "policy", so it does not prove that the mailbox is gone.
    """
    if code == 421:
        return "leaving"
    if code in LOGIN_CODES:
        return "login"
    soft = code < 500
    if soft and GREYLIST.search(text):
        return "greylisted"
    kind = _by_status(status(text), soft=soft) or _by_code(step, code)
    if step != "MAIL":
        return kind
    # At MAIL no recipient is named yet, so it is about our own address or session.
    return kind if kind in {"later", "too-big"} else "sender"


def _by_status(found: tuple[int, int] | None, *, soft: bool) -> Kind | None:
    if found is None:
        return None
    kinds = BY_STATUS.get(found) or BY_STATUS.get((found[0], None))
    return kinds[0 if soft else 1] if kinds else None


def _by_code(step: Step, code: int) -> Kind:
    if code < 500:
        return "later"
    if code == 552:
        return "mailbox-full" if step == "RCPT" else "too-big"
    return "refused"
