"""What the request decides of tool calls: which tools there are, and whether one has to be called, or none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from chatconform.checks.check import MUST, SHOULD, chats, check
from chatconform.checks.message import MOST_PLACES, is_quoted
from chatconform.checks.tools import TOLD_APART, at, calls, name_of, names, wants_tools
from chatconform.model import Finding, JsonValue, Reason
from chatconform.wire import structured
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Choice, ToolCall, Where
from chatconform.wire.transcript import Transcript, shown

MARKS = (
    "<tool_call>",
    "<|tool_call|>",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "<|tool_calls_section_begin|>",
    "<｜tool▁calls▁begin｜>",
    "<function=",
    "<invoke name=",
    "<|tool_call_start|>",
    "<|action_start|>",
    "functools[",
    "commentary to=functions.",
)
"""What models write before a call, in the templates that they were trained on."""
NEAR = 200
"""Within how many characters of such a mark the name of a tool has to stand."""
_CUT_NAME = re.compile(r'"name"\s*:\s*"([^"\\]+)\Z')

_NAMED = (
    "http.status.error",
    "choices.finish_reason.values",
    *TOLD_APART,
    "tools.function.type",
    "tools.name.present",
    "tools.name.type",
    "tools.name.nonempty",
    "tools.name.streamed",
    "tools.name.whole",
)
_DECIDED = (
    "choices.finish_reason.present",
    "choices.finish_reason.values",
    "message.tool_calls.type",
    "tools.item.type",
)


def _knows_all(asked: Asked) -> bool:
    """Whether every tool of the request has a name; a tool of the provider's own may call what it likes."""
    tools = asked.body.get("tools")
    return asked.has_tools and all(map(name_of, tools if isinstance(tools, list) else []))


def _uncut(transcript: Transcript) -> Iterator[ToolCall]:
    for choice in transcript.facts.choices.values():
        if not choice.is_cut:
            yield from choice.tool_calls.values()


def _uncut_calls(transcript: Transcript) -> int | Reason:
    return sum(1 for _ in _uncut(transcript)) or Reason.OTHER_BRANCH


def _name_at(call: ToolCall) -> Where:
    return call.names[0].where if call.names else at(call, "function", "name")


@check(
    "tools.name.declared",
    level=MUST,
    over=chats,
    asks=_knows_all,
    examines=_uncut_calls,
    needs=_NAMED,
    cites="OpenAI API reference",
)
def name_declared(transcript: Transcript) -> Iterator[Finding]:
    """A tool that is called is one of those that the request declares.

    Breaks: there is nothing to run; agents raise, or answer the model's call with an error.
    Fix: match the call's name with the declared tools, and send it as it was declared.
    """
    declared = names(transcript.asked)
    others = [call for call in _uncut(transcript) if call.name not in declared]
    want = f"one of {', '.join(sorted(declared))}" if others else ""
    for call in others:
        yield transcript.finding(_name_at(call), want, shown(call.name))


def _open(transcript: Transcript) -> Iterator[Choice]:
    """Yield the choices that neither refuse nor were cut."""
    for choice in transcript.facts.choices.values():
        if not choice.is_cut and not choice.refusal:
            yield choice


def _open_choices(transcript: Transcript) -> int | Reason:
    return sum(1 for _ in _open(transcript)) or Reason.OTHER_BRANCH


def _requires(asked: Asked) -> bool:
    return asked.has_tools and "required" in (asked.tool_choice, _allowed(asked).get("mode"))


def _allowed(asked: Asked) -> dict[str, JsonValue]:
    """Return what tool_choice says of the tools that are allowed, where it is of that kind."""
    choice = asked.body.get("tool_choice")
    if asked.tool_choice != "allowed_tools" or not isinstance(choice, dict):
        return {}
    allowed = choice.get("allowed_tools")
    return allowed if isinstance(allowed, dict) else choice


@check(
    "tools.choice.required",
    level=MUST,
    over=chats,
    asks=_requires,
    examines=_open_choices,
    needs=_DECIDED,
    cites=("OpenAI API reference", "TOL-21"),
)
def choice_required(transcript: Transcript) -> Iterator[Finding]:
    """Where tool_choice requires a call, a tool is called.

    Breaks: the caller gets text where it counts on a call.
    Fix: make the model call a tool, or refuse tool_choice required with a 400 that names it.
    """
    for choice in _open(transcript):
        if not choice.tool_calls:
            yield transcript.finding(choice.finishes[-1].where, "a tool call", "no tool call")


def _named(asked: Asked) -> str | None:
    """Return the name of the tool that has to be called."""
    choice = asked.body.get("tool_choice")
    is_tool = isinstance(choice, dict) and choice.get("type") in ("function", "custom")
    return name_of(choice) if asked.has_tools and is_tool else None


@check(
    "tools.choice.named",
    level=MUST,
    over=chats,
    asks=lambda asked: _named(asked) is not None,
    examines=_open_choices,
    needs=(*_DECIDED, *_NAMED, "tools.name.declared"),
    cites=("OpenAI API reference", "TOL-21"),
)
def choice_named(transcript: Transcript) -> Iterator[Finding]:
    """Where tool_choice names a tool, that tool is called, and no other.

    Breaks: the caller gets text, or a call of another tool, where it counts on this one.
    Fix: make the model call the named tool, or refuse such a tool_choice with a 400 that names it.
    """
    name = _named(transcript.asked)
    for choice in _open(transcript):
        if not choice.tool_calls:
            yield transcript.finding(choice.finishes[-1].where, f"a call of {name}", "no tool call")
        for call in choice.tool_calls.values():
            if call.name != name:
                yield transcript.finding(_name_at(call), f"{name}, which tool_choice names")


