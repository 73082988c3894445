"""Reading the events of a stream: sentinels, errors and chunks, with as little parsing as the chunks allow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chatconform.model import JsonObject, JsonValue, Span
from chatconform.wire import sse, strict_json
from chatconform.wire.events import Events
from chatconform.wire.fold import Choice, Fold, Group, Where, is_metadata, text_of
from chatconform.wire.reuse import Template, learn

DONE = b"[DONE]"
"""The data of the event that ends a stream (OpenAI API reference, streaming)."""

_LOOKS_DONE = re.compile(rb'\s*+"?\s*+\[?\s*+done\s*+\]?\s*+"?\s*+', re.IGNORECASE)
"""Nothing is tried twice: else a run of white space would take time that grows with its cube."""


@dataclass(slots=True)
class Texts:
    """What the JSON texts of an answer are like: how many there are, and the numbers of those that are unlike the rest.

    `unread` are texts that exceed our limits; `odd` those with a fact that lenient parsers hide.
    """

    count: int = 0
    empty: int = 0
    unread: int = 0
    faulty: list[int] = field(default_factory=list)
    no_object: list[int] = field(default_factory=list)
    odd: list[int] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many texts could be JSON: those that are neither empty nor beyond our limits."""
        return self.count - self.empty - self.unread

    @property
    def parsed(self) -> int:
        """How many texts are JSON."""
        return self.count - self.unread - len(self.faulty)

    def take(self, number: int, document: strict_json.Document, *, empty: bool) -> None:
        """Count a text that was parsed."""
        self.count += 1
        self.empty += empty
        if document.limit:
            self.unread += 1
        elif document.fault:
            self.faulty.append(number)
        else:
            if document.object is None:
                self.no_object.append(number)
            if not document.is_plain:
                self.odd.append(number)


@dataclass(frozen=True, slots=True)
class Sentinel:
    """An event that ends the stream, or means to: `exact` where its data are the bytes `[DONE]`.

    `event` is None where the body ends before the event does, so that it is never dispatched.
    """

    event: int | None
    span: Span
    exact: bool


class StreamReader:
    """Takes the events of a stream in their order; parses only what does not repeat an earlier payload.

    The payloads are the events before the first sentinel.
    """

    def __init__(self, events: Events) -> None:
        """Take the events that a decoder dispatched."""
        self.events = events
        self.fold = Fold("delta")
        self.texts = Texts()
        self.errors: list[Where] = []
        self.strangers: list[int] = []
        self.sentinels: list[Sentinel] = []
        self.after_done: list[tuple[int, Span]] = []
        self._template: Template | None = None
        self._group: Group | None = None
        self._text: tuple[Choice, list[str]] | None = None
        self._is_simple = events.are_messages

    def read(self) -> None:
        """Read every event."""
        number, data = 0, self.events.data
        while number < len(data):
            after = self._repeats(number)
            if after == number:
                self._take(number, data[number])
                after += 1
            number = after

    def _repeats(self, number: int) -> int:
        """Read the events from a number on that repeat the template; return the number of the first that does not."""
        template, group = self._template, self._group
        if template is None or group is None:
            return number
        if self._is_simple and self._text is not None and not self._text[0].finishes:
            after = number + template.follow(self.events.data, number, self._text[1])
            self.fold.continue_text(after - 1, group, after - number)
        else:
            after = self._repeat_one_by_one(number, template, group)
        self.texts.count += after - number
        return after

    def _repeat_one_by_one(self, number: int, template: Template, group: Group) -> int:
        after, data = number, self.events.data
        while after < len(data) and self.events.type(after) != "error":
            texts = template.texts(data[after])
            if texts is None:
                break
            self.fold.repeat(after, group, zip(template.paths, texts, strict=True))
            after += 1
        return after

    def _take(self, number: int, data: bytes) -> None:
        if _LOOKS_DONE.fullmatch(data):
            self.sentinels.append(Sentinel(number + 1, self.events.span(number), data == DONE))
            self._template = None
        elif self.sentinels:
            self.after_done.append((number + 1, self.events.span(number)))
        else:
            self._parse(number, data)

    def _parse(self, number: int, data: bytes) -> None:
        document = strict_json.parse(data)
        self.texts.take(number, document, empty=not data)
        error = error_in(number, document.object, self.events.type(number))
        if error:
            self.errors.append(error)
        value = document.object
        is_strange = not error and value is not None and is_stranger(value)
        if is_strange:
            self.strangers.append(number)
        if value is None or error or is_strange:
            self._template = None
            return
        group = self.fold.add(number, value)
        template = learn(data, value) if group and document.is_plain else None
        if template is not None and group is not None:
            self._repeat_from(template, group)

    def _repeat_from(self, template: Template, group: Group) -> None:
        """Try the next payloads against this template, and see whether they can only add to one text."""
        self._template, self._group = template, group
        first, *others = template.paths
        says_one_text = not others or others == [("obfuscation",)]
        self._text = text_of(self.fold.facts, template.value, first) if says_one_text else None


def undispatched(body: bytes, stream: sse.EventStream) -> list[Sentinel]:
    """Return the sentinel that the end of the body discards."""
    spans = stream.tail.data_spans if stream.tail else ()
    return [
        Sentinel(None, span, body[slice(*span)] == DONE)
        for span in spans[:1]
        if len(spans) == 1 and _LOOKS_DONE.fullmatch(body[slice(*span)])
    ]


def error_in(number: int, value: JsonObject | None, event_type: str) -> Where | None:
    """Return where a payload says that the answer failed, in any of the shapes seen in the wild."""
    if value is None:
        return Where(number) if event_type == "error" else None
    if value.get("error"):
        return Where(number, ("error",))
    choices = value.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(choice, dict) and choice.get("error"):
            return Where(number, ("choices", position, "error"))
    return Where(number) if event_type == "error" or _is_flat_error(value) else None


def is_stranger(value: JsonObject) -> bool:
    """Whether an object is no part of a completion: it has no choices, and does not call itself one either."""
    calls_itself = str(value.get("object")).startswith("chat.completion")
    return "choices" not in value and not calls_itself and not is_metadata(value)


_WELL: tuple[JsonValue, ...] = (0, 200)
"""What vendors write as the code of an answer that is none of an error."""


def _is_flat_error(value: JsonObject) -> bool:
    """Whether an object without choices is an error without the key `error`. What wraps data, or is well, is none."""
    if "choices" in value or value.get("data") or value.get("code") in _WELL:
        return False
    names_trouble = any(isinstance(value.get(key), str) for key in ("message", "msg", "detail"))
    says_error = any(key in value for key in ("code", "status", "detail")) or "error" in str(value.get("type"))
    return value.get("object") == "error" or (names_trouble and says_error)
