"""Servers that will not have us, are not whom we trust or are not there: what it means and what to do."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass

EXPIRED = 10
NOT_YET_VALID = 9
UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
OTHER_NAME = frozenset({62, 64})


class Refused(Exception):
    """A server is there, but waiting alone changes nothing; the message says what does."""


class Unreachable(Exception):
    """A server is not there for now: waiting for it is right."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server as messages name it, and the settings for its address, its authority and our own certificate."""

    server: str
    address: str
    authority: str
    ours: str


def tls_refusal(place: Place, error: BaseException) -> Refused | None:
    """What went wrong between the connection and its encryption; None if that was not it."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused(_about_certificate(place, cause))
        if isinstance(cause, ssl.SSLError):
            reason = (cause.reason or "no reason given").replace("_", " ").lower()
            if "alert" in reason:
                return Refused(f"{place.server} wants another certificate of ours ({reason}): look at {place.ours}")
            return Refused(f"TLS with {place.server} fails ({reason}): look at {place.address} and {place.authority}")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _about_certificate(place: Place, error: ssl.SSLCertVerificationError) -> str:
    subject = f"the certificate of {place.server}"
    match error.verify_code:
        case code if code == EXPIRED:
            return f"{subject} expired: renew it there; if it is not old, this machine's clock is wrong"
        case code if code == NOT_YET_VALID:
            return f"{subject} is not valid yet: this machine's clock or the server's is wrong"
        case code if code in UNKNOWN_AUTHORITY:
            return f"{subject} is signed by an authority that is not trusted here: name its file in {place.authority}"
        case code if code in OTHER_NAME:
            return f"{subject} is for another name: call it in {place.address} as its certificate does"
    return f"{subject} cannot be trusted: {error.verify_message}"