@check(
    "tools.choice.allowed",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_tools and isinstance(_allowed(asked).get("tools"), list),
    examines=_uncut_calls,
    needs=(*_NAMED, "tools.name.declared"),
    cites=("OpenAI API reference", "TOL-21"),
)
def choice_allowed(transcript: Transcript) -> Iterator[Finding]:
    """Where tool_choice allows some of the tools, no other is called.

    Breaks: a tool runs that the caller ruled out for this turn.
    Fix: offer the model the allowed tools only.
    """
    tools = _allowed(transcript.asked).get("tools")
    allowed = frozenset(map(name_of, tools if isinstance(tools, list) else []))
    for call in _uncut(transcript):
        if call.name not in allowed:
            yield transcript.finding(_name_at(call), "a tool that tool_choice allows")


@check(
    "tools.choice.none",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_tools and asked.tool_choice == "none",
    examines=lambda transcript: len(transcript.facts.choices) or Reason.NOTHING_TO_EXAMINE,
    needs=_DECIDED,
    cites=("OpenAI API reference", "TOL-22"),
)
def choice_none(transcript: Transcript) -> Iterator[Finding]:
    """Where tool_choice is none, no tool is called.

    Breaks: the caller is handed a call that it ruled out, often where it waits for text.
    Fix: leave the tools out of the prompt, or do not parse calls, where tool_choice is none.
    """
    for choice in transcript.facts.choices.values():
        for call in choice.tool_calls.values():
            yield transcript.finding(call.where, "no tool call", f"a call of {call.name or 'a tool'}")


@check(
    "tools.calls.single",
    level=MUST,
    over=chats,
    asks=lambda asked: asked.has_tools and asked.body.get("parallel_tool_calls") is False,
    examines=calls,
    needs=(*_DECIDED, *TOLD_APART, "tools.id.streamed"),
    cites=("OpenAI API reference", "TOL-23"),
)
def calls_single(transcript: Transcript) -> Iterator[Finding]:
    """Where parallel_tool_calls is false, a choice calls one tool at most.

    Breaks: tools that depend on each other's results run side by side.
    Fix: end the turn after the first call, or refuse parallel_tool_calls with a 400 that names it.
    """
    for choice in transcript.facts.choices.values():
        for call in list(choice.tool_calls.values())[1:]:
            yield transcript.finding(call.where, "one tool call", f"a call of {call.name or 'a tool'} as well")


def _telling(transcript: Transcript) -> int | Reason:
    told = (choice for choice in transcript.facts.choices.values() if choice.content and not choice.tool_calls)
    return sum(1 for _ in told) or Reason.OTHER_BRANCH


@check(
    "tools.markup.absent",
    level=SHOULD,
    over=chats,
    asks=lambda asked: wants_tools(asked) and asked.tool_choice != "none",
    examines=_telling,
    needs=("http.status.error", "stream.error"),
    cites="TOL-17",
)
def markup_absent(transcript: Transcript) -> Iterator[Finding]:
    """A tool call does not stand in content as the markup of the model's own template.

    Breaks: agents show the markup to the user and do nothing more.
    Fix: parse the model's calls into tool_calls, with the parser for this model's template.
    """
    for choice in transcript.facts.choices.values():
        text = "" if choice.tool_calls else choice.text
        found = [mark for mark in MARKS if mark in text and _is_call(text, mark, transcript.asked)]
        if found or _is_bare_call(text, transcript.asked):
            yield transcript.finding(choice.where, "tool_calls", f"content with {found[0] if found else text[:40]}")


def _is_call(text: str, mark: str, asked: Asked) -> bool:
    """Whether a mark of which the request does not speak begins a call of a declared tool, outside quoted code."""
    declared = tuple(names(asked))
    return not asked.mentions(mark) and any(
        _begins_call(text[: found.start()], mark, text[found.end() : found.end() + NEAR], declared)
        for found in islice(re.finditer(re.escape(mark), text), MOST_PLACES)
    )


def _begins_call(before: str, mark: str, after: str, declared: tuple[str, ...]) -> bool:
    """Whether a tool is named after a mark, outside quoted code, and the mark opens a line, or JSON follows at once."""
    opens_line = not before.rpartition("\n")[2].strip()
    names_it = mark.endswith(("=", ".")) and after.lstrip("\"'").startswith(declared)
    is_call = opens_line or names_it or after.lstrip().startswith(("{", "["))
    is_named = any(name in after for name in declared) or _is_cut_name(after, declared)
    return is_call and is_named and not is_quoted(before)


def _is_cut_name(after: str, declared: tuple[str, ...]) -> bool:
    """Whether the text ends within the name of a declared tool, as where a cap cuts a call."""
    found = _CUT_NAME.search(after) if len(after) < NEAR else None
    return found is not None and any(name.startswith(found[1]) for name in declared)


def _is_bare_call(text: str, asked: Asked) -> bool:
    """Whether a text is nothing but the JSON of a call of a declared tool, where the request speaks of no JSON."""
    if not text.lstrip().startswith("{") or asked.json_format or any(map(asked.says, ("JSON", "json"))):
        return False
    value = structured.read(text).document.object or {}
    parameters = value.get("parameters", value.get("arguments"))
    is_alone = value.keys() <= {"type", "id", "name", "parameters", "arguments"}
    return is_alone and isinstance(parameters, dict) and value.get("name") in names(asked)
