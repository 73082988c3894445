"""What the chunks of a stream come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from chatconform.checks.check import MUST, SHOULD, check, streams
from chatconform.checks.choices import NEEDS, choices
from chatconform.checks.message import texts
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Transcript


@check(
    "stream.error",
    level=MUST,
    over=streams,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "SSF-10", "TRM-07", "TRM-08", "TRM-09"),
)
def error(stream: Transcript) -> Iterator[Finding]:
    """The stream carries no error.

    Breaks: the answer broke off under status 200; unless the event is `data: {"error": {...}}`, openai-python
    and LangChain take the half for the whole.
    Fix: mend what failed upstream; report failures before the first chunk as 4xx or 5xx, later ones as
    `data: {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}`.
    """
    for where in stream.errors:
        yield stream.finding(where, "a chunk")
    for field in stream.stream.unknown_fields if stream.stream else ():
        if field.name == b"error":
            yield stream.spot((field.start, field.end), "a field named error", "a chunk")


@check(
    "stream.payload.chunk",
    level=MUST,
    over=streams,
    needs="sse.event.separated",
    examines=lambda stream: stream.facts.count + len(stream.strangers) or Reason.NOTHING_TO_EXAMINE,
    cites=("OpenAI API reference", "ENV-16", "SSF-16", "TRN-12"),
)
def payload_chunk(stream: Transcript) -> Iterator[Finding]:
    """Every object in the stream is a chunk.

    Breaks: openai-node's helper and the AI SDK raise on an object without choices, and the good answer is lost.
    Fix: send keep-alives as comments, and costs or credits as further members of a chunk.
    """
    for number in stream.strangers:
        yield stream.finding(Where(number), "a chunk: id, object, created, model, choices")


@check(
    "stream.role.present",
    level=MUST,
    over=streams,
    examines=choices,
    needs=("stream.error", "json.payload.valid", "choices.delta.present", "choices.delta.type"),
    cites=("OpenAI API reference", "SSS-02"),
)
def role_present(stream: Transcript) -> Iterator[Finding]:
    """Every choice of a stream says its role.

    Breaks: openai-node's helper raises, and LangChain.js loses the tool calls.
    Fix: send "role": "assistant" in the first delta of every choice.
    """
    for choice in stream.facts.choices.values():
        if not choice.roles:
            yield stream.finding(choice.where, "a delta with role assistant", "no role in any delta")


def _with_role(stream: Transcript) -> int | Reason:
    found = stream.facts.choices.values()
    named = len([choice for choice in found if choice.roles])
    return named or (Reason.OTHER_BRANCH if found else Reason.NOTHING_TO_EXAMINE)


@check(
    "stream.role.first",
    level=SHOULD,
    over=streams,
    examines=_with_role,
    needs="stream.error",
    cites="SSS-09",
)
def role_first(stream: Transcript) -> Iterator[Finding]:
    """The role of a choice comes in its first delta.

    Breaks: LangChain.js makes a message of an unknown role of the choice, and loses its tool calls.
    Fix: send "role": "assistant" in the first delta of every choice.
    """
    for choice in stream.facts.choices.values():
        if choice.roles and choice.roles[0].where.payload > choice.where.payload:
            yield stream.finding(choice.roles[0].where, "the role in the first delta of the choice")


@check(
    "stream.role.once",
    level=SHOULD,
    over=streams,
    examines=choices,
    needs="stream.error",
    cites=("OpenAI API reference", "SSS-01"),
)
def role_once(stream: Transcript) -> Iterator[Finding]:
    """A choice says its role in one delta only.

    Breaks: openai-python's helper joins the deltas' strings: the role becomes "assistantassistant".
    Fix: send role in the first delta of a choice alone.
    """
    for choice in stream.facts.choices.values():
        for seen in choice.roles[1:]:
            yield stream.finding(seen.where, "no role after the first delta")


def _several(stream: Transcript) -> int | Reason:
    count = len([index for index in stream.facts.choices if index >= 0])
    return count if count > 1 else Reason.OTHER_BRANCH if count else Reason.NOTHING_TO_EXAMINE


@check(
    "stream.choices.order",
    level=SHOULD,
    over=streams,
    examines=_several,
    needs="stream.error",
    cites="CHO-08",
    by_chance=True,
)
def choices_order(stream: Transcript) -> Iterator[Finding]:
    """The choices of a stream begin in the order of their indexes.

    Breaks: openai-python's helper puts choices into a list by index, and raises IndexError on one that is ahead.
    Fix: send the first chunk of choice 0 first, then that of choice 1, and so on.
    """
    before = -1
    for index, choice in stream.facts.choices.items():
        if 0 <= index < before:
            yield stream.finding(choice.where, f"choice {index} first", f"choice {index} after choice {before}")
        before = max(before, index)


SHORT = 16
"""Characters: what is shorter may well begin the next piece by chance."""
LETTERS = 4
"""Different characters: a piece with fewer may be laughter or a rule, and grow by chance."""


@check(
    "stream.content.incremental",
    level=MUST,
    over=streams,
    examines=texts,
    needs=NEEDS,
    cites=("OpenAI API reference", "SSS-04"),
)
def content_incremental(stream: Transcript) -> Iterator[Finding]:
    """A delta holds the next piece of the text, not all of the text so far.

    Breaks: every client joins the deltas, so users read the beginning of the answer again and again.
    Fix: send what is new since the last chunk.
    """
    for choice in stream.facts.choices.values():
        if _is_cumulative(choice.content):
            got = f"{choice.content[-2][:40]!r}, then {choice.content[-1][:60]!r}"
            yield stream.finding(choice.where, "deltas that go on where the last one ended", got)


def _is_cumulative(pieces: Sequence[str]) -> bool:
    """Whether each of at least three pieces begins with the one before it, or the last is all the others together."""
    if len(pieces) < 3:
        return False
    lengths = len({*map(len, pieces)}) if pieces[1].startswith(pieces[0]) else 0
    if lengths > 2 and all(map(str.startswith, islice(pieces, 1, None), pieces)):
        return len(pieces[-2]) >= SHORT or (lengths == len(pieces) and len({*pieces[-2]}) >= LETTERS)
    is_long = len(pieces) > 3 and len(pieces[-1]) >= SHORT
    return is_long and pieces[-1].startswith(pieces[0]) and pieces[-1] == "".join(pieces[:-1])
