"""OpenID Connect: the code flow with PKCE, and what makes a provider's token one to believe.

OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (who answers).
"""

import hmac
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

from clarion.runtime.clock import Clock, system_clock
from clarion.runtime.ids import new_secret
from clarion.runtime.tls import trusting
from clarion.runtime.web.hosts import is_loopback

SCOPE = "openid email"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a key pair alone: with a shared secret or with none, whoever knows our settings could write a token."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
CLOCKS_MAY_DIFFER_SECONDS = 60
TIMEOUT_SECONDS = 5.0
KNOWN_FOR_SECONDS = 3600.0
KEYS_ASKED_EVERY_SECONDS = 10.0
"""A token that names a key which nobody knows makes us ask for the keys anew, but not without end."""


class ProviderAway(Exception):
    """The provider does not answer, or with what is none of its documents."""


class NotBelieved(Exception):
    """The answer that a browser brought is not one to sign anybody in by; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps while its owner is at the provider, so that only this browser can come back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to the provider, and where it sends people back to."""

    issuer: str
    id: str
    secret: str
    returns_to: str


def wrong_issuer(issuer: str) -> str | None:
    """Why this cannot be the address of a provider: it is to be https, except on this machine."""
    parts = urlsplit(issuer)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        return None if parts.hostname and not parts.query and not parts.fragment else "is to be an address alone"
    return "is to begin with https://"


def new_attempt() -> Attempt:
    """A fresh one; each part is unguessable."""
    return Attempt(new_secret(), new_secret(), new_secret(48))


