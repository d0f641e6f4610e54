"""Mails on their way through an SMTP session, driven by the relay's replies: without a task or a timer of their own."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from clarion.services.notifications.channels.relays import Timeouts
from clarion.services.notifications.channels.session import Reply, Session
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome, OutOfTime
from clarion.services.notifications.domain.replies import Step, classify

STEPS: tuple[Step, ...] = ("MAIL", "RCPT", "DATA")
GO_ON = 354
TAKEN = [250, 250, GO_ON]
NOT_ITS_TURN = OutOfTime("the connection did not get to it")


class Parcel(NamedTuple):
    """A mail as it goes over the wire; `ended` is called once, with what came of it."""

    envelope: bytes
    """All that is said before the content, a line for each command."""
    content: Sequence[bytes]
    ended: Callable[[Outcome], None]


class Handover:
    """Says envelope and content of one mail after another and listens; `over` is called once, at the end.

    Where the relay takes commands together, the next envelope goes with the content before it (RFC 2920, 3.1). The
    session is left ready for more, or closed.
    """

    __slots__ = (
        "_begun",
        "_current",
        "_failure",
        "_leaving",
        "_lost",
        "_next",
        "_over",
        "_parcels",
        "_replies",
        "_session",
        "_timeouts",
        "_unsaid",
    )

    def __init__(
        self, session: Session, timeouts: Timeouts, parcels: Iterator[Parcel], over: Callable[[], None]
    ) -> None:
        self._session = session
        self._timeouts = timeouts
        self._parcels = parcels
        self._over = over
        self._current: Parcel | None = None
        self._next: Parcel | None = None
        self._begun = False
        self._lost = False
        self._leaving = False
        self._failure: Outcome | None = None
        self._replies: Sequence[Reply] = ()
        self._unsaid: Sequence[bytes] = ()

    def begin(self) -> None:
        """Say the envelope of the next mail: together, or command by command where the relay does not take them so."""
        self._replies, self._failure = (), None
        parcel = self._current = next(self._parcels, None)
        if parcel is None:
            self._over()
        elif self._session.pipelining:
            self._say(parcel.envelope, 3)
        else:
            first, *self._unsaid = parcel.envelope.splitlines(keepends=True)
            self._say(first, 1)

    def release(self) -> None:
        """Give back what waits behind a mail whose last word takes long; the session is closed after it."""
        if self._next is not None:
            self._next.ended(NOT_ITS_TURN)
            self._next, self._leaving = None, True

    def _say(self, commands: bytes, due: int) -> None:
        try:
            self._session.say(commands, due, self._timeouts.command, self)
        except OSError as error:
            self.lost(error)

    def heard(self, replies: Sequence[Reply]) -> None:
        """Go on as the relay says."""
        if self._begun:
            self._last_word(replies[0])
        elif self._failure is not None:
            self._end(self._failure)
            self.begin()
        elif self._unsaid and replies[0].code < 400:
            self._replies = (*self._replies, *replies)
            command, *self._unsaid = self._unsaid
            self._say(command, 1)
        else:
            self._answered((*self._replies, *replies) if self._replies else replies)

    def _answered(self, replies: Sequence[Reply]) -> None:
        """The envelope was taken, so the content goes, with the next envelope; or it was not."""
        failure = failure_of(replies)
        if failure is not None:
            self._reset(failure, replies)
        elif self._current is not None:
            following = self._next = next(self._parcels, None) if self._session.pipelining else None
            said = b"".join([*self._current.content, b".\r\n", b"" if following is None else following.envelope])
            try:
                self._session.say(said, 1, self._timeouts.content, self, then=0 if following is None else 3)
            except OSError as error:
                self.lost(error)
                return
            self._begun = True

    def _reset(self, failure: Outcome, replies: Sequence[Reply]) -> None:
        """Make ready for the next mail; a relay that is leaving, or waits for content after all, is left."""
        self._failure = failure
        if any(reply.code in {GO_ON, 421} for reply in replies):
            self._session.close()
        else:
            self._say(b"RSET\r\n", 1)

    def _last_word(self, reply: Reply) -> None:
        said = f"{reply.code} {reply.text}"
        if 200 <= reply.code < 300:
            self._end(Accepted(said))
        elif reply.code >= 400:
            self._end(Declined(classify("content", reply.code, reply.text), said))
        else:
            self._end(InDoubt(f"not a reply to content: {said}"))
        if reply.code == 421 or self._leaving:
            self._session.close()
        elif self._current is None:
            self.begin()
        else:
            self._session.expect(self._timeouts.command)

    def lost(self, error: Exception) -> None:
        """What is lost after the first byte of the content is in doubt; what did not begin has its turn elsewhere."""
        if self._lost:
            return
        self._lost = True
        while self._current is not None:
            if self._failure is not None:
                self._end(self._failure)
            elif self._begun:
                self._end(InDoubt(f"lost before the reply: {type(error).__name__}"))
            else:
                self._end(NotTried(f"lost before the content: {type(error).__name__}"))
        for parcel in self._parcels:
            parcel.ended(NOT_ITS_TURN)
        self._session.close()
        self._over()

    def _end(self, outcome: Outcome) -> None:
        """What came of this mail; the one whose envelope was said with it is on."""
        ended, self._current, self._next = self._current, self._next, None
        self._begun, self._failure = False, None
        if ended is not None:
            ended.ended(outcome)


def failure_of(replies: Sequence[Reply]) -> Outcome | None:
    """What the replies to MAIL, RCPT and DATA, up to the first refusal, came to; None if the content may follow."""
    if [reply.code for reply in replies] == TAKEN:
        return None
    for step, reply in zip(STEPS, replies, strict=False):
        if reply.code == 250 and step != "DATA":
            continue
        said = f"{step}: {reply.code} {reply.text}"
        # Where the relay speaks of something else than it was asked, nothing may follow.
        if reply.code == 421 or not (reply.code >= 400 or 200 <= reply.code < 300 or step == "DATA"):
            return NotTried(said)
        if reply.code >= 400:
            return Declined(classify(step, reply.code, reply.text), said)
    return None if replies[-1].code == GO_ON else NotTried(f"DATA: {replies[-1].code} {replies[-1].text}")
