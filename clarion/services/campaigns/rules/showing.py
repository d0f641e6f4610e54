"""Rules as machines and pages read them."""

from clarion.schemas.deadlines import RuleLine
from clarion.services.campaigns.domain.deadlines import said_when
from clarion.services.campaigns.rules.repository import KnownRule


def line_of(known: KnownRule) -> RuleLine:
    """A rule as a line of a list."""
    rule = known.rule
    return RuleLine(
        jurisdiction=rule.jurisdiction,
        chamber=rule.chamber,
        committee=rule.committee,
        aliases=list(rule.aliases),
        when=said_when(rule.when),
        at=rule.at,
        source=rule.source,
        checked_on=rule.checked_on,
        note=rule.note,
        version=known.version,
        made_by=known.made_by,
        made_at=known.made_at,
    )
