"""A name server on loopback that knows what a test tells it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class Answering(asyncio.DatagramProtocol):
    """Answers from a zone of texts; `MX <name>` has the exchange. A name with None is never answered."""

    def __init__(self, zone: Mapping[str, str | list[str] | None]) -> None:
        self.zone = zone
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        kind = "TXT" if question.rdtype == dns.rdatatype.TXT else "MX" if question.rdtype == dns.rdatatype.MX else "A"
        known = self.zone.get(name if kind == "TXT" else f"{kind} {name}", [])
        if known is None:
            return
        found = [known] if isinstance(known, str) else known
        if found:
            texts = [_quoted(one) if kind == "TXT" else one for one in found]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
        elif not any(key.endswith(name) for key in self.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)  # type: ignore[attr-defined]


def _quoted(text: str) -> str:
    """A text as a zone has it: in strings of at most 255 bytes."""
    return " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))


@contextlib.asynccontextmanager
async def name_server(zone: Mapping[str, str | list[str] | None]) -> AsyncIterator[str]:
    """Its address, until the end of the block."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Answering(zone), local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    try:
        yield f"{host}:{port}"
    finally:
        transport.close()
