"""Waves are looked at and decided on over HTTP, by keys of their own scope."""

from collections.abc import AsyncIterator

import httpx
import pytest
from amending import MOVED
from approving_world import EAST_BAY, acts, drafted
from campaigns_world import World
from fastapi import FastAPI

from clarion.runtime.web import problems
from clarion.runtime.web.keys import create_key
from clarion.services.campaigns.web import campaigns_router


@pytest.fixture
async def site(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(campaigns_router(world.database, world.clock))
    async with world.database.transaction() as tx:
        _, key = await create_key(tx.connection, "approver", ["approvals"], "/approver")
    headers = {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers) as client:
        yield client


def at(campaign: str, division: str = "east-bay", what: str = "") -> str:
    return f"/api/v1/campaigns/{campaign}/divisions/{division}{what and '/'}{what}"


async def test_a_wave_is_shown_and_approved_with_the_look_that_was_shown(site: httpx.AsyncClient, world: World) -> None:
    campaign = await drafted(world)
    seen = (await site.get(at(campaign))).json()
    assert (seen["state"], seen["officials"], seen["asks"]) == ("waiting", 2, {"letter": 1, "testimony": 1})
    assert seen["facts"][0]["key"] == "when"
    answer = await site.post(at(campaign, what="approve"), json={"look": seen["look"]})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("approved", "approver")
    assert [each["what"] for each in answer.json()["history"]] == ["approved"]
    await world.fan_out()
    assert await world.called() == EAST_BAY
    rows = await world.fetch("SELECT actor_kind, act FROM clarion.audit ORDER BY id DESC LIMIT 1")
    assert [(row["actor_kind"], row["act"]) for row in rows] == [("key", "wave.approved")]


async def test_what_stands_against_it_is_a_problem(site: httpx.AsyncClient, world: World) -> None:
    campaign = await drafted(world)
    look = (await site.get(at(campaign))).json()["look"]
    await world.hear(revision=2, starts_at=MOVED)
    changed = await site.post(at(campaign, what="approve"), json={"look": look})
    assert changed.status_code == 409
    assert changed.headers["content-type"] == "application/problem+json"
    assert changed.json()["errors"][0] == {
        "field": "look",
        "message": "When: now Thursday, April 22, 2027, 9:30 am PDT",
    }
    assert (await site.post(at(campaign, what="approve"), json={})).status_code == 200
    twice = await site.post(at(campaign, what="approve"), json={})
    assert twice.status_code == 409
    assert twice.json()["detail"].startswith("It was approved by approver on April 1, 2027")
    for path in (
        at("none"),
        at(campaign, "nowhere"),
        at("%00"),
        at(campaign, what="recipients").replace("east", "west"),
    ):
        assert (await site.get(path)).status_code == 404
    assert (await site.post(at(campaign, "nowhere", "approve"), json={})).status_code == 404


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 2_001}, {"reason": "\x00"}, []])
async def test_a_verdict_wants_a_reason(site: httpx.AsyncClient, world: World, body: object) -> None:
    campaign = await drafted(world)
    for what in ("reject", "stop"):
        assert (await site.post(at(campaign, what=what), json=body)).status_code == 422


async def test_each_decision_answers_with_the_wave_as_it_is_then(site: httpx.AsyncClient, world: World) -> None:
    campaign = await drafted(world)
    steps = [
        ("reject", {"reason": "Two minds."}, "rejected", False),
        ("approve", {}, "approved", False),
        ("pause", None, "approved", True),
        ("resume", None, "approved", False),
        ("stop", {"reason": "A deal."}, "stopped", False),
    ]
    for what, body, state, paused in steps:
        answer = await site.post(at(campaign, what=what), json=body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["paused"]) == (state, paused)
    assert [act for act, _, _ in (await acts(world))[:5]] == [
        "wave.stopped",
        "campaign.resumed",
        "campaign.paused",
        "wave.approved",
        "wave.rejected",
    ]


async def test_people_are_listed_left_out_and_added(site: httpx.AsyncClient, world: World) -> None:
    campaign = await drafted(world)
    first = (await site.get(at(campaign, what="recipients"), params={"limit": 1})).json()
    assert ([one["official"] for one in first["recipients"]], first["next"]) == (["a-chief"], "a-chief")
    rest = (await site.get(at(campaign, what="recipients"), params={"after": first["next"]})).json()
    assert ([one["official"] for one in rest["recipients"]], rest["next"]) == (["a-mayor"], None)
    left = await site.post(at(campaign, what="leave-out"), json={"official": "a-chief", "reason": "Away."})
    assert (left.status_code, left.json()["left_out"]) == (200, 1)
    added = {"official": "a-clerk", "reason": "Knows it.", "asks": ["letter"]}
    assert (await site.post(at(campaign, what="add"), json=added)).json()["added"] == 1
    assert (await site.post(at(campaign, what="add"), json=added | {"asks": ["money"]})).status_code == 422
    assert (await site.delete(at(campaign, what="choices/a-chief"))).json()["left_out"] == 0
    assert (await site.delete(at(campaign, what="choices/a-chief"))).status_code == 409
    assert (await site.delete(at(campaign, what="choices/ocd-person/x"))).status_code == 409
    worded = await site.put(at(campaign, what="paragraph"), json={"text": "Ours."})
    assert worded.json()["paragraph"] == "Ours."


async def test_what_waits_is_listed_and_cities_without_a_division_have_a_wave(
    site: httpx.AsyncClient, world: World
) -> None:
    campaign = await drafted(world)
    assert len((await site.get("/api/v1/waves/waiting")).json()) == 3
    first = await site.get("/api/v1/waves/waiting?limit=2")
    rest = await site.get(first.links["next"]["url"])
    assert (len(first.json()), len(rest.json()), rest.links) == (2, 1, {})
    assert (await site.get("/api/v1/waves/waiting?after=x")).json()["errors"][0]["field"] == "after"
    assert (await site.post(at(campaign, "-", "approve"), json={})).json()["division"] == ""
    assert len((await site.get("/api/v1/waves/waiting")).json()) == 2


async def test_a_key_of_another_scope_decides_nothing(site: httpx.AsyncClient, world: World) -> None:
    campaign = await drafted(world)
    async with world.database.transaction() as tx:
        _, key = await create_key(tx.connection, "reader", ["campaigns"], "/reader")
    for path in (at(campaign, what="approve"), at(campaign, what="stop"), at(campaign, what="add")):
        answer = await site.post(path, json={"reason": "x"}, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 403
        assert (await site.post(path, json={}, headers={"authorization": ""})).status_code == 401
    assert (await site.get(at(campaign), headers={"authorization": f"Bearer {key}"})).status_code == 403
