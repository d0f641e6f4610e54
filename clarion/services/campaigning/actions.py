"""What can be done to a wave as a whole: which buttons there are, what each does, and to how many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from clarion.runtime.staff.rights import Act
from clarion.services.campaigns.approving.waves import WaveDetails

Name = Literal["approve", "reject", "pause", "resume", "stop"]


@dataclass(frozen=True, slots=True)
class Action:
    """One button: its words, the heading that asks again, what is said afterwards, if it asks why, and the right."""

    name: Name
    button: str
    title: str
    done: str
    asks_reason: str = ""
    act: Act = Act.APPROVE_WAVE


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("approve", "Approve", "Approve these calls?", "Approved: the mails go out now."),
        Action(
            "reject",
            "Reject",
            "Reject these calls?",
            "Rejected: nobody is asked. You can approve after all while it helps.",
            "Why they are rejected, for the state team",
        ),
        Action(
            "pause",
            "Pause",
            "Pause these calls?",
            "Paused: no further mail goes out until somebody resumes.",
            act=Act.PAUSE_WAVE,
        ),
        Action(
            "resume",
            "Resume",
            "Go on with these calls?",
            "Resumed: what was held back goes out now.",
            act=Act.PAUSE_WAVE,
        ),
        Action(
            "stop",
            "Stop",
            "Stop these calls?",
            "Stopped: nothing more goes out, and who was told is told why. You can approve again while it helps.",
            "Why they are stopped; whoever was told reads this",
        ),
    )
}
BUTTONS: Mapping[str, tuple[Name, ...]] = {
    "waiting": ("approve", "reject"),
    "approved": ("pause", "stop"),
    "rejected": ("approve",),
    "stopped": ("approve",),
}
"""What can be done in each state of a wave, the likeliest first."""


def buttons(wave: WaveDetails) -> tuple[Name, ...]:
    """What can be done to a wave as it stands; one that is paused can be resumed instead."""
    found = BUTTONS.get(wave.state, ())
    return tuple("resume" if name == "pause" and wave.paused else name for name in found)


def happens(action: Action, wave: WaveDetails) -> str:
    """What will happen to how many, before it does."""
    who, mails = counted(wave.officials, "official"), counted(wave.mailboxes, "mail")
    match action.name:
        case "approve":
            return f"{who} will be asked: {mails} go out at once, and answers come to the division's manager."
        case "reject":
            return f"{who} will not be asked. They are told nothing."
        case "pause":
            return f"Of {mails} to {who}, those that are not sent yet wait until somebody resumes."
        case "resume":
            return f"Of {mails} to {who}, those that were held back go out at once, while they help."
        case "stop":
            return (
                f"Of {mails} to {who}, those that are not sent yet never go out. Whoever was asked already is told once"
                " that it does not concern them any more, with your reason."
            )


def counted(number: int, one: str) -> str:
    """A number with its word."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
