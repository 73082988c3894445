"""Variations of framing and delivery: other bytes, or other reads of them, for the same events."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.reference.variations.variation import ANSWERS, BODIES, STREAMS, variation


def _lines(exchange: Exchange, *before: bytes) -> Exchange:
    """Put the same lines before the data line of every event."""
    blocks = (b"".join(line + b"\n" for line in before) + block for block in rewrite.events(exchange))
    return rewrite.with_events(exchange, blocks)


@variation("framing.crlf", STREAMS)
def crlf(exchange: Exchange) -> Exchange:
    """Lines end with CR LF."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace(b"\n", b"\r\n"))


@variation("framing.cr", STREAMS)
def bare_cr(exchange: Exchange) -> Exchange:
    """Lines end with CR alone."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange).replace(b"\n", b"\r"))


@variation("framing.no_space", STREAMS)
def no_space(exchange: Exchange) -> Exchange:
    """No space follows `data:`."""
    return rewrite.with_events(exchange, [b"data:" + block[6:] for block in rewrite.events(exchange)])


@variation("framing.comment_first", STREAMS)
def comment_first(exchange: Exchange) -> Exchange:
    """A comment opens the stream."""
    return rewrite.inserted(exchange, 0, b": connected")


@variation("framing.comments_between", STREAMS)
def comments_between(exchange: Exchange) -> Exchange:
    """A comment and a blank line stand before every event, as keep-alive."""
    return rewrite.with_events(exchange, [piece for block in rewrite.events(exchange) for piece in (b":", block)])


@variation("framing.comment_last", STREAMS)
def comment_last(exchange: Exchange) -> Exchange:
    """A comment follows [DONE]."""
    return rewrite.with_events(exchange, [*rewrite.events(exchange), b": bye"])


@variation("framing.comment_within", STREAMS)
def comment_within(exchange: Exchange) -> Exchange:
    """A comment stands in the block of every event."""
    return _lines(exchange, b": data: no")


@variation("framing.comment_long", STREAMS)
def comment_long(exchange: Exchange) -> Exchange:
    """A comment of 400 lines stands between two chunks."""
    return rewrite.inserted(exchange, 2, b"\n".join([b": waiting"] * 400))


@variation("framing.blank_lines", STREAMS)
def blank_lines(exchange: Exchange) -> Exchange:
    """Two blank lines follow every event; no event has an id."""
    return rewrite.with_events(exchange, [block + b"\n" for block in rewrite.events(exchange)])


@variation("framing.data_lines", STREAMS)
def data_lines(exchange: Exchange) -> Exchange:
    """The JSON of every chunk is spread over several data lines."""
    blocks = []
    for chunk in rewrite.messages(exchange):
        pretty = json.dumps(chunk, ensure_ascii=False, indent=1).encode()
        blocks.append(b"\n".join(b"data: " + line for line in pretty.split(b"\n")))
    return rewrite.with_events(exchange, [*blocks, rewrite.DONE])


@variation("framing.event_message", STREAMS)
def event_message(exchange: Exchange) -> Exchange:
    """Every event names the type message."""
    return _lines(exchange, b"event: message")


@variation("framing.event_other", STREAMS)
def event_other(exchange: Exchange) -> Exchange:
    """Every event names a type of the provider's own."""
    return _lines(exchange, b"event: chunk")


@variation("framing.id", STREAMS)
def with_id(exchange: Exchange) -> Exchange:
    """Every event has an id beside its data."""
    return _lines(exchange, b"id: 1")


@variation("framing.retry", STREAMS)
def with_retry(exchange: Exchange) -> Exchange:
    """Every event has a reconnection time beside its data."""
    return _lines(exchange, b"retry: 3000")


@variation("framing.unknown_field", STREAMS)
def unknown_field(exchange: Exchange) -> Exchange:
    """Every event has a field that the standard does not know beside its data."""
    return _lines(exchange, b"node: 7")


@variation("framing.copied_chunk", STREAMS)
def copied_chunk(exchange: Exchange) -> Exchange:
    """Every event has its data once more, in a field that the standard does not know."""
    blocks = (event + b"\nupstream" + event.removeprefix(b"data") for event in rewrite.events(exchange))
    return rewrite.with_events(exchange, blocks)


@variation("delivery.bytes", STREAMS)
def byte_by_byte(exchange: Exchange) -> Exchange:
    """The body comes in reads of one byte."""
    body = rewrite.body_of(exchange)
    return rewrite.with_pieces(exchange, (body[at : at + 1] for at in range(len(body))))


@variation("delivery.inside_character", STREAMS)
def inside_character(exchange: Exchange) -> Exchange:
    """A read ends within a character."""
    body = rewrite.body_of(exchange)
    cut = next((at for at, byte in enumerate(body) if byte >= 0x80), len(body) // 2) + 1
    return rewrite.with_pieces(exchange, (body[:cut], body[cut:]))


@variation("delivery.one_read", STREAMS)
def one_read(exchange: Exchange) -> Exchange:
    """The whole body comes in one read."""
    return rewrite.with_pieces(exchange, [rewrite.body_of(exchange)])


@variation("delivery.gzip", (*STREAMS, *ANSWERS, "models"), passes=("http.content_encoding.decodes",))
def gzipped(exchange: Exchange) -> Exchange:
    """The body is coded with gzip, and says so; that gives the check on codings its occasion."""
    coded = gzip.compress(rewrite.body_of(exchange), mtime=0)
    return rewrite.with_pieces(rewrite.with_header(exchange, "Content-Encoding", "gzip"), [coded])


@variation("delivery.keep_alive", BODIES)
def keep_alive(exchange: Exchange) -> Exchange:
    """White space is sent before the JSON, as keep-alive."""
    return rewrite.with_body(exchange, b"\n \n\n" + rewrite.body_of(exchange))


@variation("delivery.header_case", GOOD)
def header_case(exchange: Exchange) -> Exchange:
    """The names of the header fields are in small letters."""
    response = rewrite.response_of(exchange)
    lowered = tuple((name.lower(), value) for name, value in response.headers or ())
    return replace(exchange, response=replace(response, headers=lowered))


@variation("delivery.charset", GOOD)
def charset(exchange: Exchange) -> Exchange:
    """The media type names the charset utf-8."""
    headers = rewrite.response_of(exchange).headers or ()
    value = next(value for name, value in headers if name == "Content-Type")
    return rewrite.with_header(exchange, "Content-Type", f"{value}; charset=utf-8")


@variation("delivery.close", GOOD)
def connection_close(exchange: Exchange) -> Exchange:
    """The server closes the connection after the answer, and says so."""
    return rewrite.with_header(exchange, "Connection", "close")


@variation("delivery.content_length", STREAMS)
def content_length(exchange: Exchange) -> Exchange:
    """A stream states its length."""
    return rewrite.with_header(exchange, "Content-Length", str(len(rewrite.body_of(exchange))))
