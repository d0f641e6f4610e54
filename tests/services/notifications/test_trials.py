"""A wording is tried out in a process of its own: it makes the same mails there, and holds nobody up."""

from base64 import b64decode

import pytest

from clarion.runtime.clock import system_clock
from clarion.runtime.settings import Settings
from clarion.services.notifications.wordings import operations, trial
from clarion.services.notifications.wordings.faults import Faulty, Unusable
from clarion.services.notifications.wordings.operations import start
from clarion.services.notifications.wordings.samples import samples
from clarion.services.notifications.wordings.wording import Draft
from clarion.services.templating.mails import read_mail

SETTINGS = Settings(mail_from="Clarion <calls@clarion.example>", public_url="https://clarion.example")


def wanted(more: str = "") -> trial.Trial:
    """A call in all its samples."""
    cases = [trial.Case(name=name, batch=batch) for name, batch in samples("call").items()]
    draft = Draft("call", "{{ subject }}", f"{start('call').body}\n\nWörded {more}\n")
    return trial.Trial(draft=draft, frame=operations.frame(SETTINGS), now=system_clock(), cases=cases)


async def test_apart_it_makes_the_mails_that_it_makes_here() -> None:
    asked = wanted()
    apart = await trial.try_out(asked)
    assert len(apart) == len(asked.cases) > 1
    assert apart == {name: b64decode(mail) for name, mail in trial.write_all(asked).mails.items()}
    assert all("Wörded" in read_mail(mail).text for mail in apart.values())


async def test_what_is_wrong_with_it_is_said_from_there() -> None:
    with pytest.raises(Faulty, match=r"unknown placeholder \{\{ frist_name \}\}"):
        await trial.try_out(wanted("{{ frist_name }}"))


async def test_a_trial_that_does_not_end_is_ended() -> None:
    with pytest.raises(Unusable, match=r"stopped after 0\.01 seconds"):
        await trial.try_out(wanted(), seconds=0.01)
