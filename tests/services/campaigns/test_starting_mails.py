"""What the mail of each kind of occasion says: what is asked, by when, why me, how, and if it is too late."""

from typing import Any

import pytest
from campaigns_world import World
from starting_world import associate, make_draft, start

from clarion.schemas.messages import MessageBatch
from clarion.services.notifications.rendering.showing import content_of_batch
from tests.services.notifications.kinds_of_mail import Kind, read, renderer
from tests.services.notifications.words import texts

KINDS: dict[str, dict[str, Any]] = {
    "floor-vote": {"decider": "Senate floor", "bills": ["SB 79"], "own": []},
    "governor": {"decider": None, "bills": ["SB 79"], "own": [], "decided_at": None, "presented_on": "2027-05-03"},
    "comment-period": {},
    "programme": {"decider": None, "audience": {"divisions": ["east-bay"]}},
    "volunteer": {"decider": "The board"},
    "threat": {"decider": "The Legislature"},
}


async def mail_of(world: World, kind: str) -> str:
    """Subject and text."""
    await associate(world)
    await world.adopt()
    changes = dict(KINDS[kind])
    await start(world, make_draft(changes.pop("audience", None), kind=kind, **changes))
    await world.fan_out()
    recipient = await world.recipient("e-mayor")
    batch = MessageBatch.model_validate(recipient["batch"])
    write = renderer()
    content = content_of_batch(batch, write.editions.newest_in_force)
    mail = Kind(content, asks=recipient["asks"], reasons=recipient["reasons"]).write(write)
    return str(read(mail)["subject"]) + "\n" + texts(read(mail))[0]


SAID = {
    "floor-vote": (
        "Letter on SB 79: Senate floor",
        "- Vote: Monday",
        "send it to your member in time",
        "until the vote",
    ),
    "governor": (
        "Letter on SB 79: Governor",
        "- Decision by: Monday, May 17",
        "send it to the Governor",
        "the decision",
    ),
    "comment-period": ("Comment letter on SB 54", "- Agency: CalRecycle", "send it to CalRecycle", "need not consider"),
    "programme": ("East Bay division", "- Who runs it: East Bay division", "that you would like to", "still a place"),
    "volunteer": ("The board", "- Who chooses: The board", "that you would like to", "still a place"),
    "threat": ("The Legislature", "- Who decides: The Legislature", "send it to The Legislature", "call your member's"),
}
"""Of each kind: the matter, by when and who decides, how, and what if it is too late."""


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_says_what_by_when_why_how_and_what_if_it_is_too_late(world: World, kind: str) -> None:
    mail = await mail_of(world, kind)
    assert [each for each in SAID[kind] if each not in mail] == []
    why = "Elm is in the East Bay division" if kind == "programme" else "Cities all over the state are asked about"
    assert why in mail
    assert "hearing" not in mail.casefold()
