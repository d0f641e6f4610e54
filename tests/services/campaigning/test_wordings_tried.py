"""A wording is tried out with what a campaign's own people would be told; they are told nothing by it."""

import pytest

from clarion.runtime.database import open_database
from clarion.runtime.staff.audit import Actor
from clarion.services.notifications.wordings.operations import Reader, start
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.cases import NoCase, Source
from clarion.services.templating.desk import Desk
from tests.services.campaigning.conftest import Console
from tests.services.campaigning.test_waves import wave_of

pytestmark = pytest.mark.usefixtures("tried_here")

ADA = Actor("command", "ada", "ada", "terminal")
MAIL = "SELECT parts FROM notifications.ledger"


async def at_desk(console: Console) -> tuple[Desk, str, str]:
    """The desk, and a campaign with a division of it."""
    path = await wave_of(console)
    await console.mirror()
    campaign, division = path.split("/")[-2:]
    return Desk(console.settings, console.world.clock), campaign, division


def worded(template: str) -> Draft:
    return Draft(template, "{{ subject }}", f"{start(template).body}\n\nWORDED\n")


@pytest.mark.parametrize("of_division", [True, False])
async def test_a_call_is_looked_at_with_the_campaigns_data(console: Console, of_division: bool) -> None:
    desk, campaign, division = await at_desk(console)
    mail = await desk.preview("call", worded("call"), Source(campaign, division if of_division else None))
    assert "WORDED" in mail.text
    assert "Dear Person a-chief," in mail.text
    assert "SB 79" in mail.subject
    assert "Jesse Example" in mail.text


async def test_what_ends_a_call_is_looked_at_with_the_same(console: Console) -> None:
    desk, campaign, _ = await at_desk(console)
    mail = await desk.preview("over", worded("over"), Source(campaign))
    assert mail.subject.startswith("No longer concerns you: SB 79")
    assert "WORDED" in mail.text


async def test_a_trial_has_the_campaigns_data_and_goes_to_staff_alone(console: Console) -> None:
    desk, campaign, _ = await at_desk(console)
    await desk.send_trial(ADA, "call", worded("call"), Reader("Ada", "ada@staff.example"), Source(campaign))
    async with open_database(console.settings, "notifications") as opened, opened.connection() as connection:
        (row,) = await connection.fetch(MAIL)
    assert row["parts"][0]["address"] == "ada@staff.example"
    assert row["parts"][0]["asks"][0]["bill"] == "SB 79"
    assert "officials" not in row["parts"][0]


async def test_a_division_that_the_campaign_does_not_concern_is_said(console: Console) -> None:
    desk, campaign, _ = await at_desk(console)
    with pytest.raises(NoCase, match="asks nobody in nowhere"):
        await desk.preview("call", worded("call"), Source(campaign, "nowhere"))
