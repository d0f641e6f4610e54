"""Domain names, looked up with little patience."""

from typing import Any

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from clarion.services.doctor.findings import Unreadable

PATIENCE_SECONDS = 4.0
NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


class DnsNames:
    """The machine's own resolver, or the server `host` or `host:port`."""

    def __init__(self, server: str | None = None) -> None:
        self._server = server

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name; none if it has none. Raises Unreadable."""
        found = await self._ask(name, dns.rdatatype.TXT)
        return [b"".join(record.strings).decode("utf-8", "replace") for record in found]

    async def takes_mail(self, name: str) -> bool:
        """Whether mail to the name goes anywhere (RFC 5321, 5.1; RFC 7505). Raises Unreadable."""
        exchanges = await self._ask(name, dns.rdatatype.MX)
        if exchanges:
            return any(str(record.exchange) != "." for record in exchanges)
        return bool(await self._ask(name, dns.rdatatype.A) or await self._ask(name, dns.rdatatype.AAAA))

    async def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> list[Any]:
        try:
            return list(await self._resolver().resolve(name, kind, lifetime=PATIENCE_SECONDS, search=False))
        except NOTHING:
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise Unreadable(str(error) or type(error).__name__) from error

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if self._server is None:
            return dns.asyncresolver.Resolver()
        resolver = dns.asyncresolver.Resolver(configure=False)
        host, _, port = self._server.partition(":")
        resolver.nameservers = [host]
        resolver.port = int(port or 53)
        return resolver
