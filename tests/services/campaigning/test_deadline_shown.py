"""A campaign's page says until when letters count and where that comes from."""

from tests.services.campaigning.conftest import Console, words


async def test_the_deadline_is_shown_with_its_rule_and_the_day_of_the_last_check(console: Console) -> None:
    await console.world.launch()
    await console.sign_in()
    campaign = (await console.world.campaign())["id"]
    page = await console.get(f"/campaigns/{campaign}")
    assert "Wednesday, April 14, 2027, 12:00 pm PDT" in page
    assert "Wednesday before the hearing, noon" in page
    assert "last checked on 2026-11-22" in page
    assert "/rules/hearings/" not in page
    await console.sign_in("state", ())
    assert f'<a href="/rules/hearings/{campaign}">Set it by hand</a>' in await console.get(f"/campaigns/{campaign}")


async def test_an_unknown_deadline_is_shown_as_unknown(console: Console) -> None:
    await console.world.import_all()
    await console.world.adopt()
    await console.world.hear(committee={"name": "Nobody knows it", "chamber": "upper", "id": None})
    await console.sign_in()
    page = words(await console.get(f"/campaigns/{(await console.world.campaign())['id']}"))
    assert "Letters due unknown no rule is known here, and the notice says nothing" in page
