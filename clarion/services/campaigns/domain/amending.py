"""What of a launched campaign is told again: the facts that differ, why it ends for some, and the calendar entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from clarion.schemas.legislation import Counterpart
from clarion.schemas.messages import CalendarEntry, Fact
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.decision import CANCELLED, Decision
from clarion.services.campaigns.domain.model import Campaign
from clarion.services.campaigns.domain.names import chamber_key
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.domain.times import spoken_start

HEARING_LENGTH = timedelta(hours=2)
STATUS = "status"
BILL = "bill:"
NOT_CONCERNED = "It no longer concerns your city or your office."

Change = Mapping[str, str | None]
"""A fact that differs: its `key` and `label`, what it is `now` and what it `was` (None where it is not there)."""


def changes(before: Sequence[Fact], after: Sequence[Fact]) -> list[Change]:
    """The material facts that differ, in the order in which they are told; what is gone comes last."""
    told = {fact.key: fact for fact in before if fact.material}
    now = {fact.key: fact for fact in after if fact.material}
    differing = [
        {"key": key, "label": fact.label, "now": fact.text, "was": told[key].text if key in told else None}
        for key, fact in now.items()
        if key not in told or told[key].text != fact.text
    ]
    gone = [
        {"key": key, "label": fact.label, "now": None, "was": fact.text} for key, fact in told.items() if key not in now
    ]
    return [*differing, *gone]


def amended_facts(occasion: Occasion, decision: Decision, told: Sequence[Fact]) -> list[Fact]:
    """The facts in force. That a hearing is on again is said, and follows from the others for who knew it cancelled."""
    facts = words.facts(occasion, decision)
    was_cancelled = any(fact.key == STATUS and fact.material for fact in told)
    if was_cancelled and occasion.status != CANCELLED:
        return [Fact(key=STATUS, label="Status", text="Reinstated", material=False), *facts]
    return facts


def told_facts(campaign: Campaign) -> list[Fact]:
    """The facts that were told last."""
    return [Fact.model_validate(fact) for fact in campaign.message.get("facts", [])]


def withdrawal_reason(changed: Sequence[Change], occasion: Occasion, decision: Decision) -> str:
    """Why it no longer concerns someone who was told, in a sentence or more."""
    left = [each for each in changed if (each["key"] or "").startswith(BILL) and each["now"] is None]
    over = {f"{BILL}{key}"[:200]: text for key, text in decision.endings.items()}
    sentences = [over[each["key"]] for each in left if each["key"] in over]
    gone = [each["label"] or "" for each in left if each["key"] not in over]
    if gone:
        verb = "is" if len(gone) == 1 else "are"
        sentences.append(f"{words.listed(gone)} {verb} no longer asked about there.")
    if any(each["key"] == "committee" for each in changed):
        decider = words.heard_by(occasion, decision.committee)
        moved = "The hearing is now before another committee" if occasion.is_hearing else "Now somebody else decides"
        sentences.append(f"{moved}: {decider}.")
    return " ".join(sentences) or NOT_CONCERNED


def reason_to_end(left_out: str | None, stopped: str | None) -> str | None:
    """What somebody is told who is asked no more, by the reason that was given for leaving out or stopping."""
    if left_out:
        return f"You are no longer asked: {left_out}"
    return f"These calls were stopped in your division: {stopped}" if stopped else None


def calendar(occasion: Occasion, decision: Decision, campaign_id: str) -> CalendarEntry:
    """The hearing's entry: two hours from its start, or its day where only that is known. What is no hearing has no
    length: it is the moment at which it ends.
    """
    length = HEARING_LENGTH if occasion.is_hearing else timedelta()
    bills = words.listed([each.position.bill for each in decision.positions] or [item.bill for item in occasion.agenda])
    committee = words.heard_by(occasion, decision.committee)
    return CalendarEntry(
        uid=f"campaign-{campaign_id}@clarion",
        method="CANCEL" if occasion.status == CANCELLED else "REQUEST",
        summary=f"{bills}: {committee}"[: words.LINE_LENGTH] if bills else committee,
        starts_at=occasion.starts_at,
        ends_at=occasion.starts_at + length if isinstance(occasion.starts_at, datetime) else None,
        zone=occasion.zone,
        location=words.place(occasion),
        description=occasion.time_note,
        url=occasion.notice_url,
    )


def arrivals(occasion: Occasion, decision: Decision, before: Mapping[str, Any]) -> list[dict[str, str]]:
    """Bills that came from another hearing: whoever was called there is told that they moved, and from when to when."""
    asked = {each.position.bill_key: each.position.bill for each in decision.positions}
    said = {each["bill_key"]: each for each in before.get("arrivals", []) if each["bill_key"] in asked}
    for each in occasion.counterparts:
        if each.direction == "came_from" and each.bill_key in asked:
            said[each.bill_key] = {
                "bill_key": each.bill_key,
                "bill": asked[each.bill_key],
                "hearing": each.hearing_id,
                "text": _moved(occasion, each, asked[each.bill_key]),
            }
    return list(said.values())


def _moved(occasion: Occasion, origin: Counterpart, bill: str) -> str:
    now = spoken_start(occasion.starts_at, occasion.zone, occasion.time_note)
    was = spoken_start(origin.starts_at, origin.zone, origin.time_note)
    named = origin.committee.chamber
    where = words.committee_title(origin.committee.name, chamber_key(named) if named else "", occasion.jurisdiction)
    return f"{bill} moved: now {now}, was {was} ({where})."


def departures(occasion: Occasion, told: Sequence[Fact], before: Mapping[str, Any]) -> list[dict[str, str]]:
    """Bills that went to another hearing: whoever is called there hears of it there."""
    here = {item.bill_key for item in occasion.agenda}
    labels = {fact.key: fact.label for fact in told}
    gone = {each["bill_key"]: each for each in before.get("departures", []) if each["bill_key"] not in here}
    for each in occasion.counterparts:
        label = labels.get(f"{BILL}{each.bill_key}"[:200])
        if each.direction == "went_to" and each.bill_key not in here and label:
            gone[each.bill_key] = {"bill_key": each.bill_key, "bill": label, "hearing": each.hearing_id}
    return list(gone.values())
