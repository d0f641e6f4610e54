"""Rows of the rules' tables and what they mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, load_queries
from clarion.services.campaigns.domain.deadlines import Rule, read_when, said_when
from clarion.services.campaigns.domain.due import Override
from clarion.services.campaigns.domain.names import committee_key, committee_keys
from clarion.services.campaigns.rules.reference import reference_rules

QUERIES = load_queries(__package__)
Identity = tuple[str, str, str]
"""A rule's jurisdiction, chamber, and its committee's name as it is compared."""


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule in force with its version; 0 is the project's own, which nobody made here."""

    rule: Rule
    version: int = 0
    made_by: str | None = None
    made_at: datetime | None = None

    @property
    def keys(self) -> frozenset[str]:
        """Every name of its committee, as they are compared."""
        return frozenset(committee_keys(self.rule.committee, self.rule.aliases))


def identity(rule: Rule) -> Identity:
    """Under what a rule's versions stand."""
    return rule.jurisdiction, rule.chamber, committee_key(rule.committee)


def projects_own(of: Identity) -> KnownRule | None:
    """The project's own rule, whatever the installation made of it."""
    return next((KnownRule(rule) for rule in reference_rules() if identity(rule) == of), None)


async def rules_in_force(connection: Connection, jurisdiction: str | None = None) -> list[KnownRule]:
    """The project's rules as the installation has them, and its own, by chamber and name."""
    known = {
        identity(rule): KnownRule(rule)
        for rule in reference_rules()
        if jurisdiction is None or rule.jurisdiction == jurisdiction
    }
    async for row in QUERIES.current_rules(connection, jurisdiction=jurisdiction):
        of = row["jurisdiction"], row["chamber"], row["name_key"]
        if row["due"] is not None or of in known:
            known[of] = rule_of_row(row, known.get(of))
    return [known[each] for each in sorted(known)]


async def versions_of(connection: Connection, of: Identity) -> list[KnownRule]:
    """Every version of a rule that the installation made, newest first, and then the project's own if there is one."""
    jurisdiction, chamber, name_key = of
    rows = QUERIES.rule_versions(connection, jurisdiction=jurisdiction, chamber=chamber, name_key=name_key)
    own = projects_own(of)
    found = [rule_of_row(row, own) async for row in rows]
    return [*found, own] if own else found


def rule_of_row(row: Mapping[str, Any], own: KnownRule | None = None) -> KnownRule:
    """A version as it stands in its row; one that restored the project's rule is that rule."""
    if row["due"] is None and own is not None:
        return KnownRule(own.rule, row["version"], row["made_by"], row["made_at"])
    rule = Rule(
        jurisdiction=row["jurisdiction"],
        chamber=row["chamber"],
        committee=row["committee"],
        when=read_when(row["due"] or said_when(None)),
        at=row["at"],
        aliases=tuple(row["aliases"]),
        source=row["source"],
        checked_on=row["checked_on"],
        note=row["note"],
    )
    return KnownRule(rule, row["version"], row["made_by"], row["made_at"])


async def insert_version(
    connection: Connection, rule: Rule, version: int, made_by: str, now: datetime, *, projects: bool
) -> None:
    """Keep a new version; `projects` where it is the project's own that holds again."""
    jurisdiction, chamber, name_key = identity(rule)
    await QUERIES.insert_rule(
        connection,
        jurisdiction=jurisdiction,
        chamber=chamber,
        name_key=name_key,
        version=version,
        committee=rule.committee,
        aliases=list(rule.aliases),
        due=None if projects else said_when(rule.when),
        at=rule.at,
        source=rule.source,
        checked_on=rule.checked_on,
        note=rule.note,
        made_by=made_by,
        now=now,
    )


async def find_override(connection: Connection, hearing: str) -> Override | None:
    """The newest deadline that staff set for a hearing, also one that they took back."""
    row = await QUERIES.current_override(connection, hearing=hearing)
    return row and Override(**dict(row))


async def insert_override(connection: Connection, hearing: str, override: Override) -> None:
    """Keep a deadline that staff set for a hearing."""
    await QUERIES.insert_override(
        connection,
        hearing=hearing,
        version=override.version,
        day=override.day,
        due_at=override.due_at,
        withdrawn=override.withdrawn,
        reason=override.reason,
        made_by=override.made_by,
        now=override.made_at,
    )


def fitting(rules: Sequence[KnownRule], chamber: str | None, keys: frozenset[str]) -> list[KnownRule]:
    """The rules of a committee: by their name if one has that, else by their other names; no chamber fits none."""
    found = [each for each in rules if each.rule.chamber == chamber and each.keys & keys]
    return [each for each in found if committee_key(each.rule.committee) in keys] or found
