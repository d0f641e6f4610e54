"""Who asks: the address of the client, told by a proxy only where the proxy is one of ours."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(__name__)

Network: TypeAlias = IPv4Network | IPv6Network
FORWARDED_FOR = "x-forwarded-for"
IPV6_SUBSCRIBER_BITS = 64


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, comma separated.

    Raises:
        ValueError: one of them is neither.
    """
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"CLARION_TRUSTED_PROXIES: {error}") from error


def is_in(host: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address does not."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)


def subscriber(host: str | None) -> str:
    """What counts as one client: an IPv4 address, or the /64 that one subscriber has of IPv6 (RFC 6177)."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, IPV6_SUBSCRIBER_BITS), strict=False).network_address)


class TrueClient:
    """ASGI middleware: of a trusted proxy's requests, the client is who it says; of all others, who is connected."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self.app = app
        self.trusted = trusted
        self.told = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the client that it comes from."""
        if scope["type"] == "http" and scope.get("client"):
            peer, port = scope["client"]
            host = self.client(peer, Headers(scope=scope).getlist(FORWARDED_FOR))
            scope = {**scope, "client": (host, port if host == peer else 0)}
        await self.app(scope, receive, send)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """Each proxy adds at the end from whom it heard; the last whom we need not trust is the client."""
        if forwarded and not is_in(peer, self.trusted):
            self.tell_once()
            return peer
        host = peer
        for named in reversed([part.strip() for part in ",".join(forwarded).split(",") if part.strip()]):
            if not is_in(host, self.trusted):
                break
            try:
                host = str(ip_address(named))
            except ValueError:
                break
        return host

    def tell_once(self) -> None:
        """Say that a proxy is there which the settings do not know."""
        if not self.told:
            self.told = True
            log.warning(
                "a request names another client, through a proxy that CLARION_TRUSTED_PROXIES does not: all that"
                " come through it count as one"
            )
