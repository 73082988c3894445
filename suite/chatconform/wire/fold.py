"""One pass over the chunks of a stream (or the choices of an answer) that produces the facts checks ask for.

The fold reads whatever JSON it is given: a member of the wrong type is no fact, and a clause says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from chatconform.model import JsonObject, JsonValue
from chatconform.wire import arguments, usage
from chatconform.wire.arguments import Arguments
from chatconform.wire.usage import Usage

Path = tuple[str | int, ...]


class Where(NamedTuple):
    """A place in the answer: the number of the payload (from 0) and the steps to the value in it."""

    payload: int
    path: Path = ()


class Seen(NamedTuple):
    """A value, and where it stood."""

    value: JsonValue
    where: Where


@dataclass(slots=True)
class ToolCall:
    """A tool call put together from its deltas, or as it stands in a message.

    `ids` and `names` hold every one that is not empty, `blanks` the places of empty ones that follow.
    `began` is where the arguments begin. The arguments of a custom tool's call are its input, which is free text.
    The call of a function, as it was before there were tools, is one too: it has a name and arguments alone.
    """

    index: int
    where: Where
    type: str = ""
    is_custom: bool = False
    ids: list[Seen] = field(default_factory=list)
    names: list[Seen] = field(default_factory=list)
    blanks: list[Where] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    began: Where | None = None
    _reading: Arguments | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The first id that is not empty."""
        return str(self.ids[0].value) if self.ids else ""

    @property
    def name(self) -> str:
        """The first name that is not empty."""
        return str(self.names[0].value) if self.names else ""

    @property
    def arguments(self) -> str:
        """The arguments, joined."""
        return "".join(self.pieces)

    @property
    def reading(self) -> Arguments:
        """What the arguments are; they are read when somebody first asks."""
        if self._reading is None:
            self._reading = arguments.read(self.pieces)
        return self._reading


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
    logprobs: list[Seen] = field(default_factory=list)
    reasoning: bool = False
    other: bool = False
    tool_calls: dict[int, ToolCall] = field(default_factory=dict)
    function_call: ToolCall | None = None
    _joined: str | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        """The content in one piece; it is joined when somebody first asks, after the last chunk."""
        if self._joined is None:
            self._joined = "".join(self.content)
        return self._joined

    @property
    def says_something(self) -> bool:
        """Whether the message has text, a refusal, a call, audio or anything else to show."""
        return bool(self.tool_calls or self.other or self.content or self.refusal)

    @property
    def is_cut(self) -> bool:
        """Whether its finish_reason says that the model was stopped before its end."""
        return bool(self.finishes) and self.finishes[-1].value in ("length", "content_filter")


@dataclass(slots=True)
class Group:
    """Payloads of one structure: one of them, and how many there are."""

    value: JsonObject
    count: int = 1


@dataclass(slots=True)
class Facts:
    """What the fold found. `ids` and `created` hold the first place of every different value; `known` knows them.

    `doubles` are choices of an answer whose index an earlier one has.
    """

    groups: list[Group] = field(default_factory=list)
    count: int = 0
    first: int = 0
    last: int = 0
    ids: list[Seen] = field(default_factory=list)
    with_id: int = 0
    created: list[Seen] = field(default_factory=list)
    with_created: int = 0
    without_created: list[int] = field(default_factory=list)
    without_model: list[int] = field(default_factory=list)
    usages: list[Seen] = field(default_factory=list)
    empty_choices: list[Seen] = field(default_factory=list)
    metadata: list[int] = field(default_factory=list)
    doubles: list[Where] = field(default_factory=list)
    choices: dict[int, Choice] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    _usage: Usage | None = field(default=None, compare=False)

    @property
    def usage(self) -> Usage:
        """The counts of the last usage object; they are read when somebody first asks."""
        if self._usage is None:
            self._usage = usage.read(self.usages[-1].value if self.usages else None)
        return self._usage


