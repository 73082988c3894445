"""Habits: what is lawful in an answer and worth knowing. Facts for the report, never a finding.

They are read when a report is written, from what the transcript knows already: the structures of the payloads, not
each payload. Only to say where a habit first stands is a payload parsed again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from chatconform.exhibits import Habit, HabitText
from chatconform.model import JsonObject, JsonValue, Span
from chatconform.wire import media
from chatconform.wire.fold import Path, Where
from chatconform.wire.sse import EventStream, LineEnding
from chatconform.wire.transcript import Kind, Transcript

_TEXTS: Final = (
    HabitText("envelope.fingerprint_null", "system_fingerprint is null.", "typed clients need a nullable member.",
              "ENV-15"),
    HabitText("envelope.service_tier_null", "service_tier is null.", "typed clients need a nullable member."),
    HabitText("finish.key_omitted", "Chunks before the last one leave the key finish_reason out.",
              "hand-written clients that index the key raise.", "FIN-10"),
    HabitText("finish.with_text", "The chunk with the finish_reason also holds text.",
              "a reader that stops at the finish_reason before it takes the text loses that piece.", "SSS-05"),
    HabitText("framing.bare_cr", "Lines end with CR alone.",
              "openai-go and go-openai, which split at LF alone, see no event at all.", "SSF-12"),
    HabitText("framing.comment_run", "More than 300 comment lines stand in a row.",
              "go-openai gives up after 300 lines without data."),
    HabitText("framing.comments", "Comment lines keep the connection alive.",
              "openai-go before 3.43 fails on a comment with a blank line; SDKs of the other languages skip it.",
              "SSF-04"),
    HabitText("framing.crlf", "Lines end with CR LF.", "parsers that split at LF alone keep a CR at each line's end.",
              "SSF-12"),
    HabitText("framing.data_lines", "The data of an event stand on several lines.",
              "parsers that take each line for an object fail, go-openai among them.", "SSF-13"),
    HabitText("framing.event_name", "Events with data have a name.",
              "parsers that go by the first line of a block miss the data.", "SSF-17"),
    HabitText("framing.id", "Events with data have an id.",
              "openai-python remembers it, and raises as soon as a blank line without an event follows."),
    HabitText("framing.no_space", "No space follows `data:`.",
              "hand-written parsers that cut off six bytes miss or spoil such events.", "SSF-11"),
    HabitText("framing.retry", "Events with data set a reconnection time.",
              "openai-python keeps it; in a block of its own it would raise."),
    HabitText("framing.unknown_field", "Blocks have fields that event streams do not know.",
              "decoders skip them, as the standard says, so what they carry is lost."),
    HabitText("http.content_coding", "The body has a content coding.",
              "clients and proxies that inflate whole bodies hold a stream back until its end.", "HDR-07"),
    HabitText("http.keep_alive", "White space is sent before the JSON, as keep-alive.",
              "JSON parsers skip it; where the connection closes without JSON, there is nothing to parse.", "TRN-05"),
    HabitText("http.no_cache_control", "An event stream has no Cache-Control field.",
              "a proxy between may store the stream, or hold it back.", "HDR-06"),
    HabitText("http.no_request_id", "The answer has no x-request-id field.",
              "the SDKs have no id to report, so the vendor cannot be asked about one call.", "HDR-04"),
    HabitText("logprobs.unasked", "Log probabilities come though they were not asked for.",
              "answers are several times as long as they need to be."),
    HabitText("members.answer", "Answers or chunks have members that OpenAI does not define.",
              "nothing breaks but decoders that refuse unknown members.", "SSS-07"),
    HabitText("members.choice", "Choices have members that OpenAI does not define.",
              "nothing breaks but decoders that refuse unknown members.", "SSS-07"),
    HabitText("members.message", "Messages or deltas have members that OpenAI does not define.",
              "nothing breaks but decoders that refuse unknown members; the official SDKs' types do not show them.",
              "SSS-07"),
    HabitText("message.no_refusal", "The message has no refusal key.",
              "decoders made from OpenAI's schema, which requires it, refuse the answer; OpenAI leaves it out too.",
              "MSG-05"),
    HabitText("message.reasoning", "Reasoning comes in a member of its own.",
              "clients that do not know the member show none of it, and do not send it back on the next turn.",
              "MSG-04"),
    HabitText("stream.preamble", "A chunk of metadata comes first: its id, object and model are empty (Azure).",
              "a hand-written loop that takes the first choice of every chunk raises.", "CHO-06"),
    HabitText("tools.calls_empty", "tool_calls is an empty array on plain text.",
              "clients that ask only whether the key is there take the text for a call.", "MSG-06"),
    HabitText("tools.calls_null", "tool_calls is null on plain text.",
              "older clients with schemas that do not allow null refuse the answer.", "MSG-06"),
    HabitText("usage.cached_elsewhere", "Cached tokens are counted in members that OpenAI does not define.",
              "callers do not learn how much of the prompt came from the cache.", "USG-10"),
    HabitText("usage.details_null", "A details object of the usage is null, or holds null counts.",
              "code that computes with these counts fails on null.", "USG-13"),
    HabitText("usage.empty", "Chunks carry an empty usage object.", "the object tells nothing.", "USG-15"),
    HabitText("usage.null", "Chunks without a report say usage: null.",
              "hand-written loops that read the counts of every chunk raise."),
    HabitText("usage.on_finish", "The usage stands on the chunk with the finish_reason.",
              "a reader that waits for a chunk with empty choices counts nothing.", "USG-12"),
    HabitText("usage.unasked", "A stream reports its usage though it was not asked to.",
              "readers that do not expect it pass over it."),
)  # fmt: skip
TEXTS: Final[Mapping[str, HabitText]] = MappingProxyType({text.id: text for text in _TEXTS})
"""Every habit by its id: what it is, whom it hurts as far as that was read or measured, its entry in the catalogue."""

ANSWER_MEMBERS: Final = frozenset(
    ("id", "object", "created", "model", "choices", "service_tier", "system_fingerprint", "usage", "obfuscation")
)
CHOICE_MEMBERS: Final = frozenset(("index", "message", "delta", "finish_reason", "logprobs"))
MESSAGE_MEMBERS: Final = frozenset(
    ("role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio")
)
REASONING_MEMBERS: Final = ("reasoning_content", "reasoning", "reasoning_details")

LONG_RUN: Final = 300
"""How many comment lines in a row go-openai bears."""
MAX_NAMES, MAX_NAME = 12, 80
_NAMED: Final = ("members.", "message.reasoning", "usage.cached_elsewhere", "usage.details_null")
_FIELDS: Final = {"id": "framing.id", "event": "framing.event_name", "retry": "framing.retry"}
_BARE_CR: Final = re.compile(rb"\r(?!\n)")

_Found = tuple[str, Path]


def habits(transcript: Transcript) -> tuple[Habit, ...]:
    """Return the habits of an answer, in the order of their ids."""
    found = [*_of_http(transcript), *_of_payloads(transcript), *_of_chunks(transcript)]
    if transcript.stream is not None:
        found += [*_of_lines(transcript, transcript.stream), *_of_fields(transcript, transcript.stream)]
    return tuple(sorted(found, key=lambda habit: habit.id))


def _of_http(transcript: Transcript) -> Iterator[Habit]:
    """Look at the header fields and at what precedes the JSON. A field that a recorder left out proves nothing."""
    headers = transcript.headers
    codings = media.codings(headers)
    if codings:
        yield Habit("http.content_coding", len(codings), None, _names(codings))
    if headers is not None and not transcript.exchange.origin.is_transcribed:
        if media.header(headers, "X-Request-Id") is None:
            yield Habit("http.no_request_id", 1)
        if transcript.kind is Kind.STREAM and media.header(headers, "Cache-Control") is None:
            yield Habit("http.no_cache_control", 1)
    if transcript.body_payload is not None:
        before = len(transcript.body) - len(transcript.body.lstrip(b" \t\r\n"))
        if 0 < before < len(transcript.body):
            yield Habit("http.keep_alive", before, 0)


def _of_lines(transcript: Transcript, stream: EventStream) -> Iterator[Habit]:
    """Look at how lines end, at comments, and at the lines of data."""
    body = transcript.body
    if LineEnding.CRLF in stream.line_endings:
        yield Habit("framing.crlf", body.count(b"\r\n"), body.find(b"\r\n"))
    bare = _BARE_CR.search(body) if LineEnding.CR in stream.line_endings else None
    if bare:
        yield Habit("framing.bare_cr", body.count(b"\r") - body.count(b"\r\n"), bare.start())
    yield from _counted("framing.comments", [comment.start for comment in stream.comments])
    yield from _counted("framing.comment_run", _long_runs(stream))
    unlike = [event.lines for event in stream.events if event.lines]
    unspaced = (start for lines in unlike for start, _ in lines if body[start - 1 : start] == b":")
    yield from _counted("framing.no_space", [start - len(b"data:") for start in unspaced])
    yield from _counted("framing.data_lines", [lines[0][0] for lines in unlike if len(lines) > 1])


def _counted(habit: str, places: list[int], names: Iterable[str] = ()) -> Iterator[Habit]:
    if places:
        yield Habit(habit, len(places), places[0], _names(names))


def _names(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in the order in which they came: at most 12, of at most 80 characters."""
    return tuple(name[:MAX_NAME] for name in list(dict.fromkeys(names))[:MAX_NAMES])


