"""Rewriting an exchange: its body, headers and JSON replaced, and what hangs on them kept true.

A body is given decoded; where the exchange names gzip as its content coding it is coded again. `reads` and
Content-Length follow the body that goes over the wire.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

from chatconform.model import Exchange, JsonObject, JsonValue, Response
from chatconform.wire import media

DONE = b"data: [DONE]"
FIRST_READ = 210_000
"""When the first read of a rewritten body comes, in microseconds since the request was sent."""
BETWEEN_READS = 20_000
"""Microseconds from one read to the next."""

Path = tuple[str | int, ...]


def response_of(exchange: Exchange) -> Response:
    """Return the response, which every good exchange has."""
    assert exchange.response is not None
    return exchange.response


def is_stream(exchange: Exchange) -> bool:
    """Whether the request asks for a streamed answer."""
    body = exchange.request.body
    return isinstance(body, dict) and body.get("stream") is True


def body_of(exchange: Exchange) -> bytes:
    """Return the body after its content coding is undone."""
    response = response_of(exchange)
    return media.decode(response.body, media.codings(response.headers)).body


def with_body(exchange: Exchange, body: bytes) -> Exchange:
    """Return the exchange with another body; each event of a stream is one read."""
    response = response_of(exchange)
    pieces = [piece + b"\n\n" for piece in body.split(b"\n\n")]
    pieces[-1] = pieces[-1].removesuffix(b"\n\n")
    if media.codings(response.headers):
        pieces = [gzip.compress(body, mtime=0)]
    return with_pieces(exchange, pieces)


def with_pieces(exchange: Exchange, pieces: Iterable[bytes]) -> Exchange:
    """Return the exchange with the wire's own bytes, given read by read."""
    kept = [piece for piece in pieces if piece]
    reads = tuple((FIRST_READ + number * BETWEEN_READS, len(piece)) for number, piece in enumerate(kept))
    body = b"".join(kept)
    rewritten = replace(exchange, response=replace(response_of(exchange), body=body, reads=reads))
    if media.header(response_of(exchange).headers, "Content-Length") is None:
        return rewritten
    return with_header(rewritten, "Content-Length", str(len(body)))


def with_header(exchange: Exchange, name: str, value: str | None) -> Exchange:
    """Return the exchange with one response field set, or without it where the value is None."""
    fields = list(response_of(exchange).headers or ())
    at = next((number for number, pair in enumerate(fields) if pair[0].lower() == name.lower()), len(fields))
    fields[at : at + 1] = [] if value is None else [(name, value)]
    return replace(exchange, response=replace(response_of(exchange), headers=tuple(fields)))


def with_status(exchange: Exchange, status: int) -> Exchange:
    """Return the exchange with another status."""
    return replace(exchange, response=replace(response_of(exchange), status=status))


def as_json(value: JsonValue) -> bytes:
    """Return a value as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def messages(exchange: Exchange) -> list[JsonObject]:
    """Return the JSON objects of a body: every chunk of a stream, or the one answer."""
    body = body_of(exchange)
    if not is_stream(exchange):
        return [json.loads(body)]
    return [json.loads(event.removeprefix(b"data: ")) for event in events(exchange) if event != DONE]


def with_messages(exchange: Exchange, objects: Iterable[JsonValue]) -> Exchange:
    """Return the exchange with other JSON; a stream is framed anew and ends with [DONE]."""
    texts = [as_json(value) for value in objects]
    if not is_stream(exchange):
        return with_body(exchange, b"".join(texts))
    return with_events(exchange, [*(b"data: " + text for text in texts), DONE])


def events(exchange: Exchange) -> list[bytes]:
    """Return the blocks of a stream without the blank lines that close them."""
    return body_of(exchange).removesuffix(b"\n\n").split(b"\n\n")


def with_events(exchange: Exchange, blocks: Iterable[bytes]) -> Exchange:
    """Return the exchange with other blocks, each closed by a blank line."""
    return with_body(exchange, b"".join(block + b"\n\n" for block in blocks))


def put(value: JsonValue, path: Path, new: JsonValue) -> JsonValue:
    """Return a copy of a value with `new` at the path, which names a member or an item of what is there."""
    if not path:
        return deepcopy(new)
    changed = deepcopy(value)
    holder = _holder(changed, path)
    holder[path[-1]] = deepcopy(new)
    return changed


def without(value: JsonValue, path: Path) -> JsonValue:
    """Return a copy of a value without the member or the item at the path."""
    changed = deepcopy(value)
    del _holder(changed, path)[path[-1]]
    return changed


def value_at(value: JsonValue, path: Path) -> JsonValue:
    """Return the value at a path that is there."""
    for step in path:
        value = value[step]  # type: ignore[index]
    return value


def _holder(value: JsonValue, path: Path) -> dict[str | int, JsonValue]:
    """Return what holds the end of the path. Lists and objects are written to alike."""
    return value_at(value, path[:-1])  # type: ignore[return-value]


def inserted(exchange: Exchange, position: int, *blocks: bytes) -> Exchange:
    """Return a stream with more blocks before the block at `position`."""
    found = events(exchange)
    return with_events(exchange, [*found[:position], *blocks, *found[position:]])


def replaced(exchange: Exchange, position: int, *blocks: bytes) -> Exchange:
    """Return a stream with the block at `position` replaced; without blocks, it is left out."""
    found = events(exchange)
    return with_events(exchange, [*found[:position], *blocks, *found[position + 1 or len(found) :]])


def member(exchange: Exchange, number: int, path: Path, value: JsonValue) -> Exchange:
    """Return the exchange with a value set at a path of its JSON object of this number."""
    objects: list[JsonValue] = [*messages(exchange)]
    objects[number] = put(objects[number], path, value)
    return with_messages(exchange, objects)


def no_member(exchange: Exchange, number: int, path: Path) -> Exchange:
    """Return the exchange without the member at a path of its JSON object of this number."""
    objects: list[JsonValue] = [*messages(exchange)]
    objects[number] = without(objects[number], path)
    return with_messages(exchange, objects)


def asked(exchange: Exchange, **members: JsonValue) -> Exchange:
    """Return the exchange with members of its request's body set."""
    body = exchange.request.body
    assert isinstance(body, dict)
    return replace(exchange, request=replace(exchange.request, body={**body, **members}))
