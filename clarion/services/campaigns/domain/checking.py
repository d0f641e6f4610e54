"""What somebody should look at among the rules: those that nobody checked, that fit no committee, and what ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from clarion.schemas.deadlines import RuleConcern
from clarion.services.campaigns.domain.deadlines import DaysBefore, Rule
from clarion.services.campaigns.domain.names import chamber, committee_keys

AHEAD = timedelta(days=120)
"""How long before the table of holidays ends that is said."""


@dataclass(frozen=True, slots=True)
class CommitteeNamed:
    """A committee of the directory with every key by which it is found; `jurisdiction` is None where nobody said."""

    name: str
    chamber: str
    jurisdiction: str | None
    name_keys: frozenset[str]


def concerns(
    rules: Sequence[Rule],
    committees: Sequence[CommitteeNamed],
    jurisdiction: str,
    *,
    holidays_end: date | None,
    today: date,
    days: int,
) -> list[RuleConcern]:
    """What is to be looked at in a jurisdiction: rules older than so many `days` first, then holidays, then names."""
    found = [concern for rule in rules for concern in _of_rule(rule, today, days)]
    found += _of_holidays(rules, holidays_end, today)
    if committees:
        found += [concern for rule in rules for concern in _of_names(rule, committees)]
        found += _without_rule(rules, committees, jurisdiction)
    return found


def _of_rule(rule: Rule, today: date, days: int) -> Iterable[RuleConcern]:
    name = called(rule)
    todo = f"look at {rule.source or 'what the committee says'}, then {set_command(rule)} --checked-on today"
    if rule.checked_on is None:
        yield RuleConcern(
            kind="never-checked",
            what=f"nobody knows when the rule of {name} was last checked",
            todo=todo,
        )
    elif rule.checked_on < today - timedelta(days=days):
        yield RuleConcern(
            kind="stale",
            what=f"the rule of {name} was last checked on {rule.checked_on}",
            todo=todo,
        )


def _of_holidays(rules: Sequence[Rule], end: date | None, today: date) -> Iterable[RuleConcern]:
    if not any(isinstance(rule.when, DaysBefore) and rule.when.business for rule in rules):
        return
    if end is None or end < today + AHEAD:
        until = f"end with {end}" if end else "are not known here at all"
        yield RuleConcern(
            kind="holidays",
            what=f"the legislature's holidays {until}: business days past that are counted without them",
            todo="add them: clarion committees holidays add --help, then say that a year is whole: clarion committees"
            " holidays year --help; until then set deadlines by hand: clarion campaigns deadline --help",
        )


def _of_names(rule: Rule, committees: Sequence[CommitteeNamed]) -> Iterable[RuleConcern]:
    fits = [each.name for each in committees if fits_committee(rule, each)]
    name = called(rule)
    if not fits:
        yield RuleConcern(
            kind="no-committee",
            what=f"the rule of {name} fits no committee of the directory",
            todo=f"import the committee, or name it as the directory does: {set_command(rule)} --alias NAME",
        )
    elif len(fits) > 1:
        yield RuleConcern(
            kind="several",
            what=f"the rule of {name} fits {len(fits)} committees: {', '.join(fits)}",
            todo="give each a rule of its own, by its whole name",
        )


def _without_rule(
    rules: Sequence[Rule], committees: Sequence[CommitteeNamed], jurisdiction: str
) -> Iterable[RuleConcern]:
    for each in committees:
        if each.jurisdiction in {None, jurisdiction} and not any(fits_committee(rule, each) for rule in rules):
            bare = Rule(jurisdiction, each.chamber, each.name, None)
            yield RuleConcern(
                kind="no-rule",
                what=f"{called(bare)} has no rule: its deadlines are unknown unless the notice says them",
                todo=f'{set_command(bare)} --when "5 business days" --source ADDRESS',
            )


def called(rule: Rule) -> str:
    """A rule's committee as people call it: "Senate Housing"."""
    return f"{chamber(rule.chamber, rule.jurisdiction).name} {rule.committee}"


def set_command(rule: Rule) -> str:
    """The command that sets a rule, up to what of it is to be set."""
    return f'clarion committees rules set "{rule.committee}" --chamber {rule.chamber}'


def fits_committee(rule: Rule, committee: CommitteeNamed) -> bool:
    """Whether a rule is that of a committee, by any of its names."""
    return (
        rule.chamber == committee.chamber
        and committee.jurisdiction in {None, rule.jurisdiction}
        and bool(committee.name_keys.intersection(committee_keys(rule.committee, rule.aliases)))
    )
