"""Faults that only a socket can show: what becomes of the connection, of its framing, and of time.

Each is a function from a delivery to another one; what it does not fit (a stream's fault, an answer in one piece) it
leaves as it is.
"""

from __future__ import annotations

import asyncio
import gzip
import inspect
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from chatconform.reference.delivery import After, Delivery, announced, without
from chatconform.wire.media import header, media_type

LATE_S: Final = 0.6
"""Seconds: longer than the half that a stream may take to begin without being called buffered."""
BETWEEN_S: Final = 0.006
"""Seconds between two pieces: more than an instant."""
BURST_S: Final = 0.1
_BURSTS: Final = 3

Delivers: TypeAlias = Callable[[Delivery], Delivery]


@dataclass(frozen=True, slots=True)
class SocketFault:
    """A name, what is then wrong in one sentence, and what is done with a delivery."""

    id: str
    says: str
    delivers: Delivers


_FAULTS: dict[str, SocketFault] = {}


def _fault(identifier: str) -> Callable[[Delivers], Delivers]:
    def register(delivers: Delivers) -> Delivers:
        says = " ".join(inspect.cleandoc(delivers.__doc__ or "").split())
        _FAULTS[identifier] = SocketFault(identifier, says, delivers)
        return delivers

    return register


def all_socket_faults() -> Mapping[str, SocketFault]:
    """Return every fault of this module by id."""
    return MappingProxyType(_FAULTS)


