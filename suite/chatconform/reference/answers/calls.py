"""Which tools are called, and with what: by the words of the prompt, and by the schema of the tool's parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from chatconform.model import JsonObject, JsonValue
from chatconform.reference.answers import speech, tokens
from chatconform.reference.answers.values import Maker

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SAYS_NOTHING: Final = frozenset((
    "find", "make", "call", "tool", "name", "show", "list", "look", "current", "given", "function", "this", "that",
    "with", "from", "what", "which", "your", "return", "returns", "answer", "gets", "does", "into", "used", "have",
))  # fmt: skip
_READ: Final = 4096
"""Characters of a text whose words are looked at."""
_SHORTEST, _STEM = 3, 5
"""Letters: of words that tell tools apart, and of what two forms of one word have in common."""
_PARALLEL: Final = 2


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of the request. `kind` is function, custom, or legacy for an entry of `functions`."""

    name: str
    kind: str
    parameters: JsonObject
    about: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool; `arguments` are its JSON text, or a custom tool's input."""

    tool: Tool
    arguments: str

    @property
    def tokens(self) -> int:
        """How many tokens the call takes: its name and its arguments."""
        return tokens.count(self.tool.name) + tokens.count(self.arguments)


def tools(body: JsonObject) -> tuple[Tool, ...]:
    """Return the tools that a request declares and that have a name; `functions` is the older way to declare them."""
    listed, older = body.get("tools"), body.get("functions")
    each = ((_inner(tool), tool.get("type")) for tool in _objects(listed))
    every = [*each, *((function, "legacy") for function in _objects(older))]
    return tuple(
        _tool(inner, str(kind or "function"))
        for inner, kind in every
        if inner.get("name") and isinstance(inner["name"], str)
    )


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    yield from (each for each in (value if isinstance(value, list) else []) if isinstance(each, dict))


def _inner(tool: JsonObject) -> JsonObject:
    inner = tool.get("custom" if tool.get("type") == "custom" else "function")
    return inner if isinstance(inner, dict) else {}


def _tool(inner: JsonObject, kind: str) -> Tool:
    parameters = inner.get("parameters")
    about = inner.get("description")
    schema = parameters if isinstance(parameters, dict) else {}
    return Tool(str(inner["name"]), kind, schema, about if isinstance(about, str) else "")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request decides of calls: among which tools, whether one has to be called, whether several may be."""

    among: tuple[Tool, ...]
    has_to: bool
    is_named: bool = False
    may_be_several: bool = True


def wish(body: JsonObject) -> Wish:
    """Return what `tools` and `tool_choice`, or the older `functions` and `function_call`, ask for."""
    declared = tools(body)
    choice = body.get("function_call") if body.get("tool_choice") is None else body.get("tool_choice")
    several = body.get("parallel_tool_calls") is not False and bool(body.get("tools"))
    found = Wish(declared, has_to=choice == "required", may_be_several=several)
    if choice == "none":
        return replace(found, among=(), has_to=False)
    if not isinstance(choice, dict):
        return found
    allowed = choice.get("allowed_tools")
    if choice.get("type") == "allowed_tools":
        of = allowed if isinstance(allowed, dict) else choice
        names = {_inner(each).get("name") or each.get("name") for each in _objects(of.get("tools"))}
        among = tuple(each for each in declared if each.name in names)
        return replace(found, among=among, has_to=of.get("mode") == "required")
    name = _inner(choice).get("name") or choice.get("name")
    return replace(found, among=tuple(each for each in declared if each.name == name), has_to=True, is_named=True)


def made(body: JsonObject) -> tuple[Call, ...]:
    """Return the calls that a request is answered with; none where text answers it."""
    wanted, asked = wish(body), speech.prompt(body)
    if not wanted.among or (speech.ends_with_result(body) and not wanted.has_to):
        return ()
    meant = [tool for tool in wanted.among if _is_about(tool, asked)] or ([wanted.among[0]] if wanted.has_to else [])
    if not meant:
        return ()
    if not wanted.may_be_several:
        return (_call(meant[0], asked, 0),)
    if len(meant) > 1 and not wanted.is_named:
        return tuple(_call(tool, asked, 0) for tool in meant[:_PARALLEL])
    times = min(len(speech.names(asked)), _PARALLEL) if _takes_a_name(meant[0]) and _asks_for_several(asked) else 1
    return tuple(_call(meant[0], asked, number) for number in range(times))


def _asks_for_several(asked: str) -> bool:
    return bool(re.search(r"\band\b|\bund\b|、|和", asked)) and len(speech.names(asked)) > 1


def _takes_a_name(tool: Tool) -> bool:
    """Whether a tool has a parameter that is free text."""
    properties = tool.parameters.get("properties")
    known = properties.values() if isinstance(properties, dict) else []
    return any(isinstance(each, dict) and each.get("type") == "string" and "enum" not in each for each in known)


def _words(text: str) -> set[str]:
    found = (each.lower() for each in _WORD.findall(text[:_READ]))
    return {each[:_STEM] for each in found if len(each) >= _SHORTEST and each not in _SAYS_NOTHING}


def _is_about(tool: Tool, asked: str) -> bool:
    """Whether a prompt speaks of what a tool does: a word of its name, or two of its description."""
    spoken = _words(asked)
    named = _words(tool.name) - {"get", "set", "the", "for", "add"}
    return bool(named & spoken) or len(_words(tool.about) & spoken) > 1


def _call(tool: Tool, asked: str, number: int) -> Call:
    names = speech.names(asked)
    turned = (*names[number % len(names) :], *names[: number % len(names)])
    if tool.kind == "custom":
        return Call(tool, turned[0])
    schema: JsonObject = {"type": "object", **tool.parameters}
    value = Maker(schema, turned).value(schema)
    return Call(tool, json.dumps(value, ensure_ascii=False, separators=(",", ":")))
