"""Reading a payload that repeats an earlier one of its stream but for free text, without parsing it again.

The chunks of a stream differ, mostly, in one string: the next piece of text. Where the bytes before and after
that string equal those of a payload that was parsed, and the string's own bytes are those of a JSON string,
the payload has the same structure and the same facts, and only its text is read (RFC 8259 section 7 says what may
stand in a string).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from operator import itemgetter

from chatconform.model import JsonObject
from chatconform.wire.fold import Path
from chatconform.wire.sse import Event

FREE_TEXT = ("content", "refusal", "reasoning_content", "reasoning", "arguments", "obfuscation")
"""Members whose text no rule reads one by one: no clause may ask more of them than a type."""

Slots = tuple[str, ...]
"""The new texts of a payload, in the order of the template's paths."""

_MAX_SLOTS = 2
"""How many strings of a payload may change: the text, and the obfuscation beside it."""
_FIRST_WINDOW, _MAX_WINDOW = 32, 4096
_KNOWN: dict[bytes, str] = {}
_MAX_KNOWN, _SHORT = 8192, 32
_ESCAPED = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\/bfnrt])+')
_DATA = itemgetter(Event._fields.index("data"))


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed payload, cut at its quotation marks, and which of the pieces are free text."""

    value: JsonObject
    paths: tuple[Path, ...]
    pieces: tuple[bytes, ...]
    slots: tuple[int, ...]
    prefix: bytes
    suffix: bytes

    def follow(self, events: Sequence[Event], number: int, pieces: list[str]) -> int:
        """Add the first text of each payload from a number on that repeats this one; return how many did.

        No event may have a type of its own.
        """
        if len(self.slots) > 1:
            return self._follow_one_by_one(events, number, pieces)
        count, window = 0, _FIRST_WINDOW
        while taken := self._cut(events, number + count, window, pieces):
            count += taken
            if taken < window:
                break
            window = min(2 * window, _MAX_WINDOW)
        return count

    def _cut(self, events: Sequence[Event], number: int, window: int, pieces: list[str]) -> int:
        """Cut out the texts of so many payloads at once, as nearly all of a stream's repeat one another."""
        prefix, suffix = self.prefix, self.suffix
        start, end = len(prefix), -len(suffix)
        payloads = [*map(_DATA, islice(events, number, number + window))]
        texts = [data[start:end] for data in payloads if data.startswith(prefix) and data.endswith(suffix)]
        if len(texts) < len(payloads):
            alike = takewhile(lambda data: data.startswith(prefix) and data.endswith(suffix), payloads)
            texts = [data[start:end] for data in alike]
        return _add(texts, pieces)

    def _follow_one_by_one(self, events: Sequence[Event], number: int, pieces: list[str]) -> int:
        count = 0
        for event in islice(events, number, None):
            texts = self.texts(event)
            if texts is None:
                break
            pieces.append(texts[0])
            count += 1
        return count

    def texts(self, event: Event) -> Slots | None:
        """Return the texts of a payload that repeats this one, or None where it does not."""
        data, prefix, suffix = event.data, self.prefix, self.suffix
        if event.type == "error" or not (data.startswith(prefix) and data.endswith(suffix)):
            return None
        if len(data) < len(prefix) + len(suffix):
            return None
        if len(self.slots) > 1:
            return self._several(data)
        read = _read(data[len(prefix) : -len(suffix)])
        return None if read is None else (read,)

    def _several(self, data: bytes) -> Slots | None:
        """Cut out two texts and what stands between them, which has to be the same too."""
        first, second = self.slots
        between = b'"' + b'"'.join(self.pieces[first + 1 : second]) + b'"'
        text, found, other = data[len(self.prefix) : -len(self.suffix)].partition(between)
        read, padding = (_KNOWN.get(text) or _read(text), _read(other)) if found else (None, None)
        return None if read is None or padding is None else (read, padding)


def _add(texts: list[bytes], pieces: list[str]) -> int:
    """Add the texts of JSON strings up to the first that is none; return how many were added."""
    known = [*map(_KNOWN.get, texts)]
    if None not in known:
        pieces.extend(known)  # type: ignore[arg-type]
        return len(known)
    for count, (text, read) in enumerate(zip(texts, known, strict=True)):
        found = read or _read(text)
        if found is None:
            return count
        pieces.append(found)
    return len(texts)


def _read(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes; what is short is remembered, as models repeat their tokens."""
    read = _escaped(text) if b"\\" in text or b'"' in text else _plain(text)
    if read is not None and len(text) <= _SHORT:
        if len(_KNOWN) >= _MAX_KNOWN:
            _KNOWN.clear()
        _KNOWN[text] = read
    return read


def _plain(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes that need no parser: not empty, well-formed, without controls."""
    if not text:
        return None
    try:
        read = text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return read if read.isprintable() or min(read) >= " " else None


def _escaped(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes with escapes; those by code unit are left to the parser."""
    return str(json.loads(f'"{text.decode()}"')) if _ESCAPED.fullmatch(text) else None


def learn(data: bytes, value: JsonObject) -> Template | None:
    """Return a template of a parsed payload where all of its free text stands in one or two strings."""
    found = list(_free_texts(value))
    if not 0 < len(found) <= _MAX_SLOTS or b"\\" in data:
        return None
    pieces = tuple(data.split(b'"'))
    placed = sorted((_slot(pieces, path, text), path) for path, text in found)
    slots = tuple(slot for slot, _ in placed)
    if -1 in slots:
        return None
    prefix = b'"'.join(pieces[: slots[0]]) + b'"'
    suffix = b'"' + b'"'.join(pieces[slots[-1] + 1 :])
    return Template(value, tuple(path for _, path in placed), pieces, slots, prefix, suffix)


def _slot(pieces: tuple[bytes, ...], path: Path, text: str) -> int:
    """Return which piece is the text of a member; -1 where its name or its text leaves a doubt."""
    name = str(path[-1]).encode()
    if pieces.count(name) != 1:
        return -1
    slot = pieces.index(name) + 2
    is_value = slot < len(pieces) and pieces[slot - 1].strip() == b":" and slot % 2 == 1
    return slot if is_value and pieces[slot] == text.encode("utf-8", "surrogatepass") else -1


def _free_texts(value: JsonObject) -> Iterator[tuple[Path, str]]:
    """Yield the free texts of a chunk with one choice that are not empty."""
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if isinstance(delta, dict):
        yield from _members(delta, ("choices", 0, "delta"))
        calls = delta.get("tool_calls")
        call = calls[0] if isinstance(calls, list) and len(calls) == 1 else None
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            yield from _members(function, ("choices", 0, "delta", "tool_calls", 0, "function"))
    yield from _members(value, ())


def _members(value: JsonObject, path: Path) -> Iterator[tuple[Path, str]]:
    for name in FREE_TEXT:
        text = value.get(name)
        if isinstance(text, str) and text:
            yield (*path, name), text
