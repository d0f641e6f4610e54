"""A committee's rule is set or restored, and the hearings ahead that it concerns are decided on again at once."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from clarion.runtime.database import Connection, Transaction
from clarion.runtime.staff.audit import Actor, record
from clarion.services.campaigns import repository
from clarion.services.campaigns.domain.deadlines import Rule
from clarion.services.campaigns.domain.names import committee_key
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.operations import decide_on
from clarion.services.campaigns.rules.repository import (
    QUERIES,
    Identity,
    KnownRule,
    fitting,
    identity,
    insert_version,
    rules_in_force,
    versions_of,
)
from clarion.services.campaigns.rules.resolving import rules_of
from clarion.services.campaigns.rules.wishes import Refusal, Wish, known_chamber, wished


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rule in force now, whether that is new, and how many hearings ahead were decided on again."""

    known: KnownRule
    changed: bool
    decided_again: int


async def find_rule(connection: Connection, wish: Wish) -> KnownRule | None:
    """The rule in force of the committee that a wish names.

    Raises:
        Refusal: the chamber is none, or several rules fit.
    """
    rules = await rules_in_force(connection, wish.jurisdiction)
    found = fitting(rules, known_chamber(wish.chamber), frozenset({committee_key(wish.committee)}))
    if len(found) > 1:
        names = " and ".join(f'"{each.rule.committee}"' for each in found)
        raise Refusal(f"{wish.committee!r} fits {names}: say the whole name")
    return found[0] if found else None


async def set_rule(tx: Transaction, wish: Wish, actor: Actor, now: datetime) -> Outcome:
    """Make this the rule of a committee, and decide again on the hearings ahead that it concerns.

    The same rule again changes nothing; another is a new version.

    Raises:
        Refusal: it is no rule.
    """
    await repository.QUERIES.lock_decisions(tx.connection)
    known = await find_rule(tx.connection, wish)
    rule = wished(wish, known, now)
    if known is not None and known.rule == rule:
        return Outcome(known, changed=False, decided_again=0)
    return await _bring(tx, rule, "rule.set", actor=actor, now=now, projects=False)


async def restore_rule(tx: Transaction, wish: Wish, version: int | None, *, actor: Actor, now: datetime) -> Outcome:
    """Have an earlier version of a committee's rule again, the one before if none is named; 0 is the project's own.

    Raises:
        Refusal: there is no such rule, or no such version of it.
    """
    await repository.QUERIES.lock_decisions(tx.connection)
    of = await _identity(tx.connection, wish)
    versions = {each.version: each for each in await versions_of(tx.connection, of)}
    newest = max(versions)
    wanted = versions.get(newest - 1 if version is None else version)
    if wanted is None:
        kept = ", ".join(map(str, sorted(versions)))
        raise Refusal(f"the rule of {wish.committee!r} has no such version; there are: {kept}")
    if wanted.rule == versions[newest].rule:
        return Outcome(versions[newest], changed=False, decided_again=0)
    return await _bring(tx, wanted.rule, "rule.restored", actor=actor, now=now, projects=wanted.version == 0)


async def history_of(connection: Connection, wish: Wish) -> list[KnownRule]:
    """Every version of a committee's rule, newest first.

    Raises:
        Refusal: there is no rule of it.
    """
    return await versions_of(connection, await _identity(connection, wish))


async def _identity(connection: Connection, wish: Wish) -> Identity:
    known = await find_rule(connection, wish)
    if known is None:
        raise Refusal(f"no rule of {wish.committee!r} ({wish.chamber}): `clarion committees rules list` shows them")
    return identity(known.rule)


async def _bring(tx: Transaction, rule: Rule, act: str, actor: Actor, now: datetime, *, projects: bool) -> Outcome:
    of = identity(rule)
    before = (await versions_of(tx.connection, of))[:1]
    version = before[0].version + 1 if before else 1
    await insert_version(tx.connection, rule, version, actor.name, now, projects=projects)
    details: dict[str, JsonValue] = {"committee": rule.committee, "chamber": rule.chamber, "version": version}
    await record(tx.connection, actor, act, f"rule:{':'.join(of)}", at=now, details=details)
    known = KnownRule(rule, version, actor.name, now)
    return Outcome(known, changed=True, decided_again=await _decide_again(tx, [known, *before], now))


async def _decide_again(tx: Transaction, versions: list[KnownRule], now: datetime) -> int:
    """Decide again on the hearings ahead that one of these versions concerns, by any name of the committee."""
    concerned = []
    jurisdiction = versions[0].rule.jurisdiction
    async for row in QUERIES.occasions_ahead(tx.connection, jurisdiction=jurisdiction, now=now):
        occasion = Occasion.model_validate(row["alert"])
        if occasion.is_hearing:
            committees = await repository.find_committees(tx.connection, occasion)
            if rules_of(versions, occasion, committees[0] if len(committees) == 1 else None):
                concerned.append(occasion)
    for occasion in concerned:
        await decide_on(tx, occasion, now)
    return len(concerned)
