"""What can go wrong when a host changes an event."""


class SlugTaken(Exception):
    """There is an event of this name already."""


class UnknownWebinar(Exception):
    """There is no event of this name."""


class AlreadyCancelled(Exception):
    """The event was cancelled, which is for good."""


class Oversold(Exception):
    """The count of seats does not allow what was decided: the transaction is undone and the work done again."""
