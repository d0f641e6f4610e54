"""What integrations hand in, once it is read: an event with a valid body."""

from dataclasses import dataclass
from datetime import datetime

from clarion.schemas.legislation import BillUpdate, HearingCalendar, HearingCancellation, HearingNotice
from clarion.services.legislation.domain.statements import Statement

Body = HearingNotice | HearingCancellation | HearingCalendar | BillUpdate


@dataclass(frozen=True, slots=True)
class Update:
    """A valid update, ready to be published; `named` is the source it gives, if it is taken for another's."""

    source: str
    id: str
    type: str
    data: Body
    time: datetime | None = None
    subject: str | None = None
    named: str | None = None

    def statement(self, received_at: datetime) -> Statement:
        """The update as its source's statement."""
        return Statement(self.source, self.id, self.type, self.data, received_at, self.time)
