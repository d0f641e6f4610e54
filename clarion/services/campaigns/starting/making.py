"""A draft becomes an occasion: every name is found, every time is ahead, and something is asked of somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clarion.runtime.database import Connection
from clarion.runtime.staff.rights import Act, Staff, where
from clarion.runtime.web.fields import FieldError
from clarion.schemas.legislation import CommitteeReference, HearingAgendaItem, Location, bill_key
from clarion.services.campaigns.bills import progress_on
from clarion.services.campaigns.domain.model import AdoptedPosition, ends_at
from clarion.services.campaigns.domain.occasions import MADE, Audience, Occasion, OwnAsk
from clarion.services.campaigns.domain.times import spoken_time
from clarion.services.campaigns.domain.words import listed
from clarion.services.campaigns.positions.repository import position_versions
from clarion.services.campaigns.positions.subjects import MEASURES_ASK_NOTHING, any_keys
from clarion.services.campaigns.rules.calendar import calendar_of
from clarion.services.campaigns.starting.drafts import OccasionDraft
from clarion.services.campaigns.starting.errors import NotYours, Unfit
from clarion.services.campaigns.starting.kinds import KINDS, PROGRAMME, THREAT
from clarion.services.campaigns.starting.moments import due_of, ending_of, noted
from clarion.services.campaigns.starting.naming import QUERIES, find_names

MEMBERS = {"members": True, "others": False, "all": None}
SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Made:
    """An occasion, and what is odd about it."""

    occasion: Occasion
    warnings: list[str]


async def make(connection: Connection, draft: OccasionDraft, draft_id: str, staff: Staff | None, now: datetime) -> Made:
    """The occasion of a draft.

    Raises:
        Unfit: something of the draft is wrong; every name that is not known is told at once.
        NotYours: `staff` may start campaigns in the own divisions alone, and it would reach beyond them.
    """
    closed = (await calendar_of(connection, draft.jurisdiction)).holidays
    kind, end = KINDS[draft.kind], ending_of(draft, now, closed)
    due = due_of(draft.due_at, end, draft.zone)
    decider = draft.decider or kind.decider
    audience = await _audience(connection, draft)
    positions = await _positions(connection, draft)
    if decider is None and draft.kind != PROGRAMME:
        raise Unfit.at("decider", f'say who decides, such as "Senate floor" or "CalRecycle": it is {kind.means}')
    _check_asks(draft, positions)
    await check_reach(connection, audience, staff)
    started_in = _division_of(draft, audience)
    occasion = Occasion(
        hearing_id=f"{MADE}{draft_id}",
        aliases=[],
        revision=1,
        status="scheduled",
        jurisdiction=draft.jurisdiction,
        zone=draft.zone,
        session=next((each.position.session for each in positions if each.position.session), draft.session or "-"),
        committee=CommitteeReference(name=decider or await _division_name(connection, started_in)),
        starts_at=end,
        time_note=noted(end),
        location=Location(name=draft.where),
        agenda=await _agenda(connection, positions),
        letters_due_at=due,
        notice_url=draft.notice_url,
        kind=draft.kind,
        audience=audience,
        own=[
            OwnAsk(name=one.subject, ask=one.ask, why=one.why, points=one.points, letter=one.letter)
            for one in draft.own
        ],
        first_ask=draft.first_ask or kind.first_ask,
        launch=draft.launch,
        started_in=started_in,
    )
    return Made(occasion, await _warnings(connection, occasion, now))


async def _audience(connection: Connection, draft: OccasionDraft) -> Audience:
    wanted = draft.audience
    statewide = wanted.statewide or (draft.kind == THREAT and wanted.is_empty)
    if wanted.is_empty and not statewide:
        raise Unfit.at(
            "audience",
            "nobody is asked: name divisions, cities, groups, districts, committees or officials, or say statewide",
        )
    named = await find_names(connection, draft)
    if named.errors:
        raise Unfit(named.errors)
    return Audience(**named.ids, members=MEMBERS[wanted.members], statewide=statewide)


async def _positions(connection: Connection, draft: OccasionDraft) -> list[AdoptedPosition]:
    """The positions in force on what the draft names.

    Raises:
        Unfit: there is none on some of it, or it asks nothing, or it is not clear which.
    """
    found: list[AdoptedPosition] = []
    errors: list[FieldError] = []
    for place, name in enumerate(draft.bills):
        chosen = await _position(connection, draft, name)
        if isinstance(chosen, str):
            errors.append(FieldError(field=f"bills[{place}]", message=chosen))
        else:
            found.append(chosen)
    sessions = sorted({each.position.session for each in found if each.position.session})
    if len(sessions) > 1:
        errors.append(FieldError(field="bills", message=f"they are of several sessions: {listed(sessions)}"))
    if errors:
        raise Unfit(errors)
    return found


async def _position(connection: Connection, draft: OccasionDraft, name: str) -> AdoptedPosition | str:
    """The one position in force on this, or why there is none to ask for."""
    versions = await position_versions(connection, any_keys(name), jurisdiction=draft.jurisdiction)
    newest = {(each.position.session, each.position.bill_key): each for each in reversed(versions)}
    known = [each for each in newest.values() if draft.session is None or each.position.session in {"", draft.session}]
    if known and all(each.position.subject == "measure" for each in known):
        return MEASURES_ASK_NOTHING
    asking = [
        each
        for each in known
        if not each.withdrawn and each.position.stance != "watch" and each.position.subject != "measure"
    ]
    match asking:
        case [one]:
            return one
        case []:
            what = "the position on it asks nothing" if known else f"no position on {name!r}"
            return f"{what}: adopt one (`clarion positions adopt`), or say what is asked in own"
        case several:
            return (
                f"there are positions of several sessions, say which: {listed([e.position.session for e in several])}"
            )


def _check_asks(draft: OccasionDraft, positions: Sequence[AdoptedPosition]) -> None:
    if not positions and not draft.own:
        raise Unfit.at("own", "nothing is asked: name bills with a position, or say in own what is asked and why")
    keys = [each.position.bill_key for each in positions] + [bill_key(own.subject) for own in draft.own]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise Unfit.at("own", f"asked about twice: {listed(twice)}")
    empty = [place for place, own in enumerate(draft.own) if not (own.ask.strip() and own.why.strip())]
    if empty:
        raise Unfit([FieldError(field=f"own[{place}]", message="say what is asked, and why") for place in empty])


async def check_reach(connection: Connection, audience: Audience, staff: Staff | None) -> None:
    """Whether somebody may start a campaign that asks this audience; without `staff` a command or a key does.

    Raises:
        NotYours: it reaches beyond the own divisions.
    """
    own = None if staff is None else where(staff, Act.START_CAMPAIGN)
    if own is None:
        return
    beyond = sorted(set(audience.divisions) - own)
    if beyond or not (audience.divisions or (audience.officials and not drawn(audience))):
        said = listed(beyond, most=5) if beyond else "every division"
        raise NotYours(f"you may start campaigns in {listed(sorted(own), most=5) or 'no division'}, and not in {said}")
    rows = QUERIES.known_officials(connection, ids=list(audience.officials))
    strangers = sorted([row["id"] async for row in rows if row["division"] not in own])
    if strangers:
        raise NotYours(f"these officials are not of your divisions: {listed(strangers, most=5)}")


def drawn(audience: Audience) -> bool:
    """Whether anything but names chosen by hand says who is asked."""
    kinds = (audience.divisions, audience.cities, audience.groups, audience.districts, audience.committees)
    return audience.statewide or any(kinds)


def _division_of(draft: OccasionDraft, audience: Audience) -> str | None:
    """The one division of a programme.

    Raises:
        Unfit: a programme is of several divisions, or of none.
    """
    if draft.kind == PROGRAMME and len(audience.divisions) != 1:
        raise Unfit.at("audience.divisions", "a programme is one division's: name that one")
    return audience.divisions[0] if len(audience.divisions) == 1 else None


async def _division_name(connection: Connection, division: str | None) -> str:
    rows = [row async for row in QUERIES.known_divisions(connection)]
    return next((f"{row['names'][0]} division" for row in rows if row["id"] == division), division or "the association")


async def _agenda(connection: Connection, positions: Sequence[AdoptedPosition]) -> list[HearingAgendaItem]:
    progress = await progress_on(connection, [each.position for each in positions])
    return [
        HearingAgendaItem(
            bill=each.position.bill,
            bill_key=each.position.bill_key,
            title=state["title"] if state else None,
            author=state["author"] if state else None,
        )
        for each, state in zip(positions, progress, strict=True)
    ]


async def _warnings(connection: Connection, occasion: Occasion, now: datetime) -> list[str]:
    audience, due = occasion.audience, occasion.letters_due_at
    found = []
    if due is not None and due <= now:
        found.append(f"what is written was due {spoken_time(due, occasion.zone)}: people are asked to call instead")
    if ends_at(occasion.starts_at, occasion.zone) - now < SOON:
        found.append("it ends in less than a day: who has to approve it is told that it is urgent")
    if audience is not None and audience.committees:
        rows = QUERIES.members_without_cities(connection, committees=audience.committees)
        found += [f"{row['name']} ({row['district']}) has no city here: nobody is asked for them" async for row in rows]
    return found
