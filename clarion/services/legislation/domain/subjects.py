"""What statements are about, to be looked up before they are heard."""

from collections.abc import Iterator, Sequence

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


def scopes_in(statements: Sequence[Statement]) -> set[Scope]:
    """Whose lists these statements give."""
    return {scope_of(one.source, one.data) for one in statements if isinstance(one.data, HearingCalendar)}


def jurisdictions_in(statements: Sequence[Statement]) -> set[str]:
    """Where these statements are about."""
    about = HearingNotice | HearingCancellation | HearingCalendar | BillUpdate
    return {one.data.jurisdiction for one in statements if isinstance(one.data, about)}
