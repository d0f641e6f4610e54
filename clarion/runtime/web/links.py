"""Links that prove by themselves for whom and for what they were made."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode, int_to_bytes

from clarion.runtime.clock import Clock, system_clock

SIGNING: Mapping[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def salt_of(purpose: str) -> str:
    """What makes the key of one purpose another than that of all others."""
    return f"clarion:{purpose}"


class BadLink(Exception):
    """A token that we did not make, or not for this purpose; `expired` if it was good once."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class SignedLinks:
    """Signs and reads the tokens in links. Of the secrets, newest first, the newest signs and all verify.

    A token is good for one purpose alone: it is part of the key by which it is signed.
    """

    def __init__(self, secrets: Sequence[str], clock: Clock = system_clock) -> None:
        if not secrets or not all(secrets):
            raise ValueError("links cannot be signed without a secret")
        self.secrets = list(reversed(secrets))

        class ClockSigner(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock().timestamp())

        self.clock = clock
        self.signer_class = ClockSigner

    def serializer(self, purpose: str) -> URLSafeTimedSerializer:
        """The serializer of one purpose."""
        return URLSafeTimedSerializer(
            self.secrets,
            salt=salt_of(purpose),
            signer=self.signer_class,
            signer_kwargs=dict(SIGNING),
        )

    def signer(self, purpose: str) -> Callable[[Any], str]:
        """What makes tokens of one purpose as `sign` does, many times faster: its key is derived once."""
        key = self.signer_class(self.secrets, salt=salt_of(purpose), **SIGNING).derive_key()

        def sign(payload: Any) -> str:
            body = base64_encode(json.dumps(payload, separators=(",", ":")))
            signed = body + b"." + base64_encode(int_to_bytes(int(self.clock().timestamp())))
            return (signed + b"." + base64_encode(hmac.digest(key, signed, "sha256"))).decode()

        return sign

    def sign(self, purpose: str, payload: Any) -> str:
        """A token in URL-safe characters that carries the payload (JSON values), readable by all, made by us."""
        return str(self.serializer(purpose).dumps(payload))

    def read(self, purpose: str, token: str, max_age_seconds: float | None = None) -> Any:
        """The payload of a token of ours; without `max_age_seconds` it never expires.

        Raises:
            BadLink: it is not ours, for another purpose, changed or too old.
        """
        limit = None if max_age_seconds is None else int(max_age_seconds)
        try:
            return self.serializer(purpose).loads(token, max_age=limit)
        except SignatureExpired as error:
            raise BadLink("this link has expired", expired=True) from error
        except (BadData, ValueError) as error:
            raise BadLink("this link is not valid") from error