class Fold:
    """Takes the payloads of one answer in their order."""

    def __init__(self, member: str) -> None:
        """Take `delta` for chunks and `message` for an answer."""
        self.member = member
        self.facts = Facts()

    def add(self, number: int, payload: JsonObject) -> Group | None:
        """Take a payload that was parsed; return its group, None for Azure's preamble, which has no facts."""
        if is_metadata(payload):
            self.facts.metadata.append(number)
            return None
        group = Group(payload)
        self.facts.groups.append(group)
        self._take(number, payload)
        return group

    def repeat(self, number: int, group: Group, texts: Iterable[tuple[Path, str]]) -> None:
        """Take a payload that repeats the group's but for these texts."""
        group.count += 1
        for path, text in texts:
            _put(group.value, path, text)
        self._take(number, group.value)

    def continue_text(self, last: int, group: Group, count: int) -> None:
        """Take so many payloads, the last of them named, that repeat the group's and say no more than their text."""
        facts = self.facts
        group.count += count
        facts.count += count
        facts.with_id += count
        facts.with_created += count
        facts.last = last if count else facts.last

    def _take(self, number: int, payload: JsonObject) -> None:
        facts = self.facts
        if not facts.count:
            facts.first = number
        facts.count += 1
        facts.last = number
        _envelope(facts, number, payload)
        choices = payload.get("choices")
        if isinstance(choices, list):
            if not choices:
                facts.empty_choices.append(Seen(payload.get("usage"), Where(number, ("choices",))))
            for position, choice in enumerate(choices):
                if isinstance(choice, dict):
                    _choice(facts, number, position, choice, self.member)


def fold(payloads: Iterable[tuple[int, JsonObject]], member: str) -> Facts:
    """Return the facts of the given payloads."""
    folding = Fold(member)
    for number, payload in payloads:
        folding.add(number, payload)
    return folding.facts


def text_of(facts: Facts, payload: JsonObject, path: Path) -> tuple[Choice, list[str]] | None:
    """Return the choice and the pieces that a text at a path belongs to, where it is all that the chunk says.

    A chunk with a role, a finish_reason, a usage, an envelope that lacks something, or several choices says more.
    """
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    if not isinstance(choice, dict) or path[:3] != ("choices", 0, "delta"):
        return None
    delta = choice.get("delta")
    index = choice.get("index")
    known = facts.choices.get(index) if isinstance(index, int) and not isinstance(index, bool) else None
    says_more = (
        choice.get("finish_reason")
        or choice.get("logprobs")
        or payload.get("usage")
        or any(payload.get(key) is None for key in ("id", "created", "model"))
    )
    if known is None or says_more or not isinstance(delta, dict):
        return None
    if any(value for key, value in delta.items() if (key,) != path[3:4]):
        return None
    pieces = _pieces(known, delta, path[3:])
    return None if pieces is None else (known, pieces)


def _pieces(choice: Choice, delta: JsonObject, path: Path) -> list[str] | None:
    if path == ("content",):
        return choice.content
    if path == ("refusal",):
        return choice.refusal
    return _argument_pieces(choice, delta) if path[0] == "tool_calls" else None


def _argument_pieces(choice: Choice, delta: JsonObject) -> list[str] | None:
    """Return the pieces of the call that a delta goes on with, where it has neither an id nor a name."""
    match delta["tool_calls"]:
        case [{"index": int(index), "function": {"arguments": str(), **named}, **about}] if type(index) is int:
            silent = all(value is None for key, value in (named | about).items() if key != "type")
            return choice.tool_calls[index].pieces if silent and index in choice.tool_calls else None
    return None


def is_metadata(payload: JsonObject) -> bool:
    """Whether a chunk is Azure's preamble: id, object and model are all empty. It is never a finding."""
    return payload.get("id") == "" and payload.get("object") == "" and payload.get("model") == ""


def _put(value: JsonValue, path: Path, text: str) -> None:
    """Replace the text at the end of a path."""
    *steps, last = path
    for step in steps:
        value = value[step]  # type: ignore[index]
    value[last] = text  # type: ignore[index]


def _envelope(facts: Facts, number: int, payload: JsonObject) -> None:
    identifier, created = payload.get("id"), payload.get("created")
    if identifier is not None:
        facts.with_id += 1
        _note_new(facts, facts.ids, identifier, number, "id")
    if created is not None:
        facts.with_created += 1
        _note_new(facts, facts.created, created, number, "created")
    else:
        facts.without_created.append(number)
    if payload.get("model") is None:
        facts.without_model.append(number)
    reported = payload.get("usage")
    if isinstance(reported, dict) and reported:
        facts.usages.append(Seen(reported, Where(number, ("usage",))))


