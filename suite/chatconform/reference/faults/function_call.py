"""Faults of the call of a function as it was before there were tools."""

from __future__ import annotations

from typing import Final

from chatconform.model import Exchange, JsonObject
from chatconform.reference import rewrite
from chatconform.reference.faults.consequences import CONTENT, OF_CALLS
from chatconform.reference.faults.fault import Ids, fault
from chatconform.reference.rewrite import Path

_MESSAGE: Path = ("choices", 0, "message")
_CALL: Path = (*_MESSAGE, "function_call")
_DELTA: Path = ("choices", 0, "delta", "function_call")
_FINISH: Path = ("choices", 0, "finish_reason")
_BEGINS, _GOES_ON, _ENDS = 1, 2, 3
"""The numbers of the three chunks of the call in `stream.function`."""

_NAMELESS: Final[Ids] = ("functions.name.declared", "functions.choice.named")
"""What needs the call to have a name that is whole."""
_OF_A_CALL: Final[Ids] = (
    "functions.name.*", "functions.arguments.*", "functions.finish_reason.*", "message.function_call.type",
)  # fmt: skip
"""What is said of a call of a function where one comes."""
_TEXT: Final[Ids] = ("message.content.*", "stream.content.*")
"""What a text that finishes with stop gives an occasion to."""


def _call(exchange: Exchange, **members: str) -> Exchange:
    """Set members of the call in an answer."""
    for name, value in members.items():
        exchange = rewrite.member(exchange, 0, (*_CALL, name), value)
    return exchange


@fault(
    "functions.name.empty",
    of="answer.function",
    fails=("functions.name.nonempty",),
    unproven={"functions.name.nonempty": _NAMELESS},
)
def name_empty(exchange: Exchange) -> Exchange:
    """The name of the called function is the empty string."""
    return _call(exchange, name="")


@fault(
    "functions.name.missing_stream",
    of="stream.function",
    fails=("functions.name.nonempty",),
    unproven={"functions.name.nonempty": _NAMELESS},
    other_branch=("functions.name.type",),
)
def name_missing(exchange: Exchange) -> Exchange:
    """No delta of the call names the function."""
    return rewrite.no_member(exchange, _BEGINS, (*_DELTA, "name"))


@fault(
    "functions.name.repeated",
    of="stream.function",
    fails=("functions.name.once",),
    unproven={"functions.name.once": _NAMELESS},
)
def name_repeated(exchange: Exchange) -> Exchange:
    """Every delta of the call names the function."""
    told = rewrite.member(exchange, _GOES_ON, (*_DELTA, "name"), "weather")
    return rewrite.member(told, _ENDS, (*_DELTA, "name"), "weather")


@fault(
    "functions.name.split",
    of="stream.function",
    fails=("functions.name.once",),
    unproven={"functions.name.once": _NAMELESS},
)
def name_split(exchange: Exchange) -> Exchange:
    """The name of the function comes in two pieces."""
    told = rewrite.member(exchange, _BEGINS, (*_DELTA, "name"), "wea")
    return rewrite.member(told, _GOES_ON, (*_DELTA, "name"), "ther")


@fault("functions.name.undeclared", of="answer.function", fails=("functions.name.declared",))
def name_undeclared(exchange: Exchange) -> Exchange:
    """A function is called that the request does not declare."""
    return _call(exchange, name="forecast")


@fault(
    "functions.arguments.cumulative",
    of="stream.function",
    fails=("functions.arguments.incremental",),
    unproven={"functions.arguments.incremental": ("functions.arguments.json", "functions.arguments.object")},
)
def arguments_cumulative(exchange: Exchange) -> Exchange:
    """Each delta of the call holds all of its arguments so far."""
    return rewrite.member(exchange, _ENDS, (*_DELTA, "arguments"), '{"city":"東京"}')


@fault(
    "functions.arguments.cut",
    of="answer.function",
    fails=("functions.arguments.json",),
    unproven={"functions.arguments.json": ("functions.arguments.object",)},
)
def arguments_cut(exchange: Exchange) -> Exchange:
    """The token cap cut the arguments of the call, and finish_reason is function_call all the same."""
    return _call(exchange, arguments='{"city":"')


@fault(
    "functions.arguments.empty",
    of="answer.function_named",
    fails=("functions.arguments.json",),
    unproven={"functions.arguments.json": ("functions.arguments.object",)},
)
def arguments_empty(exchange: Exchange) -> Exchange:
    """The arguments of a call that has none are the empty string."""
    return _call(exchange, arguments="")


