"""The call of a function as it was before there were tools: deprecated by OpenAI, and lawful where functions are sent.

Its members' types are clauses of the schemas.
"""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, chats, check, streams
from chatconform.checks.tools import name_of
from chatconform.model import Finding, Reason
from chatconform.wire.arguments import Arguments
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Choice, ToolCall, Where
from chatconform.wire.transcript import Transcript, shown

_READ = ("http.status.error", "stream.error", "message.function_call.type")
_WHOLE = (*_READ, "http.body.complete", "sse.tail.chunk", "json.payload.valid")
_DECIDED = (*_READ, "choices.finish_reason.present", "choices.finish_reason.values")
_NAMED = (*_DECIDED, "functions.name.present", "functions.name.type", "functions.name.nonempty", "functions.name.once")
_ARGUED = (*_DECIDED, "functions.arguments.present", "functions.arguments.type")
_NO_JSON = (Arguments.BROKEN, Arguments.SEVERAL, Arguments.CUMULATIVE)


def _offers(asked: Asked) -> bool:
    return asked.has_functions


def _declared(asked: Asked) -> list[str | None]:
    """Return the names of the functions that a request declares; None for one without a name."""
    functions = asked.body.get("functions")
    return [*map(name_of, functions)] if isinstance(functions, list) else []


def _names_all(asked: Asked) -> bool:
    """Whether every function of a request has a name."""
    return asked.has_functions and all(_declared(asked))


def _calling(transcript: Transcript) -> Iterator[tuple[Choice, ToolCall]]:
    """Yield the choices that call a function, with the call."""
    for choice in transcript.facts.choices.values():
        if choice.function_call is not None:
            yield choice, choice.function_call


def _calls_function(transcript: Transcript) -> bool:
    return any(choice.function_call for choice in transcript.facts.choices.values())


def _calls(transcript: Transcript) -> int | Reason:
    return sum(1 for _ in _calling(transcript)) or Reason.OTHER_BRANCH


def _finished(transcript: Transcript) -> Iterator[ToolCall]:
    """Yield the calls of choices that were not cut, by their own account."""
    return (call for choice, call in _calling(transcript) if not choice.is_cut)


def _finished_calls(transcript: Transcript) -> int | Reason:
    return sum(1 for _ in _finished(transcript)) or Reason.OTHER_BRANCH


def _readable_calls(transcript: Transcript) -> int | Reason:
    """Count the finished calls but those whose arguments exceed our limits."""
    return sum(call.reading is not Arguments.UNREAD for call in _finished(transcript)) or Reason.OTHER_BRANCH


def _at(call: ToolCall, member: str) -> Where:
    return Where(call.where.payload, (*call.where.path, member))


def _name_at(call: ToolCall) -> Where:
    return call.names[0].where if call.names else _at(call, "name")


def _arguments_at(call: ToolCall) -> Where:
    return call.began or _at(call, "arguments")


@check(
    "functions.name.nonempty",
    level=MUST,
    over=chats,
    asks=_offers,
    came=_calls_function,
    examines=_calls,
    needs=(*_WHOLE, "functions.name.present", "functions.name.type"),
    cites=("OpenAI API reference", "TOL-24"),
)
def name_nonempty(transcript: Transcript) -> Iterator[Finding]:
    """A function call names its function.

    Breaks: openai-node's stream helper raises; nobody knows what to run.
    Fix: send the name in function_call, in its first delta where the answer is streamed.
    """
    for _, call in _calling(transcript):
        if not call.names:
            yield transcript.finding(_name_at(call), "the name of a function", "no name")


@check(
    "functions.name.once",
    level=MUST,
    over=streams,
    asks=_offers,
    came=_calls_function,
    examines=_calls,
    needs=("stream.error", "message.function_call.type"),
    cites="TOL-25",
)
def name_once(stream: Transcript) -> Iterator[Finding]:
    """A streamed function call says its name in one delta, and whole.

    Breaks: openai-python, its stream helper and LangChain join copies of the name; openai-node's helper and
    LangChain.js keep the last piece of a name in pieces.
    Fix: send the whole name in the first delta of function_call, and in no other.
    """
    for _, call in _calling(stream):
        for seen in call.names[1:]:
            yield stream.finding(seen.where, "no name after the first one")


