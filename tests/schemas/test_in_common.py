"""What several recipients of a batch have in common is written once, and each is read with all that is theirs."""

from typing import Any

import pytest
from pydantic import ValidationError

from clarion.schemas.messages import MessageBatch

OWN, SHARED = [{"kind": kind, "text": f"It is {kind}."} for kind in ("hand", "statewide")]
ASK = {"kind": "letter", "bill": "SB 79"}


def batch(*recipients: dict[str, Any], **fields: Any) -> dict[str, Any]:
    boxes = [{"mailbox": f"{number:032x}", **one} for number, one in enumerate(recipients)]
    return {"matter": "m", "revision": 1, "template": "call", "lane": "call", "facts": [], "recipients": boxes} | fields


def test_a_recipient_has_its_own_first_and_then_what_it_has_in_common() -> None:
    read = MessageBatch.model_validate(
        batch(
            {"reasons": [OWN], "in_common": 1},
            {"in_common": 1},
            {"reasons": [OWN]},
            {"in_common": 0},
            in_common=[{}, {"reasons": [SHARED], "asks": [ASK]}],
        )
    )
    assert [[one.text for one in each.reasons] for each in read.recipients] == [
        ["It is hand.", "It is statewide."],
        ["It is statewide."],
        ["It is hand."],
        [],
    ]
    assert [len(each.asks) for each in read.recipients] == [1, 1, 0, 0]


def test_a_batch_that_was_read_is_written_and_read_again_as_the_same() -> None:
    read = MessageBatch.model_validate(batch({"in_common": 0}, in_common=[{"reasons": [SHARED], "asks": [ASK]}]))
    assert MessageBatch.model_validate_json(read.model_dump_json()) == read


@pytest.mark.parametrize(("place", "why"), [(1, "in_common 1 is not there: the batch has 1"), (-1, "greater than")])
def test_what_is_not_there_cannot_be_shared(place: int, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        MessageBatch.model_validate(batch({"in_common": place}, in_common=[{}]))
