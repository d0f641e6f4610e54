"""What a report says of a mail, whoever reported it and however; and what it amounts to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from clarion.services.notifications.bounces.return_path import About
from clarion.services.notifications.domain.replies import RULES, classify

Meaning = Literal[
    "failed", "delayed", "delivered", "complaint", "opt-out", "not-spam", "auto-reply", "other", "unclear"
]
"""`other` is known and of no concern; `unclear` is for a person to read."""

Kind = Literal[
    "hard",
    "soft",
    "blocked",
    "delayed",
    "delivered",
    "complaint",
    "opt-out",
    "not-spam",
    "auto-reply",
    "other",
    "unclear",
]
"""`hard`: there is no such mailbox. `soft`: it takes nothing now. `blocked`: we, or this mail, were not welcome."""
KINDS: tuple[Kind, ...] = get_args(Kind)

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
UNTOLD = "0"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one mail and one of its recipients.

    `address` is the recipient as the report has it and `original` as it was before any forwarding, where it says so;
    `status` is enhanced (RFC 3463), or empty. `verdict` is the kind where a provider told it. `about` is the mail where
    whoever reports can be trusted to name it; `quoted` are envelope senders that stand in the report.
    """

    meaning: Meaning
    address: str | None = None
    original: str | None = None
    status: str = ""
    why: str = ""
    verdict: Kind | None = None
    about: About | None = None
    quoted: Sequence[str] = ()

    def names(self, ours: Callable[[str], bool]) -> bool:
        """Whether it is about the mailbox that we wrote to; what names nobody is."""
        named = [one for one in (self.address, self.original) if one]
        return not named or any(ours(one) for one in named)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a report amounts to; `why` is told to people and names nobody."""

    kind: Kind
    why: str = ""


def status_in(status: str, diagnostic: str) -> str:
    """The enhanced status of a failure: of the diagnostic, where its own field says nothing in particular (5.0.0)."""
    told = STATUS.search(status)
    closer = STATUS.search(diagnostic)
    if told is None or (told[2] == UNTOLD and closer is not None and closer[1] == told[1]):
        told = closer or told
    if told is not None:
        return told[0]
    code = CODE.search(diagnostic)
    return f"{code[0][0]}.0.0" if code else ""


def failure(said: Said) -> Conclusion:
    """What a failure amounts to, as a relay's own refusal of the recipient would (domain/replies)."""
    if said.verdict is not None:
        return Conclusion(said.verdict, said.why or said.status)
    found = STATUS.fullmatch(said.status)
    if found is None:
        return Conclusion("soft", said.why or "no reason was given")
    if found[1] == "2":
        return Conclusion("unclear", f"it says failed, and {said.status}, which is success")
    refusal = classify("RCPT", 450 if found[1] == "4" else 550, said.status)
    rule = RULES[refusal]
    why = f"{rule.reason if rule.ends or refusal == 'mailbox-full' else 'it was not delivered'} ({said.status})"
    if rule.suppresses:
        return Conclusion("hard", why)
    return Conclusion("blocked" if rule.blocks or refusal == "too-big" else "soft", why)


def conclude(report: Sequence[Said], ours: Callable[[str], bool]) -> Conclusion:
    """What a report amounts to for the mailbox that the mail went to.

    An address behind it, to which it is forwarded, may fail without the mailbox being gone: that is soft. If any of
    several behind it got the mail, it was delivered.
    """
    about = [one for one in report if one.names(ours)]
    failed = [failure(one) for one in about if one.meaning == "failed"]
    if failed:
        return min(failed, key=lambda one: KINDS.index(one.kind))
    if about:
        first = min(about, key=lambda one: KINDS.index(as_kind(one)))
        return Conclusion(as_kind(first), first.why)
    if report and all(one.meaning == "failed" for one in report):
        return Conclusion("soft", f"where it is forwarded to: {failure(report[0]).why}")
    if any(one.meaning in {"failed", "delivered", "delayed"} for one in report):
        return Conclusion("delivered", "to some of those behind the address")
    if report:
        return Conclusion(as_kind(report[0]), report[0].why)
    return Conclusion("unclear", "it says nothing")


def as_kind(said: Said) -> Kind:
    """The kind of whatever is no failure."""
    return "unclear" if said.meaning == "failed" else said.meaning
