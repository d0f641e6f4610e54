"""The mail with the link to sign in: what it says, and what it must not carry."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from clarion.schemas.messages import Recipient
from clarion.services.notifications.domain.lanes import number
from clarion.services.notifications.domain.messages import Addressed, Content
from tests.services.notifications.conftest import mailbox_of
from tests.services.notifications.test_rendering import NOW, RENDERER, message
from tests.services.notifications.words import seen, texts

LINK = "https://clarion.example/sign-in/abc-DEF_123"
CONTENT = {
    "url": LINK,
    "site": "clarion.example",
    "good_for": "10 minutes",
    "asked_from": "Firefox on <b>Linux</b>, at 192.0.2.7",
}


def mail() -> EmailMessage:
    asked = message(subscription=None, matter="sign-in:1", lane=number("sign-in"))._replace(
        recipient=Recipient(mailbox=mailbox_of(1), address="sam@association.example", name="Sam Sample"),
    )
    content = Content(1, "sign-in:1", "sign-in", None, CONTENT)
    to = Addressed("sam@association.example", (), "Sam Sample")
    return message_from_bytes(RENDERER.render(asked, content, to, NOW), policy=SMTP)


def test_it_has_the_link_says_where_it_counts_and_what_to_do_if_one_did_not_ask() -> None:
    plain, html = texts(mail())
    assert LINK in plain
    assert f'href="{LINK}"' in html
    for said in ("once, within 10 minutes", "only in the browser", "Firefox on <b>Linux</b>, at 192.0.2.7", "Sam"):
        assert said in plain
    assert "<b>Linux" not in html
    assert "Did you not ask for it?" in " ".join(plain.split())
    assert "Sam Sample" in seen(html)


def test_it_belongs_to_no_list_and_cannot_be_unsubscribed_from() -> None:
    found = mail()
    assert found["Subject"] == "Sign in to clarion.example"
    assert found["List-Unsubscribe"] is None
    assert found["Auto-Submitted"] == "auto-generated"
    plain, html = texts(found)
    assert "/u/" not in plain + html


def test_it_goes_before_all_other_mail() -> None:
    assert number("sign-in") == 0
