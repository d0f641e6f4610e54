"""What became of statements: what each did, and the outcome once it is known what is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from clarion.schemas.legislation import HearingAlert, HearingCalendar
from clarion.services.legislation.domain.amendments import Amendment, Hearing
from clarion.services.legislation.domain.standings import Stand, Verdict
from clarion.services.legislation.domain.statements import Decision, Outcome, Said, Statement
from clarion.services.legislation.domain.states import differences

OUTCOMES = {
    Verdict.CHANGED: None,
    Verdict.SAME: Outcome.UNCHANGED,
    Verdict.OUTDATED: Outcome.OUTDATED,
    Verdict.CONFLICT: Outcome.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a statement did: to where its source stands, and which hearings that touched."""

    statement: Statement
    outcome: Outcome | None
    """None: it goes by what is told of the hearings."""
    notes: tuple[str, ...] = ()
    hearings: tuple[str, ...] = ()
    bill: str | None = None


def still_holds(hearing: Hearing, state: HearingAlert | None, stand: Stand) -> bool:
    """Whether a hearing is for a reader what it was before a statement: another source may say what is known."""
    if state is None or hearing.holds is None or hearing.stand is not stand:
        return False
    return state is hearing.holds or not differences(state, hearing.holds)


def decision(heard: Heard, hearings: Sequence[str], amendments: dict[str, Amendment]) -> Decision:
    """What became of a statement, given what is told of the hearings it touched."""
    found = {one: amendments[one] for one in hearings if one in amendments}
    waiting = tuple(one for one, amendment in found.items() if amendment.waits)
    outcome = heard.outcome
    if outcome is None:
        outcome = (
            Outcome.ALERTED
            if any(one.alert is not None for one in found.values())
            else Outcome.WAITING
            if waiting
            else Outcome.UNCHANGED
        )
    note = "; ".join(heard.notes) or None
    if isinstance(heard.statement.data, HearingCalendar):
        return Decision(outcome, note, waits_for=waiting if outcome is Outcome.WAITING else ())
    return Decision(outcome, note, hearings[0] if hearings else None)


def about_bill(heard: Heard, *, is_told: bool) -> Decision:
    """What became of a statement about a bill."""
    told = Outcome.ALERTED if is_told else Outcome.UNCHANGED
    return Decision(heard.outcome or told, "; ".join(heard.notes) or None)


def conflict_about(said: Said) -> str:
    """Why a statement about a hearing with a used count is rejected."""
    return conflict(said.alias[1], said.mark.sequence)


def conflict(name: str, sequence: int | None) -> str:
    """Why a statement with a used count is rejected."""
    return f"{name}: this source has said something else with the sequence {sequence}"
