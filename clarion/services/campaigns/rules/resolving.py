"""The letters' deadline of an occasion as everything known here makes it."""

from clarion.runtime.database import Connection
from clarion.services.campaigns.domain.deadlines import Holidays
from clarion.services.campaigns.domain.decision import committee_chamber
from clarion.services.campaigns.domain.due import letters_due
from clarion.services.campaigns.domain.model import CommitteeFound
from clarion.services.campaigns.domain.names import committee_key
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.rules.calendar import calendar_of
from clarion.services.campaigns.rules.repository import KnownRule, find_override, fitting, rules_in_force


async def resolved(connection: Connection, occasion: Occasion, committee: CommitteeFound | None) -> Occasion:
    """The occasion with the letters' deadline that holds: set by hand, noticed, by rule, or unknown; `due` says which.

    Rules are committees': an occasion that is no hearing has what it was made with, or was set by hand.
    """
    closed = Holidays()
    override = await find_override(connection, occasion.hearing_id)
    rules: list[KnownRule] = []
    if occasion.is_hearing:
        rules = rules_of(await rules_in_force(connection, occasion.jurisdiction), occasion, committee)
    if rules:
        closed = (await calendar_of(connection, occasion.jurisdiction)).holidays
    at, due = letters_due(
        occasion,
        override,
        rules=[known.rule for known in rules],
        holidays=closed,
    )
    return occasion.with_due(at, due)


def rules_of(rules: list[KnownRule], occasion: Occasion, committee: CommitteeFound | None) -> list[KnownRule]:
    """Those of these rules that fit a hearing's committee, as the directory has it or else the source names it."""
    keys = {committee_key(occasion.committee.name)}
    if committee is None:
        return fitting(rules, committee_chamber(occasion), frozenset(keys))
    return fitting(rules, committee.chamber, frozenset(keys | {committee_key(committee.name)}))
