"""What the services log tells of no person: no name, no address, no stance, whatever goes wrong."""

import io
import json
import logging
from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from clarion.runtime import telemetry
from clarion.runtime.clock import system_clock
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.runtime.tracing import traced_by
from clarion.schemas.cloudevents import EventAttributes
from clarion.schemas.topics import REGISTRATIONS_REQUESTS
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.installation import Installation, installed

PERSON = ("Ada Fictional", "ada@pleasantville.ca.example")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, own_logs: None) -> io.StringIO:
    """All that is logged, down to what only a developer reads, as `serve` writes it."""
    stream = io.StringIO()
    monkeypatch.setattr(telemetry.sys, "stderr", stream)
    telemetry.configure_logs("DEBUG", as_json=True)
    # The tests' own clients say whom they ask.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return stream


@pytest.fixture
async def installation(
    written: io.StringIO, settings: Settings, mail_catcher: MailCatcher
) -> AsyncIterator[Installation]:
    async with installed(settings, mail_catcher, 150) as here:
        yield here


async def go_wrong(here: Installation) -> None:
    """Records with people in them that cannot be handled, and a person who registers."""
    name, address = PERSON
    await here.send(json.dumps({"hearing_id": 7, "author": name, "email": address}).encode(), [("ce_id", b"x")])
    await here.send_event(address, {"hearing_id": name, "committee": address})
    topic = f"{here.settings.kafka_prefix}{REGISTRATIONS_REQUESTS.name}"
    event = await here.rows("SELECT id FROM registrations.webinars")
    for number, event_id in enumerate((event[0]["id"], "no such event")):
        headers = EventAttributes(id=f"r{number}", source="/tests", type="registration.requested").to_headers()
        request = {
            "event_id": event_id,
            "registration_id": f"registration-{number}",
            "name": name,
            "email": address,
            "answers": {},
            "received_at": system_clock().isoformat(),
        }
        pairs = [(name, value.encode()) for name, value in headers.items()]
        await here.producer.send_and_wait(topic, json.dumps(request).encode(), key=b"k", headers=pairs)


@pytest.mark.timeout(150)
async def test_no_name_address_or_stance_is_logged_whatever_goes_wrong(
    installation: Installation, written: io.StringIO, until: Until
) -> None:
    here = installation
    refused = min(here.addresses)

    def reply(address: str, _content: bytes | None) -> str | None:
        return f"550 5.1.1 <{address}> {PERSON[0]} unknown" if address == refused else None

    here.catcher.reply_to = reply

    async def ended() -> bool:
        rows = await here.rows("SELECT state, count(*) AS mails FROM notifications.ledger GROUP BY state")
        states = {row["state"]: row["mails"] for row in rows}
        return states.get("failed") == 1 and set(states) <= {"sent", "failed"} and len(states) == 2

    with traced_by(TracerProvider(shutdown_on_exit=False)):
        await go_wrong(here)
        await here.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(ended, 60)
        await until(lambda: "campaigns.fanned_out" in written.getvalue())
    people = await here.rows("SELECT name, email FROM notifications.officials")
    log = written.getvalue()
    told = {*PERSON, *(row["name"] for row in people), *(row["email"] for row in people)}
    assert [one for one in told if one.casefold() in log.casefold()] == []
    assert "@" not in log
    for stance in ("oppose", "support"):
        assert stance not in log


@pytest.mark.timeout(150)
async def test_each_line_is_json_and_names_its_trace(
    installation: Installation, written: io.StringIO, until: Until
) -> None:
    with traced_by(TracerProvider(shutdown_on_exit=False)):
        await installation.post({"type": "hearing.scheduled", "data": sample_notice(system_clock())})
        await until(installation.told_everyone, 60)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    (fanned_out, *_) = [line for line in lines if line["event"] == "campaigns.fanned_out"]
    assert len(fanned_out["trace_id"]) == 32
