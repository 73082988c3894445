"""Tool calls: how their deltas fit together. The members' types are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MAY, MUST, SHOULD, Examines, answers, chats, check, streams
from chatconform.model import Finding, Origin, Reason
from chatconform.wire.arguments import Arguments
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Choice, Seen, ToolCall, Where
from chatconform.wire.transcript import Transcript

NUMBERED = (
    "stream.error",
    "message.tool_calls.type",
    "tools.item.type",
    "tools.index.present",
    "tools.index.type",
    "tools.index.minimum",
)
TOLD_APART = (*NUMBERED, "tools.index.distinct")
"""What has to be in order before the deltas of a stream are put together as calls."""
_WHOLE = ("http.body.complete", "sse.tail.chunk", "json.payload.valid", *TOLD_APART)


def wants_tools(asked: Asked) -> bool:
    """Whether the request lets the model call something."""
    return asked.has_tools


def called(transcript: Transcript) -> Iterator[ToolCall]:
    """Yield the tool calls of all choices."""
    for choice in transcript.facts.choices.values():
        yield from choice.tool_calls.values()


def calls_something(transcript: Transcript) -> bool:
    """Whether a choice calls something, be it asked for or not."""
    return any(choice.tool_calls for choice in transcript.facts.choices.values())


def at(call: ToolCall, *path: str) -> Where:
    """Return a place within the first delta of a call, or within the call of a message."""
    return Where(call.where.payload, (*call.where.path, *path))


def calls(transcript: Transcript) -> int | Reason:
    """Count the tool calls."""
    return sum(len(choice.tool_calls) for choice in transcript.facts.choices.values()) or Reason.OTHER_BRANCH


def _having(*members: str) -> Examines:
    """Return a function that counts the calls that have all of these members."""

    def examine(transcript: Transcript) -> int | Reason:
        found = (call for call in called(transcript) if all(getattr(call, member) for member in members))
        return sum(1 for _ in found) or Reason.OTHER_BRANCH

    return examine


@check(
    "tools.index.contiguous",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=NUMBERED,
    cites="TOL-03",
)
def index_contiguous(stream: Transcript) -> Iterator[Finding]:
    """The tool calls of a choice are numbered from 0, in the order in which they begin.

    Breaks: the stream helpers of openai-python and openai-node raise.
    Fix: give the first call the index 0 and each further one the next number.
    """
    for choice in stream.facts.choices.values():
        for number, call in enumerate(choice.tool_calls.values()):
            if call.index != number:
                yield stream.finding(at(call, "index"), f"{number}, as {number} calls have begun before")


@check(
    "tools.index.distinct",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=NUMBERED,
    cites="TOL-02",
)
def index_distinct(stream: Transcript) -> Iterator[Finding]:
    """One index stands for one tool call: neither its id nor its tool changes.

    Breaks: the ids, names and arguments of two calls run together into one broken call.
    Fix: count index up for every call, and keep the id that a call began with.
    """
    for call in called(stream):
        for seen in _others(call, stream.asked):
            yield stream.finding(seen.where, f"another index, as {call.index} is that of {call.id or call.name}")
        if call.reading is Arguments.SEVERAL and len(call.ids) < 2 and not call.is_custom:
            yield stream.finding(call.began or call.where, "one call an index", f"the arguments are {call.reading}")


def _others(call: ToolCall, asked: Asked) -> list[Seen]:
    """Return the ids, or else the names of declared tools, that are not those with which a call began."""
    ids = [seen for seen in call.ids[1:] if seen.value != call.id]
    others = [seen for seen in call.names[1:] if seen.value != call.name]
    if ids or not others:
        return ids
    declared = names(asked)
    return [seen for seen in others if {seen.value, call.name} <= declared]


def names(asked: Asked) -> frozenset[str]:
    """Return the names of the tools and functions that a request declares."""
    declared = (asked.body.get("tools"), asked.body.get("functions"))
    tools = [tool for listed in declared if isinstance(listed, list) for tool in listed]
    return frozenset(name for name in map(name_of, tools) if name)


def name_of(tool: object) -> str | None:
    """Return the name of a function or a custom tool, wherever it stands; None for a tool of the provider's own."""
    if not isinstance(tool, dict):
        return None
    is_ours = tool.get("type") in ("function", "custom", None)
    for holder in (tool.get("function"), tool.get("custom"), tool if is_ours else None):
        if isinstance(holder, dict) and isinstance(holder.get("name"), str):
            return str(holder["name"])
    return None


