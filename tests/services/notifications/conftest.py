"""A ledger, a directory of fictional officials and a sender, each as a test wants them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.database import Database, mailbox_key
from clarion.runtime.web.links import SignedLinks
from clarion.schemas.directory import City, Official
from clarion.schemas.messages import MessageBatch
from clarion.services.notifications import operations
from clarion.services.notifications.caretaker import Caretaker
from clarion.services.notifications.channels.relays import Timeouts, read_relays
from clarion.services.notifications.domain.outcomes import Retries
from clarion.services.notifications.domain.states import MOVES
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.sender import Sender
from clarion.services.notifications.settings import SendingSettings

BY_OFFICIAL = "SELECT * FROM messages ORDER BY length(officials[1]), officials[1], revision"
IN_TIME = datetime.now(UTC) + timedelta(days=3)
SECRET = "test-secret-key-of-some-length"
QUICK = SendingSettings(
    connections=4, lease=timedelta(seconds=2), poll_seconds=0.05, retries=Retries(first_seconds=0.05)
)
CONTENT: dict[str, Any] = {
    "division": "North Bay",
    "committee": "Senate Housing",
    "when": "Wednesday, April 21, 2027, 1:30 pm PDT",
    "where": "1021 O Street, Room 1200",
    "letters_due": "Wednesday, April 14, 2027, noon PDT",
    "letters_open": True,
    "notice_url": "https://notices.example/sb79",
    "bills": [
        {
            "bill": "SB 79",
            "title": "Housing development: transit-oriented development",
            "author": "Wiener",
            "stance": "oppose",
            "ask": "vote no on SB 79",
            "why": "It takes zoning decisions away from cities.",
            "points": "- Cities plan for housing already\n- One rule does not fit every station",
            "letter": "Dear Chair,\n\nOur city respectfully opposes SB 79.\n\nSincerely,",
        }
    ],
}


def mailbox_of(number: int) -> str:
    """A mailbox, spread over the buckets."""
    return f"{number * 2_654_435_761 % 2**32:08x}" + f"{number:024x}"


def official(number: int, **changes: Any) -> Official:
    """A fictional mayor."""
    fields = {
        "id": f"o{number}",
        "revision": 1,
        "name": f"Ada Nr{number}",
        "city": "city:1",
        "roles": ["Mayor"],
        "email": f"o{number}@city.example",
        "mailbox": mailbox_of(number),
    }
    return Official(**{**fields, **changes})


def recipient(number: int, **changes: Any) -> dict[str, Any]:
    """The mayor's mailbox, asked for a letter."""
    fields = {
        "mailbox": mailbox_of(number),
        "officials": [f"o{number}"],
        "reasons": [{"kind": "committee", "text": "Senator X sits on the committee that hears SB 79."}],
        "asks": [{"kind": "letter", "bill": "SB 79"}],
    }
    return {**fields, **changes}


def batch(
    numbers: Sequence[int], *, recipients: Sequence[dict[str, Any]] | None = None, **changes: Any
) -> MessageBatch:
    """A request to call these mayors."""
    fields = {
        "matter": "campaign:c1",
        "revision": 1,
        "template": "call",
        "subscription": "calls",
        "lane": "call",
        "reply_to": {"name": "Rae Pym", "address": "rae@league.example", "phone": "555-0100"},
        "not_after": IN_TIME,
        "facts": [{"key": "when", "label": "When", "text": CONTENT["when"]}],
        "content": CONTENT,
        "recipients": list(recipients) if recipients is not None else [recipient(number) for number in numbers],
    }
    return MessageBatch.model_validate({**fields, **changes})


