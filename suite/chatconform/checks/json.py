"""Whether what should be JSON is JSON (RFC 8259), to the letter."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, bodies, check, requests, streams
from chatconform.model import Finding, JsonValue, Reason
from chatconform.wire.fold import Where
from chatconform.wire.strict_json import Document
from chatconform.wire.transcript import Payload, Transcript


def _readable(transcript: Transcript) -> int | Reason:
    """A text that exceeds our limits is not judged."""
    return transcript.texts.count - transcript.texts.unread or Reason.NOTHING_TO_EXAMINE


def _nonempty(transcript: Transcript) -> int | Reason:
    return transcript.texts.judged or Reason.NOTHING_TO_EXAMINE


def _parsed(transcript: Transcript) -> int | Reason:
    return transcript.texts.parsed or Reason.NOTHING_TO_EXAMINE


def _odd(transcript: Transcript) -> Iterator[Payload]:
    """Yield the payloads with a fact that lenient parsers hide."""
    return map(transcript.payload, transcript.texts.odd)


def _at_fault(transcript: Transcript, payload: Payload, document: Document) -> Finding:
    assert document.fault is not None
    start, end = payload.spans[0][0], payload.spans[-1][1]
    offset = min(start + document.fault.offset, end)
    got = f"{document.fault.problem} at byte {offset}"
    return transcript.spot((offset, min(offset + 40, end)), got, "one JSON text", payload.event)


@check(
    "json.body.valid",
    level=MUST,
    over=bodies,
    needs=("http.body.present", "http.answer.single"),
    examines=_readable,
    cites=("RFC 8259", "TRN-03", "TRN-11"),
)
def body_valid(transcript: Transcript) -> Iterator[Finding]:
    """The body is one JSON text.

    Breaks: SDKs raise, or hand the page to the caller as if it were the answer.
    Fix: answer with JSON; check the base URL where a page of markup came back.
    """
    for payload in map(transcript.payload, transcript.texts.faulty):
        yield _at_fault(transcript, payload, payload.document)


@check(
    "json.body.object",
    level=MUST,
    over=bodies,
    needs="json.body.valid",
    examines=_readable,
    cites=("OpenAI API reference", "TRN-13", "MDL-04"),
)
def body_object(transcript: Transcript) -> Iterator[Finding]:
    """The body is a JSON object.

    Breaks: SDKs return a string or a list where callers read members.
    Fix: send the object itself, neither encoded twice nor within a list.
    """
    for number in transcript.texts.no_object:
        yield transcript.finding(Where(number), "an object", _type(transcript.payload(number).document.value))


@check(
    "json.payload.valid",
    level=MUST,
    over=streams,
    needs="sse.event.separated",
    examines=_nonempty,
    cites=("RFC 8259", "OpenAI API reference", "SSF-08", "SSF-09", "SSF-15", "TRN-11"),
)
def payload_valid(transcript: Transcript) -> Iterator[Finding]:
    """The data of every event but [DONE] are one JSON text.

    Breaks: every measured client raises in the middle of the answer.
    Fix: write one JSON object an event, and keep-alives as comments.
    """
    for payload in map(transcript.payload, transcript.texts.faulty):
        if payload.data:
            yield _at_fault(transcript, payload, payload.document)


@check(
    "json.payload.object",
    level=MUST,
    over=streams,
    needs="sse.event.separated",
    examines=_parsed,
    cites=("OpenAI API reference", "SSF-08"),
)
def payload_object(transcript: Transcript) -> Iterator[Finding]:
    """The data of every event but [DONE] are a JSON object.

    Breaks: clients raise on null, on a number and on a list.
    Fix: send chunks only.
    """
    for number in transcript.texts.no_object:
        yield transcript.finding(Where(number), "an object", _type(transcript.payload(number).document.value))


@check(
    "json.constants.absent",
    level=MUST,
    over=requests,
    examines=_parsed,
    needs=("json.body.valid", "sse.event.separated"),
    cites=("RFC 8259 section 6", "SSF-14"),
)
def constants_absent(transcript: Transcript) -> Iterator[Finding]:
    """No number is NaN or Infinity.

    Breaks: every client in JavaScript raises; Python's parser lets it pass.
    Fix: write null, or leave the member out.
    """
    for payload in _odd(transcript):
        for name in payload.document.constants:
            yield transcript.spot(_first(transcript, payload, name), name, "a JSON number", payload.event)


@check(
    "json.keys.unique",
    level=SHOULD,
    over=requests,
    examines=_parsed,
    needs=("json.body.valid", "sse.event.separated"),
    cites="RFC 8259 section 4",
)
def keys_unique(transcript: Transcript) -> Iterator[Finding]:
    """No object has a name twice.

    Breaks: one parser takes the first value, another the last, a third raises.
    Fix: write each member once.
    """
    for payload in _odd(transcript):
        for name in payload.document.duplicate_keys:
            yield transcript.spot(
                _first(transcript, payload, f'"{name}"'), f"{name} more than once", "each name once", payload.event
            )


@check(
    "json.surrogates.paired",
    level=SHOULD,
    over=requests,
    examines=_parsed,
    needs=("json.body.valid", "sse.event.separated"),
    cites="RFC 8259 section 8.2",
)
def surrogates_paired(transcript: Transcript) -> Iterator[Finding]:
    """No string holds half of a surrogate pair.

    Breaks: Python raises UnicodeEncodeError when the text is written anywhere; others show replacement characters.
    Fix: cut texts between characters, and write both halves of an escape in one string.
    """
    for payload in _odd(transcript):
        if payload.document.lone_surrogates:
            yield transcript.spot(
                _first(transcript, payload, "\\ud"), "a lone surrogate", "whole characters", payload.event
            )


@check("json.bom.absent", level=SHOULD, over=bodies, needs="json.body.valid", cites=("RFC 8259 section 8.1"))
def bom_absent(transcript: Transcript) -> Iterator[Finding]:
    """The body does not begin with a byte order mark.

    Breaks: parsers that follow the standard may refuse it.
    Fix: write UTF-8 without a byte order mark.
    """
    if any(payload.document.bom for payload in _odd(transcript)):
        yield transcript.spot((0, 3), "EF BB BF", "the JSON text")


def _first(transcript: Transcript, payload: Payload, text: str) -> tuple[int, int]:
    """Return where a text first stands in a payload, in the body's bytes; nowhere where nobody reads it."""
    if transcript.terse:
        return 0, 0
    start, end = payload.spans[0][0], payload.spans[-1][1]
    found = start + transcript.body[start:end].lower().find(text.lower().encode("utf-8", "surrogatepass"))
    return (found, found + len(text.encode())) if found >= start else (start, end)


def _type(value: JsonValue) -> str:
    names = {type(None): "null", bool: "true or false", str: "a string", list: "an array"}
    return names.get(type(value), "a number")
