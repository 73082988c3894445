"""How a stream is framed: WHATWG HTML 9.2.5 and 9.2.6, and the sentinel `data: [DONE]`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, check, streams
from chatconform.model import Finding, Reason, Span
from chatconform.wire import openai_python, strict_json
from chatconform.wire.sse import EventStream
from chatconform.wire.stream import DONE
from chatconform.wire.transcript import Transcript

_WHOLE = ("http.body.complete", "sse.event.separated", "stream.error")


def _frames(transcript: Transcript) -> EventStream:
    assert transcript.stream is not None
    return transcript.stream


def _events(transcript: Transcript) -> int | Reason:
    return len(_frames(transcript).events) or Reason.NOTHING_TO_EXAMINE


def _blocks_of_lines(frames: EventStream) -> Iterator[tuple[int | None, tuple[Span, ...]]]:
    """Yield where the data stand of each block that has several lines of them, with the number of its event."""
    for event in frames.events.others.values():
        if len(event.lines) > 1:
            yield event.number, event.lines
    if frames.tail and len(frames.tail.data_spans) > 1:
        yield None, frames.tail.data_spans


@check(
    "sse.stream.events",
    level=MUST,
    over=streams,
    needs="http.body.present",
    cites=("WHATWG HTML 9.2.6", "OpenAI API reference", "TRN-01", "TRN-03", "TRM-10"),
)
def stream_events(stream: Transcript) -> Iterator[Finding]:
    """A request with stream: true is answered by an event stream.

    Breaks: the SDKs' loops end at once, with no text and no exception; their helpers raise.
    Fix: send each chunk as `data: {...}` and a blank line; send failures before the first chunk as 4xx or 5xx.
    """
    frames = _frames(stream)
    if not frames.events and not (frames.tail and frames.tail.data_spans):
        yield stream.spot((0, len(stream.body)), _looks(stream.body), "events with a data field")
    elif not stream.texts.count and not stream.after_done and stream.sentinels:
        yield stream.spot(stream.sentinels[0].span, "[DONE] and nothing else", "chunks before [DONE]")


def _looks(body: bytes) -> str:
    """Say what a body without events is instead."""
    start = body.lstrip()
    document = strict_json.parse(body)
    if document.object is not None:
        return "a JSON error" if document.object.get("error") else "one JSON object"
    if start[:1] == b"<":
        return "a page of markup"
    return "JSON lines without `data:`" if start[:1] == b"{" else "text without any data field"


@check(
    "sse.event.separated",
    level=MUST,
    over=streams,
    needs="sse.stream.events",
    cites=("WHATWG HTML 9.2.6", "SSF-01"),
)
def event_separated(stream: Transcript) -> Iterator[Finding]:
    """A blank line closes each event before the next one begins.

    Breaks: decoders join the lines into one event that is no JSON, or dispatch nothing: no client shows any text.
    Fix: end every event with two line feeds.
    """
    for number, spans in _blocks_of_lines(_frames(stream)):
        if all(_stands_alone(stream.body[slice(*span)]) for span in spans):
            yield stream.spot(
                (spans[0][0], spans[-1][1]),
                f"{len(spans)} events in one block",
                "a blank line after each",
                number,
            )


def _stands_alone(data: bytes) -> bool:
    """Whether one data line is a whole payload: a JSON object, or the sentinel."""
    return data.strip() == DONE or (data.startswith(b"{") and strict_json.parse(data).object is not None)


@check(
    "sse.tail.chunk",
    level=MUST,
    over=streams,
    needs=("http.body.complete", "sse.event.separated"),
    cites=("WHATWG HTML 9.2.6", "SSF-02"),
)
def tail_chunk(stream: Transcript) -> Iterator[Finding]:
    """The body does not end in the middle of a chunk's event.

    Breaks: the end of the body discards that event: openai-python never sees it, and with it goes the
    finish_reason or the usage.
    Fix: end the last event with a blank line too.
    """
    tail = _frames(stream).tail
    if tail and tail.data_spans and not any(sentinel.event is None for sentinel in stream.sentinels):
        yield stream.spot((tail.start, tail.end), "an event without its blank line", "a blank line before the end")


@check("sse.tail.done", level=SHOULD, over=streams, needs="sse.tail.chunk", cites=("WHATWG HTML 9.2.6", "SSF-02"))
def tail_done(stream: Transcript) -> Iterator[Finding]:
    """The body does not end in the middle of `data: [DONE]`.

    Breaks: the end of the body discards the event, so clients that wait for [DONE] never see it.
    Fix: send a blank line after `data: [DONE]`.
    """
    tail = _frames(stream).tail
    if tail and any(sentinel.event is None for sentinel in stream.sentinels):
        yield stream.spot((tail.start, tail.end), "[DONE] without its blank line", "a blank line before the end")


@check("sse.data.nonempty", level=MUST, over=streams, needs="sse.stream.events", examines=_events, cites="SSF-06")
def data_nonempty(stream: Transcript) -> Iterator[Finding]:
    """No event has empty data.

    Breaks: every measured client raises a JSON error on it.
    Fix: send keep-alives as comments (`: keep-alive`).
    """
    for event in _frames(stream).events if stream.texts.empty or stream.after_done else ():
        if not event.data:
            yield stream.spot((event.start, event.end), "an event with empty data", "a JSON object", event.number)


@check("sse.field.data", level=MUST, over=streams, needs="sse.stream.events", cites=("WHATWG HTML 9.2.6", "SSF-18"))
def field_data(stream: Transcript) -> Iterator[Finding]:
    """Every chunk stands in a field named data.

    Breaks: every client skips comments and fields that it does not know: a piece of the text is missing, and nothing
    tells.
    Fix: begin the line of each chunk with `data:`, without anything before it.
    """
    beside = [*_lines_beside_data(stream)]
    starts = [event.start for event in _frames(stream).events] if beside else []
    for span in beside:
        number = bisect_right(starts, span[0]) - 1
        is_within = number >= 0 and span[0] < _frames(stream).events[number].end
        if not is_within and _holds_chunk(stream.body[slice(*span)]):
            line = stream.body[span[0] : span[0] + 40]
            yield stream.spot(span, line.decode("utf-8", "backslashreplace"), "a line that begins with data:")


def _holds_chunk(line: bytes) -> bool:
    return b'"choices"' in line and "choices" in (strict_json.parse(line[line.find(b"{") :]).object or {})


def _lines_beside_data(stream: Transcript) -> Iterator[Span]:
    """Yield the lines of fields that event streams do not know, and of comments that would be data without a colon."""
    frames = _frames(stream)
    yield from ((field.start, field.end) for field in frames.unknown_fields)
    for comment in frames.comments:
        if stream.body[comment.start + 1 : comment.end].lstrip().startswith(b"data:"):
            yield comment.start, comment.end


_DISPATCHED = {"id", "retry", "event"}
"""Fields that make openai-python dispatch a block without data."""


def _end_of_reading(stream: Transcript) -> int:
    """Return where clients stop reading: at the first [DONE]."""
    return stream.sentinels[0].span[0] if stream.sentinels else len(stream.body)


def _harm(stream: Transcript) -> str:
    """Say what openai-python does with these bytes, where it raises or loses text."""
    reading = openai_python.read(stream.body)
    if reading.raised:
        return f"; openai-python raises {reading.raised} at byte {reading.raised_at}"
    return f"; openai-python loses {len(reading.lost)} of the events" if reading.lost else ""


@check(
    "sse.bom.absent",
    level=SHOULD,
    over=streams,
    needs="sse.stream.events",
    cites=("WHATWG HTML 9.2.5", "TRN-14"),
)
def bom_absent(stream: Transcript) -> Iterator[Finding]:
    """The stream does not begin with a byte order mark.

    Breaks: it is lawful, but openai-python does not strip it and silently loses the first event.
    Fix: write UTF-8 without a byte order mark.
    """
    if _frames(stream).bom:
        yield stream.spot((0, 3), f"EF BB BF{_harm(stream)}", "the first field name")


@check("sse.block.data", level=SHOULD, over=streams, needs="sse.stream.events", cites=("SSF-05", "SSF-07"))
def block_data(stream: Transcript) -> Iterator[Finding]:
    """Every block of fields has data.

    Breaks: blocks of only id, retry or event are lawful, but openai-python raises JSONDecodeError on each.
    Fix: send id, retry and event on blocks that have data, and keep-alives as comments.
    """
    end = _end_of_reading(stream)
    blocks = [each for each in _frames(stream).blocks if set(each.fields) & _DISPATCHED and each.start < end]
    harm = _harm(stream) if blocks else ""
    for block in blocks:
        yield stream.spot((block.start, block.end), f"only {', '.join(block.fields)}{harm}", "a data field beside them")


@check("sse.id.blank", level=SHOULD, over=streams, needs="sse.stream.events", cites="SSF-03")
def id_blank(stream: Transcript) -> Iterator[Finding]:
    """After an id field no blank line stands without an event.

    Breaks: it is lawful, but openai-python remembers the id, dispatches an empty event at every further blank
    line (after a comment, for one) and raises JSONDecodeError.
    Fix: leave id out of chat streams, or send no blank line after keep-alive comments.
    """
    frames = _frames(stream)
    blocks = {block.end for block in frames.blocks if set(block.fields) & _DISPATCHED}
    end = _end_of_reading(stream)
    spans = [span for span in frames.blank_after_id if span[1] not in blocks and span[0] < end]
    harm = _harm(stream) if spans else ""
    for span in spans:
        yield stream.spot(span, f"a blank line that ends no event{harm}", "no blank line")


def _sentinels(stream: Transcript) -> int | Reason:
    """Count the sentinels that are dispatched: of one that the end of the body discards `sse.tail.done` speaks."""
    return len([sentinel for sentinel in stream.sentinels if sentinel.event is not None]) or Reason.NOTHING_TO_EXAMINE


@check("sse.done.present", level=SHOULD, over=streams, needs=_WHOLE, cites=("OpenAI API reference", "TRM-01"))
def done_present(stream: Transcript) -> Iterator[Finding]:
    """The stream ends with `data: [DONE]`.

    Breaks: clients that wait for it hang for as long as the connection stays open, or report a broken stream.
    Fix: send `data: [DONE]` and a blank line after the last chunk.
    """
    if not stream.sentinels:
        end = len(stream.body)
        yield stream.spot((end, end), "the end of the body", "data: [DONE] and a blank line")


@check(
    "sse.done.exact",
    level=MUST,
    over=streams,
    needs="sse.done.present",
    examines=_sentinels,
    cites=("OpenAI API reference", "TRM-05"),
)
def done_exact(stream: Transcript) -> Iterator[Finding]:
    """The data of the last event are the six bytes `[DONE]`.

    Breaks: openai-node and the AI SDK raise on a space behind it; all clients raise on another spelling.
    Fix: send `data: [DONE]`, byte for byte.
    """
    for sentinel in stream.sentinels:
        if not sentinel.exact and sentinel.event is not None:
            got = stream.body[slice(*sentinel.span)].decode("utf-8", "backslashreplace")
            yield stream.spot(sentinel.span, repr(got), "[DONE]", sentinel.event)


@check(
    "sse.done.once",
    level=SHOULD,
    over=streams,
    needs="sse.done.present",
    examines=_sentinels,
    cites=("OpenAI API reference", "TRM-03"),
)
def done_once(stream: Transcript) -> Iterator[Finding]:
    """There is one [DONE].

    Breaks: clients that keep the connection take the second one for the start of the next answer.
    Fix: let one layer alone write [DONE].
    """
    for sentinel in stream.sentinels[1:]:
        yield stream.spot(sentinel.span, "another [DONE]", "nothing", sentinel.event)


@check(
    "sse.done.last",
    level=MUST,
    over=streams,
    needs="sse.done.present",
    examines=_sentinels,
    cites=("OpenAI API reference", "TRM-04", "USG-11"),
)
def nothing_after_done(stream: Transcript) -> Iterator[Finding]:
    """Nothing follows `data: [DONE]`.

    Breaks: clients stop reading at [DONE], so whatever follows (often the usage) is lost.
    Fix: send [DONE] after every other event, then close the stream.
    """
    for event, span in stream.after_done:
        yield stream.spot(span, "an event after [DONE]", "the end of the body", event)