def _note_new(facts: Facts, seen: list[Seen], value: JsonValue, number: int, member: str) -> None:
    if seen and seen[-1].value == value:
        return
    name = f"{member}: {value!r}"
    if name not in facts.known:
        facts.known.add(name)
        seen.append(Seen(value, Where(number, (member,))))


def _choice(facts: Facts, number: int, position: int, value: JsonObject, member: str) -> None:
    index = value.get("index")
    key = index if isinstance(index, int) and not isinstance(index, bool) else position
    where = Where(number, ("choices", position))
    choice = facts.choices.get(key)
    if choice is None:
        choice = facts.choices[key] = Choice(key, where)
    elif member == "message":
        facts.doubles.append(where)
    message = value.get(member)
    if message and isinstance(message, dict):
        place = Where(number, (*where.path, member))
        finished = bool(choice.finishes)
        if _message(choice, message, place) and finished:
            choice.after_finish.append(place)
    logprobs = value.get("logprobs")
    if logprobs is not None:
        choice.logprobs.append(Seen(logprobs, Where(number, (*where.path, "logprobs"))))
    finish = value.get("finish_reason")
    if finish is not None and finish != "":
        choice.finishes.append(Seen(finish, Where(number, (*where.path, "finish_reason"))))


def _message(choice: Choice, message: JsonObject, where: Where) -> bool:
    """Add what a message or a delta says to its choice, and return whether it said anything."""
    role = message.get("role")
    if role is not None and role != "":
        choice.roles.append(Seen(role, Where(where.payload, (*where.path, "role"))))
    content = message.get("content")
    said = _text(content, choice.content) | _text(message.get("refusal"), choice.refusal)
    choice.reasoning |= bool(
        message.get("reasoning_content") or message.get("reasoning") or message.get("reasoning_details")
    )
    other = bool(message.get("audio") or message.get("function_call")) or (
        content is not None and not isinstance(content, str)
    )
    choice.other |= other
    function = message.get("function_call")
    if isinstance(function, dict):
        _function_call(choice, function, Where(where.payload, (*where.path, "function_call")))
    calls = message.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
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
    key = _number(value.get("index"), position, where)
    call = choice.tool_calls.get(key)
    if call is None:
        call = choice.tool_calls[key] = ToolCall(key, where)
    call.type = call.type or _string(value.get("type"))
    _note(call, call.ids, value.get("id"), where, "id")
    custom = value.get("custom")
    call.is_custom |= isinstance(custom, dict)
    member, text = ("custom", "input") if isinstance(custom, dict) else ("function", "arguments")
    called = value.get(member)
    if isinstance(called, dict):
        _note(call, call.names, called.get("name"), where, member, "name")
        piece = _string(called.get(text))
        call.pieces.append(piece)
        if piece and call.began is None:
            call.began = Where(where.payload, (*where.path, member, text))


def _function_call(choice: Choice, value: JsonObject, where: Where) -> None:
    if choice.function_call is None:
        choice.function_call = ToolCall(0, where)
    call = choice.function_call
    _note(call, call.names, value.get("name"), where, "name")
    piece = _string(value.get("arguments"))
    if piece:
        call.pieces.append(piece)
        call.began = call.began or Where(where.payload, (*where.path, "arguments"))


def _number(index: JsonValue, position: int, where: Where) -> int:
    """Return what a call goes by: its index in a stream; its position in a message, where an index says nothing."""
    in_delta = where.path[-3] == "delta"
    return index if in_delta and isinstance(index, int) and not isinstance(index, bool) else position


def _note(call: ToolCall, seen: list[Seen], value: JsonValue, where: Where, *path: str) -> None:
    """Add an id or a name to those that a call has."""
    if value and isinstance(value, str):
        seen.append(Seen(value, Where(where.payload, (*where.path, *path))))
    elif value == "" and seen:
        call.blanks.append(Where(where.payload, (*where.path, *path)))


def _string(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
