"""Faults of tool calls: how their deltas fit together, their arguments, and what the request decides of them."""

from __future__ import annotations

from typing import Final

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import AFTER_DISTINCT, OF_CALLS
from chatconform.reference.faults.fault import Ids, fault
from chatconform.reference.rewrite import Path

_MESSAGE: Path = ("choices", 0, "message")
_CALLS: Path = (*_MESSAGE, "tool_calls")
_SECOND: Path = (*_CALLS, 1)
_ARGUMENTS: Path = (*_SECOND, "function", "arguments")
_DELTA: Path = ("choices", 0, "delta", "tool_calls", 0)
_FINISH: Path = ("choices", 0, "finish_reason")
_HANDED_OVER: Final[Ids] = ("choices.finish_reason.tool_calls", "choices.finish_reason.called")
"""What is said of finish_reason where tools are called."""
BEGINS, GOES_ON, ENDS = 4, 5, 6
"""The numbers of the three chunks of the second call in `stream.tools`; those of the first are three less."""

_TIME: JsonObject = {"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}


def _each(exchange: Exchange, *path: str, value: JsonValue) -> Exchange:
    """Set a member of every tool call of every chunk of `stream.tools`."""
    for number in (*range(1, BEGINS), *range(BEGINS, ENDS + 1)):
        exchange = rewrite.member(exchange, number, (*_DELTA, *path), value)
    return exchange


def _second(exchange: Exchange, path: Path, value: JsonValue, *numbers: int) -> Exchange:
    """Set a member of the second call of `stream.tools` in these chunks."""
    for number in numbers:
        exchange = rewrite.member(exchange, number, (*_DELTA, *path), value)
    return exchange


def _offered(exchange: Exchange) -> Exchange:
    """Declare a second tool in the request."""
    body = exchange.request.body
    assert isinstance(body, dict)
    assert isinstance(body["tools"], list)
    return rewrite.asked(exchange, tools=[*body["tools"], _TIME])


def _instead(exchange: Exchange, text: str) -> Exchange:
    """Answer with text in the place of the tool calls."""
    spoken = rewrite.member(exchange, 0, _MESSAGE, {"role": "assistant", "content": text})
    return rewrite.member(spoken, 0, _FINISH, "stop")


@fault("tools.index.from_one", of="stream.tools", fails=("tools.index.contiguous",))
def index_from_one(exchange: Exchange) -> Exchange:
    """The two calls have the indexes 1 and 2."""
    shifted = _second(exchange, ("index",), 2, BEGINS, GOES_ON, ENDS)
    return _second(shifted, ("index",), 1, 1, 2, 3)


@fault("tools.index.gap", of="stream.tools", fails=("tools.index.contiguous",))
def index_gap(exchange: Exchange) -> Exchange:
    """The two calls have the indexes 0 and 2."""
    return _second(exchange, ("index",), 2, BEGINS, GOES_ON, ENDS)


@fault("tools.index.backwards", of="stream.tools", fails=("tools.index.contiguous",))
def index_backwards(exchange: Exchange) -> Exchange:
    """The call with the index 1 begins before that with the index 0."""
    first, *chunks, last = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [first, *chunks[3:], *chunks[:3], last])


@fault(
    "tools.index.shared",
    of="stream.tools",
    fails=("tools.index.distinct",),
    unproven={"tools.index.distinct": AFTER_DISTINCT},
)
def index_shared(exchange: Exchange) -> Exchange:
    """Two calls with ids of their own share the index 0."""
    return _each(exchange, "index", value=0)


@fault(
    "tools.index.shared_by_names",
    of="stream.tools",
    fails=("tools.index.distinct",),
    unproven={"tools.index.distinct": AFTER_DISTINCT},
)
def index_shared_by_names(exchange: Exchange) -> Exchange:
    """Calls of two tools share the index 0, and the second has no id."""
    renamed = _second(_each(_offered(exchange), "index", value=0), ("function", "name"), "time", BEGINS)
    return rewrite.no_member(renamed, BEGINS, (*_DELTA, "id"))


@fault(
    "tools.index.shared_by_arguments",
    of="stream.tools",
    fails=("tools.index.distinct",),
    unproven={"tools.index.distinct": AFTER_DISTINCT},
)
def index_shared_by_arguments(exchange: Exchange) -> Exchange:
    """The arguments of two calls follow each other at the index 0, under one id and one name."""
    function: JsonObject = {"index": 0, "function": {"arguments": ""}}
    return rewrite.member(_each(exchange, "index", value=0), BEGINS, _DELTA, function)


