"""What becomes of a hearing: no campaign, one that waits or is drafted, a launch, or the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from clarion.services.campaigns.domain.model import (
    AdoptedPosition,
    Campaign,
    CommitteeFound,
    Launch,
    Status,
    day_ends_at,
    hearing_ends_at,
    may_move,
)
from clarion.services.campaigns.domain.names import chamber_key, named_chamber
from clarion.services.campaigns.domain.occasions import MATTERS, Occasion
from clarion.services.campaigns.domain.progress import Progress, since_last
from clarion.services.campaigns.domain.stages import ending_at
from clarion.services.campaigns.domain.times import spoken_start

CANCELLED = "cancelled"
AWAITS_APPROVAL = "waits for approval"
NOTHING_ASKED = "no position on its agenda asks anything any more"
NOBODY = "nobody to ask: no city is affected, or none has an official who writes letters or testifies"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision depends on. `positions` are those in force on the hearing's agenda, in its order; `progress`
    is where its bills stand and what was asked about them before.
    """

    occasion: Occasion
    positions: Sequence[AdoptedPosition]
    committees: Sequence[CommitteeFound]
    missing: Sequence[str]
    campaign: Campaign | None
    now: datetime
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True, slots=True)
class Decision:
    """The state a campaign is to have. `positions` are those that ask something.

    `calling` is False once the hearing is over or cancelled; `replans` is False where whom it affects cannot be told
    anew. Nothing is told from `told_until` on. `today` is the day there. `endings` say by key of bills that have come
    to an end why nothing is asked about them any more, `versions` what is new about those asked about before.
    """

    status: Status
    problem: str | None
    positions: tuple[AdoptedPosition, ...]
    waits_for_directory: bool
    committee: CommitteeFound | None
    letters_open: bool
    not_after: datetime
    ends_at: datetime
    calling: bool
    replans: bool
    told_until: datetime
    launch: Launch
    today: date
    endings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


def decide(situation: Situation) -> Decision | None:
    """The state in which the hearing's campaign should be, or None if it needs none or is to stay as it is."""
    asking, campaign = asking_in(situation), situation.campaign
    if campaign is None:
        return _judge(situation, asking) if asking else None
    launched = campaign.launched_at is not None
    decision = _after_launch(situation, asking, campaign) if launched else _judge(situation, asking)
    return decision if may_move(campaign.status, decision.status, launched=launched) else None


def asking_in(situation: Situation) -> tuple[AdoptedPosition, ...]:
    """The positions that ask something, all but those on bills that have come to an end."""
    over = endings(situation)
    return tuple(
        each for each in situation.positions if each.position.stance != "watch" and each.position.bill_key not in over
    )


def _judge(situation: Situation, asking: tuple[AdoptedPosition, ...]) -> Decision:
    ended = _ended(situation)
    if ended is not None:
        return _decision(situation, asking, Status.CLOSED, ended)
    if not asking:
        return _decision(situation, asking, Status.CLOSED, _nothing_asked(situation))
    obstacle = _obstacle(situation)
    if obstacle is not None:
        return _decision(situation, asking, Status.WAITING, obstacle)
    if _launch(situation, asking) != "auto" and not (situation.campaign and situation.campaign.approved):
        return _decision(situation, asking, Status.DRAFTED, AWAITS_APPROVAL)
    return _decision(situation, asking, Status.LAUNCHED, None)


def _after_launch(situation: Situation, asking: tuple[AdoptedPosition, ...], campaign: Campaign) -> Decision:
    """What was launched follows its hearing; a bill that was never asked about waits for its own approval."""
    withheld = held(situation, campaign)
    told = tuple(each for each in asking if not needs_approval(each, campaign))
    ended = _ended(situation)
    if ended is not None:
        return _decision(situation, told, Status.CLOSED, ended)
    waits = f"{', '.join(each.position.bill for each in withheld)} {AWAITS_APPROVAL}" if withheld else None
    if not told:
        return _decision(situation, told, Status.CLOSED, waits or _nothing_asked(situation))
    return _decision(situation, told, Status.LAUNCHED, _obstacle(situation) or waits)


def held(situation: Situation, campaign: Campaign) -> list[AdoptedPosition]:
    """What came to a launched campaign that it may not ask about by itself."""
    return [each for each in asking_in(situation) if needs_approval(each, campaign)]


def needs_approval(adopted: AdoptedPosition, campaign: Campaign) -> bool:
    """Whether a launched campaign may not ask about this bill by itself."""
    known = campaign.told_bills | campaign.approved_bills
    return adopted.position.launch != "auto" and adopted.position.bill_key not in known


def endings(situation: Situation) -> Mapping[str, str]:
    """Why nothing is asked any more of bills that came to an end, or on which we stand no longer, by their keys."""
    withdrawn = [each.position for each in situation.positions if each.withdrawn]
    given_up = {each.bill_key: f"We have withdrawn our position on {each.bill}." for each in withdrawn}
    said = {
        key: ending_at(situation.occasion.kind, standing.bill, standing.status, standing.stage)
        for key, standing in situation.progress.standings.items()
    }
    return given_up | {key: text for key, text in said.items() if text is not None}