def _long_runs(stream: EventStream) -> list[int]:
    """Return where runs of comments begin that no event interrupts and that are too long for some clients."""
    if len(stream.comments) <= LONG_RUN:
        return []
    ends = [event.end for event in stream.events]
    starts: dict[int, int] = {}
    counts: Counter[int] = Counter()
    for comment in stream.comments:
        number = bisect_right(ends, comment.start)
        starts.setdefault(number, comment.start)
        counts[number] += 1
    return [starts[number] for number, count in counts.items() if count > LONG_RUN]


def _of_fields(transcript: Transcript, stream: EventStream) -> Iterator[Habit]:
    """Look at fields beside data. A field named error carries an error, and is none of these."""
    alone: list[Span] = [(block.start, block.end) for block in stream.blocks]
    alone += [(stream.tail.start, stream.tail.end)] if stream.tail else []
    for field, habit in _FIELDS.items():
        named = {event.type for event in stream.events} if field == "event" else set()
        yield from _counted(habit, list(_lines_of(transcript.body, field.encode(), alone)), sorted(named))
    unknown = [field for field in stream.unknown_fields if field.name != b"error"]
    names = (field.name.decode("utf-8", "replace") for field in unknown)
    yield from _counted("framing.unknown_field", [field.start for field in unknown], names)