@check(
    "functions.name.declared",
    level=MUST,
    over=chats,
    asks=_names_all,
    examines=_finished_calls,
    needs=_NAMED,
    cites="OpenAI API reference",
)
def name_declared(transcript: Transcript) -> Iterator[Finding]:
    """A function that is called is one of those that the request declares.

    Breaks: there is nothing to run; agents raise, or answer the model's call with an error.
    Fix: match the call's name with the declared functions, and send it as it was declared.
    """
    declared = _declared(transcript.asked)
    for call in _finished(transcript):
        if call.name not in declared:
            yield transcript.finding(_name_at(call), f"one of {', '.join(map(str, declared))}", shown(call.name))


@check(
    "functions.arguments.incremental",
    level=MUST,
    over=streams,
    asks=_offers,
    came=_calls_function,
    examines=_finished_calls,
    needs=_ARGUED,
    cites="TOL-26",
)
def arguments_incremental(stream: Transcript) -> Iterator[Finding]:
    """Each delta of a function call holds the next piece of the arguments, and nothing of what came before.

    Breaks: every client joins the deltas, and what it joins is no JSON.
    Fix: send in each delta only what is new.
    """
    for call in _finished(stream):
        if call.reading is Arguments.CUMULATIVE:
            yield stream.finding(_arguments_at(call), "pieces that join to JSON", shown(call.arguments))


@check(
    "functions.arguments.json",
    level=MUST,
    over=chats,
    asks=_offers,
    came=_calls_function,
    examines=_readable_calls,
    needs=(*_ARGUED, "functions.arguments.incremental"),
    cites=("OpenAI API reference", "TOL-26"),
)
def arguments_json(transcript: Transcript) -> Iterator[Finding]:
    """The arguments of a function call are one JSON text, {} where there are none, unless the answer was cut.

    Breaks: whoever parses them raises; openai-node's stream helper raises where they never come.
    Fix: send "{}" where there are no arguments, and finish_reason length where the token cap cut them.
    """
    for call in _finished(transcript):
        if call.reading in (Arguments.NONE, *_NO_JSON):
            want = "one JSON object, or a finish_reason of length"
            yield transcript.finding(_arguments_at(call), want, shown(call.arguments))


@check(
    "functions.arguments.object",
    level=SHOULD,
    over=chats,
    asks=_offers,
    came=_calls_function,
    examines=_readable_calls,
    needs=(*_ARGUED, "functions.arguments.json"),
    cites="TOL-19",
)
def arguments_object(transcript: Transcript) -> Iterator[Finding]:
    """The arguments of a function call are a JSON object.

    Breaks: clients look up parameters by name in what they parsed; null, an array and a string have none.
    Fix: send an object, {} where there are no arguments, and encode it once.
    """
    for call in _finished(transcript):
        if call.reading is Arguments.VALUE:
            yield transcript.finding(_arguments_at(call), "a JSON object", shown(call.arguments))


def _named(asked: Asked) -> str | None:
    """Return the name of the function that has to be called."""
    chosen = asked.body.get("function_call")
    name = chosen.get("name") if isinstance(chosen, dict) else None
    return name if asked.has_functions and isinstance(name, str) else None


def _leaves_open(asked: Asked) -> bool:
    return asked.has_functions and _named(asked) is None


@check(
    "functions.finish_reason.value",
    level=MUST,
    over=chats,
    asks=_leaves_open,
    examines=_calls,
    needs=_DECIDED,
    cites="OpenAI API reference",
)
def finish_value(transcript: Transcript) -> Iterator[Finding]:
    """A choice that calls a function does not finish with stop.

    Breaks: agents that go by finish_reason end the turn and never run the function.
    Fix: send finish_reason function_call; only where the request names the function is stop usual.
    """
    for choice, _ in _calling(transcript):
        if choice.finishes and choice.finishes[-1].value == "stop":
            yield transcript.finding(choice.finishes[-1].where, "function_call")


