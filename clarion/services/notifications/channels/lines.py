"""How many mails of a round go one after another over a connection."""

FIRST, MOST = 8, 16
"""How many go at first, when nothing is known of the relay, and at most."""
QUICK_SECONDS = 0.05
SLOW_SECONDS = 0.15
ROUNDS = 4
"""Of so many the quickest counts: a busy machine makes some slow, a slow relay all of them."""


class Line:
    """More `mails` over fewer connections while rounds are quick, which costs less; side by side while they are not."""

    def __init__(self) -> None:
        self.mails = FIRST
        self._seconds: list[float] = []

    def learn(self, seconds: float) -> None:
        """A round took so long."""
        self._seconds.append(seconds)
        if len(self._seconds) < ROUNDS:
            return
        quickest, self._seconds = min(self._seconds), []
        if quickest < QUICK_SECONDS:
            self.mails = min(2 * self.mails, MOST)
        elif quickest > SLOW_SECONDS:
            self.mails = max(self.mails // 2, 1)
