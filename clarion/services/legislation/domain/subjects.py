"""What statements are about, to be looked up before they are heard."""

from collections.abc import Iterator, Mapping, Sequence

from clarion.schemas.legislation import BillUpdate, HearingCalendar, HearingCancellation, HearingNotice
from clarion.services.legislation.domain.statements import Alias, Statement
from clarion.services.legislation.domain.states import committee_key

Scope = tuple[str, str, str]
"""Whose list of which hearings: source, jurisdiction, and committee or nothing."""


def scope_of(source: str, calendar: HearingCalendar) -> Scope:
    """Whose list of which hearings a calendar is."""
    return source, calendar.jurisdiction, committee_key(calendar.committee) if calendar.committee else ""


def notices_in(statements: Sequence[Statement]) -> Iterator[tuple[str, HearingNotice]]:
    """All notices in these statements, each with its source."""
    for statement in statements:
        match statement.data:
            case HearingNotice() as notice:
                yield statement.source, notice
            case HearingCalendar() as calendar:
                yield from ((statement.source, notice) for notice in calendar.hearings)


def aliases_in(statements: Sequence[Statement]) -> set[Alias]:
    """The ids of all hearings that these statements are about."""
    found = {(notice.jurisdiction, notice.hearing_id) for _, notice in notices_in(statements)}
    for statement in statements:
        if isinstance(statement.data, HearingCancellation):
            found.add((statement.data.jurisdiction, statement.data.hearing_id))
    return found


def ended_in(statements: Sequence[Statement], lists: Mapping[Scope, frozenset[str]]) -> set[Alias]:
    """The ids of hearings that these statements may end: those cancelled, and those that a list has no more.

    `lists` are the ids on the lists before them.
    """
    known = {scope: set(ids) for scope, ids in lists.items()}
    ended = set()
    for statement in statements:
        match statement.data:
            case HearingCancellation() as cancelled:
                ended.add((cancelled.jurisdiction, cancelled.hearing_id))
            case HearingCalendar() as calendar:
                before = known.setdefault(scope_of(statement.source, calendar), set())
                ended |= {(calendar.jurisdiction, alias) for alias in before - calendar.listed}
                before |= calendar.listed
    return ended


def scopes_in(statements: Sequence[Statement]) -> set[Scope]:
    """Whose lists these statements give."""
    return {scope_of(one.source, one.data) for one in statements if isinstance(one.data, HearingCalendar)}


def jurisdictions_in(statements: Sequence[Statement]) -> set[str]:
    """Where these statements are about."""
    about = HearingNotice | HearingCancellation | HearingCalendar | BillUpdate
    return {one.data.jurisdiction for one in statements if isinstance(one.data, about)}
