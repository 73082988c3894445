"""What an answer says, in the few terms in which a client's reading and our own reading of it can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from chatconform.model import JsonObject, JsonValue
from chatconform.wire import strict_json
from chatconform.wire.fold import Choice, ToolCall
from chatconform.wire.transcript import Kind, Transcript

MAX_MESSAGE: Final = 40
"""Characters of an error's message that have to be found again in an exception."""
_MESSAGES: Final = ("message", "detail", "msg", "description")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, or of a function, which has no id. Values are as a client hands them over."""

    id: JsonValue
    name: JsonValue
    arguments: JsonValue

    @property
    def means(self) -> JsonValue:
        """The arguments as a value: their text is parsed where it is JSON, and nothing stands for no arguments."""
        if not isinstance(self.arguments, str):
            return self.arguments
        document = strict_json.parse(self.arguments.encode("utf-8", "replace"))
        return document.value if document.readable else self.arguments or {}


@dataclass(frozen=True, slots=True)
class Said:
    """One choice of an answer."""

    index: JsonValue
    role: JsonValue = None
    text: JsonValue = None
    finish_reason: JsonValue = None
    calls: tuple[Call, ...] = ()
    function_call: Call | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says. `error` is the message of an error that it tells; "" where the error has no message.

    `is_cut` says that it does not come to its end; `other` names what a client hands over in place of an answer.
    """

    choices: tuple[Said, ...] = ()
    usage: tuple[JsonValue, JsonValue] | None = None
    models: tuple[JsonValue, ...] | None = None
    error: str | None = None
    is_cut: bool = False
    other: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is no answer at all."""
        return not self.choices and self.models is None


def by_client(answer: JsonObject) -> Told:
    """Return what a client hands over (the `answer` of a witness)."""
    models = answer.get("models")
    if isinstance(models, list):
        return Told(models=tuple(models))
    choices = answer.get("choices")
    said = [_said(choice) for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    usage = answer.get("usage")
    counts = (usage.get("prompt"), usage.get("completion")) if isinstance(usage, dict) else None
    other = answer.get("other")
    return Told(tuple(said), counts, other=other if isinstance(other, str) else None)


def _said(choice: JsonObject) -> Said:
    calls = choice.get("calls")
    function = choice.get("function_call")
    return Said(
        choice.get("index"), choice.get("role"), choice.get("text"), choice.get("finish_reason"),
        tuple(_call(call) for call in calls if isinstance(call, dict)) if isinstance(calls, list) else (),
        _call(function) if isinstance(function, dict) else None,
    )  # fmt: skip


def _call(call: JsonObject) -> Call:
    return Call(call.get("id"), call.get("name"), call.get("arguments"))


def by_wire(transcript: Transcript) -> Told:
    """Return what the bytes of an answer say, as we read them."""
    if transcript.kind is Kind.MODELS:
        return Told(models=tuple(_models(transcript)))
    facts = transcript.facts
    said = tuple(_of_choice(choice) for _, choice in sorted(facts.choices.items()))
    counts = facts.usage
    usage = (counts.prompt, counts.completion) if {"prompt", "completion"} <= counts.known else None
    return Told(said, usage, error=_error(transcript), is_cut=transcript.ended_early)


def _of_choice(choice: Choice) -> Said:
    role = choice.roles[0].value if choice.roles else None
    finish = choice.finishes[-1].value if choice.finishes else None
    calls = tuple(_of_call(call) for _, call in sorted(choice.tool_calls.items()))
    function = _of_call(choice.function_call) if choice.function_call else None
    return Said(choice.index, role, choice.text, finish, calls, function)


def _of_call(call: ToolCall) -> Call:
    return Call(call.id, call.name, call.arguments)


def _models(transcript: Transcript) -> Iterator[JsonValue]:
    data = (transcript.document.object or {}).get("data") if transcript.document else None
    yield from (row.get("id") for row in (data if isinstance(data, list) else []) if isinstance(row, dict))


def _error(transcript: Transcript) -> str | None:
    """Return the message of the error that an answer is or holds; None where there is none."""
    for where in transcript.errors:
        return _message(transcript.payload(where.payload).object) or ""
    document = transcript.document
    body = document.object if document else None
    if transcript.kind in (Kind.ERROR, Kind.OTHER) or (body and body.get("error") and not body.get("choices")):
        said = _message(body)
        return said if said is not None else transcript.body[:MAX_MESSAGE].decode("utf-8", "ignore").strip()
    return None


def _message(body: JsonObject | None) -> str | None:
    """Return what an error says to people: its message, or what stands for it in the shapes that are seen instead."""
    error = (body or {}).get("error") or body
    said = next((error[name] for name in _MESSAGES if error.get(name)), "") if isinstance(error, dict) else error
    first = said[0] if isinstance(said, list) and said else said
    return first if isinstance(first, str) else None
