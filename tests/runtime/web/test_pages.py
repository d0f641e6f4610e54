"""Pages carry strict headers, escape what they show and need nothing from elsewhere."""

import re

import httpx
import pytest
from fastapi import FastAPI
from jinja2 import UndefinedError
from starlette.responses import HTMLResponse

from clarion.runtime.web.pages import PACKAGE, STATIC, Imprint, Pages, environment, install, stylesheet


def site() -> httpx.AsyncClient:
    app = FastAPI()
    pages = Pages()

    @app.get("/page")
    async def page() -> HTMLResponse:
        return pages.render("problem.html", title="<script>alert(1)</script>", detail="a & b")

    @app.get("/own")
    async def own() -> HTMLResponse:
        return HTMLResponse("mail", headers={"content-security-policy": "sandbox"})

    install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example")


async def test_a_page_escapes_its_context_and_lets_no_script_of_others_in() -> None:
    async with site() as client:
        page = await client.get("/page")
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_the_stylesheet_is_served_at_an_address_that_changes_with_it() -> None:
    async with site() as client:
        page = await client.get("/page")
        style = await client.get(stylesheet())
    assert stylesheet() in page.text
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["x-content-type-options"] == "nosniff"
    assert re.search(r"v=[0-9a-f]{12}$", stylesheet())


async def test_a_response_with_a_policy_of_its_own_keeps_it() -> None:
    async with site() as client:
        answer = await client.get("/own")
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]


def test_who_asks_stands_at_the_foot_of_a_page_where_that_is_set() -> None:
    imprint = Imprint("1400 K Street\nSacramento <CA>", "https://cities.example/filings")
    page = bytes(Pages(None, imprint).render("problem.html", title="t", detail="d").body).decode()
    assert "1400 K Street\nSacramento &lt;CA&gt;" in page
    assert '<a href="https://cities.example/filings">Ballot-measure filings' in page
    assert "filings" not in bytes(Pages().render("problem.html", title="t", detail="d").body).decode()


def test_a_name_that_the_context_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        Pages().render("problem.html", title="only this")


def test_the_common_templates_have_no_inline_style_or_script() -> None:
    made = environment()
    for name in made.list_templates():
        source = made.loader.get_source(made, name)[0] if made.loader else ""
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|https?://", source), name
    assert PACKAGE in environment.__module__
    assert "http" not in (STATIC / "clarion.css").read_text()


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_is_readable_on_its_ground_in_light_and_dark() -> None:
    style = (STATIC / "clarion.css").read_text()
    schemes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", scheme))
        pairs = [
            (ink, ground)
            for ink in ("ink", "quiet", "accent", "good", "warn", "bad")
            for ground in ("ground", "raised")
        ]
        for ink, ground in [*pairs, ("on-accent", "accent")]:
            light, dark = sorted((luminance(colors[ink]), luminance(colors[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)
