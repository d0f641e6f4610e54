"""Addresses: the short way comes to what the library says."""

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as some

from clarion.services.directory.domain.addresses import address

LETTERS = some.text("abzAZ09.+-_'@ \"\\ñé%\x00\u0301", max_size=70)
DOMAINS = some.one_of(
    some.sampled_from(
        ["napa.example", "NAPA.example", "münchen.example", "xn--mnchen-3ya.example", "[127.0.0.1]", "a"]
    ),
    some.text("abz09.-ü_ \x00", max_size=80).map(lambda text: f"{text}.example"),
)


def library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def ours(text: str) -> str | None:
    try:
        return address(text)
    except ValueError:
        return None


@given(local=LETTERS, domain=DOMAINS)
@example(local="postmaster", domain="napa.example")
@example(local="PostMaster", domain="napa.example")
@example(local="a" * 61, domain="napa.example")
@example(local="a.", domain="napa.example")
@example(local="a", domain="napa.example\n")
@example(local="a\n", domain="napa.example")
def test_an_address_is_what_the_library_makes_of_it(local, domain):
    text = f"{local}@{domain}"
    assert ours(text) == library(text)
