"""Amazon SNS: whether a message is really from it, and the certificates by which that is told.

"Verifying the signatures of Amazon SNS messages" of its developer guide: fields to sign in this order, each name and
value on a line of its own; by SHA-1 (version 1) or SHA-256 (version 2), with RSA (PKCS #1 v1.5).
"""

import asyncio
import base64
import binascii
import re
import urllib.request
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from http.client import HTTPResponse
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import BaseModel, Field

from clarion.runtime.clock import Clock
from clarion.runtime.tls import trusting

HOST = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?")
CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,80}\.pem")
CERTIFICATES_KEPT = 8
FETCHED_OCTETS = 65_536
FETCH_SECONDS = 10.0
MINIMUM_BITS = 2048
# Version 1 is SHA-1 by Amazon's definition; its own guide recommends version 2.
HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"""Gets what is at an address, bounded in time and size. Raises OSError."""


class NotFromAmazon(Exception):
    """The message's signature is not one of Amazon's for what it says."""


class CannotTell(Exception):
    """The certificate cannot be had for the moment."""


class SnsMessage(BaseModel):
    """What Amazon SNS posts."""

    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: str = Field(min_length=1, max_length=200)
    TopicArn: str = Field(max_length=300)
    Message: str
    Timestamp: str = Field(max_length=60)
    SignatureVersion: str = Field(max_length=10)
    Signature: str = Field(max_length=2_000)
    SigningCertURL: str = Field(max_length=500)
    Subject: str | None = None
    Token: str | None = None
    SubscribeURL: str | None = Field(None, max_length=2_000)

    def signed(self) -> bytes:
        """What its signature is of."""
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        if self.Type != "Notification":
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        values = {name: getattr(self, name) for name in names}
        return "".join(f"{name}\n{value}\n" for name, value in values.items() if value is not None).encode()


def of_amazon(url: str) -> bool:
    """Whether an address is of Amazon SNS itself, over HTTPS, without user or port."""
    parts = urlsplit(url)
    return parts.scheme == "https" and HOST.fullmatch(parts.netloc) is not None and "\\" not in url


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Whoever sends us elsewhere is not followed."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        """Nowhere."""


async def fetch(url: str) -> bytes:
    """What is at an address of Amazon SNS. Raises OSError."""
    if not of_amazon(url):
        raise OSError("that is no address of Amazon SNS")
    return await asyncio.to_thread(_fetch, url)


def _fetch(url: str) -> bytes:
    secure = urllib.request.HTTPSHandler(context=trusting())
    opener = urllib.request.build_opener(secure, NoRedirects)
    answer: HTTPResponse
    with opener.open(url, timeout=FETCH_SECONDS) as answer:
        return answer.read(FETCHED_OCTETS)


class Certificates:
    """Keys of Amazon's certificates by address; one that was got once is not got again while it is good."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: OrderedDict[str, x509.Certificate] = OrderedDict()

    async def key(self, url: str) -> rsa.RSAPublicKey:
        """The key of the certificate there.

        Raises:
            NotFromAmazon: the address is none of Amazon's, or what is there is no certificate that is good now.
            CannotTell: it cannot be had now.
        """
        if not of_amazon(url) or not CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
            raise NotFromAmazon("its certificate is not at an address of Amazon SNS")
        certificate = self._kept.get(url) or await self._get(url)
        now = self._clock()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            self._kept.pop(url, None)
            raise NotFromAmazon("its certificate is not good now")
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MINIMUM_BITS:
            raise NotFromAmazon("its certificate has no key that we take")
        self._kept[url] = certificate
        if len(self._kept) > CERTIFICATES_KEPT:
            self._kept.popitem(last=False)
        return key

    async def _get(self, url: str) -> x509.Certificate:
        try:
            found = await self._fetch(url)
        except OSError as error:
            raise CannotTell("Amazon's certificate cannot be had for the moment") from error
        try:
            return x509.load_pem_x509_certificate(found)
        except ValueError as error:
            raise NotFromAmazon("what is at the address of its certificate is none") from error


async def verify(message: SnsMessage, certificates: Certificates) -> None:
    """Whether the message is from Amazon.

    Raises:
        NotFromAmazon, CannotTell: it is not, or that cannot be told now.
    """
    algorithm = HASHES.get(message.SignatureVersion)
    if algorithm is None:
        raise NotFromAmazon("its signature is of a version that is not known")
    key = await certificates.key(message.SigningCertURL)
    try:
        signature = base64.b64decode(message.Signature, validate=True)
        key.verify(signature, message.signed(), padding.PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotFromAmazon("its signature is not of what it says") from error
