"""A cancellation that comes before the request it takes back."""

from datetime import timedelta
from typing import Any

import pytest

from clarion.services.registrations.domain.admission import MOVES, Registration, Status
from tests.services.registrations.conftest import NOW, Registrations

EARLIER, LATER = NOW - timedelta(minutes=2), NOW + timedelta(minutes=2)


@pytest.mark.parametrize("named", [{"person": "ada"}, {"registration_id": "crm-1"}])
@pytest.mark.parametrize("batches", [1, 2])
async def test_a_request_said_before_its_cancellation_ends_cancelled_and_takes_no_seat(
    registrations: Registrations, named: dict[str, Any], batches: int
) -> None:
    event = await registrations.create(capacity=1)
    records = [
        registrations.cancels(event, time=NOW, **named),
        registrations.asks(event, "ada", registration_id="crm-1", time=EARLIER),
        registrations.asks(event, "bo"),
    ]
    for batch in [records] if batches == 1 else [records[:1], records[1:]]:
        await registrations.hear(*batch)
    assert await registrations.standing() == {"ada": ("cancelled", None), "bo": ("confirmed", None)}
    assert [kind for kind, _ in await registrations.outcomes()] == ["registration.cancelled", "registration.confirmed"]
    told = {notice["recipients"][0]["name"]: notice for notice in await registrations.notices()}
    assert (told["Ada"]["content"]["status"], told["Ada"]["calendar"]) == ("cancelled", None)
    assert await registrations.reasons() == []
    await registrations.check_counts()


async def test_a_request_said_after_an_early_cancellation_is_a_new_one(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.cancels(event, "ada", time=NOW))
    await registrations.hear(registrations.asks(event, "ada", time=LATER))
    assert await registrations.standing() == {"ada": ("confirmed", None)}


async def test_of_several_early_cancellations_the_latest_said_counts(registrations: Registrations) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.cancels(event, "ada", time=NOW))
    await registrations.hear(registrations.cancels(event, "ada", time=NOW - timedelta(hours=1)))
    await registrations.hear(registrations.asks(event, "ada", time=EARLIER))
    assert await registrations.standing() == {"ada": ("cancelled", None)}


async def test_an_early_cancellation_concerns_its_own_event_and_person_alone(registrations: Registrations) -> None:
    event, other = await registrations.create(), await registrations.create(slug="other")
    await registrations.hear(registrations.cancels(event, "ada", time=NOW))
    await registrations.hear(
        registrations.asks(other, "ada", time=EARLIER), registrations.asks(event, "bo", time=EARLIER)
    )
    assert {status for status, _ in (await registrations.standing()).values()} == {"confirmed"}


async def test_a_cancellation_that_claims_to_be_of_tomorrow_counts_from_when_it_was_received(
    registrations: Registrations,
) -> None:
    event = await registrations.create()
    await registrations.hear(registrations.cancels(event, "ada", time=NOW + timedelta(days=1)))
    await registrations.hear(registrations.asks(event, "ada", at=LATER))
    assert await registrations.standing() == {"ada": ("confirmed", None)}


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_a_registration_moves_only_as_the_table_says(before: Status, after: Status) -> None:
    registration = Registration("r", "e", "m", "t", "Ada", "ada@city.example", NOW, status=before)
    if after in MOVES[before]:
        registration.move(after)
        assert (registration.status, registration.revision) == (after, 1)
    else:
        with pytest.raises(ValueError, match="cannot become"):
            registration.move(after)
