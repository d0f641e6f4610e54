"""One mail on its way through an SMTP session, driven by the relay's replies: without a task or a timer of its own."""

from collections.abc import Callable, Sequence

from clarion.services.notifications.channels.relays import Timeouts
from clarion.services.notifications.channels.session import Reply, Session
from clarion.services.notifications.domain.outcomes import Accepted, Declined, InDoubt, NotTried, Outcome
from clarion.services.notifications.domain.replies import Step, classify

STEPS: tuple[Step, ...] = ("MAIL", "RCPT", "DATA")
GO_ON = 354


class Handover:
    """Says envelope and content and listens; `ended` is called once, with what came of the mail.

    The session is left ready for the next mail, or closed.
    """

    __slots__ = ("_begun", "_content", "_ended", "_failure", "_over", "_replies", "_session", "_timeouts", "_unsaid")

    def __init__(self, session: Session, timeouts: Timeouts, content: bytes, ended: Callable[[Outcome], None]) -> None:
        self._session = session
        self._timeouts = timeouts
        self._content = content
        self._ended = ended
        self._begun = False
        self._over = False
        self._failure: Outcome | None = None
        self._replies: Sequence[Reply] = ()
        self._unsaid: Sequence[bytes] = ()

    def begin(self, mail: bytes, rcpt: bytes) -> None:
        """Say these commands and DATA: together, or one by one where the relay does not take them together."""
        if self._session.pipelining:
            self._say(b"%s\r\n%s\r\nDATA\r\n" % (mail, rcpt), 3)
        else:
            self._unsaid = (rcpt, b"DATA")
            self._say(mail + b"\r\n", 1)

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
        elif self._unsaid and replies[0].code < 400:
            self._replies = (*self._replies, *replies)
            command, *self._unsaid = self._unsaid
            self._say(command + b"\r\n", 1)
        else:
            self._answered((*self._replies, *replies) if self._replies else replies)

    def _answered(self, replies: Sequence[Reply]) -> None:
        """The envelope was taken, so the content goes; or it was not."""
        failure = failure_of(replies)
        if failure is not None:
            self._reset(failure, replies)
            return
        try:
            self._session.say(self._content + b".\r\n", 1, self._timeouts.content, self)
        except OSError as error:
            self.lost(error)
            return
        self._begun = True

    def _reset(self, failure: Outcome, replies: Sequence[Reply]) -> None:
        """Make ready for the next mail; a relay that is leaving, or waits for content after all, is left."""
        self._failure = failure
        if any(reply.code in {GO_ON, 421} for reply in replies):
            self._end(failure)
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
        if reply.code == 421:
            self._session.close()

    def lost(self, error: Exception) -> None:
        """What is lost after the first byte of the content is in doubt."""
        if self._failure is not None:
            self._end(self._failure)
        elif self._begun:
            self._end(InDoubt(f"lost before the reply: {type(error).__name__}"))
        else:
            self._end(NotTried(f"lost before the content: {type(error).__name__}"))
        self._session.close()

    def _end(self, outcome: Outcome) -> None:
        if not self._over:
            self._over = True
            self._ended(outcome)


def failure_of(replies: Sequence[Reply]) -> Outcome | None:
    """What the replies to MAIL, RCPT and DATA, up to the first refusal, came to; None if the content may follow."""
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
