"""What each refusal of a relay means, and what follows."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from clarion.services.notifications.domain.outcomes import Declined, NotTried, Retries, Verdict, judge
from clarion.services.notifications.domain.replies import LOGIN_CODES, RULES, Kind, Step, classify, status

NOW = datetime(2027, 4, 1, tzinfo=UTC)
RECIPIENT_STEPS: tuple[Step, ...] = ("RCPT", "DATA", "content")


@pytest.mark.parametrize(
    ("step", "reply", "kind"),
    [
        ("RCPT", "550 5.1.1 no such user", "no-mailbox"),
        ("RCPT", "550 5.1.0 address rejected", "no-mailbox"),
        ("RCPT", "550 #5.1.2 no such domain", "no-mailbox"),
        ("RCPT", "553 5.1.3 bad syntax", "no-mailbox"),
        ("RCPT", "556 5.1.10 takes no mail", "no-mailbox"),
        ("content", "554 5.1.6 the mailbox has moved", "no-mailbox"),
        ("RCPT", "450 4.1.1 not verified yet", "later"),
        ("RCPT", "553 5.1.7 bad sender", "sender"),
        ("RCPT", "553 5.1.8 bad domain of the sender", "sender"),
        ("RCPT", "550 5.1.4 ambiguous", "refused"),
        ("RCPT", "552 5.2.2 over quota", "mailbox-full"),
        ("content", "550 5.2.2 over quota", "mailbox-full"),
        ("RCPT", "452 4.2.2 over quota", "mailbox-full"),
        ("RCPT", "550 5.2.1 disabled", "refused"),
        ("RCPT", "450 4.2.1 receives too fast", "later"),
        ("content", "552 5.2.3 longer than allowed", "too-big"),
        ("content", "552 5.3.4 too big for the system", "too-big"),
        ("MAIL", "552 5.3.4 too big for the system", "too-big"),
        ("RCPT", "550 5.7.1 blocked by policy", "blocked"),
        ("content", "554 5.7.26 not authenticated by SPF", "blocked"),
        ("RCPT", "450 4.7.28 unusual rate", "blocked"),
        ("RCPT", "451 4.7.1 Greylisting in action", "greylisted"),
        ("RCPT", "450 4.2.0 Graylisted for 300 seconds", "greylisted"),
        ("RCPT", "550 5.7.1 greylisted for ever", "blocked"),
        ("MAIL", "530 5.7.0 Authentication required", "login"),
        ("RCPT", "535 5.7.8 bad credentials", "login"),
        ("RCPT", "534 5.7.9 mechanism is too weak", "login"),
        ("MAIL", "550 5.7.1 this sender may not send", "sender"),
        ("MAIL", "550 no", "sender"),
        ("MAIL", "451 4.7.1 slow down", "sender"),
        ("MAIL", "452 4.3.1 storage", "later"),
        ("RCPT", "550 no such user here", "refused"),
        ("RCPT", "551 user not local", "refused"),
        ("RCPT", "552 exceeded storage allocation", "mailbox-full"),
        ("content", "552 exceeded storage allocation", "too-big"),
        ("RCPT", "553 mailbox name not allowed", "refused"),
        ("content", "554 transaction failed", "refused"),
        ("content", "554 5.6.0 bad content", "refused"),
        ("RCPT", "450 mailbox busy", "later"),
        ("RCPT", "451 local error", "later"),
        ("RCPT", "452 4.5.3 too many recipients", "later"),
        ("content", "451 4.4.2 timeout", "later"),
        ("RCPT", "421 4.3.2 going down", "leaving"),
        ("content", "421 too many connections", "leaving"),
        ("RCPT", "550 the 5.1.1 in the text is no status", "refused"),
        ("RCPT", "550 5.1.1000 no status", "refused"),
    ],
)
def test_a_reply_has_the_meaning_that_its_step_code_and_status_give_it(step: Step, reply: str, kind: Kind) -> None:
    assert classify(step, int(reply[:3]), reply[4:]) == kind


@pytest.mark.parametrize("step", get_args(Step))
def test_every_code_at_every_step_has_a_rule_and_a_temporary_one_never_ends_a_mail(step: Step) -> None:
    for code, subject, detail in itertools.product(range(400, 600), range(9), range(12)):
        kind = classify(step, code, f"{code // 100}.{subject}.{detail} words")
        rule = RULES[kind]
        assert not (rule.ends and code < 500)
        assert not (rule.suppresses and (step == "MAIL" or subject != 1))
        assert (kind == "login") == (code in LOGIN_CODES)


@pytest.mark.parametrize("step", get_args(Step))
def test_a_code_without_a_status_suppresses_nobody(step: Step) -> None:
    for code in range(400, 600):
        bare = classify(step, code, "words")
        assert not RULES[bare].suppresses
        assert RULES[bare].ends == (code >= 500 and bare in {"refused", "too-big"})


def test_every_kind_is_reached_and_has_a_rule() -> None:
    assert set(RULES) == set(get_args(Kind))


@pytest.mark.parametrize("subject", range(9))
def test_a_bad_address_and_a_block_are_told_by_their_subject(subject: int) -> None:
    expected = {1: "no-mailbox", 7: "blocked"}.get(subject, "refused")
    assert {classify(step, 550, f"5.{subject}.11 x") for step in RECIPIENT_STEPS} == {expected}


def test_a_status_stands_at_the_beginning() -> None:
    assert status("5.1.1 no such user") == (1, 1)
    assert status(" #4.7.500 slow down") == (7, 500)
    assert status("no such user") is None
    assert status("") is None


def verdict(kind: Kind, *, attempts: int = 0, jitter: float = 0.5, waited: timedelta = timedelta(0)) -> Verdict:
    return judge(
        Declined(kind, "550 words"),
        attempts=attempts,
        doubts=0,
        queued_at=NOW - waited,
        now=NOW,
        jitter=jitter,
        retries=Retries(),
    )


@pytest.mark.parametrize(
    ("kind", "first", "tenth"),
    [
        ("later", timedelta(seconds=30), timedelta(hours=1)),
        ("greylisted", timedelta(minutes=5), timedelta(hours=1)),
        ("mailbox-full", timedelta(hours=1), timedelta(hours=4)),
        ("blocked", timedelta(minutes=10), timedelta(hours=1)),
    ],
)
def test_waits_are_as_long_as_the_cause_lasts(kind: Kind, first: timedelta, tenth: timedelta) -> None:
    for attempts, expected in ((0, first), (9, tenth)):
        assert verdict(kind, attempts=attempts).due_at == NOW + expected
        assert verdict(kind, attempts=attempts, jitter=0.0).due_at == NOW + expected / 2
        assert verdict(kind, attempts=attempts, jitter=1.0).due_at == NOW + expected * 1.5


def test_what_is_no_fault_of_the_mail_costs_it_no_try() -> None:
    for kind in ("leaving", "login", "sender"):
        found = verdict(kind, attempts=2)
        assert (found.state, found.attempts, found.due_at) == ("queued", 2, NOW + timedelta(seconds=3))


def test_nothing_is_tried_for_ever() -> None:
    for kind in RULES:
        found = verdict(kind, waited=timedelta(days=5))
        assert found.state == "failed"
    assert verdict("later", waited=timedelta(days=4)).state == "deferred"
    assert verdict("later", waited=timedelta(days=6)).reason == "given up after 6 days: the relay deferred it"
    lost = judge(
        NotTried("lost"),
        attempts=0,
        doubts=0,
        queued_at=NOW - timedelta(days=5),
        now=NOW,
        jitter=0,
        retries=Retries(),
    )
    assert (lost.state, lost.due_at) == ("failed", None)