def versions(situation: Situation) -> Mapping[str, str]:
    """What is new about bills that were asked about before, by their keys."""
    standings, last = situation.progress.standings, situation.progress.last
    committee = situation.occasion.committee.model_dump() if situation.occasion.is_hearing else None
    said = {
        key: since_last(each.position.bill, standings.get(key), last[key], committee)
        for each in situation.positions
        if (key := each.position.bill_key) in last
    }
    return {key: text for key, text in said.items() if text is not None}


def _nothing_asked(situation: Situation) -> str:
    over = endings(situation)
    on_agenda = dict.fromkeys(item.bill_key for item in situation.occasion.agenda)
    return " ".join(over[key] for key in on_agenda if key in over) or NOTHING_ASKED


def _launch(situation: Situation, asking: Sequence[AdoptedPosition]) -> Launch:
    """How its waves are let go; that stays as it was at the first launch."""
    campaign = situation.campaign
    if campaign is not None and campaign.launched_at is not None and campaign.launch is not None:
        return campaign.launch
    by_itself = situation.occasion.launch == "auto" and all(each.position.launch == "auto" for each in asking)
    return "auto" if by_itself else "approval"


def _ended(situation: Situation) -> str | None:
    occasion = situation.occasion
    matter = MATTERS[occasion.kind]
    if occasion.status == CANCELLED:
        return f"{matter.name} is cancelled"
    if hearing_ends_at(occasion) <= situation.now:
        return f"{matter.name} {matter.was} {spoken_start(occasion.starts_at, occasion.zone, occasion.time_note)}"
    return None


def _obstacle(situation: Situation) -> str | None:
    if situation.missing:
        return f"the directory is not whole: {'; '.join(situation.missing)}"
    if not situation.occasion.is_hearing:
        return None
    match situation.committees:
        case [_]:
            return None
        case []:
            return unknown_committee(situation.occasion)
        case several:
            return ambiguous_committee(situation.occasion, several)


def committee_chamber(occasion: Occasion) -> str | None:
    """The chamber of the hearing's committee: as the source says it, or as the name begins with it."""
    named = occasion.committee.chamber
    return chamber_key(named) if named else named_chamber(occasion.committee.name)


def unknown_committee(occasion: Occasion) -> str:
    """What to do about a committee that the directory does not have."""
    chamber = committee_chamber(occasion) or "chamber not said"
    return (
        f'unknown committee "{occasion.committee.name}" ({chamber}): import it with clarion directory import committees'
    )


def ambiguous_committee(occasion: Occasion, several: Sequence[CommitteeFound]) -> str:
    """Which committees a name fits, so that the source can say the id."""
    fits = " and ".join(f'"{each.name}" ({each.chamber}) {each.id}' for each in several)
    name = occasion.committee.name
    return f'committee "{name}" fits {len(several)}: {fits}; publish the hearing with the committee\'s id'


def _decision(
    situation: Situation, asking: tuple[AdoptedPosition, ...], status: Status, problem: str | None
) -> Decision:
    occasion = situation.occasion
    calling = _ended(situation) is None
    return Decision(
        status=status,
        problem=problem,
        positions=asking,
        waits_for_directory=status is not Status.CLOSED and bool(situation.missing),
        committee=situation.committees[0] if len(situation.committees) == 1 else None,
        letters_open=letters_open(occasion.letters_due_at, situation.now),
        not_after=not_after(occasion.letters_due_at, hearing_ends_at(occasion), situation.now, letter=True),
        ends_at=hearing_ends_at(occasion),
        calling=calling,
        replans=calling and (status is Status.CLOSED or _obstacle(situation) is None),
        told_until=_told_until(situation, calling=calling),
        launch=_launch(situation, asking),
        today=situation.now.astimezone(ZoneInfo(occasion.zone)).date(),
        endings=endings(situation),
        versions=versions(situation),
    )


def _told_until(situation: Situation, *, calling: bool) -> datetime:
    """Until when telling helps: the hearing's end; of one that is not held, the end of the last day it was told for."""
    occasion, campaign = situation.occasion, situation.campaign
    if calling:
        return hearing_ends_at(occasion)
    end = day_ends_at(occasion.starts_at, occasion.zone) if occasion.status == CANCELLED else hearing_ends_at(occasion)
    return max(end, campaign.told_until) if campaign and campaign.told_until else end


def letters_open(letters_due_at: datetime | None, now: datetime) -> bool:
    """Whether letters may still be asked; where no deadline is known they may."""
    return letters_due_at is None or letters_due_at > now


def not_after(letters_due_at: datetime | None, ends_at: datetime, now: datetime, *, letter: bool) -> datetime:
    """When a call is too late: the letters' deadline if known, ahead and a letter is asked, else the hearing's end."""
    if letter and letters_due_at is not None and letters_due_at > now:
        return min(letters_due_at, ends_at)
    return ends_at
