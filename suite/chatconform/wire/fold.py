"""One pass over the chunks of a stream (or the choices of an answer) that produces the facts checks ask for.

The fold reads whatever JSON it is given: a member of the wrong type is no fact, and a clause says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from chatconform.model import JsonObject, JsonValue

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the answer: the number of the payload (from 0) and the steps to the value in it."""

    payload: int
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A value, and where it stood."""

    value: JsonValue
    where: Where


@dataclass(slots=True)
class ToolCall:
    """A tool call put together from its deltas, or as it stands in a message."""

    index: int
    where: Where
    id: str = ""
    type: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Choice:
    """What one choice of an answer comes to. Lists hold the places in the order in which they came."""

    index: int
    where: Where
    roles: list[Seen] = field(default_factory=list)
    finishes: list[Seen] = field(default_factory=list)
    after_finish: list[Where] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    reasoning: bool = False
    other: bool = False
    tool_calls: dict[int, ToolCall] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        """Whether the message has text, a refusal, a call, audio or anything else to show."""
        return bool(self.tool_calls) or self.other or any(self.content) or any(self.refusal)


@dataclass(slots=True)
class Facts:
    """What the fold found."""

    ids: list[Seen] = field(default_factory=list)
    created: list[Seen] = field(default_factory=list)
    models: list[Seen] = field(default_factory=list)
    usages: list[Seen] = field(default_factory=list)
    empty_choices: list[Seen] = field(default_factory=list)
    metadata: list[int] = field(default_factory=list)
    choices: dict[int, Choice] = field(default_factory=dict)


def fold(payloads: Iterable[tuple[int, JsonObject]], member: str) -> Facts:
    """Return the facts of the given payloads; `member` is `delta` for chunks and `message` for an answer."""
    facts = Facts()
    for number, payload in payloads:
        if is_metadata(payload):
            facts.metadata.append(number)
            continue
        _envelope(facts, number, payload)
        choices = payload.get("choices")
        if isinstance(choices, list):
            if not choices:
                facts.empty_choices.append(Seen(payload.get("usage"), Where(number, ("choices",))))
            for position, choice in enumerate(choices):
                if isinstance(choice, dict):
                    _choice(facts, number, position, choice, member)
    return facts


def is_metadata(payload: JsonObject) -> bool:
    """Whether a chunk is Azure's preamble: id, object and model are all empty. It is never a finding."""
    return payload.get("id") == "" and payload.get("object") == "" and payload.get("model") == ""


def _envelope(facts: Facts, number: int, payload: JsonObject) -> None:
    for key, seen in (("id", facts.ids), ("created", facts.created), ("model", facts.models)):
        value = payload.get(key)
        if value is not None:
            seen.append(Seen(value, Where(number, (key,))))
    usage = payload.get("usage")
    if isinstance(usage, dict) and usage:
        facts.usages.append(Seen(usage, Where(number, ("usage",))))


def _choice(facts: Facts, number: int, position: int, value: JsonObject, member: str) -> None:
    index = value.get("index")
    key = index if isinstance(index, int) and not isinstance(index, bool) else position
    where = Where(number, ("choices", position))
    choice = facts.choices.setdefault(key, Choice(key, where))
    message = value.get(member)
    finished = bool(choice.finishes)
    if isinstance(message, dict):
        said = _message(choice, message, Where(number, (*where.path, member)))
        if finished and said:
            choice.after_finish.append(Where(number, (*where.path, member)))
    finish = value.get("finish_reason")
    if finish is not None and finish != "":
        choice.finishes.append(Seen(finish, Where(number, (*where.path, "finish_reason"))))


def _message(choice: Choice, message: JsonObject, where: Where) -> bool:
    """Add what a message or a delta says to its choice, and return whether it said anything."""
    role = message.get("role")
    if role is not None and role != "":
        choice.roles.append(Seen(role, Where(where.payload, (*where.path, "role"))))
    said = _text(message.get("content"), choice.content) | _text(message.get("refusal"), choice.refusal)
    choice.reasoning |= any(message.get(key) for key in ("reasoning_content", "reasoning", "reasoning_details"))
    content = message.get("content")
    other = bool(message.get("audio") or message.get("function_call")) or (
        content is not None and not isinstance(content, str)
    )
    choice.other |= other
    calls = message.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else []):
        if isinstance(call, dict):
            said = True
            _tool_call(choice, call, position, Where(where.payload, (*where.path, "tool_calls", position)))
    return said or other


def _text(value: JsonValue, pieces: list[str]) -> bool:
    if isinstance(value, str) and value:
        pieces.append(value)
        return True
    return False


def _tool_call(choice: Choice, value: JsonObject, position: int, where: Where) -> None:
    index = value.get("index")
    key = index if isinstance(index, int) and not isinstance(index, bool) else position
    call = choice.tool_calls.setdefault(key, ToolCall(key, where))
    call.id = call.id or _string(value.get("id"))
    call.type = call.type or _string(value.get("type"))
    function = value.get("function")
    if isinstance(function, dict):
        call.name = call.name or _string(function.get("name"))
        call.arguments += _string(function.get("arguments"))


def _string(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
