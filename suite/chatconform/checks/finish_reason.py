"""finish_reason: that it is there, once, and in its place. Its values are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, chats, check, streams
from chatconform.checks.choices import NEEDS, choices
from chatconform.checks.tools import calls_something
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Choice, Where
from chatconform.wire.transcript import Kind, Transcript

WHOLE = (*NEEDS, "http.body.complete", "sse.tail.chunk", "json.payload.valid")


def _finished(transcript: Transcript) -> int | Reason:
    return len([choice for choice in transcript.facts.choices.values() if choice.finishes]) or Reason.NOTHING_TO_EXAMINE


@check(
    "choices.finish_reason.present",
    level=MUST,
    over=chats,
    examines=choices,
    needs=WHOLE,
    cites=("OpenAI API reference", "FIN-01", "FIN-09", "TRM-02", "TRM-06"),
)
def finish_present(transcript: Transcript) -> Iterator[Finding]:
    """Every choice ends with a finish_reason.

    Breaks: openai-node's helpers and the AI SDK raise; all others take a cut answer for a whole one.
    Fix: send finish_reason on the last chunk of every choice, and an error where the model's answer broke off.
    """
    for choice in transcript.facts.choices.values():
        if not choice.finishes:
            yield transcript.finding(
                _last_place(transcript, choice), "stop, length, tool_calls or content_filter", "no finish_reason"
            )


def _last_place(transcript: Transcript, choice: Choice) -> Where:
    """Point at the answer's choice, or at the last chunk of the stream."""
    return Where(transcript.facts.last) if transcript.kind is Kind.STREAM else choice.where


@check(
    "choices.finish_reason.once",
    level=SHOULD,
    over=streams,
    examines=_finished,
    needs="stream.error",
    cites=("OpenAI API reference", "FIN-07"),
)
def finish_once(stream: Transcript) -> Iterator[Finding]:
    """finish_reason is null until the last chunk of a choice.

    Breaks: clients that stop at the first one lose the rest; LangChain joins them to "stopstop".
    Fix: send null on every chunk but the last of the choice.
    """
    for choice in stream.facts.choices.values():
        if len(choice.finishes) > 1 and len({str(seen.value) for seen in choice.finishes}) == 1:
            for seen in choice.finishes[:-1]:
                yield stream.finding(seen.where, "null, as more of the choice follows")


@check(
    "choices.finish_reason.consistent",
    level=MUST,
    over=streams,
    examines=_finished,
    needs="stream.error",
    cites=("OpenAI API reference", "FIN-08"),
)
def finish_consistent(stream: Transcript) -> Iterator[Finding]:
    """A choice does not finish for two different reasons.

    Breaks: the last one wins, so that tool calls are dropped or a cut answer looks whole.
    Fix: decide the reason once, at the end of the choice.
    """
    for choice in stream.facts.choices.values():
        for seen in choice.finishes[1:]:
            if seen.value != choice.finishes[0].value:
                yield stream.finding(seen.where, f"{choice.finishes[0].value}, as before, or nothing")


@check(
    "choices.finish_reason.last",
    level=SHOULD,
    over=streams,
    examines=_finished,
    needs="stream.error",
    cites=("OpenAI API reference", "FIN-11"),
)
def finish_last(stream: Transcript) -> Iterator[Finding]:
    """Nothing is said in a choice after its finish_reason.

    Breaks: clients that stop at finish_reason drop what follows.
    Fix: send finish_reason after the last text and the last tool call.
    """
    for choice in stream.facts.choices.values():
        for where in choice.after_finish:
            yield stream.finding(where, "no more of this choice")


def _calling(transcript: Transcript) -> int | Reason:
    return sum(1 for choice in transcript.facts.choices.values() if choice.tool_calls) or Reason.OTHER_BRANCH


@check(
    "choices.finish_reason.tool_calls",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_tools and asked.tool_choice != "named",
    came=lambda transcript: transcript.asked.known and not transcript.asked.has_tools and calls_something(transcript),
    examines=_calling,
    needs="choices.finish_reason.present",
    cites=("OpenAI API reference", "FIN-04"),
)
def finish_tool_calls(transcript: Transcript) -> Iterator[Finding]:
    """A choice that calls tools does not finish with stop.

    Breaks: agents that go by finish_reason end the turn and never run the tool.
    Fix: send finish_reason tool_calls with tool calls; only where tool_choice names one function is stop usual.
    """
    for choice in transcript.facts.choices.values():
        if choice.tool_calls and choice.finishes and choice.finishes[-1].value == "stop":
            yield transcript.finding(choice.finishes[-1].where, "tool_calls")


def _handed_over(transcript: Transcript) -> int | Reason:
    finished = [choice.finishes[-1].value for choice in transcript.facts.choices.values() if choice.finishes]
    return finished.count("tool_calls") or Reason.OTHER_BRANCH


@check(
    "choices.finish_reason.called",
    level=SHOULD,
    over=chats,
    examines=_handed_over,
    needs=(
        "choices.finish_reason.present",
        "choices.item.type",
        "choices.message.present",
        "choices.message.type",
        "choices.delta.present",
        "choices.delta.type",
        "message.tool_calls.type",
        "tools.item.type",
    ),
    cites="OpenAI API reference",
)
def finish_called(transcript: Transcript) -> Iterator[Finding]:
    """A choice that finishes with tool_calls calls a tool.

    Breaks: agents have nothing to run and no reason to show what there is: they ask again, or end without an answer.
    Fix: send the calls in tool_calls; finish with stop where there are none.
    """
    for choice in transcript.facts.choices.values():
        is_handed_over = bool(choice.finishes) and choice.finishes[-1].value == "tool_calls"
        if is_handed_over and not choice.tool_calls and not choice.other:
            yield transcript.finding(choice.finishes[-1].where, "a tool call, or stop", "tool_calls, and no call")
