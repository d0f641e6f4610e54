"""The whole site behind a public https address, with something behind each kind of link."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from clarion.runtime.clock import system_clock
from clarion.runtime.database import Database
from clarion.runtime.embedded import MailStore
from clarion.runtime.process import Running
from clarion.runtime.settings import Settings
from clarion.runtime.staff.audit import Actor
from clarion.runtime.watch import Watch
from clarion.runtime.web.keys import SCOPES, create_key
from clarion.runtime.web.links import SignedLinks
from clarion.services.campaigns.positions.agenda import change_priority
from clarion.services.registrations.sample import create_sample_webinar
from clarion.services.running import open_services
from clarion.services.web import build_site
from tests.conftest import TEMPLATE, cloned
from tests.services.campaigns.campaigns_world import World
from tests.staff import SignedIn, signed_in

PUBLIC = "https://calls.cities.example"
SECRET = "test-secret-key-of-some-length"
MAILBOX = "ab" * 16
HTML = {"accept": "text/html"}
ANSWERS = {"city": "Oakville", "role": "Elected official"}
PERSON = {
    "name": "Robin Sample",
    "email": "robin@oakville.example",
    "answers": {"city": "Oakville", "role": "Elected official"},
}


@dataclass(frozen=True)
class Route:
    """A route with the fields of its form."""

    method: str
    path: str
    fields: tuple[str, ...]
    queries: tuple[str, ...] = ()


@dataclass
class Whole:
    """The site, and what leads to something in it."""

    app: FastAPI
    settings: Settings
    admin: httpx.AsyncClient
    stranger: httpx.AsyncClient
    staff: SignedIn
    key: str
    links: SignedLinks
    values: Mapping[str, Mapping[str, str]]
    databases: Mapping[str, Database]

    def routes(self) -> Iterator[Route]:
        """Every route of every router, by each of its methods."""
        for found in iter_route_contexts(self.app.routes):
            takes = found.dependant if isinstance(found.original_route, APIRoute) else None
            fields = tuple(name for param in (takes.body_params if takes else ()) for name in names_of(param))
            queries = tuple(param.alias for param in (takes.query_params if takes else ()))
            for method in sorted(found.methods or ()):
                yield Route(method, str(found.path), fields, queries)

    def address(self, path: str) -> str:
        """A path with values in the place of its parameters: real ones where there are some."""
        known = next((values for start, values in self.values.items() if path.startswith(start)), {})
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: known.get(name[1], "1"), path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(postgres_url: str) -> AsyncIterator[Whole]:
    """The site, once for the tests of a file, with an event, a registration, a mail and a key."""
    async with cloned(postgres_url, TEMPLATE) as database_url:
        settings = settings_with(database_url)
        mail = MailStore()
        mail.add("a@city.example", ["b@city.example"], b"Subject: hello\r\n\r\nthere", datetime(2027, 1, 1, tzinfo=UTC))
        async with open_services(settings) as services:
            app = build_site(services, Watch(Running(), settings, services), mail=mail)
            databases = {each.name: each.database for each in services}
            event = await create_sample_webinar(databases["registrations"], PUBLIC, system_clock)
            async with databases["registrations"].transaction() as tx:
                _, key = await create_key(tx.connection, "everything", list(SCOPES))
            async with client_of(app) as admin, client_of(app) as stranger:
                staff = await signed_in(admin, settings)
                links = SignedLinks([SECRET])
                values = await made(stranger, links, event.webinar.slug)
                values["/campaigns"] = await waiting_campaign(databases["campaigns"])
                values |= await what_we_stand_for(databases["campaigns"])
                yield Whole(app, settings, admin, stranger, staff, key, links, values, databases)
        mail.close()


@pytest_asyncio.fixture(loop_scope="module")
async def whole(opened: Whole) -> AsyncIterator[Whole]:
    """The same with browsers of this test's own, one of them just signed in as an administrator."""
    async with client_of(opened.app) as admin, client_of(opened.app) as stranger:
        staff = await signed_in(admin, opened.settings)
        yield replace(opened, admin=admin, stranger=stranger, staff=staff)


def settings_with(database_url: str) -> Settings:
    """A public site on this database, which takes all that can be taken."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        kafka_bootstrap="127.0.0.1:9",
        smtp_url="smtp://127.0.0.1:9",
        public_url=PUBLIC,
        secret_key=(SECRET,),
        mail_from="Clarion <calls@clarion.example>",
        ses_topic_arn="arn:aws:sns:us-west-2:123456789012:mail",
        postmark_login="postmark:a-password-of-some-length",
        request_limits="read=1000/s, write=1000/s, keyed=1000/s, hooks=1000/s",
    )


def names_of(param: Any) -> tuple[str, ...]:
    """The fields that a parameter stands for: those of a form's model, or itself."""
    model = param.field_info.annotation
    return tuple(model.model_fields) if hasattr(model, "model_fields") else (param.alias,)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A browser that shows what went wrong as people see it."""
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 4711), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=PUBLIC)


async def waiting_campaign(database: Database) -> dict[str, str]:
    """A campaign that waits for approval, and one of its divisions."""
    world = World(database, system_clock())
    await world.import_all()
    await world.adopt(launch="approval")
    await world.hear(starts_at=(world.now + timedelta(days=20)).isoformat())
    return {"campaign": (await world.campaign())["id"], "division": "east-bay"}


async def what_we_stand_for(database: Database) -> dict[str, dict[str, str]]:
    """A position and a priority."""
    adopted = (await World(database, system_clock()).adopt(bill="SB 999")).adopted
    async with database.transaction() as tx:
        given = {"title": "Housing", "body": "Money, not mandates."}
        await change_priority(tx, Actor("system", "tests", "tests", "here"), "housing", given)
    values = {"position_id": adopted.id}
    return {"/positions": values, "/api/v1/positions": values, "/agenda": {"slug": "housing"}}


async def made(client: httpx.AsyncClient, links: SignedLinks, slug: str) -> dict[str, dict[str, Any]]:
    """By the beginnings of paths, what stands for their parameters."""
    answer = await client.post(f"/api/v1/webinars/{slug}/registrations", json=PERSON)
    assert answer.status_code == 202, answer.text
    token = answer.json()["page_url"].rpartition("/")[2]
    topic = "legislation.updates.v1"
    return {
        "/webinars": {"slug": slug},
        "/api/v1/webinars": {"slug": slug},
        "/api/v1/registrations": {"registration_id": answer.json()["id"]},
        "/registrations": {"token": token},
        "/schemas": {"name": topic, "topic": topic, "event_type": "hearing.scheduled"},
        "/u/": {"token": links.sign("unsubscribe", [MAILBOX, "calls"])},
        "/me/": {"token": links.sign("person", {"mailbox": MAILBOX})},
    }