@fault(
    "functions.arguments.never",
    of="stream.function",
    fails=("functions.arguments.json",),
    unproven={"functions.arguments.json": ("functions.arguments.object",)},
    other_branch=("functions.arguments.type",),
)
def arguments_never(exchange: Exchange) -> Exchange:
    """A streamed call has its name and no arguments in any delta."""
    first, begin, *_, last = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [first, rewrite.put(begin, _DELTA, {"name": "weather"}), last])


@fault(
    "functions.answer.error",
    of="answer.function",
    fails=("http.status.error",),
    unproven={"http.status.error": CONTENT},
)
def answer_error(exchange: Exchange) -> Exchange:
    """An error stands beside the choices in which a function is called."""
    return rewrite.member(exchange, 0, ("error",), {"message": "The model broke off.", "code": 502})


@fault("functions.arguments.list", of="answer.function", fails=("functions.arguments.object",))
def arguments_list(exchange: Exchange) -> Exchange:
    """The arguments of the call are an array."""
    return _call(exchange, arguments='["Zürich"]')


@fault(
    "functions.finish_reason.stop",
    of="answer.function",
    fails=("functions.finish_reason.value",),
    passes=("message.content.nonempty",),
    other_branch=("functions.finish_reason.called",),
)
def finish_stop(exchange: Exchange) -> Exchange:
    """The model called a function of its own accord, and finish_reason is stop."""
    return rewrite.member(exchange, 0, _FINISH, "stop")


@fault(
    "functions.finish_reason.stop_stream",
    of="stream.function",
    fails=("functions.finish_reason.value",),
    passes=("message.content.nonempty",),
    other_branch=("functions.finish_reason.called",),
)
def finish_stop_stream(exchange: Exchange) -> Exchange:
    """A streamed call of a function ends with finish_reason stop."""
    return rewrite.member(exchange, -1, _FINISH, "stop")


@fault(
    "functions.finish_reason.uncalled",
    of="answer.function_none",
    fails=("functions.finish_reason.called",),
    other_branch=("message.content.nonempty",),
)
def finish_uncalled(exchange: Exchange) -> Exchange:
    """finish_reason is function_call, and the answer is text."""
    return rewrite.member(exchange, 0, _FINISH, "function_call")


@fault(
    "functions.choice.ignored",
    of="answer.function_named",
    fails=("functions.choice.named",),
    passes=(*_TEXT, "tools.markup.absent"),
    other_branch=_OF_A_CALL,
)
def named_ignored(exchange: Exchange) -> Exchange:
    """The request names a function, and the answer is text."""
    return rewrite.member(exchange, 0, _MESSAGE, {"role": "assistant", "content": "It is sunny."})


@fault("functions.choice.another", of="answer.function_named", fails=("functions.choice.named",))
def named_otherwise(exchange: Exchange) -> Exchange:
    """The request names a function, and another one is called."""
    offered = rewrite.asked(exchange, functions=[{"name": "weather"}, {"name": "time"}])
    return _call(offered, name="time")


@fault(
    "functions.choice.called",
    of="answer.function_none",
    fails=("functions.choice.none",),
    passes=_OF_A_CALL,
    other_branch=("message.content.nonempty",),
)
def called(exchange: Exchange) -> Exchange:
    """function_call of the request is none, and a function is called."""
    told = rewrite.member(exchange, 0, _CALL, {"name": "weather", "arguments": "{}"})
    return rewrite.member(told, 0, _FINISH, "function_call")


_LEGACY: Final[Ids] = ("functions.name.nonempty", "functions.finish_reason.called", "functions.arguments.*")
"""What is said of a call of a function that no request asked for."""


@fault(
    "tools.calls.legacy",
    of="answer.tools",
    fails=("tools.calls.listed",),
    passes=(*_LEGACY, "functions.name.present", "functions.name.type", "message.function_call.type"),
    other_branch=(*OF_CALLS, "choices.finish_reason.tool_calls", "choices.finish_reason.called"),
    appears=("functions.name.[npt]*", *_LEGACY),
    gone=("functions.arguments.incremental",),
)
def legacy(exchange: Exchange) -> Exchange:
    """A request with tools is answered by a call of a function, as before there were tools."""
    call: JsonObject = {"name": "weather", "arguments": '{"city":"Zürich"}'}
    told = rewrite.member(exchange, 0, _MESSAGE, {"role": "assistant", "content": None, "function_call": call})
    return rewrite.member(told, 0, _FINISH, "function_call")
