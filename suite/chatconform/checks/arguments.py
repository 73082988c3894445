"""The arguments of tool calls: whether a client can parse them."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, Examines, chats, check, streams
from chatconform.checks.tools import TOLD_APART, calls_something, wants_tools
from chatconform.model import Finding, Reason
from chatconform.wire.arguments import Arguments
from chatconform.wire.fold import ToolCall, Where
from chatconform.wire.transcript import Transcript, shown

_WHOLE = (
    "choices.finish_reason.present",
    "choices.finish_reason.values",
    *TOLD_APART,
    "tools.function.type",
    "tools.arguments.present",
    "tools.arguments.type",
)
_PARSED = (*_WHOLE, "tools.arguments.incremental")
_NO_JSON = (Arguments.BROKEN, Arguments.SEVERAL, Arguments.CUMULATIVE)


def _finished(transcript: Transcript) -> Iterator[ToolCall]:
    """Yield the calls of functions whose choice was not cut, by its own account."""
    for choice in transcript.facts.choices.values():
        if not choice.is_cut:
            yield from (call for call in choice.tool_calls.values() if call.names and not call.is_custom)


def _but(*readings: Arguments) -> Examines:
    """Return a function that counts the finished calls but those whose arguments are any of these."""

    def examine(transcript: Transcript) -> int | Reason:
        return sum(call.reading not in readings for call in _finished(transcript)) or Reason.OTHER_BRANCH

    return examine


def _at(call: ToolCall) -> Where:
    return call.began or Where(call.where.payload, (*call.where.path, "function", "arguments"))


@check(
    "tools.arguments.nonempty",
    level=MUST,
    over=chats,
    asks=wants_tools,
    came=calls_something,
    examines=_but(),
    needs=_WHOLE,
    cites="TOL-12",
)
def arguments_nonempty(transcript: Transcript) -> Iterator[Finding]:
    """A call without arguments has {} as its arguments.

    Breaks: parsing the empty text fails, so that the tool is never run: pydantic-ai and the AI SDK raise.
    Fix: send "{}" as the arguments of a call that has none.
    """
    for call in _finished(transcript):
        if call.reading is Arguments.NONE:
            yield transcript.finding(_at(call), "{}", shown(call.arguments))


@check(
    "tools.arguments.incremental",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_but(Arguments.NONE),
    needs=_WHOLE,
    cites="TOL-18",
)
def arguments_incremental(stream: Transcript) -> Iterator[Finding]:
    """Each delta of a tool call holds the next piece of the arguments, and nothing of what came before.

    Breaks: every client joins the deltas, and what it joins is no JSON.
    Fix: send in each delta only what is new.
    """
    for call in _finished(stream):
        if call.reading is Arguments.CUMULATIVE:
            yield stream.finding(_at(call), "pieces that join to JSON", shown(call.arguments))


@check(
    "tools.arguments.json",
    level=MUST,
    over=chats,
    asks=wants_tools,
    came=calls_something,
    examines=_but(Arguments.NONE, Arguments.UNREAD),
    needs=_PARSED,
    cites=("TOL-19", "FIN-05"),
)
def arguments_json(transcript: Transcript) -> Iterator[Finding]:
    """The arguments of a tool call are one JSON text, unless finish_reason says that the answer was cut.

    Breaks: LangChain, in Python and in JavaScript, mends cut arguments in silence and runs the tool with half of them.
    Fix: send finish_reason length where the token cap cut a call short, and escape what has to be escaped.
    """
    for call in _finished(transcript):
        if call.reading in _NO_JSON:
            yield transcript.finding(_at(call), "one JSON object, or a finish_reason of length", shown(call.arguments))


@check(
    "tools.arguments.object",
    level=SHOULD,
    over=chats,
    asks=wants_tools,
    came=calls_something,
    examines=_but(Arguments.NONE, Arguments.UNREAD, *_NO_JSON),
    needs=_PARSED,
    cites="TOL-19",
)
def arguments_object(transcript: Transcript) -> Iterator[Finding]:
    """The arguments of a tool call are a JSON object.

    Breaks: clients look up parameters by name in what they parsed; null, an array and a string have none.
    Fix: send an object, {} where there are no arguments, and encode it once.
    """
    for call in _finished(transcript):
        if call.reading is Arguments.VALUE:
            yield transcript.finding(_at(call), "a JSON object", shown(call.arguments))