def _lines_of(body: bytes, field: bytes, alone: list[Span]) -> Iterator[int]:
    """Yield where a field stands beside data; `alone` are the blocks that have none."""
    if not (body.startswith(field) or b"\n" + field in body or b"\r" + field in body):
        return
    starts = [start for start, _ in alone]
    for match in re.finditer(rb"(?:\A|(?<=[\r\n]))" + field + rb"(?=[:\r\n])", body):
        number = bisect_right(starts, match.start()) - 1
        if number < 0 or match.start() >= alone[number][1]:
            yield match.start()


def _of_chunks(transcript: Transcript) -> Iterator[Habit]:
    """Look at what stands together on one chunk of a stream."""
    facts = transcript.facts
    if transcript.kind is not Kind.STREAM:
        return
    last = {choice.finishes[0].where for choice in facts.choices.values() if choice.finishes}
    spoken = sorted(where.payload for where in last if _has_text(transcript, where))
    reported = [seen.where.payload for seen in facts.usages]
    finished = {where.payload for where in last}
    is_unasked = transcript.asked.known and not transcript.asked.include_usage
    alone = {seen.where.payload for seen in facts.empty_choices}
    for habit, numbers in (
        ("finish.with_text", spoken),
        ("usage.on_finish", [number for number in reported if number in finished]),
        ("usage.unasked", [number for number in reported if is_unasked and number not in alone]),
        ("stream.preamble", facts.metadata),
    ):
        yield from _counted(habit, [transcript.events[number].span[0] for number in numbers])


