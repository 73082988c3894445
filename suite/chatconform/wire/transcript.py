"""The transcript: an exchange read once, into what checks ask for. It never touches a socket and never raises."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate

from chatconform.model import Exchange, Finding, Headers, JsonObject, JsonValue, Span
from chatconform.wire import asked as asked_
from chatconform.wire import media, sse, strict_json
from chatconform.wire.asked import Asked, Target
from chatconform.wire.fold import Facts, Where, fold, is_metadata

MAX_EXCERPT = 160
"""How many bytes of the body a finding shows."""

DONE = b"[DONE]"
_LOOKS_DONE = re.compile(rb'\s*"?\s*\[?\s*done\s*\]?\s*"?\s*', re.IGNORECASE)
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
    event_type: str = "message"

    @property
    def object(self) -> JsonObject | None:
        """The JSON object that the text holds."""
        return self.document.object


@dataclass(frozen=True, slots=True)
class Sentinel:
    """An event that ends the stream, or means to: `exact` where its data are the bytes `[DONE]`.

    `event` is None where the body ends before the event does, so that it is never dispatched.
    """

    event: int | None
    span: Span
    exact: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """The facts of one exchange. `body` is after content decoding; all offsets are offsets in it."""

    exchange: Exchange
    asked: Asked
    kind: Kind
    status: int | None = None
    headers: Headers | None = None
    media_type: media.MediaType | None = None
    body: bytes = b""
    coding_fault: str | None = None
    coding_limit: bool = False
    decoded_by_recorder: bool = False
    stream: sse.EventStream | None = None
    payloads: tuple[Payload, ...] = ()
    sentinels: tuple[Sentinel, ...] = ()
    after_done: tuple[tuple[int, Span], ...] = ()
    errors: tuple[Where, ...] = ()
    chunks: tuple[int, ...] = ()
    facts: Facts = field(default_factory=Facts)

    @property
    def document(self) -> strict_json.Document | None:
        """The JSON body of an answer, an error or a list of models."""
        return self.payloads[0].document if self.payloads and self.kind is not Kind.STREAM else None

    @property
    def ended_early(self) -> bool:
        """Whether the transport did not end as HTTP says that it ends."""
        return self.exchange.end != "complete"

    def content_type(self) -> str | None:
        """Return the value of the Content-Type field."""
        return media.header(self.headers, "Content-Type")

    def finding(self, where: Where, want: str, got: str | None = None) -> Finding:
        """Return a finding at a place of a payload, with its bytes."""
        payload = self.payloads[where.payload]
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
    decoded, by_recorder = _decoded(exchange, response.headers, response.body)
    looks_streamed = (media_type is not None and media_type.is_event_stream) or bool(_DATA_LINE.search(decoded.body))
    asked = asked_.read(exchange.request, looks_streamed=looks_streamed)
    kind = _kind(asked, response.status)
    base = Transcript(
        exchange, asked, kind, response.status, response.headers, media_type, decoded.body,
        decoded.fault, decoded.limit, by_recorder,
    )  # fmt: skip
    return _read_stream(base) if kind is Kind.STREAM else _read_body(base)


def _decoded(exchange: Exchange, headers: Headers | None, body: bytes) -> tuple[media.Decoded, bool]:
    """Undo the content codings. Of a transcribed exchange a coding that the body does not bear proves nothing."""
    names = media.codings(headers)
    decoded = media.decode(body, names)
    if decoded.fault and exchange.origin.is_transcribed and not body.startswith(media.GZIP_MAGIC):
        return media.Decoded(body), True
    return decoded, False


def _kind(asked: Asked, status: int) -> Kind:
    if status >= 400:
        return Kind.ERROR
    if not 200 <= status < 300:
        return Kind.OTHER
    return {Target.STREAM: Kind.STREAM, Target.ANSWER: Kind.ANSWER, Target.MODELS: Kind.MODELS}.get(
        asked.target, Kind.OTHER
    )


def _read_body(base: Transcript) -> Transcript:
    payload = Payload(base.body, ((0, len(base.body)),), strict_json.parse(base.body))
    answer = payload.object
    facts = fold([(0, answer)], "message") if answer is not None and base.kind is Kind.ANSWER else Facts()
    return replace(base, payloads=(payload,), facts=facts)


def _read_stream(base: Transcript) -> Transcript:
    stream = sse.decode(base.body)
    sentinels: list[Sentinel] = []
    after: list[tuple[int, Span]] = []
    payloads: list[Payload] = []
    for event in stream.events:
        if _LOOKS_DONE.fullmatch(event.data):
            sentinels.append(Sentinel(event.number, event.span, event.data == DONE))
        elif sentinels:
            after.append((event.number, event.span))
        else:
            payloads.append(
                Payload(event.data, event.data_spans, strict_json.parse(event.data), event.number, event.type)
            )
    sentinels += _undispatched(base.body, stream)
    errors = [where for number, payload in enumerate(payloads) if (where := _error(number, payload))]
    chunks = _chunks(payloads, {where.payload for where in errors})
    return replace(
        base,
        stream=stream,
        payloads=tuple(payloads),
        sentinels=tuple(sentinels),
        after_done=tuple(after),
        errors=tuple(errors),
        chunks=tuple(number for number, chunk in chunks if not is_metadata(chunk)),
        facts=fold(chunks, "delta"),
    )


def _undispatched(body: bytes, stream: sse.EventStream) -> list[Sentinel]:
    """Return the sentinel that the end of the body discards."""
    spans = stream.tail.data_spans if stream.tail else ()
    return [
        Sentinel(None, span, body[slice(*span)] == DONE)
        for span in spans[:1]
        if len(spans) == 1 and _LOOKS_DONE.fullmatch(body[slice(*span)])
    ]


def _chunks(payloads: Iterable[Payload], errors: set[int]) -> list[tuple[int, JsonObject]]:
    return [
        (number, payload.object)
        for number, payload in enumerate(payloads)
        if payload.object is not None and number not in errors
    ]


def _error(number: int, payload: Payload) -> Where | None:
    """Return where a payload says that the answer failed, in any of the shapes seen in the wild."""
    value = payload.object
    if value is None:
        return Where(number) if payload.event_type == "error" else None
    if value.get("error"):
        return Where(number, ("error",))
    choices = value.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(choice, dict) and choice.get("error"):
            return Where(number, ("choices", position, "error"))
    return Where(number) if payload.event_type == "error" or _is_flat_error(value) else None


def _is_flat_error(value: JsonObject) -> bool:
    """Whether an object without choices is an error without the key `error`."""
    if "choices" in value:
        return False
    names_trouble = any(isinstance(value.get(key), str) for key in ("message", "msg", "detail"))
    return value.get("object") == "error" or (
        names_trouble and any(key in value for key in ("code", "type", "status", "detail"))
    )
