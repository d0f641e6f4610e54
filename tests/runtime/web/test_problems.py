"""Whatever goes wrong with a request is told as a problem."""

import json
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

from clarion.runtime.web import fields, pages, problems
from clarion.runtime.web.limits import READ_AWAY


class Item(BaseModel):
    name: str
    size: int


def app() -> FastAPI:
    made = FastAPI()

    @made.post("/items")
    async def items(items: list[Item]) -> int:
        return len(items)

    @made.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @made.get("/gone")
    async def gone() -> None:
        raise HTTPException(410, "it was here \udc00 once", {"x-kept": "yes"})

    @made.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    problems.install(made, max_bytes=1_000)
    pages.install(made)
    return made


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app(), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://site.example")


async def test_a_validation_error_is_422_and_names_the_field() -> None:
    async with client() as site:
        answer = await site.post("/items", json=[{"name": "a", "size": 1}, {"name": "b", "size": "big"}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "[1].size"
    assert answer.json()["error_count"] == 1


async def test_an_exception_of_a_route_is_a_problem_with_its_headers_even_with_half_a_surrogate_pair() -> None:
    async with client() as site:
        answer = await site.get("/gone")
    assert answer.status_code == 410
    assert answer.headers["x-kept"] == "yes"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Gone",
        "status": 410,
        "detail": "it was here \udc00 once",
    }


async def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_people() -> None:
    async with client() as site:
        answer = await site.get("/nowhere")
        page = await site.get("/nowhere", headers={"accept": "text/html,*/*"})
        api = await site.get("/api/nowhere", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address." in page.text
    assert api.headers["content-type"] == "application/problem+json"


async def test_a_wrong_method_keeps_its_allow_header() -> None:
    async with client() as site:
        answer = await site.get("/items")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_failure_tells_nothing_of_its_cause() -> None:
    async with client() as site:
        answer = await site.get("/broken")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text


async def test_a_body_of_the_limit_passes_and_one_byte_more_is_413() -> None:
    async with client() as site:
        fits = await site.post("/raw", content=b"x" * 1_000)
        answer = await site.post("/raw", content=b"x" * 1_001)
    assert fits.json() == 1_000
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_of_unknown_length_is_counted_while_it_arrives() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100
            yield b"x" * 100

    async with client() as site:
        raw = await site.post("/raw", content=endless())
        parsed = await site.post("/items", content=endless(), headers={"content-type": "application/json"})
    assert (raw.status_code, parsed.status_code) == (413, 413)
    assert sent == 2 * (1_000 * READ_AWAY + 100)


def test_the_path_of_an_error_leaves_out_what_is_not_in_the_value() -> None:
    errors = [
        {"loc": ("agenda", 1, "start", "datetime"), "msg": "Value error, no time", "type": "value_error"},
        {"loc": ("agenda", 1, "start", "date"), "msg": "no date", "type": "date"},
        {"loc": ("agenda", 0, "bill"), "msg": "Field required", "type": "missing"},
        {"loc": (), "msg": "odd", "type": "value_error"},
    ]
    found = fields.field_errors(errors, {"agenda": [{}, {"start": "soon"}]}, prefix=("data",), index=7)
    assert [(one.field, one.message, one.index) for one in found] == [
        ("data.agenda[1].start", "no time", 7),
        ("data.agenda[0].bill", "Field required", 7),
        ("data", "odd", 7),
    ]


def test_a_thousand_errors_are_counted_and_a_hundred_told() -> None:
    errors = [fields.FieldError(field="a", message="b", index=index) for index in range(1_000)]
    body = json.loads(bytes(problems.problem(422, "many", errors=errors).body))
    assert (len(body["errors"]), body["error_count"]) == (100, 1_000)
