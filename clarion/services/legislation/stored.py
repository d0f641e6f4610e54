"""Reads notices and states back from our own rows: validated when they came, so not once more, which takes most of the
time of a batch.
"""

from datetime import date, datetime
from typing import Any

from clarion.schemas.legislation import (
    AgendaItem,
    BillProgress,
    BillUpdate,
    CommitteeReference,
    HearingAgendaItem,
    HearingAlert,
    HearingNotice,
    Location,
)
from clarion.schemas.text import ISO_DATE


def stored_notice(body: dict[str, Any]) -> HearingNotice:
    """A notice as it was kept."""
    return HearingNotice.model_construct(
        **body
        | {
            "committee": CommitteeReference.model_construct(**body["committee"]),
            "starts_at": date_or_time(body["starts_at"]),
            "location": Location.model_construct(**body["location"]) if body["location"] else None,
            "agenda": [AgendaItem.model_construct(**item) for item in body["agenda"]],
            "letters_due_at": time(body["letters_due_at"]),
        }
    )


def stored_alert(body: dict[str, Any]) -> HearingAlert:
    """A hearing's state as it was told last, without what was only true of that alert."""
    return HearingAlert.model_construct(
        **body
        | {
            "committee": CommitteeReference.model_construct(**body["committee"]),
            "starts_at": date_or_time(body["starts_at"]),
            "location": Location.model_construct(**body["location"]),
            "agenda": [HearingAgendaItem.model_construct(**item) for item in body["agenda"]],
            "letters_due_at": time(body["letters_due_at"]),
            "changed": [],
            "counterparts": [],
        }
    )


def stored_update(body: dict[str, Any]) -> BillUpdate:
    """What a source said of a bill, as it was kept."""
    return BillUpdate.model_construct(**body | bill_values(body))


def stored_progress(body: dict[str, Any]) -> BillProgress:
    """A bill's state as it was told last."""
    return BillProgress.model_construct(**body | bill_values(body) | {"stated_at": time(body["stated_at"])})


def bill_values(body: dict[str, Any]) -> dict[str, Any]:
    """What JSON has no types for, of a bill."""
    return {
        "amended_on": date.fromisoformat(body["amended_on"]) if body["amended_on"] else None,
        "committee": CommitteeReference.model_construct(**body["committee"]) if body["committee"] else None,
    }


def date_or_time(text: str) -> date | datetime:
    """A date alone, or a time."""
    return date.fromisoformat(text) if ISO_DATE.fullmatch(text) else datetime.fromisoformat(text)


def time(text: str | None) -> datetime | None:
    """A time, if there is one."""
    return datetime.fromisoformat(text) if text else None
