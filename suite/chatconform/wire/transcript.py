"""The transcript: an exchange read once, into what checks ask for. It never touches a socket and never raises."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from typing import TypedDict

from chatconform.model import Exchange, Finding, Headers, JsonObject, JsonValue, Span
from chatconform.wire import asked as asked_
from chatconform.wire import media, sse, strict_json
from chatconform.wire.asked import Asked, Target
from chatconform.wire.events import Event
from chatconform.wire.fold import Facts, Where, fold
from chatconform.wire.stream import Sentinel, StreamReader, Texts, undispatched

MAX_EXCERPT = 160
"""How many bytes of the body a finding shows."""

MAX_VALUES = 10 * strict_json.MAX_VALUES
"""The most JSON values of a stream that are read."""

_COUNTED = Finding(got="", want="")
"""What stands for a finding that is only counted."""

_DATA_LINE = re.compile(rb"(?:\A|[\r\n])(?:\xef\xbb\xbf)?data:")


class Kind(StrEnum):
    """What came back, by what was asked and by the status."""

    ANSWER = "answer"
    STREAM = "stream"
    MODELS = "models"
    ERROR = "error"
    NOTHING = "nothing"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON text of an answer: the body, or the data of one event. `spans` are its bytes in the body."""

    data: bytes
    spans: tuple[Span, ...]
    document: strict_json.Document
    event: int | None = None

    @property
    def object(self) -> JsonObject | None:
        """The JSON object that the text holds."""
        return self.document.object


@dataclass(slots=True)
class Transcript:
    """The facts of one exchange, which nobody changes. `body` is after content decoding; all offsets are offsets in it.

    With so many members, and one for each exchange, it is not frozen: it is made in half the time.
    Where it `is_shortened`, the stream has more lines or values than are read, and `body` ends before its end. Where it
    is `terse`, findings are only counted: nobody is going to read them, so they say nothing.
    """

    exchange: Exchange
    asked: Asked
    kind: Kind
    status: int | None = None
    headers: Headers | None = None
    media_type: media.MediaType | None = None
    codings: tuple[str, ...] = ()
    body: bytes = b""
    coding_fault: str | None = None
    coding_limit: bool = False
    is_shortened: bool = False
    decoded_by_recorder: bool = False
    stream: sse.EventStream | None = None
    body_payload: Payload | None = None
    sentinels: tuple[Sentinel, ...] = ()
    after_done: tuple[tuple[int, Span], ...] = ()
    errors: tuple[Where, ...] = ()
    strangers: tuple[int, ...] = ()
    texts: Texts = field(default_factory=Texts)
    facts: Facts = field(default_factory=Facts)
    terse: bool = False

    @property
    def document(self) -> strict_json.Document | None:
        """The JSON body of an answer, an error or a list of models."""
        return self.body_payload.document if self.body_payload else None

    @property
    def events(self) -> Sequence[Event]:
        """The events of a stream; those before the first sentinel hold its payloads."""
        return self.stream.events if self.stream else ()

    def payload(self, number: int) -> Payload:
        """Return a payload of a stream by its number, or the body; it is parsed for whoever has to explain it."""
        if self.body_payload is not None:
            return self.body_payload
        event = self.events[number]
        return Payload(event.data, event.data_spans, strict_json.parse(event.data), event.number)

    def objects(self) -> Iterator[tuple[int, JsonObject]]:
        """Yield the answer, or the chunks of a stream, each with its number; parsed again for a stream."""
        unreadable = (*self.texts.faulty, *self.texts.no_object)
        left_out = {*self.facts.metadata, *self.strangers, *(where.payload for where in self.errors), *unreadable}
        for number in range(self.texts.count):
            value = None if number in left_out else self.payload(number).object
            if value is not None:
                yield number, value

    @property
    def ended_early(self) -> bool:
        """Whether the transport did not end as HTTP says that it ends."""
        return self.exchange.end != "complete"

    def content_type(self) -> str | None:
        """Return the value of the Content-Type field."""
        return media.header(self.headers, "Content-Type")

    def finding(self, where: Where, want: str, got: str | None = None) -> Finding:
        """Return a finding at a place of a payload, with its bytes."""
        if self.terse:
            return _COUNTED
        payload = self.payload(where.payload)
        located = strict_json.locate(payload.data, where.path)
        span = _in_body(payload, located) if located else payload.spans[0]
        return Finding(
            got=got if got is not None else shown(strict_json.at(payload.document.value, where.path)),
            want=want,
            at=strict_json.pointer(where.path),
            bytes=span,
            event=payload.event,
            excerpt=self.excerpt(span),
        )

    def spot(self, span: Span, got: str, want: str, event: int | None = None) -> Finding:
        """Return a finding at a byte range of the body."""
        if self.terse:
            return _COUNTED
        return Finding(got=got, want=want, bytes=span, event=event, excerpt=self.excerpt(span))

    def excerpt(self, span: Span) -> str:
        """Return the bytes of a range as text, with a little before it where it is short, at most 160 bytes."""
        start, end = span
        if end - start < MAX_EXCERPT // 2:
            start, end = max(0, start - 40), end + 20
        piece = self.body[start : min(end, start + MAX_EXCERPT)]
        return piece.decode("utf-8", "backslashreplace")

    def arrivals(self) -> tuple[int, ...]:
        """Return when each event was whole: microseconds since the request was sent; empty without reads."""
        response = self.exchange.response
        if self.stream is None or response is None or not response.reads or len(response.body) != len(self.body):
            return ()
        ends = list(accumulate(count for _, count in response.reads))
        last = len(ends) - 1
        return tuple(response.reads[min(last, bisect_left(ends, event.end))][0] for event in self.stream.events)


