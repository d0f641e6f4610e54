"""The sample association's webinar: invented people, at a date counted from now."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clarion.runtime.clock import Clock
from clarion.runtime.database import Database
from clarion.schemas.messages import Contact, Presenter
from clarion.schemas.registrations import Question, Webinar
from clarion.services.registrations import repository
from clarion.services.registrations.desk import open_desk
from clarion.services.registrations.hosting import create_webinar
from clarion.services.registrations.repository import Event

SLUG = "packaging-law"
ZONE = "America/Los_Angeles"
WEEKS_AHEAD = 4
THURSDAY = 3


def sample_webinar(now: datetime, capacity: int = 1_000) -> Webinar:
    """How the packaging law will affect local governments: a Thursday, 10:00 to 11:30, four to five weeks from now."""
    local = now.astimezone(ZoneInfo(ZONE))
    day = local + timedelta(days=7 * WEEKS_AHEAD + (THURSDAY - local.weekday()) % 7)
    start = day.replace(hour=10, minute=0, second=0, microsecond=0)
    return Webinar(
        slug=SLUG,
        title="How the packaging law will affect local governments",
        summary=(
            "The state's packaging law asks producers to pay for what cities have paid for so far. What changes for"
            " collection, for contracts with haulers and for rates, and what a city can do this year.\n\n"
            "Bring your questions: half of the time is for them."
        ),
        starts_at=start,
        ends_at=start.replace(hour=11, minute=30),
        registration_closes_at=(start - timedelta(days=1)).replace(hour=12),
        zone=ZONE,
        capacity=capacity,
        audience="officials and staff of local governments; free of charge",
        where="Online",
        join_url="https://join.league.example/packaging-law",
        policy_url="https://league.example/event-policies",
        host="League of Fictional Cities and the Association of Fictional Counties",
        contact=Contact(name="Robin Sample", address="events@league.example", phone="555-0100"),
        enquiries=Contact(name="Kim Placeholder", address="recycling@league.example", phone="555-0101"),
        presenters=[
            Presenter(name="Alex Invented", title="Legislative Representative", role="moderator"),
            Presenter(name="Dana Fictional", title="Deputy Director, Office of Materials"),
            Presenter(name="Sam Imagined", title="Director of Public Works, City of Pleasantville"),
            Presenter(name="Jo Madeup", title="Counsel, Institute for Local Waste"),
        ],
        partners=["Institute for Local Waste", "Alliance of Fictional Haulers", "Rural Recyclers' Network"],
        questions=[
            Question(key="city", label="Your city or county", required=True),
            Question(
                key="role",
                label="Your role",
                choices=["Elected official", "City manager", "Public works", "Other staff"],
            ),
            Question(key="question", label="A question for the presenters"),
        ],
    )


async def create_sample_webinar(
    database: Database, public_url: str, clock: Clock, webinar: Webinar | None = None
) -> Event:
    """The sample webinar, made if it is not there yet."""
    desk = await open_desk(database, public_url, clock)
    wanted = webinar or sample_webinar(clock())
    async with database.transaction() as tx:
        found = await repository.lock_webinar(tx.connection, wanted.slug)
        return found or await create_webinar(tx, desk, wanted)
