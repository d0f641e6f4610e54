"""Whatever is decided, moved and sent in whatever order, exactly those are asked whose division let them go."""

import contextlib
import random
from itertools import pairwise

import pytest
from amending import standing
from approving_world import EAST_BAY, PENINSULA, add, approve, drafted, leave_out, reject, shown, stop, undo
from campaigns_world import World

from clarion.services.campaigns.approving.operations import Refusal

STEPS = 30
WAVES = {"east-bay": EAST_BAY, "peninsula": PENINSULA, "": {"d-mayor"}}
ADDED = "a-clerk"


class Office:
    """What the world should be, beside what it is."""

    def __init__(self, world: World, campaign: str, dice: random.Random) -> None:
        self.world, self.campaign, self.dice = world, campaign, dice
        self.states = dict.fromkeys(WAVES, "waiting")
        self.asked: set[str] = set()
        self.left_out: set[str] = set()
        self.added: set[str] = set()
        self.revision = 1

    def expected(self) -> set[str]:
        """Those of waves that were let go, without who was left out, and with who was added."""
        people = {one for wave, state in self.states.items() if state == "approved" for one in WAVES[wave]}
        added = self.added if self.states["east-bay"] == "approved" else set()
        return (people - self.left_out) | added

    async def approve(self) -> None:
        wave = self.dice.choice(sorted(WAVES))
        await approve(self.world, self.campaign, wave)
        self.states[wave] = "approved"

    async def reject(self) -> None:
        wave = self.dice.choice(sorted(WAVES))
        await reject(self.world, self.campaign, wave)
        self.states[wave] = "rejected"

    async def stop(self) -> None:
        wave = self.dice.choice(sorted(WAVES))
        await stop(self.world, self.campaign, wave)
        self.states[wave] = "stopped"

    async def leave_out(self) -> None:
        await leave_out(self.world, self.campaign, "a-chief")
        self.left_out.add("a-chief")

    async def add(self) -> None:
        await add(self.world, self.campaign, ADDED)
        self.added.add(ADDED)

    async def undo(self) -> None:
        who = self.dice.choice(["a-chief", ADDED])
        await undo(self.world, self.campaign, who)
        self.left_out.discard(who)
        self.added.discard(who)

    async def move(self) -> None:
        self.revision += 1
        await self.world.hear(revision=self.revision, location={"name": f"Room {self.revision}"})
        for wave, state in self.states.items():
            if state == "approved" and wave not in self.asked:
                self.states[wave] = "waiting"

    async def send(self) -> None:
        await self.world.fan_out()
        rows = await self.world.fetch("SELECT DISTINCT division FROM threads")
        self.asked = {row["division"] for row in rows}


@pytest.mark.parametrize("seed", range(12))
async def test_exactly_those_are_asked_whose_division_let_them_go(world: World, seed: int) -> None:
    dice = random.Random(seed)
    office = Office(world, await drafted(world), dice)
    steps = [
        *[office.approve, office.send, office.move] * 2,
        office.reject,
        office.stop,
        office.leave_out,
        office.add,
        office.undo,
    ]
    for _ in range(STEPS):
        with contextlib.suppress(Refusal):
            await dice.choice(steps)()
        for wave, state in office.states.items():
            assert (await shown(world, office.campaign, wave)).state == state
    await office.send()
    assert await standing(world) == office.expected()
    for mailbox, told in (await world.told()).items():
        ends = [one.recipient is None for one in told]
        assert not ends[0], mailbox
        assert not any(one and other for one, other in pairwise(ends)), mailbox
