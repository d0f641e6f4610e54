"""A long stream of moves, cancellations and room changes ends with everyone knowing the last state."""

import copy
import json
import random
from collections import defaultdict
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.database import open_database
from clarion.runtime.embedded import MailCatcher
from clarion.runtime.settings import Settings
from clarion.services.campaigns.domain.times import spoken_start
from clarion.services.legislation.publication import publish_file
from clarion.services.sample import sample_notice
from tests.conftest import Until
from tests.whole.installation import Installation, installed
from tests.whole.quiet import is_quiet

OFFICIALS, HEARINGS, CHANGES, ROUNDS = 30, 6, 150, 3
ZONE = "America/Los_Angeles"


def changed(notice: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The hearing at another time or in another room."""
    after = copy.deepcopy(notice)
    if chance.random() < 0.5:
        start = datetime.fromisoformat(notice["starts_at"])
        after["starts_at"] = (start + timedelta(hours=chance.choice([-24, -1, 1, 24]))).isoformat()
    else:
        after["location"]["name"] = f"Room {chance.randrange(100, 140)}"
    return after


def stream(chance: random.Random, hearings: dict[str, dict[str, Any] | None], known: dict[str, dict[str, Any]]) -> str:
    """Lines of changes; `hearings` ends as the last state of each, None where it is cancelled."""
    lines = []
    for _ in range(CHANGES):
        hearing = chance.choice(sorted(hearings))
        if hearings[hearing] is not None and chance.random() < 0.15:
            named = {name: known[hearing][name] for name in ("hearing_id", "jurisdiction")}
            lines.append({"type": "hearing.cancelled", "data": named})
            hearings[hearing] = None
            continue
        known[hearing] = hearings[hearing] = changed(known[hearing], chance)
        lines.append({"type": "hearing.rescheduled", "data": known[hearing]})
    # Without ids of their own, equal lines of two files would be one statement said twice.
    return "\n".join(json.dumps(line | {"id": f"{chance.getrandbits(64):x}"}) for line in lines)


async def publish(here: Installation, path: Path, text: str) -> None:
    path.write_text(text)
    async with open_database(here.settings, "legislation") as database:
        with path.open("rb") as content:
            await publish_file(database, content, "/tests", system_clock, lambda _: None)


def threads(here: Installation) -> dict[str, list[EmailMessage]]:
    """The mails of each thread, in the order in which they came."""
    found: dict[str, list[EmailMessage]] = defaultdict(list)
    for mail in sorted(here.catcher.store.list(limit=100_000), key=lambda mail: mail.id):
        kept = here.catcher.store.get(mail.id)
        assert kept is not None
        assert kept.content is not None
        message = message_from_bytes(kept.content, policy=default)
        found[str(message["Clarion-Thread"])].append(message)
    return found


def plain(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_after_a_long_stream_the_last_mail_of_every_thread_states_the_final_facts(
    settings: Settings, mail_catcher: MailCatcher, tmp_path: Path, until: Until
) -> None:
    chance = random.Random(20272028)
    first = sample_notice(system_clock())
    far = datetime.fromisoformat(first["starts_at"]) + timedelta(days=40)
    known = {
        f"h{number}": first | {"hearing_id": f"h{number}", "starts_at": (far + timedelta(days=9 * number)).isoformat()}
        for number in range(HEARINGS)
    }
    hearings: dict[str, dict[str, Any] | None] = dict(known)
    async with installed(settings, mail_catcher, OFFICIALS, statewide=True) as here:
        lines = [{"type": "hearing.scheduled", "data": notice} for notice in known.values()]
        await publish(here, tmp_path / "notices.jsonl", "\n".join(map(json.dumps, lines)))
        for number in range(ROUNDS):
            await until(lambda: is_quiet(here.settings), 90)
            await publish(here, tmp_path / f"{number}.jsonl", stream(chance, hearings, known))
        await until(lambda: is_quiet(here.settings), 90)
        assert (
            await here.rows("SELECT 1 FROM legislation.dead_letters UNION ALL SELECT 1 FROM campaigns.dead_letters")
            == []
        )
        check_last_mails(threads(here), await campaigns_by_alias(here), hearings, len(here.addresses))


async def campaigns_by_alias(here: Installation) -> dict[str, str]:
    """The sources' id of each campaign's hearing."""
    rows = await here.rows(
        "SELECT c.id, h.alert FROM campaigns.campaigns c JOIN campaigns.hearings h ON h.id = c.hearing"
    )
    return {row["id"]: json.loads(row["alert"])["aliases"][0] for row in rows}


def check_last_mails(
    told: dict[str, list[EmailMessage]],
    aliases: dict[str, str],
    hearings: dict[str, dict[str, Any] | None],
    everyone: int,
) -> None:
    """Every thread ends with the final state, has rising revisions, and no two mails of one revision."""
    assert len(told) == everyone * HEARINGS
    assert set(aliases.values()) == set(hearings)
    for messages in told.values():
        revisions = [int(message["Clarion-Revision"]) for message in messages]
        assert revisions == sorted(set(revisions))
        assert len({message["Message-ID"] for message in messages}) == len(messages)
        for later in messages[1:]:
            assert messages[0]["Message-ID"] in later["References"]
    final = {alias: final_words(state) for alias, state in hearings.items()}
    last = [messages[-1] for messages in told.values()]
    cancelled = [message for message in last if str(message["Subject"]).startswith("Cancelled")]
    assert len(cancelled) == everyone * sum(state is None for state in hearings.values())
    living = [plain(message) for message in last if not str(message["Subject"]).startswith("Cancelled")]
    for alias, words in final.items():
        if words is not None:
            assert sum(all(word in text for word in words) for text in living) == everyone, (alias, words)


def final_words(state: dict[str, Any] | None) -> tuple[str, str] | None:
    """When and where the hearing is held in the end, as its mail says it."""
    if state is None:
        return None
    return spoken_start(datetime.fromisoformat(state["starts_at"]), ZONE, None), state["location"]["name"]
