"""How many mails of a round go one after another over a connection."""

MOST = 8
QUICK_SECONDS = 0.025
SLOW_SECONDS = 0.1


class Line:
    """More `mails` over fewer connections while rounds are quick, which costs less; side by side while they are not."""

    def __init__(self) -> None:
        self.mails = MOST

    def learn(self, seconds: float) -> None:
        """A round took so long."""
        if seconds < QUICK_SECONDS:
            self.mails = min(2 * self.mails, MOST)
        elif seconds > SLOW_SECONDS:
            self.mails = max(self.mails // 2, 1)