@dataclass
class House:
    """Notifications on a database of its own, without Kafka."""

    database: Database
    renderer: Renderer
    links: SignedLinks
    relay_url: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    clock: Clock = system_clock

    async def know(self, *officials: Official) -> None:
        """The directory told of these and their city."""
        async with self.database.transaction() as tx:
            city = City(id="city:1", revision=1, name="Alder")
            await operations.project(tx, [city, *officials], [])

    async def ask(self, *batches: MessageBatch, at: datetime | None = None) -> None:
        """Messages are requested."""
        async with self.database.transaction() as tx:
            await operations.register(tx, batches, at or system_clock())

    async def call(self, numbers: Sequence[int], **changes: Any) -> None:
        """Known mayors are called."""
        await self.know(*(official(number) for number in numbers))
        await self.ask(batch(numbers, **changes))

    async def rows(self, query: str = BY_OFFICIAL, *values: Any) -> list[Any]:
        """Messages as they stand, or the rows of another query."""
        async with self.database.connection() as connection:
            return await connection.fetch(query, *values)

    async def execute(self, statement: str, *values: Any) -> None:
        """Change something behind the service's back."""
        async with self.database.connection() as connection:
            await connection.execute(statement, *values)

    async def pretend(self, *states: str) -> None:
        """All messages went through these states."""
        for state in states:
            await self.execute(
                "UPDATE ledger SET (state, moves) = "
                "(SELECT m.state, m.moves FROM moved(ledger.moves, $1, now(), NULL) AS m)",
                state,
            )

    async def states(self) -> dict[str, int]:
        """How many messages are in each state."""
        return {
            row["state"]: row["n"] for row in await self.rows("SELECT state, count(*) AS n FROM messages GROUP BY 1")
        }

    async def delivered(self) -> list[dict[str, Any]]:
        """The outcomes in the outbox."""
        rows = await self.rows("SELECT body, key FROM outbox ORDER BY id")
        return [
            {**one, "key": bytes(row["key"]).decode()}
            for row in rows
            for one in json.loads(bytes(row["body"]))["deliveries"]
        ]

    def sender(self, settings: SendingSettings = QUICK, **changes: Any) -> Sender:
        """A sender that is not running."""
        relays = [replace(relay, timeouts=self.timeouts) for relay in read_relays(self.relay_url)]
        return Sender(self.database, self.renderer, relays, replace(settings, **changes), self.clock)

    @contextlib.asynccontextmanager
    async def sending(
        self, settings: SendingSettings = QUICK, *, senders: int = 1, **changes: Any
    ) -> AsyncIterator[None]:
        """Senders and a caretaker at work; at the end they stop as on SIGTERM."""
        stopping = asyncio.Event()
        caretaker = Caretaker(self.database, replace(settings, **changes).lease, self.clock)
        runs = [self.sender(settings, **changes).run(stopping) for _ in range(senders)]
        tasks = [asyncio.create_task(run) for run in [*runs, caretaker.run(stopping)]]
        try:
            yield
        finally:
            stopping.set()
            async with asyncio.timeout(20):
                await asyncio.gather(*tasks)


HOLD_TO_THE_TABLE = """
CREATE FUNCTION hold_to_the_table() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last integer := cardinality(NEW.moves);
    place integer;
BEGIN
    IF NEW.state <> NEW.moves[last].state THEN
        RAISE EXCEPTION 'a message went from % to % without a move', OLD.state, NEW.state;
    END IF;
    -- What is left out of a long story is in its middle.
    FOR place IN greatest(last - 3, 1) .. last - 1 LOOP
        IF NOT (TG_ARGV[0]::jsonb -> NEW.moves[place].state) ? NEW.moves[place + 1].state THEN
            RAISE EXCEPTION 'a message went from % to %', NEW.moves[place].state, NEW.moves[place + 1].state;
        END IF;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER moves BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION hold_to_the_table('{moves}')
"""


@contextlib.asynccontextmanager
async def opened_house(database_url: str, relay_url: str) -> AsyncIterator[House]:
    """Notifications on this database, whose moves are held to the table, with this relay."""
    database = await Database.connect(database_url, "notifications")
    links = SignedLinks([SECRET])
    renderer = Renderer(
        links,
        mail_from="Clarion <calls@clarion.example>",
        public_url="https://clarion.example",
        postal_address="1 Main Street\nAlder, CA 90000",
    )
    moves = json.dumps({state: sorted(after) for state, after in MOVES.items()})
    async with database.connection() as connection:
        await connection.execute(HOLD_TO_THE_TABLE.replace("{moves}", moves))
    yield House(database, renderer, links, relay_url)
    await database.close()


@pytest.fixture
async def house(database_url: str, mail_catcher: Any) -> AsyncIterator[House]:
    """Notifications with a relay that is the mail catcher."""
    async with opened_house(database_url, mail_catcher.url) as opened:
        yield opened


@pytest.fixture
async def key(house: House) -> bytes:
    """The key that turns addresses into mailboxes there."""
    async with house.database.connection() as connection:
        return await mailbox_key(connection)


@pytest.fixture
def parse() -> Callable[[bytes], EmailMessage]:
    """Read a mail as the standard library does."""

    def read(mail: bytes) -> EmailMessage:
        found = BytesParser(policy=policy.default).parsebytes(mail)
        assert isinstance(found, EmailMessage)
        return found

    return read
