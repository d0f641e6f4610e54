"""A small fictional state, and the service's consumption of what happens in it on a real database."""

import contextlib
import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from clarion.runtime.database import Database
from clarion.runtime.messaging.consumption import Consumption
from clarion.runtime.messaging.record import Record
from clarion.schemas import directory
from clarion.schemas.deliveries import DeliveriesRecorded, Delivery
from clarion.schemas.directory import NEEDED_TO_LAUNCH
from clarion.schemas.legislation import HearingAlert, bill_key
from clarion.services.campaigns import fanout
from clarion.services.campaigns.domain.model import Position
from clarion.services.campaigns.domain.names import CALIFORNIA
from clarion.services.campaigns.fanout import fan_out
from clarion.services.campaigns.handlers import subscriptions
from clarion.services.campaigns.operations import review
from clarion.services.campaigns.positions.operations import Adoption, adopt_position

NOW = datetime(2027, 4, 1, 12, tzinfo=UTC)
STARTS_AT = "2027-04-21T13:30:00-07:00"
HOUSING = "ocd-organization/housing"
TABLES = (
    "divisions, cities, districts, city_districts, legislators, committees, committee_members, officials,"
    " headcounts, groups, memberships,"
    " import_markers, positions, priorities, bills, hearings, hearing_bills, campaigns, campaign_cities, waves,"
    " fanout_jobs, calls, threads, told, committee_rules, legislative_holidays, holiday_years, hearing_overrides,"
    " directory_changes, drafts, follow_ups, followed, inbox, outbox, dead_letters"
)


def mailbox(address: str) -> str:
    return hashlib.md5(address.encode()).hexdigest()


def official(key: str, city: str, *roles: str, address: str | None = None, **changes: Any) -> directory.Official:
    address = address or f"{key}@{city}.example"
    fields = {"id": key, "revision": 1, "name": f"Person {key}", "city": city, "roles": list(roles)}
    return directory.Official(**fields | {"email": address, "mailbox": mailbox(address)} | changes)


def city(key: str, division: str | None, **changes: Any) -> directory.City:
    return directory.City(**{"id": key, "revision": 1, "name": key.title(), "division": division} | changes)


def district(key: str, **shares: float) -> directory.District:
    chamber, _, number = key.partition(":")
    cities = [directory.CityShare(city=name, share=share) for name, share in shares.items()]
    return directory.District(id=key, revision=1, chamber=chamber, number=number, cities=cities)


def legislator(key: str, name: str, district_id: str, **changes: Any) -> directory.Legislator:
    fields = {"id": key, "revision": 1, "name": name, "chamber": district_id.partition(":")[0], "district": district_id}
    return directory.Legislator(**fields | changes)


def committee(key: str, name: str, chamber: str, *members: tuple[directory.Legislator, str], **changes: Any) -> Any:
    seats = [
        directory.CommitteeMember(
            legislator=one.id, name=one.name, role=role, chamber=one.chamber, district=one.district
        )
        for one, role in members
    ]
    return directory.Committee(
        **{"id": key, "revision": 1, "name": name, "chamber": chamber, "members": seats} | changes
    )


def division(slug: str, name: str) -> directory.Division:
    return directory.Division(
        id=slug, revision=1, name=name, manager_name=f"Manager of {name}", manager_email=f"rpam@{slug}.example"
    )


SEVEN = legislator("l7", "Jesse Example", "upper:7", family_name="Example")
ELEVEN = legislator("l11", "Sam Sample", "upper:11", family_name="Sample")
THREE = legislator("l3", "Ana Muster", "lower:3", family_name="Muster")

IMPORTS: dict[str, list[BaseModel]] = {
    "divisions": [division("east-bay", "East Bay"), division("peninsula", "Peninsula")],
    "cities": [
        city("alder", "east-bay"),
        city("birch", "peninsula"),
        city("cedar", "peninsula", member=False),
        city("dell", None),
        city("elm", "east-bay"),
    ],
    "districts": [
        district("upper:7", alder=0.9, birch=0.004, dell=1.0),
        district("upper:11", birch=0.99, cedar=1.0),
        district("lower:3", elm=1.0),
    ],
    "legislators": [SEVEN, ELEVEN, THREE],
    "committees": [
        committee(HOUSING, "Housing", "upper", (ELEVEN, "member"), (SEVEN, "chair"), phone="916-555-0100"),
        committee("ocd-organization/assembly-housing", "Housing & Community Development", "lower", (THREE, "chair")),
    ],
    "officials": [
        official("a-mayor", "alder", "Mayor"),
        official("a-clerk", "alder", "City Clerk"),
        official("a-chief", "alder", "Fire Chief", testifies=True),
        official("b-member", "birch", "council-member"),
        official("b-manager", "birch", "City Manager", testifies=True),
        official("c-mayor", "cedar", "Mayor"),
        official("d-mayor", "dell", "Vice Mayor"),
        official("e-mayor", "elm", "Mayor"),
    ],
}
ASKED = {"a-mayor", "a-chief", "b-member", "b-manager", "d-mayor"}


