"""A small OpenID Connect provider that speaks over HTTP, checks what it is sent, and can be made to forge."""

import base64
import contextlib
import hashlib
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from starlette.responses import JSONResponse, RedirectResponse, Response

from clarion.runtime.clock import system_clock
from clarion.services.running import address_of, listen, serving

CLIENT_ID, SECRET = "clarion", "a secret between the two"

Forge = Callable[[dict[str, Any]], dict[str, Any]]


def same(claims: dict[str, Any]) -> dict[str, Any]:
    """As it should be."""
    return claims


@dataclass
class Provider:
    """What it is asked to say of whoever comes; `forge` changes the claims, `sign` makes the token of them."""

    issuer: str = ""
    email: str = "sam@cities.example"
    keys: list[ECKey] = field(default_factory=lambda: [new_key()])
    forge: Forge = same
    sign: Callable[["Provider", dict[str, Any]], str | None] | None = None
    told: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    broken: bool = False

    def claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(system_clock().timestamp())
        who = {} if self.told else {"email": self.email, "email_verified": True}
        standard = {"iss": self.issuer, "sub": "u-1", "aud": CLIENT_ID, "iat": now, "exp": now + 300}
        return self.forge({**standard, "nonce": asked["nonce"], **who})

    def token(self, claims: dict[str, Any]) -> str | None:
        if self.sign is not None:
            return self.sign(self, claims)
        key = self.keys[-1]
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


def new_key(kid: str | None = None) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid or uuid.uuid4().hex, "use": "sig"})


def build(provider: Provider) -> FastAPI:
    """Its addresses."""
    app = FastAPI()

    @app.middleware("http")
    async def noted(request: Request, call_next: Any) -> Response:
        provider.requests.append(request.url.path)
        return Response("busy", 500) if provider.broken else await call_next(request)

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, Any]:
        found = {
            "issuer": provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/keys",
            "userinfo_endpoint": f"{provider.issuer}/me",
        }
        return found | provider.metadata

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        unknown = {"kty": "LWE", "kid": "of tomorrow"}
        return {"keys": [unknown, *KeySet(provider.keys).as_dict(private=False)["keys"]]}

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        right = asked["client_id"] == CLIENT_ID and asked["response_type"] == "code"
        if not right or asked["code_challenge_method"] != "S256" or "openid" not in asked["scope"].split():
            return Response(status_code=400)
        code = uuid.uuid4().hex
        provider.asked[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": provider.issuer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 303)

    @app.post("/token")
    async def token(request: Request) -> Response:
        return answered(provider, dict(await request.form()), request.headers.get("authorization"))

    @app.get("/me")
    async def me(request: Request) -> Response:
        known = request.headers.get("authorization") == "Bearer at"
        return JSONResponse(provider.told) if known else Response(status_code=401)

    return app


def answered(provider: Provider, given: dict[str, Any], authorization: str | None) -> Response:
    """Tokens for a code, once, to whoever has the secret and what the challenge was made of."""
    asked = provider.asked.pop(str(given["code"]), None)
    digest = hashlib.sha256(str(given["code_verifier"]).encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if asked is None or asked["redirect_uri"] != given["redirect_uri"] or challenge != asked["code_challenge"]:
        return JSONResponse({"error": "invalid_grant"}, 400)
    basic = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
    by_post = (given.get("client_id"), given.get("client_secret")) == (CLIENT_ID, SECRET)
    if authorization != f"Basic {basic}" and not by_post:
        return JSONResponse({"error": "invalid_client"}, 401)
    made = {"access_token": "at", "token_type": "Bearer", "id_token": provider.token(provider.claims(asked))}
    return JSONResponse({name: value for name, value in made.items() if value is not None})


@contextlib.asynccontextmanager
async def providing(provider: Provider) -> AsyncIterator[Provider]:
    """Let it be asked over HTTP until the end of the block."""
    listener: socket.socket = listen("127.0.0.1", 0)
    provider.issuer = provider.issuer or address_of(listener)
    async with serving(build(provider), listener):
        yield provider
