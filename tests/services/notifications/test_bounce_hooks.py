"""What Amazon SES (by SNS) and Postmark post: taken if it is really theirs, and done once."""

import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fastapi import FastAPI

from clarion.runtime.clock import system_clock
from clarion.runtime.web import pages, problems
from clarion.services.notifications.bounces.sns import SnsMessage, fetch, of_amazon
from clarion.services.notifications.bounces.web import Hooks, Reception, hooks_router
from tests.services.notifications.came_back import handled, suppressed, told
from tests.services.notifications.conftest import House
from tests.services.notifications.test_bounce_reports import postmark, ses_bounce

TOPIC = "arn:aws:sns:us-west-2:123456789012:mail"
HOST = "https://sns.us-west-2.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
LOGIN = ("postmark", "a password: of some length")


def certificate(key: rsa.RSAPrivateKey, *, days: int = 30) -> bytes:
    """A certificate such as SNS signs with, good until then."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = system_clock()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)


@dataclass
class Amazon:
    """Stands where Amazon's certificates are; nothing goes over a network."""

    answers: dict[str, bytes] = field(default_factory=lambda: {CERTIFICATE: certificate(KEY), CONFIRM: b"<ok/>"})
    asked: list[str] = field(default_factory=list)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self.answers:
            raise OSError("away")
        return self.answers[url]


def sns(message: str, *, key: rsa.RSAPrivateKey = KEY, version: str = "2", **changes: Any) -> bytes:
    """What SNS posts, signed as it signs."""
    fields = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": "2027-04-02T16:30:06.000Z",
        "SignatureVersion": version,
        "Signature": "",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
    } | changes
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signed = SnsMessage.model_validate(fields).signed()
    signature = changes.get("Signature") or base64.b64encode(key.sign(signed, padding.PKCS1v15(), algorithm)).decode()
    return json.dumps(fields | {"Signature": signature}).encode()


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
async def site(house: House, amazon: Amazon) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    pages.install(app)
    problems.install(app)
    hooks = Hooks(TOPIC, ":".join(LOGIN))
    app.include_router(hooks_router(Reception(house.database, system_clock, amazon.counted), hooks, amazon.fetch))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://league.example") as client:
        yield client


