"""What becomes of approvals when a campaign is decided on again: who waits, and what has to be looked at anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from clarion.runtime.database import Connection, Transaction
from clarion.services.campaigns.approving.looks import changes, parts_of
from clarion.services.campaigns.approving.repository import QUERIES
from clarion.services.campaigns.domain import words
from clarion.services.campaigns.domain.amending import BILL
from clarion.services.campaigns.domain.decision import Decision
from clarion.services.campaigns.domain.model import AdoptedPosition
from clarion.services.campaigns.domain.occasions import Occasion

SINCE_APPROVED = "Since it was approved: "


async def begin_waiting(tx: Transaction, campaign: str, decision: Decision, now: datetime) -> None:
    """Have the waves of a campaign that nobody decided on wait for approval from now on."""
    if decision.launch == "approval":
        await QUERIES.begin_waiting(tx.connection, campaign=campaign, now=now)
        tx.notify("waiting")


async def still_waiting(connection: Connection, campaign: str) -> str | None:
    """How many divisions wait for approval, in words; None if none does."""
    waiting = await QUERIES.count_waiting(connection, campaign=campaign)
    return f"{waiting} division{' waits' if waiting == 1 else 's wait'} for approval" if waiting else None


async def withhold(tx: Transaction, occasion: Occasion, campaign: str, decision: Decision, now: datetime) -> None:
    """Have waves wait again that were approved, of which nobody was asked yet, and that would read otherwise now."""
    if not decision.calling or decision.launch != "approval":
        return
    facts, content = words.facts(occasion, decision), words.content(occasion, decision)
    async for row in QUERIES.approved_unasked(tx.connection, campaign=campaign):
        parts = parts_of(facts, content, row["paragraph"], letters_open=decision.letters_open)
        other = changes(row["look"], parts)
        if other:
            await QUERIES.wait_again(
                tx.connection,
                campaign=campaign,
                division=row["division"],
                revision=row["revision"] + 1,
                reason=f"{SINCE_APPROVED}{'. '.join(other)}.",
                now=now,
            )
            tx.notify("waiting")


async def follow_held(
    tx: Transaction,
    occasion: Occasion,
    campaign: str,
    decision: Decision,
    *,
    held: Sequence[AdoptedPosition],
    now: datetime,
) -> None:
    """Have bills that came to a launched campaign wait for the state team; other words for them are other bills."""
    known = await QUERIES.find_held(tx.connection, campaign=campaign)
    if not held or not decision.calling:
        if known is not None:
            await QUERIES.let_held_go(tx.connection, campaign=campaign)
        return
    said = held_of(occasion, decision, held)
    if known is None or _asks(known["held"]) != _asks(said):
        await QUERIES.hold(tx.connection, campaign=campaign, held=said, now=now)
        tx.notify("waiting")


def held_of(occasion: Occasion, decision: Decision, held: Sequence[AdoptedPosition]) -> dict[str, Any]:
    """What calls would say of these bills, as campaigns keep it."""
    asking = replace(decision, positions=tuple(held))
    facts = [fact for fact in words.facts(occasion, asking) if fact.key.startswith(BILL)]
    return {
        "facts": [fact.model_dump(mode="json") for fact in facts],
        "content": words.content(occasion, asking).model_dump(mode="json"),
        "first_ask": occasion.first_ask,
        "bill_keys": [each.position.bill_key for each in held],
    }


def _asks(held: dict[str, Any]) -> Any:
    return held["facts"], held["content"]["bills"]
