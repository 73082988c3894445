"""Variations of tool calls, as working providers send them: other deltas for the same calls, or no call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Ids
from chatconform.reference.rewrite import Path
from chatconform.reference.variations.variation import variation

_CALL: Final[Path] = ("choices", 0, "delta", "tool_calls", 0)
_FINISH: Final[Path] = ("choices", 0, "finish_reason")


def _each_call(exchange: Exchange, reword: Callable[[JsonObject], JsonObject]) -> Exchange:
    """Reword every tool call of the first choice, in a message or in deltas."""
    objects = rewrite.messages(exchange)
    for each in objects:
        for choice in _list(each["choices"]):
            message = choice.get("delta") or choice.get("message")
            if isinstance(message, dict) and message.get("tool_calls"):
                message["tool_calls"] = [reword(call) for call in _list(message["tool_calls"])]
    return rewrite.with_messages(exchange, objects)


def _list(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@variation("content.call_whole", ("stream.tools",))
def call_whole(exchange: Exchange) -> Exchange:
    """Each streamed call comes whole, in one delta."""
    first, begin, _, _, other, *_, last = rewrite.messages(exchange)
    whole = [rewrite.put(chunk, (*_CALL, "function", "arguments"), '{"city":"東京"}') for chunk in (begin, other)]
    return rewrite.with_messages(exchange, [first, *whole, last])


@variation("content.calls_together", ("stream.tools",))
def calls_together(exchange: Exchange) -> Exchange:
    """The deltas of two calls stand in the same chunks."""
    first, *chunks, last = rewrite.messages(exchange)
    pairs = zip(chunks[:3], chunks[3:], strict=True)
    both = [rewrite.put(one, _CALL[:-1], [rewrite.value_at(each, _CALL) for each in (one, two)]) for one, two in pairs]
    return rewrite.with_messages(exchange, [first, *both, last])


@variation("content.calls_interleaved", ("stream.tools",))
def calls_interleaved(exchange: Exchange) -> Exchange:
    """The deltas of two calls take turns."""
    first, *chunks, last = rewrite.messages(exchange)
    turns = [chunk for pair in zip(chunks[:3], chunks[3:], strict=True) for chunk in pair]
    return rewrite.with_messages(exchange, [first, *turns, last])


@variation("content.call_nulls", ("stream.tools",))
def call_nulls(exchange: Exchange) -> Exchange:
    """id and type are null in the later deltas of a call."""
    return _each_call(exchange, lambda call: {"id": None, "type": None, **call})


@variation("content.call_types", ("stream.tools",))
def call_types(exchange: Exchange) -> Exchange:
    """Every delta of a call has its type."""
    return _each_call(exchange, lambda call: {**call, "type": "function"})


@variation("content.call_indexed", ("answer.tools",))
def call_indexed(exchange: Exchange) -> Exchange:
    """Every call of a message has an index, and it is 0."""
    return _each_call(exchange, lambda call: {"index": 0, **call})


@variation("content.call_type_late", ("stream.tools",))
def call_type_late(exchange: Exchange) -> Exchange:
    """The type of a call comes in its second delta."""
    return rewrite.member(rewrite.no_member(exchange, 4, (*_CALL, "type")), 5, (*_CALL, "type"), "function")


@variation("content.call_early", ("stream.tools",))
def call_early(exchange: Exchange) -> Exchange:
    """A call begins in a delta that has its index and its id alone."""
    chunks = rewrite.messages(exchange)
    begin = rewrite.put(chunks[4], _CALL, {"index": 1, "id": "call_1"})
    named = rewrite.without(chunks[4], (*_CALL, "id"))
    return rewrite.with_messages(exchange, [*chunks[:4], begin, named, *chunks[5:]])


@variation("content.arguments_spaced", ("answer.tools", "answer.tool_required", "answer.tool_named"))
def arguments_spaced(exchange: Exchange) -> Exchange:
    """The arguments are spread over lines, and a line feed follows them."""
    path: Path = ("choices", 0, "message", "tool_calls", 0, "function", "arguments")
    return rewrite.member(exchange, 0, path, '{\n  "city": "Zürich\\n",\n  "days": [1, 2]\n}\n')


_OF_FUNCTIONS: Final[Ids] = ("tools.arguments.*", "tools.function.type", "tools.name.present", "tools.name.type")


@variation("content.custom_tool", ("answer.tool_required",), other_branch=_OF_FUNCTIONS)
def custom_tool(exchange: Exchange) -> Exchange:
    """A custom tool is called, whose input is free text."""
    call: JsonObject = {"id": "call_0", "type": "custom", "custom": {"name": "note", "input": '{"half'}}
    told = rewrite.member(exchange, 0, ("choices", 0, "message", "tool_calls"), [call])
    return rewrite.asked(told, tools=[{"type": "custom", "custom": {"name": "note"}}])


@variation(
    "content.custom_tool_stream",
    ("stream.tools",),
    other_branch=("tools.arguments.*", "tools.function.type", "tools.name.type"),
)
def custom_tool_stream(exchange: Exchange) -> Exchange:
    """Streamed calls are of a custom tool, whose input is free text."""

    def reword(value: JsonObject) -> JsonObject:
        others = {key: value[key] for key in value if key not in ("function", "type")}
        custom: JsonObject = {"input": '{"a":1}'}
        return {**others, "type": "custom", "custom": {**custom, "name": "note"} if "id" in value else custom}

    return rewrite.asked(_each_call(exchange, reword), tools=[{"type": "custom", "custom": {"name": "note"}}])


@variation("content.provider_tool", ("answer.tools", "stream.tools"), gone=("tools.name.declared",))
def provider_tool(exchange: Exchange) -> Exchange:
    """The request has a tool of the provider's own, which may call what the request does not declare."""
    return rewrite.asked(exchange, tools=[{"type": "web_search"}])