def reset(writer: asyncio.StreamWriter) -> None:
    """Reset a connection (RFC 9293 section 3.10.7.4: RST): its peer reads no end."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _is_stream(delivery: Delivery) -> bool:
    found = media_type(header(delivery.headers, "Content-Type") or "")
    return found is not None and found.is_event_stream


def _length(delivery: Delivery) -> int:
    return sum(map(len, delivery.pieces))


def _half(delivery: Delivery) -> tuple[bytes, ...]:
    return delivery.pieces[: max(1, len(delivery.pieces) // 2)]


@_fault("socket.silent")
def silent(_delivery: Delivery) -> Delivery:
    """The request is taken, and not a byte is sent; the connection stays open."""
    return Delivery(None, after=After.HELD)


@_fault("socket.stream.silent")
def stream_silent(delivery: Delivery) -> Delivery:
    """A request for a stream gets not a byte, while the others are answered; the connection stays open."""
    return silent(delivery) if _is_stream(delivery) else delivery


@_fault("socket.dropped")
def dropped(_delivery: Delivery) -> Delivery:
    """The connection is closed without a status line."""
    return Delivery(None, after=After.CLOSED)


@_fault("socket.header.cut")
def header_cut(delivery: Delivery) -> Delivery:
    """The connection is closed in the middle of the header."""
    return replace(delivery, head_bytes=40, pieces=(), after=After.CLOSED, tail=b"")


@_fault("socket.chunks.truncated")
def chunks_truncated(delivery: Delivery) -> Delivery:
    """A chunked body breaks off between two chunks: the connection is closed without the last chunk."""
    if not delivery.is_chunked:
        return delivery
    return replace(delivery, pieces=_half(delivery), after=After.CLOSED, tail=b"")


@_fault("socket.chunks.unended")
def chunks_unended(delivery: Delivery) -> Delivery:
    """All of a chunked body comes, and then the connection is closed without the last chunk."""
    return replace(delivery, after=After.CLOSED, tail=b"") if delivery.is_chunked else delivery


@_fault("socket.chunks.malformed")
def chunks_malformed(delivery: Delivery) -> Delivery:
    """The size of a chunk is no number."""
    if not delivery.is_chunked:
        return delivery
    return replace(delivery, pieces=_half(delivery), after=After.CLOSED, tail=b"size\r\nunknown\r\n")


@_fault("socket.length.long")
def length_long(delivery: Delivery) -> Delivery:
    """Content-Length announces more bytes than come before the connection is closed."""
    return replace(announced(delivery, 2 * _length(delivery) + 1), after=After.CLOSED)


@_fault("socket.length.short")
def length_short(delivery: Delivery) -> Delivery:
    """Content-Length announces fewer bytes than the body has."""
    return replace(announced(delivery, _length(delivery) // 2), after=After.CLOSED)


@_fault("socket.length.both")
def length_both(delivery: Delivery) -> Delivery:
    """A chunked body has a Content-Length too, which is wrong (RFC 9112 section 6.3 lets the coding win)."""
    if not delivery.is_chunked:
        return delivery
    return replace(delivery, headers=(*delivery.headers, ("Content-Length", "1")), after=After.CLOSED)


@_fault("socket.held")
def held(delivery: Delivery) -> Delivery:
    """All of a stream comes, [DONE] too, and then the connection stays open without an end of the body."""
    return replace(delivery, after=After.HELD, tail=b"") if _is_stream(delivery) else delivery


@_fault("socket.stalled")
def stalled(delivery: Delivery) -> Delivery:
    """A stream stops in its middle, and the connection stays open."""
    return replace(delivery, pieces=_half(delivery), after=After.HELD, tail=b"") if _is_stream(delivery) else delivery


@_fault("socket.reset")
def reset_midway(delivery: Delivery) -> Delivery:
    """The connection is reset in the middle of the body."""
    pieces = (
        delivery.pieces if len(delivery.pieces) > 1 else tuple(piece[: len(piece) // 2] for piece in delivery.pieces)
    )
    return replace(delivery, pieces=_half(replace(delivery, pieces=pieces)), after=After.RESET, tail=b"")


@_fault("socket.reset_first")
def reset_first(_delivery: Delivery) -> Delivery:
    """The connection is reset before the status line."""
    return Delivery(None, after=After.RESET)


@_fault("socket.late")
def late(delivery: Delivery) -> Delivery:
    """The first byte comes after more than half a second, and then the stream comes piece by piece, which is lawful."""
    return replace(delivery, wait_s=(LATE_S, 0.0, BETWEEN_S))


@_fault("socket.buffered")
def buffered(delivery: Delivery) -> Delivery:
    """The header of a stream comes at once, and the whole body in one piece more than half a second later."""
    if not _is_stream(delivery):
        return delivery
    return replace(delivery, pieces=(b"".join(delivery.pieces),), wait_s=(0.0, LATE_S, 0.0))


@_fault("socket.bursts")
def bursts(delivery: Delivery) -> Delivery:
    """A stream comes in three bursts."""
    if not _is_stream(delivery):
        return delivery
    each = max(1, -(-len(delivery.pieces) // _BURSTS))
    pieces = (b"".join(delivery.pieces[at : at + each]) for at in range(0, len(delivery.pieces), each))
    return replace(delivery, pieces=tuple(pieces), wait_s=(0.0, BURST_S, BURST_S))


@_fault("socket.bytes")
def single_bytes(delivery: Delivery) -> Delivery:
    """Every byte of the body is written by itself, characters of several bytes too, which is lawful."""
    return replace(delivery, pieces=tuple(bytes((byte,)) for byte in b"".join(delivery.pieces)))


@_fault("socket.gzip")
def gzipped(delivery: Delivery) -> Delivery:
    """A stream is coded with gzip, unasked, by a coder that is not flushed: all of it comes at the end."""
    if not _is_stream(delivery):
        return delivery
    coded = gzip.compress(b"".join(delivery.pieces), mtime=0)
    headers = (*without(delivery.headers, "Content-Encoding"), ("Content-Encoding", "gzip"))
    return replace(delivery, headers=headers, pieces=(coded,), wait_s=(0.0, LATE_S, 0.0))


@_fault("socket.hints")
def hints(delivery: Delivery) -> Delivery:
    """Two answers of 103 come before the answer, which is lawful (RFC 8297)."""
    return replace(delivery, before=b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2)