def make_position(**changes: Any) -> Position:
    fields = {
        "jurisdiction": CALIFORNIA,
        "session": "20272028",
        "bill": "SB 79",
        "stance": "oppose",
        "ask": "vote no on SB 79",
        "why": "It takes zoning away from cities.",
        "launch": "auto",
    } | changes
    return Position(bill_key=bill_key(fields["bill"]), **fields)


def make_alert(**changes: Any) -> HearingAlert:
    agenda = changes.pop("agenda", [{"bill": "SB 79", "title": "Housing near transit", "author": None}])
    items = [item | {"bill_key": bill_key(item["bill"])} for item in agenda]
    fields = {
        "hearing_id": "h-1",
        "aliases": ["ca-2027-04-21-s-housing"],
        "revision": 1,
        "status": "scheduled",
        "jurisdiction": CALIFORNIA,
        "zone": "America/Los_Angeles",
        "session": "20272028",
        "committee": {"name": "Housing", "chamber": "upper", "id": None},
        "starts_at": STARTS_AT,
        "location": {"name": "1021 O Street, Room 1200"},
        "agenda": items,
    }
    return HearingAlert.model_validate(fields | changes)


@dataclass(frozen=True)
class Told:
    """One message to one mailbox; `recipient` is None for a withdrawal."""

    revision: int
    body: dict[str, Any]
    recipient: dict[str, Any] | None

    @property
    def facts(self) -> dict[str, str]:
        return {fact["key"]: fact["text"] for fact in self.body["facts"]}

    @property
    def asks(self) -> set[tuple[str, str]]:
        assert self.recipient
        return {(ask["kind"], ask["bill"]) for ask in self.recipient["asks"]}