_FINISHED: Final[Ids] = (
    "tools.arguments.nonempty",
    "tools.arguments.incremental",
    "tools.arguments.json",
    "tools.arguments.object",
)


@variation(
    "content.cut_arguments_stream",
    ("stream.tools",),
    other_branch=(*_FINISHED, "tools.name.declared", "choices.finish_reason.called"),
)
def cut_arguments_stream(exchange: Exchange) -> Exchange:
    """A stream ends amid the arguments of a call, and finish_reason says length."""
    chunks = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks[:-2], rewrite.put(chunks[-1], _FINISH, "length")])


_NO_CALL: Final[Ids] = (
    "tools.*.present", "tools.*.type", "tools.*.nonempty", "tools.*.values", "tools.name.declared",
    "tools.arguments.*", "tools.choice.*", "tools.calls.*", "choices.finish_reason.tool_calls",
    "choices.finish_reason.called",
)  # fmt: skip


@variation("content.refused_call", ("answer.tool_required", "answer.tool_named"), other_branch=_NO_CALL,
           passes=("message.refusal.type", "message.content.nonempty"))  # fmt: skip
def refused_call(exchange: Exchange) -> Exchange:
    """A call is required, and the model refuses."""
    message: JsonObject = {"role": "assistant", "content": None, "tool_calls": [], "refusal": "I cannot help."}
    refused = rewrite.member(exchange, 0, ("choices", 0, "message"), message)
    return rewrite.member(refused, 0, _FINISH, "stop")


@variation(
    "content.cut_before_call",
    ("answer.tool_required", "answer.tool_named"),
    other_branch=(*_NO_CALL, "message.content.nonempty"),
)
def cut_before_call(exchange: Exchange) -> Exchange:
    """A call is required, and the token cap ends the answer before one begins."""
    message: JsonObject = {"role": "assistant", "content": "", "tool_calls": None, "reasoning_content": "Which city?"}
    return rewrite.member(rewrite.member(exchange, 0, ("choices", 0, "message"), message), 0, _FINISH, "length")


