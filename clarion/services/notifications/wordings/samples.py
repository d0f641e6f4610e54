"""Mails by which a wording is tried out: a usual one, one with next to nothing, a very long one, a hostile one."""

from collections.abc import Mapping
from typing import Any

from clarion.schemas.messages import MessageBatch
from clarion.services.notifications.domain.messages import WITHDRAWAL, Content
from clarion.services.notifications.domain.telling import Ended
from clarion.services.notifications.rendering.bodies import body_of
from clarion.services.notifications.rendering.mail import ROOMS

MAILBOX = "0" * 32
HOSTILE = "<script>alert(1)</script> **bold** [here](javascript:alert(1)) {{ call }} # 1. `x` &amp; \u2028 \\ _y_"
FULL_BILLS = 30
WHEN = "Wednesday, April 21, 2027, 1:30 pm PDT"
BILL: Mapping[str, Any] = {
    "bill": "SB 79",
    "title": "Housing development: transit-oriented development",
    "author": "Example",
    "stance": "oppose",
    "ask": "vote no on SB 79",
    "why": "It takes zoning decisions away from cities.",
    "points": "- Cities plan for housing already\n- One rule does not fit every station",
    "letter": "Dear Chair,\n\nOur city respectfully opposes SB 79.\n\nSincerely,",
}
CALL: Mapping[str, Any] = {
    "division": "North Bay",
    "committee": "Senate Housing",
    "when": WHEN,
    "where": "1021 O Street, Room 1200",
    "letters_due": "Wednesday, April 14, 2027, noon PDT",
    "notice_url": "https://hearings.example/sb79",
    "paragraph": "Our division's cities plan for 12,000 homes already.",
    "bills": [BILL],
}
CALL_BARE: Mapping[str, Any] = {"committee": "Governor", "when": WHEN, "letters_due": "unknown", "bills": []}
OVER: Mapping[str, Any] = {
    "subject": "No longer concerns you: SB 79, Senate Housing, April 21, 2027",
    "paragraphs": ["The bill went to another committee.", "You need not do anything more."],
    "about": [f"Hearing: Senate Housing, {WHEN}", "SB 79: Housing development"],
    "contact": "Rae Example, regional public affairs manager for North Bay, 555-0100",
}
SEAT: Mapping[str, Any] = {
    "title": "How the packaging law will affect local governments",
    "status": "confirmed",
    "when": "Tuesday, May 4, 2027, 10:00 to 11:30 am PDT",
    "where": "online",
    "join_url": "https://events.example/join/preview",
    "cancel_url": "https://events.example/cancel/preview",
    "status_url": "https://events.example/status/preview",
    "register_url": "https://events.example/packaging",
    "host": "Association of Cities",
    "contact": {"name": "Mo Example", "address": "mo@association.example"},
    "policy_url": "https://events.example/policies",
    "presenters": [{"name": "Kim Example", "title": "City Manager", "role": "moderator"}],
    "partners": ["Recycling Partners", "County Association"],
}
SEAT_BARE: Mapping[str, Any] = {
    "title": "Webinar",
    "status": "declined",
    "when": WHEN,
    "status_url": "https://events.example/status/preview",
}
NOTICE: Mapping[str, Any] = {
    "subject": "Calls waiting for you",
    "paragraphs": ["Two campaigns wait for your approval.", "The first letter is due on Wednesday at noon."],
    "url": "https://clarion.example/campaigns/waiting",
    "button": "See what waits",
}
SHARED: Mapping[str, Mapping[str, Any]] = {
    "call": {"subscription": "calls", "lane": "call"},
    "over": {"subscription": "calls", "lane": "call"},
    "registration": {"lane": "registration"},
    "notice": {"lane": "call"},
}
REASON = "Senator Example, who represents Alder (SD 3), sits on the committee that hears SB 79."


def hostile(value: Any) -> Any:
    """The same with every text hostile, but those that choose between a few."""
    match value:
        case str():
            return f"{HOSTILE} {value}"
        case list():
            return [hostile(one) for one in value]
        case dict():
            return {name: one if name in {"status", "stance", "role"} else hostile(one) for name, one in value.items()}
        case _:
            return value


def full_call() -> dict[str, Any]:
    """A hearing with very many bills, each with all that can be said."""
    words = "Cities plan for homes near transit, and know which streets can carry them. " * 12
    bills = [
        {**BILL, "bill": f"SB {number}", "why": words[:900], "points": words, "letter": words * 3}
        for number in range(100, 100 + FULL_BILLS)
    ]
    return {**CALL, "bills": bills, "paragraph": words, "urgent_note": "Less than a day is left."}


def batch(template: str, content: Mapping[str, Any], *, bare: bool = False) -> MessageBatch:
    """A mail to somebody who does not exist."""
    bills = [bill["bill"] for bill in content.get("bills", [])] if template == "call" else []
    asks = [{"kind": kind, "bill": bill} for bill in bills for kind in ("letter", "testimony")]
    whom = {"name": "Rae Example", "address": "rae@association.example", "phone": "555-0100"}
    return MessageBatch.model_validate(
        {
            "matter": "sample",
            "revision": 1,
            "template": template,
            **SHARED[template],
            "reply_to": None if bare or template in {"registration", "notice"} else whom,
            "facts": [],
            "content": dict(content),
            "recipients": [
                {
                    "mailbox": MAILBOX,
                    "address": "ada@alder.example",
                    "name": "Ada Example",
                    "asks": asks,
                    "reasons": [{"kind": "committee", "text": REASON}] if template == "call" and not bare else [],
                }
            ],
        }
    )


def samples(template: str) -> dict[str, MessageBatch]:
    """The mails by which a wording of this template is tried out, by what they are."""
    usual: Mapping[str, Any] = {"call": CALL, "over": OVER, "registration": SEAT, "notice": NOTICE}[template]
    bare: Mapping[str, Any] = {
        "call": CALL_BARE,
        "over": {**OVER, "about": [], "contact": None},
        "registration": SEAT_BARE,
        "notice": NOTICE,
    }[template]
    found = {
        "sample": batch(template, usual),
        "next to nothing": batch(template, bare, bare=True),
        "markup in every text": batch(template, hostile(dict(usual))),
    }
    return found | ({f"{FULL_BILLS} bills": batch(template, full_call())} if template == "call" else {})


def ended(call: MessageBatch) -> MessageBatch:
    """What those would be told whom a call no longer concerns."""
    withdrawal = Content(0, call.matter, WITHDRAWAL, None, {"reason": None})
    told = Content(0, call.matter, call.template, call.reply_to, call.content, tuple(call.facts))
    over = body_of(withdrawal, (), Ended(told), ROOMS[0])
    content = {**over.context, "subject": over.subject}
    return call.model_copy(update={"template": "over", "content": content, "calendar": None})
