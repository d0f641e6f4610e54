"""Every topic: its name, shape, key and the events that travel on it. The suffix is the version."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from clarion.schemas import campaigns, deliveries, directory, legislation, messages, registrations

DAY_SECONDS = 24 * 3600
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic as Clarion declares it.

    `key` says in words what orders its records. `inbound` topics are written by integrations too, so structured
    mode is accepted there. A compacted topic keeps the newest record of each key for ever. `published_by` and
    `read_by` are the services that do; anyone else may read what the installation lets them. `about` is a sentence
    for people.
    """

    name: str
    partitions: int
    key: str
    types: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    compacted: bool = False
    inbound: bool = False
    retention_seconds: int = 7 * DAY_SECONDS
    max_bytes: int = MEGABYTE
    about: str = ""
    published_by: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()

    def group(self, service: str) -> str:
        """The consumer group in which a service reads it, on a cluster that has no other installation."""
        return f"clarion.{service}.{self.name}"

    @property
    def dead(self) -> "Topic":
        """The topic that gets a copy of what could not be handled, with room for its extra headers."""
        return Topic(
            name=f"{self.name}.dead",
            about=f"Copies of what could not be handled on {self.name}, with the reason in a header.",
            partitions=1,
            key="that of the record",
            retention_seconds=30 * DAY_SECONDS,
            max_bytes=self.max_bytes + MEGABYTE // 10,
        )


LEGISLATION_UPDATES = Topic(
    "legislation.updates.v1",
    about="What integrations say about hearings and bills.",
    published_by=("legislation",),
    read_by=("legislation",),
    partitions=6,
    key="jurisdiction",
    inbound=True,
    types={
        "hearing.scheduled": legislation.HearingNotice,
        "hearing.rescheduled": legislation.HearingNotice,
        "hearing.cancelled": legislation.HearingCancellation,
        "hearing.calendar": legislation.HearingCalendar,
        "hearing.calendar-part": legislation.HearingCalendarPart,
        "bill.updated": legislation.BillUpdate,
    },
)
LEGISLATION_ALERTS = Topic(
    "legislation.alerts.v1",
    about="Each hearing and bill as Clarion knows it, told anew whenever it changes.",
    published_by=("legislation",),
    read_by=("campaigns",),
    partitions=6,
    key="hearing id, bill id for progress",
    types={f"bill-hearing.{what}": legislation.HearingAlert for what in ("scheduled", "moved", "amended", "cancelled")}
    | {"bill.progressed": legislation.BillProgress},
)
DIRECTORY_ENTITIES = Topic(
    "directory.entities.v1",
    about="Divisions, cities, districts, legislators, committees, groups, officials and partners as they are now.",
    published_by=("directory",),
    read_by=("campaigns", "notifications"),
    partitions=1,
    key="kind and id, as in city:<id>; import:<kind> for import.completed",
    compacted=True,
    types={
        "division.changed": directory.Division,
        "city.changed": directory.City,
        "district.changed": directory.District,
        "legislator.changed": directory.Legislator,
        "committee.changed": directory.Committee,
        "group.changed": directory.Group,
        "official.changed": directory.Official,
        "partner.changed": directory.Partner,
        "import.completed": directory.ImportCompleted,
    },
)
CAMPAIGNS_CALLS = Topic(
    "campaigns.calls.v1",
    about="Whom a campaign asks for letters and testimony, in batches for one mailbox bucket each.",
    published_by=("campaigns",),
    read_by=("notifications",),
    partitions=24,
    key="campaign id and bucket, as in <campaign>/<bucket>; <campaign>/pauses for those",
    types={
        "messages.requested": messages.MessageBatch,
        "messages.withdrawn": messages.Withdrawal,
        "messages.paused": messages.Pause,
        "messages.resumed": messages.Pause,
    },
)
CAMPAIGNS_LIFECYCLE = Topic(
    "campaigns.lifecycle.v1",
    about="What happens to campaigns, for anyone who follows them.",
    published_by=("campaigns",),
    partitions=6,
    key="campaign id",
    types={f"campaign.{what}": campaigns.CampaignChanged for what in ("drafted", "launched", "amended", "closed")}
    | {f"wave.{what}": campaigns.WaveDecided for what in ("approved", "rejected", "stopped")},
)
NOTIFICATIONS_DELIVERIES = Topic(
    "notifications.deliveries.v1",
    about="What became of messages, in batches.",
    published_by=("notifications",),
    read_by=("campaigns",),
    partitions=24,
    key="bucket of the first mailbox in it",
    types={"deliveries.recorded": deliveries.DeliveriesRecorded},
)
REGISTRATIONS_REQUESTS = Topic(
    "registrations.requests.v1",
    about="Requests for seats at webinars and other events, and cancellations.",
    published_by=("registrations",),
    read_by=("registrations",),
    partitions=6,
    key="event id",
    inbound=True,
    types={
        "registration.requested": registrations.RegistrationRequested,
        "registration.cancellation-requested": registrations.CancellationRequested,
    },
)
REGISTRATIONS_OUTCOMES = Topic(
    "registrations.outcomes.v1",
    about="What became of registrations, and events that were moved or called off.",
    published_by=("registrations",),
    partitions=6,
    key="event id",
    types={
        f"registration.{what}": registrations.RegistrationOutcome
        for what in ("confirmed", "waitlisted", "declined", "cancelled", "promoted")
    }
    | {f"webinar.{what}": registrations.WebinarChanged for what in ("moved", "cancelled")},
)
REGISTRATIONS_NOTICES = Topic(
    "registrations.notices.v1",
    about="What people who registered are to be told.",
    published_by=("registrations",),
    read_by=("notifications",),
    partitions=6,
    key="event id and bucket, as in <event>/<bucket>",
    types={
        "messages.requested": messages.MessageBatch,
        "messages.withdrawn": messages.Withdrawal,
    },
)
DIRECTORY_NOTICES = Topic(
    "directory.notices.v1",
    about="What staff and officials are to be told of their own entry, such as the link by which staff sign in.",
    published_by=("directory",),
    read_by=("notifications",),
    partitions=6,
    key="mailbox",
    types={
        "messages.requested": messages.MessageBatch,
        "messages.withdrawn": messages.Withdrawal,
    },
)

TOPICS: tuple[Topic, ...] = (
    LEGISLATION_UPDATES,
    LEGISLATION_ALERTS,
    DIRECTORY_ENTITIES,
    DIRECTORY_NOTICES,
    CAMPAIGNS_CALLS,
    CAMPAIGNS_LIFECYCLE,
    NOTIFICATIONS_DELIVERIES,
    REGISTRATIONS_REQUESTS,
    REGISTRATIONS_OUTCOMES,
    REGISTRATIONS_NOTICES,
)

BUCKETS = 24
"""How many buckets mailboxes are dealt into; one bucket's messages keep their order."""


def bucket(mailbox: str) -> int:
    """The bucket of a mailbox: its first eight hexadecimal digits modulo `BUCKETS`."""
    return int(mailbox[:8], 16) % BUCKETS