async def kept(house: House) -> list[str]:
    return [row["way"] for row in await house.rows("SELECT way FROM returns ORDER BY id")]


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_bounce_that_amazon_signed_is_kept_once_however_often_it_comes(
    house: House, site: httpx.AsyncClient, amazon: Amazon, version: str
) -> None:
    body = sns(ses_bounce("Permanent", "NoEmail").decode(), version=version, Subject="Amazon SES Email Event")
    answers = [await site.post("/hooks/ses", content=body) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert [one.json()["new"] for one in answers] == [True, False]
    assert (await kept(house), amazon.asked) == (["ses"], [CERTIFICATE])


REFUSED: list[tuple[str, Callable[[str], bytes], int]] = [
    ("signed by another", lambda m: sns(m, key=OTHER_KEY), 403),
    ("another topic", lambda m: sns(m, TopicArn=TOPIC + "2"), 403),
    ("an unknown version", lambda m: sns(m, SignatureVersion="3"), 403),
    ("no signature", lambda m: sns(m, Signature="!!"), 403),
    ("changed after it was signed", lambda m: sns(m).replace(b"NoEmail", b"General"), 403),
    (
        "a certificate elsewhere",
        lambda m: sns(m, SigningCertURL="https://evil.example/SimpleNotificationService-0.pem"),
        403,
    ),
    (
        "one that only looks like it",
        lambda m: sns(m, SigningCertURL=CERTIFICATE.replace(".com/", ".com.evil.example/")),
        403,
    ),
    ("one with a user", lambda m: sns(m, SigningCertURL=CERTIFICATE.replace("https://", "https://x@")), 403),
    ("one over HTTP", lambda m: sns(m, SigningCertURL=CERTIFICATE.replace("https", "http")), 403),
    ("another file of Amazon's", lambda m: sns(m, SigningCertURL=f"{HOST}/?Action=x.pem"), 403),
    ("a certificate that is not there", lambda m: sns(m, SigningCertURL=CERTIFICATE.replace("0123", "9999")), 503),
    ("no message of SNS", lambda m: m.encode(), 422),
    ("no JSON", lambda _: b"\xff{", 422),
    ("a bounce without recipients", lambda _: sns('{"notificationType": "Bounce"}'), 422),
    ("a message that is no JSON", lambda _: sns("Hello"), 422),
]


@pytest.mark.parametrize(("made", "status"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
async def test_what_is_not_amazons_or_not_for_us_is_refused_and_changes_nothing(
    house: House, site: httpx.AsyncClient, amazon: Amazon, made: Callable[[str], bytes], status: int
) -> None:
    answer = await site.post("/hooks/ses", content=made(ses_bounce("Permanent", "NoEmail").decode()))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await kept(house) == []
    assert all(of_amazon(url) for url in amazon.asked)


@pytest.mark.parametrize("days", [-1, 30])
async def test_a_certificate_that_ended_or_has_a_weak_key_is_not_believed(
    house: House, site: httpx.AsyncClient, amazon: Amazon, days: int
) -> None:
    key = KEY if days < 0 else rsa.generate_private_key(65537, 1024)
    amazon.answers[CERTIFICATE] = certificate(key, days=days)
    answer = await site.post("/hooks/ses", content=sns(ses_bounce("Permanent", "NoEmail").decode(), key=key))
    assert (answer.status_code, await kept(house)) == (403, [])


async def test_a_subscription_is_confirmed_for_our_topic_alone_and_at_amazon_alone(
    site: httpx.AsyncClient, amazon: Amazon
) -> None:
    more: dict[str, Any] = {"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": CONFIRM}
    answer = await site.post("/hooks/ses", content=sns("You have chosen to subscribe", **more))
    assert (answer.status_code, answer.json()) == (200, {"confirmed": True})
    assert amazon.asked == [CERTIFICATE, CONFIRM]
    elsewhere = more | {"SubscribeURL": "https://evil.example/?Action=ConfirmSubscription"}
    assert (await site.post("/hooks/ses", content=sns("x", **elsewhere))).status_code == 403
    assert (await site.post("/hooks/ses", content=sns("x", **more, TopicArn=TOPIC + "x"))).status_code == 403
    away = more | {"SubscribeURL": CONFIRM + "1"}
    assert (await site.post("/hooks/ses", content=sns("x", **away))).status_code == 503
    over = more | {"Type": "UnsubscribeConfirmation"}
    assert (await site.post("/hooks/ses", content=sns("x", **over))).status_code == 200
    assert amazon.asked == [CERTIFICATE, CONFIRM, CONFIRM + "1"]


async def test_nothing_is_fetched_from_anywhere_but_amazon() -> None:
    for url in (
        "https://evil.example/x.pem",
        "file:///etc/passwd",
        "http://sns.us-west-2.amazonaws.com/",
        "https://sns.a.com",
    ):
        assert not of_amazon(url)
        with pytest.raises(OSError, match="no address of Amazon"):
            await fetch(url)


async def test_postmark_is_believed_with_its_login_alone(house: House, site: httpx.AsyncClient, amazon: Amazon) -> None:
    body = postmark("Bounce", Type="HardBounce", Email="o1@city.example")
    assert (await site.post("/hooks/postmark", content=body)).status_code == 401
    for wrong in (("postmark", "guess"), ("", ""), ("postmark", "ü")):
        answer = await site.post("/hooks/postmark", content=body, auth=wrong)
        assert (answer.status_code, "basic" in answer.headers["www-authenticate"].lower()) == (401, True)
    assert await kept(house) == []
    for new in (True, False):
        answer = await site.post("/hooks/postmark", content=body, auth=LOGIN)
        assert (answer.status_code, answer.json()["new"]) == (200, new)
    for kind in ("Delivery", "Open", "SomethingNew"):
        assert (await site.post("/hooks/postmark", content=postmark(kind), auth=LOGIN)).status_code == 200
    assert amazon.counted == {("postmark", "other"): 3}
    for malformed in (b"", b"[]", b"{}", postmark("Bounce", Type="HardBounce")):
        assert (await site.post("/hooks/postmark", content=malformed, auth=LOGIN)).status_code == 422
    assert await kept(house) == ["postmark"]


async def test_a_report_that_names_only_the_address_is_of_the_last_mail_there(
    house: House, site: httpx.AsyncClient, key: bytes
) -> None:
    await told(house, key, 1, 2)
    body = postmark("Bounce", Type="HardBounce", Email="O1@city.example", Metadata={})
    assert (await site.post("/hooks/postmark", content=body, auth=LOGIN)).status_code == 200
    stranger = postmark("SpamComplaint", Type="SpamComplaint", Email="nobody@x.example", Metadata={})
    assert (await site.post("/hooks/postmark", content=stranger, auth=LOGIN)).status_code == 200
    while await handled(house):
        pass
    assert await house.states() == {"bounced": 1, "sent": 1}
    assert len(await suppressed(house)) == 1
    rows = await house.rows("SELECT kind, said FROM returns ORDER BY id")
    assert tuple(rows[1]) == ("unclear", "complaint: it names no mail of ours")


async def test_what_is_not_set_up_is_not_there(house: House, amazon: Amazon) -> None:
    app = FastAPI()
    app.include_router(hooks_router(Reception(house.database, system_clock, Counter()), Hooks(), amazon.fetch))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://league.example") as client:
        assert [(await client.post(f"/hooks/{way}")).status_code for way in ("ses", "postmark")] == [404, 404]