def shown(value: JsonValue) -> str:
    """Return a JSON value as a finding shows it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_EXCERPT else f"{text[: MAX_EXCERPT - 40]}… ({len(text)} characters)"


def _in_body(payload: Payload, span: Span) -> Span:
    """Turn a byte range of a payload into one of the body; data lines are joined by one LF in the payload."""
    return _offset(payload.spans, span[0]), _offset(payload.spans, max(span[0], span[1] - 1)) + (span[1] > span[0])


def _offset(spans: tuple[Span, ...], offset: int) -> int:
    for start, end in spans:
        if offset <= end - start:
            return start + offset
        offset -= end - start + 1
    return spans[-1][1]


def read(exchange: Exchange) -> Transcript:
    """Read an exchange once."""
    response = exchange.response
    if response is None:
        return Transcript(exchange, asked_.read(exchange.request, looks_streamed=False), Kind.NOTHING)
    content_type = media.header(response.headers, "Content-Type")
    media_type = media.media_type(content_type) if content_type else None
    codings = media.codings(response.headers)
    decoded, by_recorder = _decoded(exchange, codings, response.body)
    unsaid = not asked_.says_whether_streamed(exchange.request)
    looks_streamed = unsaid and _looks_streamed(media_type, decoded.body)
    asked = asked_.read(exchange.request, looks_streamed=looks_streamed)
    kind = _kind(asked, response.status)
    body = _bounded(decoded.body) if kind is Kind.STREAM else decoded.body
    return Transcript(
        exchange=exchange,
        asked=asked,
        kind=kind,
        status=response.status,
        headers=response.headers,
        media_type=media_type,
        codings=codings,
        body=body,
        coding_fault=decoded.fault,
        coding_limit=decoded.limit,
        is_shortened=len(body) < len(decoded.body),
        decoded_by_recorder=by_recorder,
        **(_read_stream(body) if kind is Kind.STREAM else _read_body(body, kind)),
    )


class _Read(TypedDict, total=False):
    """What the body of an answer comes to; the members are those of `Transcript`."""

    body_payload: Payload
    stream: sse.EventStream
    sentinels: tuple[Sentinel, ...]
    after_done: tuple[tuple[int, Span], ...]
    errors: tuple[Where, ...]
    strangers: tuple[int, ...]
    texts: Texts
    facts: Facts


def _bounded(stream: bytes) -> bytes:
    return strict_json.readable(media.readable_lines(stream), MAX_VALUES)


def _looks_streamed(media_type: media.MediaType | None, body: bytes) -> bool:
    """Whether an answer whose request is not known looks like a stream."""
    return (media_type is not None and media_type.is_event_stream) or bool(_DATA_LINE.search(body))


def _decoded(exchange: Exchange, codings: tuple[str, ...], body: bytes) -> tuple[media.Decoded, bool]:
    """Undo the content codings. Of a transcribed exchange a coding that the body does not bear proves nothing."""
    decoded = media.decode(body, codings)
    if decoded.fault and exchange.origin.is_transcribed and not body.startswith(media.GZIP_MAGIC):
        return media.Decoded(body), True
    return decoded, False


_KINDS = {Target.STREAM: Kind.STREAM, Target.ANSWER: Kind.ANSWER, Target.MODELS: Kind.MODELS}


def _kind(asked: Asked, status: int) -> Kind:
    if status >= 400:
        return Kind.ERROR
    if not 200 <= status < 300:
        return Kind.OTHER
    return _KINDS.get(asked.target, Kind.OTHER)


def _read_body(body: bytes, kind: Kind) -> _Read:
    payload = Payload(body, ((0, len(body)),), strict_json.parse(body))
    answer = payload.object
    facts = fold([(0, answer)], "message") if answer is not None and kind is Kind.ANSWER else Facts()
    texts = Texts()
    texts.take(0, payload.document, empty=not body)
    return {"body_payload": payload, "texts": texts, "facts": facts}


def _read_stream(body: bytes) -> _Read:
    stream = sse.decode(body)
    reader = StreamReader(stream.events)
    reader.read()
    return {
        "stream": stream,
        "sentinels": (*reader.sentinels, *undispatched(body, stream)),
        "after_done": tuple(reader.after_done),
        "errors": tuple(reader.errors),
        "strangers": tuple(reader.strangers),
        "texts": reader.texts,
        "facts": reader.fold.facts,
    }