@check(
    "tools.id.streamed",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=(*_WHOLE, "tools.id.type"),
    cites=("OpenAI API reference", "TOL-04"),
)
def id_streamed(stream: Transcript) -> Iterator[Finding]:
    """Every streamed tool call has an id that is not empty.

    Breaks: LangChain.js and LiteLLM drop the call, and the next request, which has to repeat the id, is refused.
    Fix: make an id for every call, and send it in the call's first delta.
    """
    for call in called(stream):
        if not call.ids:
            yield stream.finding(at(call, "id"), "an id", "no id in any delta of the call")


@check(
    "tools.id.before_name",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("ids", "names"),
    needs=TOLD_APART,
    cites="TOL-14",
)
def id_before_name(stream: Transcript) -> Iterator[Finding]:
    """The id of a streamed tool call comes no later than its name.

    Breaks: the AI SDK makes an id of its own as soon as it has the name, so the call's own id is lost.
    Fix: send id, type and name together, in the first delta of the call.
    """
    for call in called(stream):
        if call.ids and call.names and call.names[0].where.payload < call.ids[0].where.payload:
            yield stream.finding(call.ids[0].where, "the id in the delta with the name, or before it")


@check(
    "tools.id.once",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("ids"),
    needs=TOLD_APART,
    cites="TOL-06",
)
def id_once(stream: Transcript) -> Iterator[Finding]:
    """A streamed tool call says its id in one delta only.

    Breaks: openai-python's stream helper and the usual loops join the copies to one long id.
    Fix: send id in the first delta of a call alone.
    """
    for call in called(stream):
        for seen in call.ids[1:]:
            yield stream.finding(seen.where, "no id after the first delta of the call")


def _beside_others(transcript: Transcript) -> int | Reason:
    """Count the ids that have others beside them. Where a recorder masked ids, it may have made them the same."""
    seen = [ids for ids in map(_ids, transcript.facts.choices.values()) if len(ids) > 1]
    alike = {each for ids in seen if len(set(ids)) < len(ids) for each in ids}
    if transcript.exchange.origin is Origin.IMPORTED and any("REDACTED" in each for each in alike):
        return Reason.RECORDER
    return sum(map(len, seen)) or Reason.OTHER_BRANCH


def _ids(choice: Choice) -> list[str]:
    return [call.id for call in choice.tool_calls.values() if call.id]


@check(
    "tools.id.unique",
    level=SHOULD,
    over=chats,
    asks=wants_tools,
    came=calls_something,
    examines=_beside_others,
    needs=("http.status.error", *TOLD_APART),
    cites="TOL-16",
)
def id_unique(transcript: Transcript) -> Iterator[Finding]:
    """No two tool calls of a message have the same id.

    Breaks: a tool's result goes to the wrong call, or the next request is refused with 400.
    Fix: make the ids at random, not from the name or from a counter that starts anew.
    """
    for choice in transcript.facts.choices.values():
        known: set[str] = set()
        for call in choice.tool_calls.values():
            if call.id in known:
                yield transcript.finding(call.ids[0].where, "an id of its own")
            known |= {call.id} - {""}