@variation("content.markup_quoted", ("stream.uncalled",))
def markup_quoted(exchange: Exchange) -> Exchange:
    """The text explains how a template writes a call, within quoted code."""
    quoted = 'A call of weather looks so:\n```\n<tool_call>{"name": "weather"}</tool_call>\n```'
    return rewrite.member(exchange, 1, ("choices", 0, "delta", "content"), quoted)


@variation("content.markup_named", ("stream.uncalled",))
def markup_named(exchange: Exchange) -> Exchange:
    """The text speaks of a template's tags and of a tool, without a call."""
    spoken = "To ask for the weather, models write <tool_call> and a name.\n<tool_call>\n is a tag."
    return rewrite.member(exchange, 1, ("choices", 0, "delta", "content"), spoken)


_FUNCTION: Final[Path] = ("choices", 0, "delta", "function_call")


@variation("content.function_whole", ("stream.function",))
def function_whole(exchange: Exchange) -> Exchange:
    """The call of a function comes whole, in one delta."""
    first, begin, *_, last = rewrite.messages(exchange)
    whole = rewrite.put(begin, (*_FUNCTION, "arguments"), '{"city":"東京"}')
    return rewrite.with_messages(exchange, [first, whole, last])


@variation("content.function_name_blank", ("stream.function",))
def function_name_blank(exchange: Exchange) -> Exchange:
    """After the first delta of the call of a function its name is null, and then the empty string."""
    named = rewrite.member(exchange, 2, (*_FUNCTION, "name"), None)
    return rewrite.member(named, 3, (*_FUNCTION, "name"), "")


@variation(
    "content.function_cut",
    ("answer.function",),
    other_branch=("functions.arguments.json", "functions.arguments.object", "functions.name.declared",
                  "functions.finish_reason.called"),
)  # fmt: skip
def function_cut(exchange: Exchange) -> Exchange:
    """The arguments of the call of a function are cut, and finish_reason says length."""
    cut = rewrite.member(exchange, 0, ("choices", 0, "message", "function_call", "arguments"), '{"city":"')
    return rewrite.member(cut, 0, _FINISH, "length")


@variation(
    "content.function_refused",
    ("answer.function_named",),
    other_branch=("functions.*", "message.function_call.type"),
    passes=("message.refusal.type",),
)
def function_refused(exchange: Exchange) -> Exchange:
    """The request names a function, and the model refuses."""
    message: JsonObject = {"role": "assistant", "content": None, "refusal": "I cannot help."}
    return rewrite.member(exchange, 0, ("choices", 0, "message"), message)


_UNASKED: Final[Ids] = ("functions.name.[npt]*", "functions.arguments.[jopt]*")


@variation(
    "content.function_beside_tool",
    ("answer.tool_required",),
    passes=(*_UNASKED, "message.function_call.type"),
    appears=_UNASKED,
)
def function_beside_tool(exchange: Exchange) -> Exchange:
    """The call of a tool stands in function_call too, for clients of the older kind."""
    path: Path = ("choices", 0, "message", "function_call")
    return rewrite.member(exchange, 0, path, {"name": "weather", "arguments": '{"city":"Zürich"}'})


@variation("content.function_unnamed", ("answer.function", "stream.function"), gone=("functions.name.declared",))
def function_unnamed(exchange: Exchange) -> Exchange:
    """A function of the request has no name, so that nobody knows which ones are declared."""
    return rewrite.asked(exchange, functions=[{"parameters": {"type": "object"}}])


_LIMITLESS: Final[Ids] = ("functions.arguments.json", "functions.arguments.object")


@variation("content.function_deep", ("answer.function",), other_branch=_LIMITLESS)
def function_deep(exchange: Exchange) -> Exchange:
    """The arguments of the call of a function are nested deeper than the suite reads."""
    path: Path = ("choices", 0, "message", "function_call", "arguments")
    return rewrite.member(exchange, 0, path, '{"a":' + "[" * 70 + "]" * 70 + "}")
