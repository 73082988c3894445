"""The choices: how many, and how they are numbered."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, chats, check, streams
from chatconform.model import Finding, Reason
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Transcript

NEEDS = (
    "http.status.error",
    "stream.error",
    "envelope.choices.present",
    "envelope.choices.type",
    "choices.list.nonempty",
)


def has_body(asked: Asked) -> bool:
    """Whether the request says anything."""
    return bool(asked.body)


def choices(transcript: Transcript) -> int | Reason:
    """Count the choices of an answer or a stream."""
    return len(transcript.facts.choices) or Reason.NOTHING_TO_EXAMINE


def _lists(transcript: Transcript) -> int | Reason:
    """Count the choices; a stream of chunks without any choice is one target too, as it has none."""
    lacks_any = transcript.stream is not None and transcript.facts.count and not transcript.facts.choices
    return 1 if lacks_any else choices(transcript)


def _first(transcript: Transcript) -> int:
    """Return the number of the payload that has the first choice, or might have had it."""
    found = transcript.facts.choices.values()
    return next(iter(found)).where.payload if found else transcript.facts.first


@check(
    "choices.count.n",
    level=MUST,
    over=chats,
    asks=has_body,
    examines=_lists,
    needs=(*NEEDS, "choices.index.present", "choices.index.type"),
    cites=("OpenAI API reference", "CHO-02"),
)
def count_n(transcript: Transcript) -> Iterator[Finding]:
    """There are as many choices as n asked for.

    Breaks: callers that sample get one answer where they asked for several, without a word.
    Fix: send n choices, or refuse n with a 400 that names it.
    """
    count = len(transcript.facts.choices)
    if count != transcript.asked.n:
        where = Where(_first(transcript), ("choices",))
        yield transcript.finding(where, f"{transcript.asked.n} choices", f"{count} choices")


@check(
    "choices.index.contiguous",
    level=MUST,
    over=chats,
    examines=choices,
    needs=(*NEEDS, "choices.index.present", "choices.index.type"),
    cites=("OpenAI API reference", "CHO-04"),
)
def index_contiguous(transcript: Transcript) -> Iterator[Finding]:
    """The choices are numbered from 0, without gaps, and each has a number of its own.

    Breaks: clients that put choices into a list by index raise IndexError or lose the text.
    Fix: number the choices 0 to n - 1.
    """
    found = transcript.facts.choices
    for index, choice in found.items():
        if not 0 <= index < len(found):
            where = Where(choice.where.payload, (*choice.where.path, "index"))
            yield transcript.finding(where, f"an index from 0 to {len(found) - 1}")
    for where in transcript.facts.doubles:
        yield transcript.finding(Where(where.payload, (*where.path, "index")), "an index of its own")


@check(
    "stream.choices.nonempty",
    level=SHOULD,
    over=streams,
    asks=lambda asked: not asked.wants_usage,
    examines=lambda stream: stream.facts.count or Reason.NOTHING_TO_EXAMINE,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "CHO-05"),
)
def choices_nonempty(stream: Transcript) -> Iterator[Finding]:
    """No chunk has an empty list of choices unless include_usage was asked for.

    Breaks: the idiom chunk.choices[0] of the SDKs' own examples raises IndexError.
    Fix: send the usage chunk only where stream_options.include_usage is true.
    """
    for seen in stream.facts.empty_choices:
        yield stream.finding(seen.where, "at least one choice")
