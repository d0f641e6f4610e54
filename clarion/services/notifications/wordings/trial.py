"""Tries a wording out in a process of its own, which is ended if it takes too much: so it can hold nobody up.

`python -m` this module reads a trial and prints what came of it; it is started without our secrets.
"""

import asyncio
import base64
import contextlib
import os
import resource
import sys
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from clarion.schemas.messages import MessageBatch
from clarion.services.notifications.domain.messages import Addressed, Official
from clarion.services.notifications.rendering.mail import Renderer
from clarion.services.notifications.rendering.showing import NoLinks, claimed, content_of_batch
from clarion.services.notifications.wordings.editions import Edition, Editions
from clarion.services.notifications.wordings.faults import Fault, Faulty, Unusable
from clarion.services.notifications.wordings.wording import Compiled, Draft

SECONDS = 10.0
PROCESSOR_SECONDS = 6
MEMORY_BYTES = 1 << 30
KEPT_FROM_IT = "CLARION_"


class Case(BaseModel):
    """One mail to be written: to the one recipient of a batch, who may be officials."""

    name: str
    batch: MessageBatch
    officials: list[Official] = []


class Frame(BaseModel):
    """What stands around the words."""

    mail_from: str
    public_url: str
    postal_address: str | None = None
    filings_url: str | None = None


class Trial(BaseModel):
    """A draft and the mails by which it is tried out; without a draft it is the project's wording."""

    draft: Draft | None
    frame: Frame
    now: datetime
    cases: list[Case]


class Outcome(BaseModel):
    """The mails in base64, by the names of their cases; or why there are none."""

    mails: dict[str, str] = {}
    unusable: str | None = None
    faults: list[Fault] = []


def write_all(trial: Trial) -> Outcome:
    """Write the mails of a trial, here and now."""
    editions = Editions()
    if trial.draft is not None:
        try:
            Compiled(trial.draft)
        except Faulty as error:
            return Outcome(faults=list(error.faults))
        editions.add([Edition(1, trial.draft.template, None, trial.draft)])
    renderer = Renderer(NoLinks(), **trial.frame.model_dump(), editions=editions)
    mails = {}
    for number, case in enumerate(trial.cases, 1):
        message = claimed(case.batch, case.batch.recipients[0], trial.now)
        content = content_of_batch(case.batch, editions.newest, number)
        mail = renderer.render(message, content, addressed(case), trial.now)
        mails[case.name] = base64.b64encode(mail).decode()
        for fallback in editions.take_fallbacks():
            return Outcome(unusable=f"with {case.name}: {fallback.reason}")
    return Outcome(mails=mails)


def addressed(case: Case) -> Addressed:
    """To whom the mail of a case goes."""
    to = case.batch.recipients[0]
    officials = tuple(case.officials)
    if officials:
        return Addressed(officials[0].email, officials, officials[0].name if len(officials) == 1 else None)
    return Addressed(to.address or "nobody@clarion.invalid", (), to.name)


async def try_out(trial: Trial, seconds: float = SECONDS) -> Mapping[str, bytes]:
    """The mails that a wording makes, by the names of the cases.

    Raises:
        Faulty: its source cannot be used.
        Unusable: one of the mails cannot be made of it, or it took too long.
    """
    outcome = Outcome.model_validate_json(await written_apart(trial.model_dump_json(), seconds))
    if outcome.faults:
        raise Faulty(outcome.faults)
    if outcome.unusable is not None:
        raise Unusable(outcome.unusable)
    return {name: base64.b64decode(mail) for name, mail in outcome.mails.items()}


async def written_apart(trial: str, seconds: float) -> str:
    """What `written` says of a trial, in a process of its own. Raises Unusable when that had to be stopped."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(KEPT_FROM_IT)},
    )
    try:
        async with asyncio.timeout(seconds):
            said, _ = await process.communicate(trial.encode())
    except TimeoutError as error:
        raise Unusable(f"it was stopped after {seconds:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Unusable("it was stopped: it took too much time or memory")
    return said.decode()


def written(trial: str) -> str:
    """The outcome of a trial, both in JSON."""
    return write_all(Trial.model_validate_json(trial)).model_dump_json()


def limit_ourselves() -> None:
    """Let the system end this process if it takes too much; where it cannot, the time is watched from outside."""
    for what, most in ((resource.RLIMIT_CPU, PROCESSOR_SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    limit_ourselves()
    sys.stdout.write(written(sys.stdin.buffer.read().decode()))