@fault("tools.id.missing", of="stream.tools", fails=("tools.id.streamed",), other_branch=("tools.id.unique",))
def id_missing(exchange: Exchange) -> Exchange:
    """The second call has no id in any delta."""
    return rewrite.no_member(exchange, BEGINS, (*_DELTA, "id"))


@fault("tools.id.empty", of="stream.tools", fails=("tools.id.streamed",), other_branch=("tools.id.unique",))
def id_empty(exchange: Exchange) -> Exchange:
    """The id of the second call is the empty string."""
    return _second(exchange, ("id",), "", BEGINS)


@fault("tools.id.late", of="stream.tools", fails=("tools.id.before_name",))
def id_late(exchange: Exchange) -> Exchange:
    """The id of the second call comes in the delta after the one with its name."""
    return _second(rewrite.no_member(exchange, BEGINS, (*_DELTA, "id")), ("id",), "call_1", GOES_ON)


@fault("tools.id.repeated", of="stream.tools", fails=("tools.id.once",))
def id_repeated(exchange: Exchange) -> Exchange:
    """Every delta of the second call has its id."""
    return _second(exchange, ("id",), "call_1", GOES_ON, ENDS)


@fault("tools.id.shared", of="answer.tools", fails=("tools.id.unique",))
def id_shared(exchange: Exchange) -> Exchange:
    """Two calls of a message have one id."""
    return rewrite.member(exchange, 0, (*_SECOND, "id"), "call_zurich")


@fault("tools.id.shared_stream", of="stream.tools", fails=("tools.id.unique",))
def id_shared_stream(exchange: Exchange) -> Exchange:
    """Two calls of a stream have one id."""
    return _second(exchange, ("id",), "call_0", BEGINS)


@fault("tools.type.missing", of="stream.tools", fails=("tools.type.streamed",))
def type_missing(exchange: Exchange) -> Exchange:
    """The second call has no type in any delta."""
    return rewrite.no_member(exchange, BEGINS, (*_DELTA, "type"))


@fault("tools.type.empty", of="stream.tools", fails=("tools.type.streamed", "tools.type.nonempty"))
def type_empty(exchange: Exchange) -> Exchange:
    """The type of the second call is the empty string."""
    return _second(exchange, ("type",), "", BEGINS)


@fault("tools.type.blank", of="stream.tools", fails=("tools.type.nonempty",))
def type_blank(exchange: Exchange) -> Exchange:
    """The type is the empty string in the later deltas of a call."""
    return _second(exchange, ("type",), "", GOES_ON, ENDS)


@fault(
    "tools.name.missing",
    of="stream.tools",
    fails=("tools.name.streamed",),
    unproven={"tools.name.streamed": ("tools.name.declared",)},
)
def name_missing(exchange: Exchange) -> Exchange:
    """The second call names no tool."""
    return rewrite.no_member(exchange, BEGINS, (*_DELTA, "function", "name"))


@fault(
    "tools.name.split",
    of="stream.tools",
    fails=("tools.name.whole",),
    unproven={"tools.name.whole": ("tools.name.once", "tools.name.declared")},
)
def name_split(exchange: Exchange) -> Exchange:
    """The name of the second call's tool comes in two pieces."""
    return _second(_second(exchange, ("function", "name"), "wea", BEGINS), ("function", "name"), "ther", GOES_ON)


@fault("tools.name.repeated", of="stream.tools", fails=("tools.name.once",))
def name_repeated(exchange: Exchange) -> Exchange:
    """Every delta of the second call has its tool's name."""
    return _second(exchange, ("function", "name"), "weather", GOES_ON, ENDS)


@fault("tools.name.late", of="stream.tools", fails=("tools.name.before_arguments",))
def name_late(exchange: Exchange) -> Exchange:
    """The name of the second call's tool comes when its arguments have begun."""
    nameless = rewrite.no_member(exchange, BEGINS, (*_DELTA, "function", "name"))
    return _second(nameless, ("function", "name"), "weather", ENDS)


@fault("tools.name.undeclared", of="answer.tools", fails=("tools.name.declared",))
def name_undeclared(exchange: Exchange) -> Exchange:
    """A tool is called that the request does not declare."""
    return rewrite.member(exchange, 0, (*_SECOND, "function", "name"), "forecast")