def _has_text(transcript: Transcript, finish: Where) -> bool:
    """Whether the chunk that brings a finish_reason brings text too."""
    choice = _at(transcript.payload(finish.payload).object, finish.path[:-1])
    delta = choice.get("delta") if isinstance(choice, dict) else None
    return isinstance(delta, dict) and bool(delta.get("content"))


def _at(value: JsonValue, path: Path) -> JsonValue:
    for step in path:
        value = value[step]  # type: ignore[index]
    return value


def _of_payloads(transcript: Transcript) -> Iterator[Habit]:
    """Look at the members of each structure that the payloads have."""
    counts: Counter[str] = Counter()
    paths: dict[str, dict[Path, None]] = {}
    for group in transcript.facts.groups:
        for habit, path in _of_payload(transcript, group.value):
            counts[habit] += group.count
            paths.setdefault(habit, {}).setdefault(path)
    for habit, count in counts.items():
        names = (str(path[-1]) for path in paths[habit]) if habit.startswith(_NAMED) else ()
        yield Habit(habit, count, _first(transcript, habit, next(iter(paths[habit]))), _names(names))


def _first(transcript: Transcript, habit: str, path: Path) -> int | None:
    """Return where a habit of the payloads first stands; its `path` in one of them says what to look for."""
    name = str(path[-1]).encode("utf-8", "replace")
    for number in range(1 if transcript.body_payload else len(transcript.events)):
        if not transcript.body_payload and isinstance(path[-1], str) and name not in transcript.events[number].data:
            continue
        value = transcript.payload(number).object
        found = (at for each, at in _of_payload(transcript, value) if each == habit) if value else iter(())
        at = next(found, None)
        if at is not None:
            span = transcript.finding(Where(number, at), "").bytes
            return span[0] if span else None
    return None


def _of_payload(transcript: Transcript, payload: JsonObject) -> Iterator[_Found]:
    streamed = transcript.kind is Kind.STREAM
    yield from (("members.answer", (key,)) for key in payload if key not in ANSWER_MEMBERS)
    yield from _nulls(payload, (), system_fingerprint="envelope.fingerprint_null",
                      service_tier="envelope.service_tier_null")  # fmt: skip
    usage = payload.get("usage")
    if streamed and "usage" in payload and not usage:
        yield "usage.null" if usage is None else "usage.empty", ("usage",)
    if isinstance(usage, dict):
        yield from _of_usage(usage)
    choices = payload.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if isinstance(choice, dict):
            yield from _of_choice(transcript, choice, ("choices", position))


def _of_usage(usage: JsonObject) -> Iterator[_Found]:
    for key, value in usage.items():
        if key.endswith("_details") and (value is None or (isinstance(value, dict) and None in value.values())):
            yield "usage.details_null", ("usage", key)
        elif "cache" in key:
            yield "usage.cached_elsewhere", ("usage", key)


def _nulls(value: JsonObject, path: Path, **members: str) -> Iterator[_Found]:
    yield from ((habit, (*path, key)) for key, habit in members.items() if key in value and value[key] is None)


def _of_choice(transcript: Transcript, choice: JsonObject, path: Path) -> Iterator[_Found]:
    yield from (("members.choice", (*path, key)) for key in choice if key not in CHOICE_MEMBERS)
    if transcript.kind is Kind.STREAM and "finish_reason" not in choice:
        yield "finish.key_omitted", path
    if choice.get("logprobs") and transcript.asked.known and not transcript.asked.logprobs:
        yield "logprobs.unasked", (*path, "logprobs")
    member = "delta" if transcript.kind is Kind.STREAM else "message"
    message = choice.get(member)
    if isinstance(message, dict):
        yield from _of_message(message, (*path, member))
        if member == "message" and "refusal" not in message:
            yield "message.no_refusal", (*path, member)


def _of_message(message: JsonObject, path: Path) -> Iterator[_Found]:
    for key, value in message.items():
        if key in REASONING_MEMBERS and value:
            yield "message.reasoning", (*path, key)
        elif key not in MESSAGE_MEMBERS:
            yield "members.message", (*path, key)
    yield from _nulls(message, path, tool_calls="tools.calls_null")
    if message.get("tool_calls") == []:
        yield "tools.calls_empty", (*path, "tool_calls")