def _handed_over(transcript: Transcript) -> list[Choice]:
    found = transcript.facts.choices.values()
    return [choice for choice in found if choice.finishes and choice.finishes[-1].value == "function_call"]


@check(
    "functions.finish_reason.called",
    level=SHOULD,
    over=chats,
    asks=_offers,
    came=lambda transcript: bool(_handed_over(transcript)),
    examines=lambda transcript: len(_handed_over(transcript)) or Reason.OTHER_BRANCH,
    needs=(*_DECIDED, "choices.message.present", "choices.message.type", "choices.delta.present", "choices.delta.type"),
    cites="OpenAI API reference",
)
def finish_called(transcript: Transcript) -> Iterator[Finding]:
    """A choice that finishes with function_call calls a function.

    Breaks: agents have nothing to run and no reason to show what there is: they ask again, or end without an answer.
    Fix: send the call in function_call; finish with tool_calls where tools are called, and with stop where none is.
    """
    for choice in _handed_over(transcript):
        if choice.function_call is None:
            yield transcript.finding(choice.finishes[-1].where, "a function call, or another reason")


@check(
    "functions.choice.named",
    level=MUST,
    over=chats,
    asks=lambda asked: _named(asked) is not None,
    examines=lambda transcript: len(_open(transcript)) or Reason.OTHER_BRANCH,
    needs=(*_NAMED, "functions.name.declared"),
    cites="OpenAI API reference",
)
def choice_named(transcript: Transcript) -> Iterator[Finding]:
    """Where function_call of the request names a function, that function is called, and no other.

    Breaks: the caller gets text, or a call of another function, where it counts on this one.
    Fix: make the model call the named function, or refuse such a function_call with a 400 that names it.
    """
    name = _named(transcript.asked)
    for choice in _open(transcript):
        call = choice.function_call
        if call is None:
            yield transcript.finding(choice.finishes[-1].where, f"a call of {name}", "no function call")
        elif call.name != name:
            yield transcript.finding(_name_at(call), f"{name}, which the request names")


def _open(transcript: Transcript) -> list[Choice]:
    """Return the choices that neither refuse nor were cut, and call nothing by other means."""
    found = transcript.facts.choices.values()
    return [choice for choice in found if not (choice.is_cut or choice.refusal or choice.tool_calls)]


@check(
    "functions.choice.none",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_functions and asked.body.get("function_call") == "none",
    examines=lambda transcript: len(transcript.facts.choices) or Reason.NOTHING_TO_EXAMINE,
    needs=_DECIDED,
    cites="OpenAI API reference",
)
def choice_none(transcript: Transcript) -> Iterator[Finding]:
    """Where function_call of the request is none, no function is called.

    Breaks: the caller is handed a call that it ruled out, often where it waits for text.
    Fix: leave the functions out of the prompt, or do not parse calls, where function_call is none.
    """
    for _, call in _calling(transcript):
        yield transcript.finding(call.where, "no function call", f"a call of {call.name or 'a function'}")


def _callers(transcript: Transcript) -> list[Choice]:
    found = transcript.facts.choices.values()
    return [choice for choice in found if choice.tool_calls or choice.function_call]


@check(
    "tools.calls.listed",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_tools and not asked.has_functions,
    examines=lambda transcript: len(_callers(transcript)) or Reason.OTHER_BRANCH,
    needs=_READ,
    cites=("OpenAI API reference", "TOL-27"),
)
def calls_listed(transcript: Transcript) -> Iterator[Finding]:
    """A request with tools is answered by tool_calls, and not by function_call alone.

    Breaks: LangChain, in Python and in JavaScript, and the AI SDK see no call; agents show an empty answer.
    Fix: send the call in tool_calls, with an id and a type; function_call is for requests with functions.
    """
    for choice in _callers(transcript):
        if not choice.tool_calls and choice.function_call:
            yield transcript.finding(choice.function_call.where, "tool_calls", "function_call and no tool_calls")
