"""How an exchange's answer goes over the wire: the bytes to write, the pauses between them, and the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from http import HTTPStatus
from typing import Final

from chatconform.model import Exchange, Headers
from chatconform.wire.media import header

_BODILESS: Final = (204, 304)
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class After(Enum):
    """What becomes of the connection when all is written."""

    KEPT = auto()
    CLOSED = auto()
    RESET = auto()
    HELD = auto()


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer, ready to be written. A status of None: not even a status line comes.

    `wait_s` are the seconds before the status line, before the first piece of the body, and before each other one.
    `tail` stands in the place of the last chunk of a chunked body (RFC 9112 section 7.1); `before` precedes the status
    line; of the head only `head_bytes` are written.
    """

    status: int | None
    headers: Headers = ()
    pieces: tuple[bytes, ...] = ()
    after: After = After.KEPT
    wait_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tail: bytes = b"0\r\n\r\n"
    before: bytes = b""
    head_bytes: int | None = None

    @property
    def is_chunked(self) -> bool:
        """Whether the body is sent in the chunked transfer coding."""
        return "chunked" in (header(self.headers, "Transfer-Encoding") or "").lower()

    @property
    def has_body(self) -> bool:
        """Whether the status allows a body (RFC 9110 sections 15.3.5 and 15.4.5)."""
        return self.status not in (None, *_BODILESS)

    def writes(self, *, without_body: bool = False) -> Iterator[tuple[float, bytes]]:
        """Yield what is written, each piece with the seconds to wait before it."""
        if self.status is None:
            return
        before_head, before_body, between = self.wait_s
        yield before_head, self._head()
        if without_body or not self.has_body:
            return
        for number, piece in enumerate(self.pieces):
            yield between if number else before_body, _chunk(piece) if self.is_chunked else piece
        if self.is_chunked and self.tail:
            yield 0.0, self.tail

    def _head(self) -> bytes:
        """Return the status line and the header (RFC 9112 sections 4 and 5); field names keep their case."""
        lines = [f"HTTP/1.1 {self.status} {_PHRASES.get(self.status or 0, '')}", *map(": ".join, self.headers), "", ""]
        return self.before + "\r\n".join(lines).encode("latin-1", "replace")[: self.head_bytes]


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def of(exchange: Exchange) -> Delivery:
    """Return the delivery of an exchange: its bytes, cut where its reads are, and its end."""
    response = exchange.response
    if response is None:
        return Delivery(None, after=After.CLOSED)
    fields = response.headers or ()
    length = header(fields, "Content-Length")
    framed = length is not None or header(fields, "Transfer-Encoding") is not None
    headers = fields if framed or response.status in _BODILESS else (*fields, ("Transfer-Encoding", "chunked"))
    delivery = Delivery(response.status, headers, _pieces(response.body, response.reads))
    return _ended(delivery, exchange.end)


def _pieces(body: bytes, reads: tuple[tuple[int, int], ...] | None) -> tuple[bytes, ...]:
    """Return a body cut where its reads end; what no read accounts for is the last piece."""
    pieces, at = [], 0
    for _, size in reads or ():
        pieces.append(body[at : at + size])
        at += size
    return tuple(piece for piece in (*pieces, body[at:]) if piece)


def _ended(delivery: Delivery, end: str) -> Delivery:
    """Return a delivery that ends as a recorded exchange did (exchange format 1, `end`)."""
    after = {"reset": After.RESET, "timeout": After.HELD, "truncated": After.CLOSED, "malformed": After.CLOSED}.get(end)
    if after is None:
        return _closed_where_it_lies(delivery)
    if end == "malformed":
        return chunked(delivery, tail=b"no size\r\n", after=after)
    shortened = announced(delivery, sum(map(len, delivery.pieces)) * 2 + 1) if _is_whole(delivery) else delivery
    return replace(shortened, after=after, tail=b"")


def _is_whole(delivery: Delivery) -> bool:
    return header(delivery.headers, "Content-Length") == str(sum(map(len, delivery.pieces)))


def _closed_where_it_lies(delivery: Delivery) -> Delivery:
    """Close the connection behind a body that Content-Length is not true of: nobody could tell where it ends."""
    if delivery.is_chunked or _is_whole(delivery) or not delivery.has_body:
        return delivery
    return replace(delivery, after=After.CLOSED)


def announced(delivery: Delivery, length: int) -> Delivery:
    """Return a delivery whose Content-Length announces so many bytes."""
    others = without(delivery.headers, "Content-Length", "Transfer-Encoding")
    return replace(delivery, headers=(*others, ("Content-Length", str(length))))


def without(headers: Headers, *names: str) -> Headers:
    """Return header fields without those of some names."""
    lowered = {name.lower() for name in names}
    return tuple(pair for pair in headers if pair[0].lower() not in lowered)


def chunked(delivery: Delivery, *, tail: bytes, after: After) -> Delivery:
    """Return a delivery in the chunked transfer coding, with another end."""
    others = without(delivery.headers, "Content-Length", "Transfer-Encoding")
    return replace(delivery, headers=(*others, ("Transfer-Encoding", "chunked")), tail=tail, after=after)


def closing(delivery: Delivery) -> Delivery:
    """Return a delivery that says it is the last of its connection (RFC 9112 section 9.6)."""
    after = After.CLOSED if delivery.after is After.KEPT else delivery.after
    return replace(delivery, headers=(*without(delivery.headers, "Connection"), ("Connection", "close")), after=after)


def unchunked(delivery: Delivery) -> Delivery:
    """Return a delivery for HTTP/1.0, which has no chunked coding: the end of the connection ends the body."""
    return closing(replace(delivery, headers=without(delivery.headers, "Transfer-Encoding")))
