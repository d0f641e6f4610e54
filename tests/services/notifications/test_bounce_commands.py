"""`clarion bounces` and what `clarion doctor` says of how bounces come."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clarion.runtime.clock import system_clock
from clarion.runtime.settings import Settings
from clarion.schemas.commands import Finding
from clarion.services.deliveries import deliveries
from clarion.services.doctor.findings import Patient, Unreadable
from clarion.services.doctor.returns import look_at_returns
from clarion.services.notifications.bounces.commands import bounces
from clarion.services.notifications.bounces.seeing import look_at_returns as readings_of_returns
from tests.services.notifications.came_back import PATH, about, came, dsn, plain, recipient_fields, told
from tests.services.notifications.conftest import SECRET, House
from tests.services.notifications.test_bounce_server import opened


@pytest.fixture
def clarion(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLARION_DATABASE_URL", house.database.url)

    async def run(*words: str, group: Any = bounces) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, group, list(words))

    return run


async def test_what_came_back_is_listed_shown_and_put_aside_once_it_was_read(
    house: House, key: bytes, clarion: Any
) -> None:
    assert (await clarion("list")).output.strip() == "Nothing came back."
    await told(house, key, 1)
    one = await about(house)
    await came(house, "mail", dsn(recipient_fields()), one)
    await came(house, "mail", plain("Please call me instead."), one)
    listed = json.loads((await clarion("list", "--json")).output)
    message = f"{one.thread_id.hex}.1"
    assert [(row["kind"], row["did"], row["message"]) for row in listed] == [
        ("unclear", "kept for a person to read", message),
        ("hard", "bounced, suppressed", message),
    ]
    async with house.database.connection() as connection:
        readings = {(one.family.name, *one.labels): one.value for one in await readings_of_returns({}, {})(connection)}
    assert readings["clarion_returns_open", "unread"] == 1
    unclear = str(listed[0]["id"])
    assert "Please call me instead." in (await clarion("show", unclear)).output
    assert "hard by mail: there is no such mailbox (5.1.1)" in (await clarion("show", message, group=deliveries)).output
    assert (await clarion("done", unclear, "--did", "called")).exit_code == 0
    again = await clarion("done", unclear)
    assert (again.exit_code, "bounces list --kind unclear" in again.output) == (1, True)
    after = json.loads((await clarion("show", unclear, "--json")).output)
    assert (after["content"], after["did"]) == (None, "called")
    assert len(json.loads((await clarion("list", "--kind", "hard", "--json")).output)) == 1


async def test_wrong_use_is_told(clarion: Any) -> None:
    wrong = await clarion("list", "--kind", "bad")
    assert (wrong.exit_code, "hard, soft" in wrong.output) == (2, True)
    assert (await clarion("show", "7")).exit_code == 1


class Names:
    """A zone in which mail to some domains goes somewhere."""

    def __init__(self, *known: str) -> None:
        self.known = known

    async def texts(self, name: str) -> list[str]:
        return ["v=spf1 mx -all"] if name in self.known else []

    async def takes_mail(self, name: str) -> bool:
        if name == "unreadable.internal":
            raise Unreadable("no answer")
        return name in self.known


async def looked_at(**changes: Any) -> list[Finding]:
    fields = {"secret_key": SECRET, "mail_from": "calls@league.internal", "public_url": "https://league.internal"}
    settings = Settings(_env_file=None, **(fields | changes))
    return await look_at_returns(Patient(settings, system_clock, Names("mail.league.example"), 4))


def levels(findings: list[Finding]) -> list[str]:
    return [one.level for one in findings]


async def test_the_doctor_says_when_nobody_reads_bounces() -> None:
    (finding,) = await looked_at()
    assert (finding.level, "CLARION_BOUNCE_ADDRESS" in str(finding.todo)) == ("warning", True)
    arn = "arn:aws:sns:us-west-2:123456789012:mail"
    assert levels(await looked_at(ses_topic_arn=arn, postmark_login="a:b")) == ["ok", "ok"]
    assert levels(await looked_at(ses_topic_arn=arn, public_url="http://x.internal")) == ["warning"]
    with pytest.raises(ValueError, match="CLARION_BOUNCE_ADDRESS"):
        await looked_at(bounce_address="bounces")
    with pytest.raises(ValueError, match="CLARION_BOUNCE_LISTEN"):
        await looked_at(bounce_address=PATH.address, bounce_listen="here")


async def test_the_doctor_asks_those_who_take_bounces_and_sends_nothing(house: House, until: Any) -> None:
    async with opened(house, until) as door:
        ports = door.server.ports
        listen = f"smtp://:{ports['smtp']} lmtp://:{ports['lmtp']}"
        assert levels(await looked_at(bounce_address=PATH.address, bounce_listen=listen)) == ["ok"] * 3
        other = await looked_at(bounce_address=PATH.address, bounce_listen=listen, secret_key="another")
        assert levels(other) == ["ok", "problem", "problem"]
    assert await house.rows("SELECT FROM returns") == []
    gone = await looked_at(bounce_address=PATH.address, bounce_listen=listen)
    assert levels(gone) == ["ok", "warning", "warning"]


async def test_the_doctor_says_when_bounces_have_nowhere_to_go() -> None:
    nowhere = await looked_at(bounce_address="bounces@nowhere.internal", bounce_listen="off")
    assert levels(nowhere) == ["problem", "problem", "problem"]
    assert ["MX" in str(one.todo) or "spf1" in str(one.todo) for one in nowhere] == [True, True, False]
    unreadable = await looked_at(bounce_address="b@unreadable.internal", bounce_listen="off", postmark_login="a:b")
    assert levels(unreadable) == ["ok", "warning"]