@fault("tools.name.undeclared_stream", of="stream.tools", fails=("tools.name.declared",))
def name_undeclared_stream(exchange: Exchange) -> Exchange:
    """A stream calls a tool by another name than the request declares."""
    return _second(exchange, ("function", "name"), "functions.weather", BEGINS)


_NAMELESS: Final[Ids] = ("tools.name.declared", "tools.choice.named")
"""What needs every call to name its tool."""


@fault(
    "tools.name.empty",
    of="answer.tools",
    fails=("tools.name.nonempty",),
    unproven={"tools.name.nonempty": _NAMELESS},
)
def name_empty(exchange: Exchange) -> Exchange:
    """The name of a called function is the empty string."""
    return rewrite.member(exchange, 0, (*_SECOND, "function", "name"), "")


@fault(
    "tools.name.outside_function",
    of="answer.tool_named",
    fails=("tools.name.nonempty",),
    unproven={"tools.name.nonempty": _NAMELESS},
    other_branch=("tools.function.type", "tools.name.present", "tools.name.type", "tools.arguments.*"),
)
def name_outside_function(exchange: Exchange) -> Exchange:
    """The name and the arguments of a call stand beside its id, and there is no function."""
    call: JsonObject = {"id": "call_zurich", "type": "function", "name": "weather", "arguments": "{}"}
    return rewrite.member(exchange, 0, _CALLS, [call])


@fault("tools.delta.blank", of="stream.tools", fails=("tools.delta.nonempty",))
def delta_blank(exchange: Exchange) -> Exchange:
    """Later deltas of a call have the empty string as id and as name."""
    return _second(_second(exchange, ("id",), "", GOES_ON, ENDS), ("function", "name"), "", GOES_ON, ENDS)


@fault("tools.arguments.empty", of="answer.tools", fails=("tools.arguments.nonempty",))
def arguments_empty(exchange: Exchange) -> Exchange:
    """The arguments of a call that has none are the empty string."""
    return rewrite.member(exchange, 0, _ARGUMENTS, "")


@fault("tools.arguments.empty_stream", of="stream.tools", fails=("tools.arguments.nonempty",))
def arguments_empty_stream(exchange: Exchange) -> Exchange:
    """A streamed call that has no arguments has the empty string in its only delta."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks[:GOES_ON], *chunks[ENDS + 1 :]])


@fault(
    "tools.arguments.cumulative",
    of="stream.tools",
    fails=("tools.arguments.incremental",),
    unproven={"tools.arguments.incremental": ("tools.arguments.json", "tools.arguments.object")},
)
def arguments_cumulative(exchange: Exchange) -> Exchange:
    """Each delta of the second call holds all of its arguments so far."""
    return _second(exchange, ("function", "arguments"), '{"city":"東京"}', ENDS)


@fault("tools.arguments.cut", of="answer.tools", fails=("tools.arguments.json",))
def arguments_cut(exchange: Exchange) -> Exchange:
    """The token cap cut the arguments of a call, and finish_reason is tool_calls all the same."""
    return rewrite.member(exchange, 0, _ARGUMENTS, '{"city":"')


@fault("tools.arguments.cut_stream", of="stream.tools", fails=("tools.arguments.json",))
def arguments_cut_stream(exchange: Exchange) -> Exchange:
    """A streamed call breaks off within its arguments, and finish_reason is tool_calls all the same."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks[:ENDS], *chunks[ENDS + 1 :]])


@fault("tools.arguments.unescaped", of="answer.tools", fails=("tools.arguments.json",))
def arguments_unescaped(exchange: Exchange) -> Exchange:
    """A string in the arguments of a call holds a line feed that is not escaped."""
    return rewrite.member(exchange, 0, _ARGUMENTS, '{"city":"東\n京"}')


@fault("tools.arguments.two_objects", of="answer.tools", fails=("tools.arguments.json",))
def arguments_of_two(exchange: Exchange) -> Exchange:
    """The arguments of a call are two JSON objects, one after another."""
    return rewrite.member(exchange, 0, _ARGUMENTS, '{"city":"東京"}{"city":"Zürich"}')


@fault("tools.arguments.null", of="answer.tools", fails=("tools.arguments.object",))
def arguments_null(exchange: Exchange) -> Exchange:
    """The arguments of a call that has none are the text null."""
    return rewrite.member(exchange, 0, _ARGUMENTS, "null")