class Provider:
    """The provider of an installation; its documents are kept for an hour."""

    def __init__(self, client: Client, clock: Clock = system_clock) -> None:
        self.client = client
        self._clock = clock
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    @property
    def name(self) -> str:
        """What people know it as: its host."""
        return urlsplit(self.client.issuer).hostname or self.client.issuer

    async def look(self) -> Mapping[str, Any]:
        """What the provider says of itself, once its keys are read as well.

        Raises:
            ProviderAway: it does not answer.
        """
        async with self._session() as session:
            metadata = await self._discovered(session)
            await self._known_keys(session, metadata["jwks_uri"])
            return metadata

    async def address(self, attempt: Attempt) -> str:
        """Where the browser is to go.

        Raises:
            ProviderAway: it does not answer.
        """
        async with self._session() as session:
            metadata = await self._discovered(session)
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
            return str(url)

    async def verified_email(self, attempt: Attempt, answer: Mapping[str, str]) -> str:
        """The address that the provider vouches for, by the answer that the browser brought back.

        Raises:
            NotBelieved: the answer is not one to this attempt, or its token is not one to believe.
            ProviderAway: it does not answer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise NotBelieved("the state is another's")
        if answer.get("iss", self.client.issuer) != self.client.issuer:
            raise NotBelieved("another provider answers")
        if "code" not in answer:
            raise NotBelieved(f"the provider refused: {answer.get('error', 'no code')[:100]}")
        async with self._session() as session:
            metadata = await self._discovered(session)
            tokens = await self._tokens(session, metadata, attempt, answer["code"])
            claims = await self._claims(session, metadata, attempt, tokens)
            if "email" not in claims and "userinfo_endpoint" in metadata:
                claims = await self._told(session, metadata["userinfo_endpoint"], claims)
        return email_of(claims)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncOAuth2Client]:
        """A client of the provider; what goes wrong on the way is one failure."""
        session = AsyncOAuth2Client(
            self.client.id,
            self.client.secret,
            scope=SCOPE,
            redirect_uri=self.client.returns_to,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            verify=trusting(),
        )
        try:
            async with session:
                yield session
        except httpx2.HTTPError as error:
            raise ProviderAway(f"{type(error).__name__}: {error}") from error

    async def _discovered(self, session: AsyncOAuth2Client) -> dict[str, Any]:
        """What the provider says of itself."""
        if self._metadata is not None and time.monotonic() - self._metadata[0] < KNOWN_FOR_SECONDS:
            return self._metadata[1]
        url = f"{self.client.issuer.removesuffix('/')}/.well-known/openid-configuration"
        found = await fetch_json(session, url)
        if found.get("issuer") != self.client.issuer:
            raise ProviderAway("its configuration names another issuer")
        for name in ENDPOINTS:
            if not isinstance(found.get(name), str) or wrong_issuer(str(found[name]).partition("?")[0]):
                raise ProviderAway(f"its configuration has no {name} to be trusted")
        self._metadata = (time.monotonic(), found)
        return found

    async def _tokens(
        self, session: AsyncOAuth2Client, metadata: Mapping[str, Any], attempt: Attempt, code: str
    ) -> Mapping[str, Any]:
        """What the provider gives for the code."""
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" not in methods:
            session.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 - the method's name
        try:
            tokens: Mapping[str, Any] = await session.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=attempt.verifier, grant_type="authorization_code"
            )
        except AuthlibBaseError as error:
            raise NotBelieved(f"the code is good for nothing: {error.error}") from error
        except ValueError as error:
            raise ProviderAway("its answer to the code is not JSON") from error
        if not isinstance(tokens.get("id_token"), str):
            raise NotBelieved("there is no token of who it is")
        return tokens

    async def _claims(
        self,
        session: AsyncOAuth2Client,
        metadata: Mapping[str, Any],
        attempt: Attempt,
        tokens: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """What the token says, once its signature and what it is for are as they must be."""
        try:
            token = await self._decoded(session, metadata["jwks_uri"], tokens["id_token"])
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.client.issuer},
                    "aud": {"essential": True, "value": self.client.id},
                },
                params={
                    "client_id": self.client.id,
                    "nonce": attempt.nonce,
                    "access_token": tokens.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=CLOCKS_MAY_DIFFER_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise NotBelieved(f"the token is not to be believed: {error}") from error
        return dict(claims)

    async def _decoded(self, session: AsyncOAuth2Client, url: str, text: str) -> jwt.Token:
        """A token whose signature holds; one by a key that is new makes us ask for the keys again."""
        try:
            return jwt.decode(text, await self._known_keys(session, url), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            keys = await self._known_keys(session, url, at_most_seconds=KEYS_ASKED_EVERY_SECONDS)
            return jwt.decode(text, keys, algorithms=ALGORITHMS)

    async def _known_keys(
        self, session: AsyncOAuth2Client, url: str, at_most_seconds: float = KNOWN_FOR_SECONDS
    ) -> KeySet:
        if self._keys is not None and time.monotonic() - self._keys[0] < at_most_seconds:
            return self._keys[1]
        keys = readable_keys(await fetch_json(session, url))
        self._keys = (time.monotonic(), keys)
        return keys

    async def _told(self, session: AsyncOAuth2Client, url: str, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the provider tells of the same person, where its token holds no address."""
        found = await fetch_json(session, url, withhold_token=False)
        if found.get("sub") != claims["sub"]:
            raise NotBelieved("it tells of somebody else")
        return found


async def fetch_json(session: AsyncOAuth2Client, url: str, *, withhold_token: bool = True) -> dict[str, Any]:
    """A document of the provider.

    Raises:
        ProviderAway: it answers with anything else.
    """
    answer = await session.request("GET", url, withhold_token=withhold_token)
    try:
        answer.raise_for_status()
        found = answer.json()
    except ValueError as error:
        raise ProviderAway(f"{url} is not JSON") from error
    if not isinstance(found, dict):
        raise ProviderAway(f"{url} is no JSON object")
    return found


def readable_keys(document: Mapping[str, Any]) -> KeySet:
    """The provider's keys for signatures; of kinds that we do not know, none is needed.

    Raises:
        ProviderAway: none of it can be read.
    """
    keys = []
    listed = document.get("keys")
    for described in listed if isinstance(listed, list) else []:
        with suppress(JoseError, ValueError, TypeError, KeyError):
            if described.get("use", "sig") == "sig":
                keys.append(JWKRegistry.import_key(described))
    if not keys:
        raise ProviderAway("it has no key that can be read")
    return KeySet(keys)


def email_of(claims: Mapping[str, Any]) -> str:
    """The address, if the provider has made sure that it is theirs.

    Raises:
        NotBelieved: it has not, or there is none.
    """
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise NotBelieved("the provider vouches for no address")
    return email
