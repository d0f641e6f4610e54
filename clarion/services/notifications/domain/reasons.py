"""The reasons why somebody is asked, as far as a mail has room for them."""

from collections.abc import Sequence

from clarion.services.notifications.domain.room import fitting, shortened

REASONS_BYTES, REASON_BYTES, FRAME = 2_500, 700, 40
"""What all of them may take, as text and as HTML, and one."""


def reasons_shown(reasons: Sequence[str]) -> list[str]:
    """The first of them, none longer than some lines; the others are counted."""
    short = [shortened(reason, REASON_BYTES) for reason in reasons]
    count = fitting(short, REASONS_BYTES, FRAME)
    return [*short[:count], f"and {len(short) - count} more"] if count < len(short) else short