@check(
    "tools.type.streamed",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=(*_WHOLE, "tools.type.type"),
    cites=("OpenAI API reference", "TOL-09", "TOL-10"),
)
def type_streamed(stream: Transcript) -> Iterator[Finding]:
    """Every streamed tool call says its type.

    Breaks: openai-node's stream helper raises when the stream ends.
    Fix: send "type": "function" in the first delta of every call.
    """
    for call in called(stream):
        if not call.type:
            yield stream.finding(at(call, "type"), "function", "no type in any delta of the call")


@check(
    "tools.name.streamed",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=(*_WHOLE, "tools.function.type", "tools.name.type"),
    cites="OpenAI API reference",
)
def name_streamed(stream: Transcript) -> Iterator[Finding]:
    """Every streamed tool call names its tool.

    Breaks: nobody knows what to run.
    Fix: send the name of the function in the first delta of every call.
    """
    for call in called(stream):
        if not call.names:
            yield stream.finding(at(call, "function", "name"), "a name", "no name in any delta of the call")


@check(
    "tools.name.nonempty",
    level=MUST,
    over=answers,
    asks=wants_tools,
    came=calls_something,
    examines=calls,
    needs=("http.status.error", "tools.item.type", "tools.function.type", "tools.name.present", "tools.name.type"),
    cites="OpenAI API reference",
)
def name_nonempty(answer: Transcript) -> Iterator[Finding]:
    """A tool call names its tool, in its member function or custom.

    Breaks: clients read call.function.name and raise where there is no function; without a name there is nothing to
    run.
    Fix: send {"id", "type": "function", "function": {"name", "arguments"}} for every call.
    """
    for call in called(answer):
        if not call.names:
            yield answer.finding(call.where, "the name of a tool", "no name")


@check(
    "tools.name.whole",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("names"),
    needs=TOLD_APART,
    cites="TOL-15",
)
def name_whole(stream: Transcript) -> Iterator[Finding]:
    """The name of a tool comes in one piece.

    Breaks: openai-node's helper, LangChain.js, LiteLLM and the AI SDK keep one piece of it.
    Fix: hold the call back until its name is whole.
    """
    for call in called(stream):
        for seen in call.names[1:]:
            if seen.value != call.name:
                yield stream.finding(seen.where, "the whole name in one delta")


@check(
    "tools.name.once",
    level=MUST,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("names"),
    needs=(*TOLD_APART, "tools.name.whole"),
    cites="TOL-07",
)
def name_once(stream: Transcript) -> Iterator[Finding]:
    """A streamed tool call says its name in one delta only.

    Breaks: openai-python's helper, LangChain and pydantic-ai join the copies, as in get_weatherget_weather.
    Fix: send name in the first delta of a call alone.
    """
    for call in called(stream):
        for seen in call.names[1:]:
            yield stream.finding(seen.where, "no name after the first delta of the call")


@check(
    "tools.name.before_arguments",
    level=MAY,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("names", "began"),
    needs=TOLD_APART,
    cites="TOL-13",
)
def name_before_arguments(stream: Transcript) -> Iterator[Finding]:
    """The name of a tool comes no later than its arguments.

    Breaks: older releases of the AI SDK reject the stream; no client that was measured minds.
    Fix: send the name in the first delta of a call.
    """
    for call in called(stream):
        if call.names and call.began and call.began.payload < call.names[0].where.payload:
            yield stream.finding(call.names[0].where, "the name before the arguments")


@check(
    "tools.delta.nonempty",
    level=MAY,
    over=streams,
    asks=wants_tools,
    came=calls_something,
    examines=_having("ids"),
    needs=TOLD_APART,
    cites="TOL-05",
)
def delta_nonempty(stream: Transcript) -> Iterator[Finding]:
    """What a tool call has said already, id and name, later deltas leave out or null.

    Breaks: some clients take an empty string for the start of another call; none that was measured does.
    Fix: leave id and name out after the first delta of a call.
    """
    for call in called(stream):
        for where in call.blanks:
            yield stream.finding(where, "nothing, or null")
