"""Structured output: an answer that is asked to be JSON is JSON, and keeps the schema that was sent."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, chats, check
from chatconform.model import Finding, Reason
from chatconform.wire import structured
from chatconform.wire import transcript as transcripts
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Choice
from chatconform.wire.structured import Reading
from chatconform.wire.transcript import Transcript


def _wants_json(asked: Asked) -> bool:
    return asked.json_format is not None


def _texts(transcript: Transcript) -> list[tuple[Choice, str]]:
    """Return the texts that are whole by their finish_reason; a refusal or a call may stand in their place.

    A stop string of the caller's may have cut the JSON, which is the caller's doing.
    """
    return [
        (choice, choice.text)
        for choice in transcript.facts.choices.values()
        if choice.finishes
        and choice.finishes[-1].value == "stop"
        and choice.content
        and not (choice.refusal or choice.tool_calls or choice.other)
        and not (transcript.asked.stops and structured.read(choice.text).is_cut)
    ]


def _readable(transcript: Transcript) -> int | Reason:
    texts = _texts(transcript)
    too_long = any(len(text) > structured.MAX_TEXT for _, text in texts)
    return Reason.BUDGET if too_long else len(texts) or Reason.OTHER_BRANCH


def _readings(transcript: Transcript) -> Iterator[tuple[Choice, str, Reading]]:
    for choice, text in _texts(transcript):
        yield choice, text, structured.read(text)


@check(
    "structured.content.unfenced",
    level=MUST,
    over=chats,
    asks=_wants_json,
    examines=_readable,
    needs="choices.finish_reason.present",
    cites=("OpenAI API reference", "STO-02"),
)
def content_unfenced(transcript: Transcript) -> Iterator[Finding]:
    """JSON that was asked for by response_format does not stand in a Markdown fence.

    Breaks: the text is no JSON, so every parser of the answer fails.
    Fix: send the JSON alone; take the fence off where the model writes one.
    """
    for choice, text, reading in _readings(transcript):
        if reading.is_fenced:
            yield transcript.finding(choice.where, "the JSON alone", text.lstrip()[:40])


@check(
    "structured.content.whole",
    level=MUST,
    over=chats,
    asks=_wants_json,
    examines=_readable,
    needs="choices.finish_reason.present",
    cites=("OpenAI API reference", "STO-05"),
)
def content_whole(transcript: Transcript) -> Iterator[Finding]:
    """JSON that was asked for by response_format does not end in the middle where finish_reason is stop.

    Breaks: callers that go by finish_reason take the half for the whole, and fail far from the cause.
    Fix: send finish_reason length where the limit cut the text.
    """
    for choice, text, reading in _readings(transcript):
        if reading.is_cut:
            yield transcript.finding(choice.where, "the rest of the JSON, or finish_reason length", f"…{text[-40:]}")


def _parsed(transcript: Transcript) -> int | Reason:
    """Count the texts, where none is nested deeper than the suite reads."""
    readable = _readable(transcript)
    if isinstance(readable, int) and any(reading.document.limit for _, _, reading in _readings(transcript)):
        return Reason.BUDGET
    return readable


@check(
    "structured.content.json",
    level=MUST,
    over=chats,
    asks=_wants_json,
    examines=_parsed,
    needs=("structured.content.unfenced", "structured.content.whole"),
    cites=("OpenAI API reference", "STO-01"),
)
def content_json(transcript: Transcript) -> Iterator[Finding]:
    """Where response_format asks for JSON the text is JSON, and an object where it says json_object.

    Breaks: callers parse the text and raise, or read members of what is no object.
    Fix: honour response_format, or refuse it with a 400 that names it.
    """
    wants_object = transcript.asked.json_format == "json_object"
    for choice, text, reading in _readings(transcript):
        if not reading.is_json or (wants_object and reading.document.object is None):
            yield transcript.finding(choice.where, "a JSON object" if wants_object else "JSON", text[:40])


def _held(transcript: Transcript) -> int | Reason:
    """Count the texts; a schema on which nothing can be decided leaves none to examine."""
    readable, schema = _readable(transcript), transcript.asked.json_schema
    if isinstance(readable, Reason) or schema is None:
        return readable if isinstance(readable, Reason) else Reason.NOTHING_TO_EXAMINE
    decided = all(structured.held(schema, text) is not None for _, text in _texts(transcript))
    return readable if decided else Reason.NOTHING_TO_EXAMINE


def _broken(transcript: Transcript) -> Iterator[Finding]:
    schema = transcript.asked.json_schema or {}
    for choice, text in _texts(transcript):
        for violation in structured.held(schema, text) or ():
            got = f"{violation.at or 'the whole text'}: {transcripts.shown(violation.got)}"
            yield transcript.finding(choice.where, violation.want, got)


def _asks_strictly(asked: Asked) -> bool:
    return asked.json_schema is not None and asked.is_strict


def _asks_loosely(asked: Asked) -> bool:
    return asked.json_schema is not None and not asked.is_strict


@check(
    "structured.schema.strict",
    level=MUST,
    over=chats,
    asks=_asks_strictly,
    examines=_held,
    needs="structured.content.json",
    cites=("OpenAI API reference", "STO-03"),
)
def schema_strict(transcript: Transcript) -> Iterator[Finding]:
    """The JSON keeps the schema that was sent with strict: true.

    Breaks: typed callers raise on a missing or unknown member, which strict promises them never to see.
    Fix: constrain the model by the schema, or refuse strict with a 400 that names it.
    """
    yield from _broken(transcript)


@check(
    "structured.schema.followed",
    level=SHOULD,
    over=chats,
    asks=_asks_loosely,
    examines=_held,
    needs="structured.content.json",
    cites=("OpenAI API reference", "STO-03"),
)
def schema_followed(transcript: Transcript) -> Iterator[Finding]:
    """The JSON keeps the schema that was sent without strict.

    Breaks: typed callers raise on a missing or unknown member.
    Fix: give the schema to the model; where it cannot be kept, say so with a 400 that names it.
    """
    yield from _broken(transcript)