@dataclass
class World:
    """The service on a database of its own; time goes on only when told to."""

    database: Database
    now: datetime = NOW
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)

    def clock(self) -> datetime:
        return self.now

    async def consume(self, topic: str, records: Sequence[Record]) -> None:
        found = next(each for each in subscriptions(self.clock) if each.topic.name == topic)
        await Consumption(self.database, found).handle(records)

    def record(self, topic: str, kind: str, key: str, body: bytes | None, **headers: str) -> Record:
        offset = next(self.offsets)
        said = {"ce_specversion": "1.0", "ce_id": f"e{offset}", "ce_type": kind, "ce_source": "/test"} | headers
        encoded = tuple((name, value.encode()) for name, value in said.items())
        return Record(topic, 0, offset, key.encode(), encoded, body, self.now)

    def entity(self, model: BaseModel, import_id: str = "i1") -> Record:
        kind = type(model).__name__.lower()
        body = model.model_dump_json().encode()
        key = f"{kind}:{model.id}"
        return self.record("directory.entities.v1", f"{kind}.changed", key, body, ce_importid=import_id)

    def tombstone(self, kind: str, key: str) -> Record:
        return self.record("directory.entities.v1", f"{kind}.changed", f"{kind}:{key}", None)

    def marker(self, kind: str, import_id: str = "i1", at: datetime = NOW) -> Record:
        body = directory.ImportCompleted(
            import_id=import_id, kind=kind, completed_at=at, added=1, changed=0, unchanged=0, rejected=0
        )
        body_bytes = body.model_dump_json().encode()
        key = f"import:{kind}"
        return self.record("directory.entities.v1", "import.completed", key, body_bytes, ce_importid=import_id)

    def import_records(self, kind: str, entities: Iterable[BaseModel] | None = None) -> list[Record]:
        """An import as it stands on the topic."""
        found = IMPORTS[kind] if entities is None else entities
        return [*(self.entity(each, f"i-{kind}") for each in found), self.marker(kind, f"i-{kind}")]

    async def project(self, *records: Record) -> None:
        await self.consume("directory.entities.v1", records)

    async def import_all(self, **replaced: list[BaseModel]) -> None:
        for kind in NEEDED_TO_LAUNCH:
            await self.project(*self.import_records(kind, replaced.get(kind)))

    def alert_record(self, alert: HearingAlert) -> Record:
        body = alert.model_dump_json().encode()
        return self.record("legislation.alerts.v1", "bill-hearing.scheduled", alert.hearing_id, body)

    async def hear(self, alert: HearingAlert | None = None, **changes: Any) -> None:
        record = self.alert_record(alert or make_alert(**changes))
        await self.consume("legislation.alerts.v1", [record])

    async def adopt(self, **changes: Any) -> Adoption:
        async with self.database.transaction() as tx:
            return await adopt_position(tx, make_position(**changes), self.clock)

    async def review(self) -> None:
        more = True
        while more:
            async with self.database.transaction() as tx:
                more = await review(tx, self.clock)

    async def quiet_directory(self) -> None:
        """Time goes on until the directory counts as quiet, and launched campaigns look at it again."""
        self.later(seconds=3)
        await self.review()
        await self.fan_out()

    async def fan_out(self) -> None:
        while await fan_out(self.database, self.clock):
            pass

    async def fan_out_and_die(self) -> None:
        """One transaction of the fan-out, killed before its commit."""
        with contextlib.suppress(ConnectionError):
            await self._work_and_die()

    async def _work_and_die(self) -> None:
        async with self.database.transaction() as tx:
            jobs = await fanout.claim_jobs(tx.connection, self.now)
            if jobs:
                await fanout._do(
                    tx, jobs[0].campaign, [job for job in jobs if job.campaign == jobs[0].campaign], self.now
                )
            raise ConnectionError

    async def deliver(self, *deliveries: Delivery) -> None:
        body = DeliveriesRecorded(deliveries=list(deliveries)).model_dump_json().encode()
        record = self.record("notifications.deliveries.v1", "deliveries.recorded", "3", body)
        await self.consume("notifications.deliveries.v1", [record])

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def campaign(self) -> dict[str, Any]:
        """The only one."""
        [row] = await self.fetch("SELECT * FROM campaigns")
        return dict(row)

    async def called(self) -> set[str]:
        return {row["official"] for row in await self.fetch("SELECT official FROM calls")}

    async def published(self, topic: str) -> list[dict[str, Any]]:
        rows = await self.fetch("SELECT body FROM outbox WHERE topic = $1 ORDER BY id", topic)
        return [json.loads(row["body"]) for row in rows]

    async def batches(self) -> list[dict[str, Any]]:
        """Each recipient with what it has in common with others."""
        found = await self.published("campaigns.calls.v1")
        for body in found:
            common = body.pop("in_common", [])
            for one in body.get("recipients", []):
                place = one.pop("in_common", None)
                shared = {"reasons": [], "asks": []} if place is None else common[place]
                one["reasons"] = [*one.get("reasons", []), *shared["reasons"]]
                one["asks"] = [*one.get("asks", []), *shared["asks"]]
                one.setdefault("told_elsewhere", [])
        return found

    async def recipients(self) -> dict[str, dict[str, Any]]:
        """By mailbox; a mailbox in two messages is a failure."""
        found: dict[str, dict[str, Any]] = {}
        for batch in await self.batches():
            for recipient in batch["recipients"]:
                assert recipient["mailbox"] not in found
                found[recipient["mailbox"]] = recipient | {"batch": batch}
        return found

    async def told(self, matter: str | None = None) -> dict[str, list[Told]]:
        """What each mailbox is asked to be told, in order; a revision twice or out of order is a failure."""
        found: dict[tuple[str, str], list[Told]] = {}
        for body in await self.batches():
            if "recipients" in body:
                pairs = [(each["mailbox"], each) for each in body["recipients"]]
            else:
                pairs = [(each, None) for each in body["mailboxes"]]
            for mailbox_id, recipient in pairs:
                messages = found.setdefault((body["matter"], mailbox_id), [])
                assert not messages or messages[-1].revision < body["revision"]
                messages.append(Told(body["revision"], body, recipient))
        if matter is None:
            assert len({each for each, _ in found}) <= 1
        return {box: told for (each, box), told in found.items() if matter in (None, each)}

    async def told_to(self, address: str, matter: str | None = None) -> list[Told]:
        """What the mailbox of an address is asked to be told."""
        return (await self.told(matter)).get(mailbox(address), [])

    async def recipient(self, official_id: str) -> dict[str, Any]:
        [found] = [each for each in (await self.recipients()).values() if official_id in each["officials"]]
        return found

    async def dead_letters(self) -> list[str]:
        return [row["reason"] for row in await self.fetch("SELECT reason FROM dead_letters ORDER BY id")]

    async def launch(self, alert: HearingAlert | None = None, **changes: Any) -> None:
        """The whole way: a whole directory, a position, a hearing, and the fan-out."""
        await self.import_all()
        await self.adopt(**changes)
        await self.hear(alert)
        await self.fan_out()

    async def empty(self) -> None:
        async with self.database.connection() as connection:
            await connection.execute(f"TRUNCATE {TABLES} CASCADE")

    def later(self, **parts: float) -> None:
        self.now += timedelta(**parts)
