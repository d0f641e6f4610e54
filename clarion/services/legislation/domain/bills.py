"""What became of bills: where the sources stand about each, and what of it readers are to be told.

A bill's title and author here are not those of a hearing's agenda: calls use the agenda, as its notice words it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from clarion.schemas.legislation import BillProgress, BillUpdate, bill_key
from clarion.services.legislation.domain.standings import Standing, Verdict, listen
from clarion.services.legislation.domain.statements import Mark, Said, Statement
from clarion.services.legislation.domain.states import bill_differences

NAMESPACE = UUID("5a1c3c0e-8f3a-4d0b-9c55-6b0a2f1d7e31")
LASTING = ("title", "author", "amended_on")
"""What a bill does not lose: where the source whose word holds does not know it, another's word for it stays. The next
committee is not among them, since it goes with the status.
"""


def bill_id(update: BillUpdate) -> str:
    """The id of a bill, made of jurisdiction, session and number, so that it is the same whoever draws it."""
    return str(uuid5(NAMESPACE, "\n".join((update.jurisdiction, update.session, bill_key(update.bill)))))


@dataclass(slots=True)
class Bill:
    """A bill: what readers were told last, and where each source stands."""

    id: str
    published: BillProgress | None = None
    standings: dict[str, Standing] = field(default_factory=dict)

    def progress(self) -> BillProgress | None:
        """What readers are to be told now, if anything: all of the state, and in what it differs."""
        state = self._holds()
        if self.published is None or state is None:
            return state
        changed = bill_differences(self.published, state)
        if not changed:
            return None
        return state.model_copy(update={"revision": self.published.revision + 1, "changed": changed})

    def _holds(self) -> BillProgress | None:
        """What holds, at revision 1: of all sources what changed last."""
        latest = sorted(self.standings.values(), key=lambda one: one.recency, reverse=True)
        said = [one.notice for one in latest if isinstance(one.notice, BillUpdate)]
        if not said:
            return None
        lasting = {name: next(filter(None, (getattr(one, name) for one in said)), None) for name in LASTING}
        return BillProgress.of_valid(
            bill_id=self.id,
            revision=1,
            jurisdiction=said[0].jurisdiction,
            session=said[0].session,
            bill=said[0].bill,
            bill_key=bill_key(said[0].bill),
            status=said[0].status,
            text=said[0].text,
            committee=said[0].committee,
            stated_at=latest[0].changed_at,
            changed=[],
            **lasting,
        )


@dataclass
class Docket:
    """The bills that a batch of statements is about."""

    bills: dict[str, Bill] = field(default_factory=dict)
    new_standings: dict[tuple[str, str], Standing] = field(default_factory=dict)
    _arrivals: int = 0

    def know(self, bills: Iterable[Bill]) -> None:
        """Add bills as they are kept."""
        for bill in bills:
            self.bills[bill.id] = bill
            self._arrivals = max([self._arrivals, *(one.arrival for one in bill.standings.values())])

    def hear(self, statement: Statement, update: BillUpdate) -> tuple[str, Verdict]:
        """Take in what a source says of a bill, known or not; which bill it is, and what that did."""
        bill = self.bills.setdefault(bill_id(update), Bill(bill_id(update)))
        said = Said(
            alias=(update.jurisdiction, bill.id),
            source=statement.source,
            mark=Mark(statement.stated_at, update.sequence),
            notice=update,
        )
        self._arrivals += 1
        before = bill.standings.get(said.source)
        after, verdict = listen(before, said, self._arrivals)
        if after is not None and after is not before:
            bill.standings[said.source] = self.new_standings[bill.id, said.source] = after
        return bill.id, verdict

    def progress(self) -> dict[str, BillProgress]:
        """What readers are to be told, by the bill's id; several changes of one bill are told as one."""
        told = {one: self.bills[one].progress() for one in sorted({bill for bill, _ in self.new_standings})}
        return {one: state for one, state in told.items() if state is not None}


def bill_ids_in(statements: Sequence[Statement]) -> set[str]:
    """The bills that these statements are about."""
    return {bill_id(one.data) for one in statements if isinstance(one.data, BillUpdate)}