@fault("tools.arguments.encoded_twice", of="stream.tools", fails=("tools.arguments.object",))
def arguments_encoded_twice(exchange: Exchange) -> Exchange:
    """The arguments of a call are a JSON string that holds the object."""
    pieces = {GOES_ON: '"{\\"city\\":', ENDS: '\\"東京\\"}"'}
    for number, piece in pieces.items():
        exchange = _second(exchange, ("function", "arguments"), piece, number)
    return exchange


_TEXT: Ids = ("message.content.*", "stream.content.*", "tools.markup.absent")
"""What a text that finishes with stop gives an occasion to."""


@fault(
    "tools.choice.ignored",
    of="answer.tool_required",
    fails=("tools.choice.required",),
    passes=_TEXT,
    other_branch=(*OF_CALLS, *_HANDED_OVER),
)
def required_ignored(exchange: Exchange) -> Exchange:
    """tool_choice is required, and the answer is text."""
    return _instead(exchange, "It is sunny.")


@fault(
    "tools.choice.ignored_stream",
    of="stream.tool_allowed",
    fails=("tools.choice.required",),
    passes=_TEXT,
    other_branch=(*OF_CALLS, *_HANDED_OVER, "message.tool_calls.type"),
)
def required_ignored_stream(exchange: Exchange) -> Exchange:
    """tool_choice requires one of the allowed tools, and the stream is text."""
    spoken = rewrite.member(exchange, 1, ("choices", 0, "delta"), {"content": "It is sunny."})
    return rewrite.member(spoken, -1, _FINISH, "stop")


@fault(
    "tools.choice.name_ignored",
    of="answer.tool_named",
    fails=("tools.choice.named",),
    passes=_TEXT,
    other_branch=(*OF_CALLS, "message.tool_calls.type"),
)
def named_ignored(exchange: Exchange) -> Exchange:
    """tool_choice names a tool, and the answer is text."""
    return _instead(exchange, "It is sunny.")


@fault("tools.choice.another", of="answer.tool_named", fails=("tools.choice.named",))
def named_otherwise(exchange: Exchange) -> Exchange:
    """tool_choice names a tool, and another one is called."""
    return rewrite.member(_offered(exchange), 0, (*_CALLS, 0, "function", "name"), "time")


@fault("tools.choice.disallowed", of="stream.tool_allowed", fails=("tools.choice.allowed",))
def disallowed(exchange: Exchange) -> Exchange:
    """A tool is called that the request declares and tool_choice does not allow."""
    return rewrite.member(_offered(exchange), 1, (*_DELTA, "function", "name"), "time")


@fault(
    "tools.choice.called",
    of="answer.uncalled",
    fails=("tools.choice.none",),
    passes=(*OF_CALLS, *_HANDED_OVER),
    other_branch=("message.content.nonempty",),
)
def called(exchange: Exchange) -> Exchange:
    """tool_choice is none, and two tools are called."""
    function: JsonObject = {"name": "weather", "arguments": "{}"}
    calls: list[JsonValue] = [{"id": f"call_{one}", "type": "function", "function": function} for one in (0, 1)]
    return rewrite.member(rewrite.member(exchange, 0, _CALLS, calls), 0, _FINISH, "tool_calls")


@fault("tools.calls.parallel", of="answer.tool_required", fails=("tools.calls.single",), passes=("tools.id.unique",))
def parallel(exchange: Exchange) -> Exchange:
    """parallel_tool_calls is false, and two tools are called."""
    call = rewrite.value_at(rewrite.messages(exchange)[0], (*_CALLS, 0))
    assert isinstance(call, dict)
    return rewrite.member(exchange, 0, _CALLS, [call, {**call, "id": "call_again"}])


@fault("tools.markup.hermes", of="stream.uncalled", fails=("tools.markup.absent",))
def markup(exchange: Exchange) -> Exchange:
    """A call stands in content between tags, and there is no tool_calls."""
    told = rewrite.member(exchange, 2, ("choices", 0, "delta", "content"), "One moment.\n<tool_call>\n")
    return rewrite.member(told, 3, ("choices", 0, "delta", "content"), '{"name": "weather", "arguments": {}}')


@fault(
    "tools.markup.control_token",
    of="answer.tool_required",
    fails=("tools.markup.absent", "tools.choice.required"),
    passes=_TEXT,
    other_branch=(*OF_CALLS, *_HANDED_OVER),
)
def markup_token(exchange: Exchange) -> Exchange:
    """A call stands in content after the model's control token, where tool_choice is required."""
    return _instead(exchange, '[TOOL_CALLS]weather{"city":"Zürich"}')
