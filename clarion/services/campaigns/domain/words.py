"""What a call says: its title, its facts, its content and its reasons as sentences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clarion.schemas.legislation import HearingAgendaItem
from clarion.schemas.messages import Ask, CallBill, CallContent, Contact, Fact, Reason
from clarion.services.campaigns.domain.decision import CANCELLED, Decision
from clarion.services.campaigns.domain.model import (
    REQUEST,
    AdoptedPosition,
    Asked,
    CommitteeFound,
    Division,
    Reasons,
    hearing_ends_at,
)
from clarion.services.campaigns.domain.names import chamber, plain
from clarion.services.campaigns.domain.occasions import MATTERS, Occasion
from clarion.services.campaigns.domain.times import spoken_start, spoken_time

SENTENCES = 3
"""How many reasons a mail names; the others are kept as data."""

LINE_LENGTH = 1_000
DEADLINE_UNKNOWN = "Deadline unknown: ask the committee"


def committee_title(name: str, chamber_name: str, jurisdiction: str) -> str:
    """A committee as people call it: "Senate Committee on Housing"."""
    words = chamber(chamber_name, jurisdiction)
    prefix = "" if plain(name).startswith(plain(words.name)) else words.name
    middle = "" if "committee" in plain(name) else "Committee on"
    return " ".join(part for part in (prefix, middle, name) if part)


def heard_by(occasion: Occasion, committee: CommitteeFound | None) -> str:
    """The committee of a hearing in words; as the source names it where the directory does not have it."""
    if committee is None:
        return occasion.committee.name
    return committee_title(committee.name, committee.chamber, occasion.jurisdiction)


def listed(words: Sequence[str], *, most: int = 3) -> str:
    """Words in a row: "a", "a and b", "a, b and c", "a, b and 2 more"."""
    if len(words) <= 1:
        return "".join(words)
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def title(occasion: Occasion, decision: Decision) -> str:
    """What a campaign is called: "SB 79, Senate Committee on Housing, Wednesday, April 21, 2027"."""
    day = spoken_start(occasion.starts_at, occasion.zone, occasion.time_note)
    bills = listed([each.position.bill for each in decision.positions] or [item.bill for item in occasion.agenda])
    short_day = ", ".join(day.split(", ")[:3])
    return f"{bills}: {heard_by(occasion, decision.committee)}, {short_day}"[:LINE_LENGTH]


def due(occasion: Occasion, decision: Decision) -> str:
    """Until when letters count; where that is unknown, whom to ask. Never guessed."""
    phone = decision.committee.phone if decision.committee else None
    if _ends_with_it(occasion):
        return spoken_time(hearing_ends_at(occasion), occasion.zone)
    if occasion.letters_due_at is None:
        return f"{DEADLINE_UNKNOWN} ({phone})" if phone else DEADLINE_UNKNOWN
    return spoken_time(occasion.letters_due_at, occasion.zone)


def deadline(occasion: Occasion, decision: Decision) -> str:
    """`due`, and what to do where that is past."""
    if decision.letters_open:
        return due(occasion, decision)
    late = f"It was {due(occasion, decision)}: too late for {MATTERS[occasion.kind].written}"
    return f"{late}; call your member or testify" if occasion.is_hearing else f"{late}; call instead"


def place(occasion: Occasion) -> str | None:
    """Where a hearing is held, with the ways to take part from afar; None if nobody said."""
    parts = (occasion.location.name, occasion.location.remote, occasion.location.url)
    return "; ".join(part for part in parts if part) or None


def agenda_items(occasion: Occasion) -> Mapping[str, HearingAgendaItem]:
    """The first item of each bill on the agenda."""
    items: dict[str, HearingAgendaItem] = {}
    for item in occasion.agenda:
        items.setdefault(item.bill_key, item)
    return items


def facts(occasion: Occasion, decision: Decision) -> list[Fact]:
    """What a call states; a later change of one is told again, so that nothing in them changes by time alone."""
    where, matter = place(occasion), MATTERS[occasion.kind]
    cancelled = [Fact(key="status", label="Status", text="Cancelled")] if occasion.status == CANCELLED else []
    general = [
        *cancelled,
        Fact(key="when", label=matter.when, text=spoken_start(occasion.starts_at, occasion.zone, occasion.time_note)),
        *([Fact(key="where", label="Where", text=where)] if where else []),
        Fact(key="committee", label=matter.decider, text=heard_by(occasion, decision.committee)),
        *([] if _ends_with_it(occasion) else [Fact(key="letters_due", label=matter.due, text=due(occasion, decision))]),
    ]
    return general + [_bill_fact(each) for each in decision.positions]


def _ends_with_it(occasion: Occasion) -> bool:
    """Whether what is written is due when the occasion ends: then one fact says both."""
    return not occasion.is_hearing and occasion.letters_due_at in {None, hearing_ends_at(occasion)}


def _bill_fact(adopted: AdoptedPosition) -> Fact:
    position = adopted.position
    stance = "" if position.stance == REQUEST else f"{position.stance.replace('-', ' ')}; "
    text = f"{position.bill}: {stance}{position.ask}"
    return Fact(key=f"bill:{position.bill_key}"[:200], label=position.bill, text=text)


def content(occasion: Occasion, decision: Decision) -> CallContent:
    """What the template of a call needs besides the facts, all but the division."""
    items = agenda_items(occasion)
    return CallContent(
        committee=heard_by(occasion, decision.committee),
        when=spoken_start(occasion.starts_at, occasion.zone, occasion.time_note),
        where=place(occasion),
        letters_due=deadline(occasion, decision),
        letters_open=decision.letters_open,
        notice_url=occasion.notice_url,
        kind=occasion.kind,
        decider=None if occasion.is_hearing else occasion.committee.name,
        bills=[
            _call_bill(each, items.get(each.position.bill_key), decision.versions.get(each.position.bill_key))
            for each in decision.positions
        ],
    )


def _call_bill(adopted: AdoptedPosition, item: HearingAgendaItem | None, version: str | None) -> CallBill:
    position = adopted.position
    return CallBill(
        bill=position.bill,
        title=item.title if item else None,
        author=item.author if item else None,
        stance=position.stance,
        ask=position.ask,
        why=position.why,
        points=position.points,
        letter=position.letter,
        version=version,
    )


def reason_sentence(reason: Mapping[str, Any], city: str, jurisdiction: str) -> Reason:
    """One reason as a sentence.

    For example "Senator Jesse Example (chair), who represents Berkeley (SD 7), sits on the committee that hears SB 79."
    """
    bills = listed(reason["bills"])
    match reason["kind"]:
        case "statewide" if reason["role"] == "audience":
            text = f"Cities all over the state are asked about {bills}."
        case "statewide":
            verb = "concerns" if len(reason["bills"]) == 1 else "concern"
            text = f"{bills} {verb} every city in the state."
        case "group":
            text = f"{city} is {membership(reason['role'], reason['name'])}."
        case "division":
            text = f"{city} is in the {reason['name']} division, which is asked about {bills}."
        case "city":
            text = f"{city} is asked in particular."
        case "district":
            words = chamber(reason["chamber"], jurisdiction)
            number = reason["district"].rpartition(":")[2]
            text = f"{city} lies in {words.name} District {number}, which is asked about {bills}."
        case "author":
            text = f"{_represented(reason, city, jurisdiction)} is the author of {bills}."
        case _:
            seat = reason.get("committee")
            where = f"the {seat}" if seat else f"the committee that hears {bills}"
            text = f"{_represented(reason, city, jurisdiction)} sits on {where}."
    return Reason(kind=reason["kind"], text=text)


def _represented(reason: Mapping[str, Any], city: str, jurisdiction: str) -> str:
    words = chamber(reason["chamber"], jurisdiction)
    number = reason["district"].rpartition(":")[2]
    role = "" if reason["role"] in {"member", "author"} else f" ({reason['role']})"
    return f"{words.member} {reason['name']}{role}, who represents {city} ({words.district} {number}),"


def membership(role: str, group: str) -> str:
    """What somebody is in a group: "a member of the Coastal Cities Group", "chair of the Latino Caucus"."""
    named = group if plain(group).startswith("the ") else f"the {group}"
    return f"{'a member' if role == 'member' else role} of {named}"


def reasons_told(cities: Iterable[Reasons], jurisdiction: str) -> list[Reason]:
    """The reasons for a mailbox: chairs first, then by share, one per legislator or group, at most `SENTENCES`."""
    ranked = sorted(
        (
            (reason["rank"], -(reason["share"] or 0), city["name"], reason)
            for city in cities
            for reason in city["reasons"]
        ),
        key=lambda entry: entry[:3],
    )
    told: dict[str, Reason] = {}
    for _, _, city, reason in ranked:
        if len(told) == SENTENCES:
            break
        key = reason["legislator"] or reason.get("group") or reason["kind"]
        told.setdefault(key, reason_sentence(reason, city, jurisdiction))
    return list(told.values())


def asks(asked: Asked, bills: Sequence[str], first_ask: str) -> list[Ask]:
    """What a mailbox is asked for, bill by bill."""
    wanted = ((first_ask, asked.letter), ("phone", asked.phone), ("testimony", asked.testimony))
    kinds = [kind for kind, is_wanted in wanted if is_wanted]
    return [Ask(kind=kind, bill=bill) for bill in bills for kind in kinds]


def contact(division: Division | None) -> Contact | None:
    """The manager to whom answers go; None for cities of no division, or of one without a manager."""
    if division is None or not (division.manager_name or division.manager_email):
        return None
    return Contact(
        name=division.manager_name or division.name,
        address=division.manager_email,
        phone=division.manager_phone,
    )
