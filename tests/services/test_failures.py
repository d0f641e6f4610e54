"""What a command says of failures that its user can mend."""

import asyncpg
import pytest

from clarion.services.failures import explained
from clarion.services.notifications.channels.relays import read_relays
from clarion.services.notifications.domain.rates import read_rates


def test_a_setting_that_cannot_be_read_is_said_in_a_line() -> None:
    with pytest.raises(ValueError, match="CLARION") as raised:
        read_rates("gmail.com=fast", [])
    assert (
        explained(raised.value)
        == "CLARION_SMTP_LIMITS: 'gmail.com=fast' is not like gmail.com=20/s (units: s, m, h, d)"
    )
    with pytest.raises(ValueError, match="CLARION") as raised:
        read_relays("smtp://a.example?starttls=maybe")
    assert "starttls=maybe" in str(explained(raised.value))


def test_any_other_wrong_value_is_ours_to_mend() -> None:
    assert explained(ValueError("not in list")) is None


def test_two_who_change_the_same_at_once_are_told_to_try_again() -> None:
    assert "give the command again" in str(explained(asyncpg.DeadlockDetectedError("deadlock detected")))


def test_a_server_that_does_not_answer_in_time_is_no_failure_of_ours() -> None:
    assert "did not answer in time" in str(explained(TimeoutError()))
