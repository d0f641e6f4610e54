"""Whose districts a hearing concerns: the committee's members, the bills' authors, or the whole state."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clarion.services.campaigns.domain.model import AdoptedPosition, Member
from clarion.services.campaigns.domain.names import (
    AUTHOR_RANK,
    GROUP_RANK,
    STATEWIDE_RANK,
    author_keys,
    chamber_of_bill,
    family_key,
    member_rank,
    name_key,
)
from clarion.services.campaigns.domain.occasions import Occasion
from clarion.services.campaigns.domain.words import membership

Source = Mapping[str, Any]
"""Why cities are affected: a district, a group or the state, with `bills` for members, `open_bills` for others."""


def author_chambers(occasion: Occasion, positions: Iterable[AdoptedPosition]) -> set[str]:
    """The chambers in which the authors of these bills sit."""
    keys = {each.position.bill_key for each in positions}
    chambers = {chamber_of_bill(item.bill_key) for item in occasion.agenda if item.author and item.bill_key in keys}
    return {chamber for chamber in chambers if chamber}


def find_author(author: str, bill_key: str, legislators: Iterable[tuple[Member, str | None]]) -> Member | None:
    """The one legislator of the bill's chamber whom an agenda's author names; None if none or several fit.

    `legislators` are pairs of a member and the family name, where it is known.
    """
    keys = author_keys(author)
    chamber = chamber_of_bill(bill_key)
    fits = [
        member
        for member, family_name in legislators
        if member.chamber == chamber and {family_key(member.name, family_name), name_key(member.name)} & keys
    ]
    return fits[0] if len(fits) == 1 else None


def sources(
    occasion: Occasion,
    positions: Sequence[AdoptedPosition],
    members: Iterable[Member],
    legislators: Sequence[tuple[Member, str | None]],
) -> list[Source]:
    """Every reason for which cities, or people in groups, are affected by these positions' bills."""
    found = [_source("committee", member, member_rank(member.role), positions) for member in members]
    authors = {item.bill_key: item.author for item in reversed(occasion.agenda) if item.author}
    for each in positions:
        key = each.position.bill_key
        author = find_author(authors[key], key, legislators) if key in authors else None
        if author is not None:
            found.append(_source("author", author, AUTHOR_RANK, [each]))
    by_group: dict[str, list[AdoptedPosition]] = {}
    for each in positions:
        for group in each.position.groups:
            by_group.setdefault(group, []).append(each)
    found += [{**_source("group", None, GROUP_RANK, asking), "group": group} for group, asking in by_group.items()]
    statewide = [each for each in positions if each.position.statewide]
    return [*found, _source("statewide", None, STATEWIDE_RANK, statewide)] if statewide else found


def said_of(memberships: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """What people are told of their memberships, by group and role."""
    return [
        {"group": each["group"], "role": each["role"], "text": f"You are {membership(each['role'], each['name'])}."}
        for each in memberships
    ]


def _source(kind: str, member: Member | None, rank: int, positions: Sequence[AdoptedPosition]) -> Source:
    return {
        "kind": kind,
        "rank": rank,
        "bills": [each.position.bill for each in positions],
        "open_bills": [each.position.bill for each in positions if each.position.include_non_members],
        "legislator": member and member.legislator,
        "name": member and member.name,
        "role": member and ("author" if kind == "author" else member.role),
        "chamber": member and member.chamber,
        "district": member and member.district,
    }
