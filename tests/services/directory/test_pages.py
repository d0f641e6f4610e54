"""The pages over the directory: what they find, what they show to whom, and that names stay text."""

import pytest
import pytest_asyncio

from clarion.services.directory.pages.browse import QUERIES
from tests.services.directory.site import bring, directory_of, visitor
from tests.staff import signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = """
INSERT INTO entities (kind, id, revision, state, import_id, changed_at)
SELECT kind, 'many-' || n, 1, jsonb_build_object('name', md5(n::text)), 'x', now()
FROM unnest(ARRAY['official', 'group']) AS kind, generate_series(1, 3000) AS n;
INSERT INTO cards (kind, id, active, words, groups, can_be_asked)
SELECT kind, id, true, words(state), '{}', false FROM entities WHERE id LIKE 'many-%';
ANALYZE cards;
"""
NAPA = "/directory/cities/ocd-division/country:us/state:ca/place:napa"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def directory(postgres_url):
    async with directory_of(postgres_url) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="module")
async def browser(directory):
    async with visitor(directory) as client:
        yield client


async def read(browser, path):
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_strangers_are_sent_to_sign_in(browser):
    answer = await browser.get("/directory?q=napa")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fdirectory%3Fq%3Dnapa")


@pytest.mark.parametrize(
    "wanted",
    ["maria", "MARÍA", "obrien", "o'brien garc", "garcia", "nap mayor", "mayor maria napa"],
)
async def test_a_person_is_found_by_beginnings_of_words_without_accents(browser, directory, wanted):
    await signed_in(browser, directory, "viewer")
    page = await read(browser, f"/directory?q={wanted}")
    assert "María O&#39;Brien-García" in page
    assert "Ángel" not in page


async def test_a_person_is_found_by_a_city_with_an_enye(browser, directory):
    await signed_in(browser, directory, "viewer")
    assert "Ángel Ruiz" in await read(browser, "/directory?q=angel pinon")


async def test_nothing_found_is_said(browser, directory):
    await signed_in(browser, directory, "viewer")
    assert "Nothing found" in await read(browser, "/directory?q=zzz")
    assert "Nothing found" in await read(browser, "/directory?q='")


async def test_without_a_search_the_divisions_are_shown(browser, directory):
    await signed_in(browser, directory, "viewer")
    page = await read(browser, "/directory")
    assert "North Bay" in page
    assert "2 cities" in page


async def test_an_address_finds_people_only_for_those_who_may_see_it(browser, directory):
    await signed_in(browser, directory, "manager", ["north-bay"])
    assert "Lee Chen" in await read(browser, "/directory?q=Clerk@napa.ca.example")
    await signed_in(browser, directory, "manager", ["desert"])
    assert "Nothing found" in await read(browser, "/directory?q=clerk@napa.ca.example")


@pytest.mark.parametrize(
    ("role", "divisions", "sees"),
    [("admin", [], True), ("state", [], True), ("manager", ["north-bay"], True), ("manager", ["desert"], False),
     ("viewer", [], False)],
)  # fmt: skip
async def test_addresses_are_seen_by_those_who_work_with_them(browser, directory, role, divisions, sees):
    await signed_in(browser, directory, role, divisions)
    for path in ("/directory/officials/o-1", NAPA):
        page = await read(browser, path)
        assert ("maria@napa.ca.example" in page) is sees
        assert "María" in page


async def test_a_division_names_cities_without_anyone_to_ask(browser, directory):
    await signed_in(browser, directory, "viewer")
    page = await read(browser, "/directory/divisions/north-bay")
    silent = page[page.index("Without anyone to ask") : page.index("<h2>Cities</h2>")]
    assert "Sonoma" in silent
    assert "Napa" not in silent


async def test_a_city_shows_division_membership_and_officials(browser, directory):
    await signed_in(browser, directory, "viewer")
    page = await read(browser, NAPA)
    for text in ("North Bay", "79,246", "Pat Moss", "council member"):
        assert text in page


async def test_what_is_not_there_is_said(browser, directory):
    await signed_in(browser, directory, "viewer")
    for kind in ("cities", "officials", "divisions", "groups", "committees", "legislators", "partners"):
        assert (await browser.get(f"/directory/{kind}/none")).status_code == 404
        assert (await browser.get(f"/directory/{kind}/%00")).status_code == 404


async def test_names_stay_text(browser, directory):
    await bring(
        directory,
        "officials",
        "id,name,city,roles,email\n"
        'x-1,"<script>alert(1)</script>",Napa,"""><img src=x onerror=alert(1)>",evil@napa.ca.example\n'
        'x-2,"=HYPERLINK(""http://evil.example"")",Napa,mayor,evil2@napa.ca.example\n',
    )
    await signed_in(browser, directory)
    for path in ("/directory?q=script", "/directory/officials/x-1", NAPA, "/directory?q=%22%3E%3Cscript%3E"):
        page = await read(browser, path)
        assert "<script>" not in page
        assert "<img" not in page


async def test_a_page_of_many_results_leads_to_the_next(browser, directory):
    rows = "".join(f"m-{n},Many {n:03},Sonoma,trustee,m{n}@sonoma.ca.example\n" for n in range(60))
    await bring(directory, "officials", f"id,name,city,roles,email\n{rows}")
    await signed_in(browser, directory)
    first = await read(browser, "/directory?q=many")
    assert "60 people" in first
    assert "Many 024" in first
    assert "Many 025" not in first
    assert "Many 059" in await read(browser, "/directory?q=many&page=3")


async def test_a_group_lists_people_and_cities_with_their_roles(browser, directory):
    await bring(directory, "groups", "slug,name,kind\ncoastal,Coastal Cities Group,city-group\n")
    await bring(
        directory,
        "memberships",
        "group,official,city,role,since\ncoastal,o-1,,chair,2026-01-01\ncoastal,,Sonoma,member,2025-01-01\n",
    )
    await signed_in(browser, directory)
    page = await read(browser, "/directory/groups/coastal")
    assert page.index("chair") < page.index("Sonoma")
    assert "Coastal Cities Group" in await read(browser, "/directory/officials/o-1")
    assert "Coastal Cities Group" in await read(browser, "/directory?q=coast")


@pytest.mark.parametrize(
    ("query", "given", "index"),
    [
        (QUERIES.find_officials, ("mar nap", 1_000, 25, 0), "cards_by_words_of_officials"),
        (QUERIES.find_others, (["city", "group"], "mar nap", 25), "cards_by_words_of_others"),
    ],
)
async def test_a_search_goes_by_the_index_of_words(directory, query, given, index):
    async with directory.connection() as connection:
        filled = connection.transaction()
        await filled.start()
        await connection.execute(MANY)
        plan = await connection.fetch(f"EXPLAIN {query.sql}", *given)
        await filled.rollback()
    assert any(index in row[0] for row in plan), plan
